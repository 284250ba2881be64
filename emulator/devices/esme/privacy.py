"""The privacy PIN of an ESME: with one set, screen and buttons wait for it.

Source:
    known (SMETS2: a four-digit PIN of the consumer's, which the supplier can end by ECS14); how
    long an entered PIN counts: invented. What a joined PPMID is told is not held back, and a token
    is taken from anybody: the reference says nothing of a gate for them. That emergency credit and
    supply wait for the PIN, at the meter and from a PPMID: inferred.
"""

from typing import TYPE_CHECKING, Final

from emulator.codecs.dlms import axdr
from emulator.core.clock import UtcMs

if TYPE_CHECKING:
    from emulator.devices.esme.esme import Esme

_NAME: Final = "privacy_pin"
_DIGITS: Final = 4
_PENCE: Final = 1000
#: How long the screen stays open. Source: invented.
_OPEN_MS: Final = 300_000


def is_set(device: "Esme") -> bool:
    """Say whether there is a PIN."""
    return bool(device.model.store.octets(_NAME))


def is_open(device: "Esme", now: UtcMs) -> bool:
    """Say whether the screen tells everything: no PIN, or one that was just entered."""
    return not is_set(device) or now < device.open_until


def set_pin(device: "Esme", digits: str, now: UtcMs) -> bool:
    """Take a person's PIN (no digits: none any more); who does not know the old one cannot."""
    good = not digits or (len(digits) == _DIGITS and digits.isdecimal() and digits.isascii())
    if not good or not is_open(device, now):
        return False
    device.model.store.put(_NAME, axdr.octets(digits.encode()))
    device.open_until = UtcMs(0)
    return True


def enter_pin(device: "Esme", digits: str, now: UtcMs) -> bool:
    """Open the screen for a while with the right PIN."""
    good = is_set(device) and device.model.store.octets(_NAME) == digits.encode()
    if good:
        device.open_until = UtcMs(now + _OPEN_MS)
    return good


def screen(device: "Esme", now: UtcMs) -> dict[str, str]:
    """Return what the meter's own screen shows."""
    shown = {"supply": device.switch.value}
    if not is_open(device, now):
        return {**shown, "screen": "PIN"}
    device.model.ledger.settle(now)
    balance = device.model.ledger.account.credit
    return {
        **shown,
        "import": f"{device.model.import_wh(now)} Wh",
        "balance": f"{balance / _PENCE:.2f} p",
    }
