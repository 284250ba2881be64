"""Mode C read-out (IEC 62056-21): the data block of a meter, out of the very registers of DLMS."""

from typing import TYPE_CHECKING, Final

from emulator.core.clock import UtcMs, to_datetime
from emulator.devices.consumption import Kind

if TYPE_CHECKING:
    from emulator.devices.smets1.meter import Meter

_REGISTERS: Final = (
    ("1.8.0", Kind.IMPORT, "kWh"),
    ("2.8.0", Kind.EXPORT, "kWh"),
    ("3.8.0", Kind.REACTIVE_IMPORT, "kvarh"),
    ("4.8.0", Kind.REACTIVE_EXPORT, "kvarh"),
)


def kilo(value: int) -> str:
    """Print thousandths as a register shows them: six digits, point, three."""
    whole, rest = divmod(value, 1000)
    return f"{whole:06}.{rest:03}"


def block_of(meter: "Meter", now: UtcMs) -> str:
    """Return the data block: identity, time, registers, rates, voltage; lines end in CR LF.

    Source:
        Form: IEC 62056-21 6.3.4 (known). Which values: invented.
    """
    shown = to_datetime(meter.clock.shows(now))
    lines = [
        f"0.0.0({meter.serial_text()})",
        f"0.2.0({meter.firmware_text()})",
        f"0.9.1({shown:%H%M%S})",
        f"0.9.2({shown:%y%m%d})",
    ]
    for code, kind, unit in _REGISTERS:
        lines.append(f"{code}({kilo(meter.consumption.energy_wh(kind, now))}*{unit})")
    for rate, energy_wh in sorted(meter.rates.split_wh(now).items()):
        lines.append(f"1.8.{rate}({kilo(energy_wh)}*kWh)")
    decivolts = meter.consumption.voltage_mv(now) // 100
    lines.append(f"32.7.0({decivolts // 10}.{decivolts % 10}*V)")
    return "".join(f"{line}\r\n" for line in lines)
