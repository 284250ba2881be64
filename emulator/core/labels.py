"""What stands on the label of a device that we make."""

from emulator.core.ids import Eui64


def serial_of(eui64: Eui64) -> str:
    """Return the serial number of the device of that identifier. Source: invented."""
    return f"14P{int.from_bytes(eui64.octets[4:], 'big') % 10_000_000:07}"
