"""Conditions of SMETS1 homes: what devices in a migration do wrong, each in octets.

``ROWS`` says what is wrong and which devices can have it; ``defects.DEFECTS`` holds them as
``s1-gsme-…``. Wrong methods take the right one.
"""

import hashlib
from dataclasses import replace
from typing import Any, Final

from device_profiles.words import DeviceType
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import ActionResult
from emulator.core.effects import Note
from emulator.crypto.dlms_cipher import KEY_BYTES
from emulator.crypto.dlms_keys import SecurityKeys
from emulator.devices import defective_smets1 as meters
from emulator.devices.defective_methods import Method, Override, Row, on_the_line
from emulator.devices.smets1.behind_hub import DEAF_AFTER, HAN_LOST
from emulator.devices.smets1.hub import TELLS_NOBODY


def keeps_its_first_keys(right: Method) -> Method:
    """Refuse keys while those of the factory are in force."""
    return lambda self, data, at: (
        MethodOutcome(ActionResult.OTHER_REASON) if self.security.as_made else right(self, data, at)
    )


def changes_once(right: Method) -> Method:
    """Refuse every change of keys after the first."""
    return lambda self, data, at: (
        right(self, data, at) if self.security.as_made else MethodOutcome(ActionResult.OTHER_REASON)
    )


def garbles_the_second(right: Method) -> Method:
    """Take another unicast key than was sent, whenever keys change again."""

    def transfer_keys(self: Any, data: Any, at: Any) -> Any:
        again = not self.security.as_made
        outcome = right(self, data, at)
        if again and outcome.result is ActionResult.SUCCESS:
            keys = self.security.keys
            garbled = bytes(octet ^ 0xFF for octet in keys.unicast)
            self.security.replace_keys(replace(keys, unicast=garbled))
        return outcome

    return transfer_keys


def lets_the_old_ones_in(right: Method) -> Method:
    """Try the keys of the factory where those in force do not fit."""

    def on_association_request(self: Any, channel: Any, apdu: bytes) -> Any:
        effects = right(self, channel, apdu)
        refused = any(isinstance(one, Note) and one.kind == "dlms_refused" for one in effects)
        if not refused or self.security.as_made:
            return effects
        keys = self.security.keys
        self.security.replace_keys(self.factory.keys)
        try:
            return right(self, channel, apdu)
        finally:
            self.security.replace_keys(keys)

    return on_association_request


def loses_its_keys(_right: Method) -> Method:
    """Have keys that nobody knows once the SIM is on another network."""

    def on_other_network(self: Any) -> None:
        keys = self.security.keys
        lost = SecurityKeys(_noise(self, "unicast"), _noise(self, "authentication"), keys.master)
        self.security.replace_keys(lost)

    return on_other_network


def _noise(device: Any, word: str) -> bytes:
    return hashlib.sha256(f"{device.eui64.hex}/{word}".encode()).digest()[:KEY_BYTES]


def other_version(right: Method) -> Method:
    """Tell a version whose last digit is another."""

    def firmware_text(self: Any) -> str:
        text: str = right(self)
        return f"{text[:-1]}{(int(text[-1], 16) + 1) % 16:X}"

    return firmware_text


def other_serial(right: Method) -> Method:
    """Tell a serial number whose last digit is another."""

    def serial_text(self: Any) -> str:
        text: str = right(self)
        return f"{text[:-1]}{(int(text[-1]) + 1) % 10}"

    return serial_text


def other_eui64(right: Method) -> Method:
    """Tell an EUI-64 whose last bit is another."""

    def eui64_octets(self: Any) -> bytes:
        octets: bytes = right(self)
        return octets[:-1] + bytes((octets[-1] ^ 1,))

    return eui64_octets


def lacks(device_type: str) -> Override:
    """Return what leaves the devices of a type out of the device log."""

    def wrong(right: Method) -> Method:
        return lambda self, rows: right(
            self, [row for row in rows if row.device_type != device_type]
        )

    return wrong


def says_only(_right: Method) -> Method:
    """Do nothing."""
    return lambda _self, _mode, _at: None


_C, _E, _G, _P = DeviceType.CHF, DeviceType.ESME, DeviceType.GSME, DeviceType.PPMID
_HOLDERS: Final = (_C, _E, _G)
ROWS: Final[tuple[Row, ...]] = (
    (
        "rotation-refused",
        _HOLDERS,
        "refuses to take other keys than those it left the factory with.",
        {"transfer_keys": keeps_its_first_keys},
    ),
    (
        "restore-refused",
        _HOLDERS,
        "takes other keys once and refuses every change of keys after that.",
        {"transfer_keys": changes_once},
    ),
    (
        "restored-key-garbled",
        _HOLDERS,
        "takes another key than was sent when its keys change again, and says success.",
        {"transfer_keys": garbles_the_second},
    ),
    (
        "keeps-old-keys-too",
        _HOLDERS,
        "goes on letting clients in with the keys of the factory when it has others.",
        {"on_association_request": lets_the_old_ones_in},
    ),
    (
        "keeps-old-key",
        (_C, _G),
        "says that it took new keys and goes on with the old ones.",
        {"transfer_keys": meters.old_key_stays},
    ),
    (
        "never-wakes-again",
        (_G,),
        "never switches its receiver on again once its keys have changed.",
        {"line_defects": on_the_line(DEAF_AFTER)},
    ),
    (
        "han-lost",
        (_G,),
        "is not heard on the HAN and hears nothing there.",
        {"line_defects": on_the_line(HAN_LOST)},
    ),
    (
        "other-firmware",
        (*_HOLDERS, _P),
        "runs another firmware version than its model says.",
        {"firmware_text": other_version},
    ),
    (
        "other-serial",
        _HOLDERS,
        "has another serial number than its papers say.",
        {"serial_text": other_serial},
    ),
    (
        "other-eui64",
        _HOLDERS,
        "tells another EUI-64 than it has on the HAN.",
        {"eui64_octets": other_eui64},
    ),
    (
        "clock-adrift",
        (_C, _G),
        "shows a time ten minutes ahead, whatever it is set to.",
        {"clock.shows": meters.ten_minutes_fast},
    ),
    (
        "forgets-payment-mode",
        (_E, _G),
        "answers success to another payment mode and keeps the one it has.",
        {"set_payment_mode": says_only},
    ),
    (
        "log-lacks-gsme",
        (_C,),
        "does not have the gas meter in its device log.",
        {"install": lacks("GSME")},
    ),
    (
        "log-lacks-ppmid",
        (_C,),
        "does not have the displays in its device log.",
        {"install": lacks("PPMID")},
    ),
    (
        "forgets-keys",
        (_C,),
        "loses its keys when its SIM moves to another network: nobody can operate it.",
        {"on_other_network": loses_its_keys},
    ),
    (
        "tells-nobody",
        (_C,),
        "comes onto another network and does not tell the head end there.",
        {"line_defects": on_the_line(TELLS_NOBODY)},
    ),
)
