"""Joining to the hub's HAN: who may, until when, and with which key (CCS01 to CCS03)."""

from dataclasses import dataclass, field, replace
from typing import Final

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.gbcs.dates import encode_date_time
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.aes_mmo import aes_mmo
from emulator.crypto.install_code import InstallCode
from emulator.devices.chf.device_log import DeviceLog, DeviceLogEntry
from emulator.devices.saved import Json, Saved

_SECOND: Final = 1000
_NO_TIME: Final = UtcMs(0)


@dataclass(frozen=True, slots=True)
class Expected:
    """A device that may join.

    Attributes:
        link_key: Key of its install code, 16 octets.
        begin: When its window opened.
        until: When it closes.
    """

    link_key: bytes = field(repr=False)
    begin: UtcMs = _NO_TIME
    until: UtcMs = _NO_TIME


class Joining:
    """Who may join the HAN of a hub.

    Attributes:
        log: The hub's device log.
        expected: Devices that may join and have not.
        timeout_s: How long a window stays open (attribute 3).
        open_until: When the window last opened closes.
        extended_pan_id: Of the HAN, eight octets; the GPF's EUI-64 until a restore says otherwise.
    """

    __slots__ = ("expected", "extended_pan_id", "log", "open_until", "timeout_s")

    def __init__(self, log: DeviceLog, extended_pan_id: Eui64) -> None:
        self.log = log
        self.expected: dict[Eui64, Expected] = {}
        self.timeout_s = 0
        self.open_until = _NO_TIME
        self.extended_pan_id = extended_pan_id

    def __repr__(self) -> str:
        return f"Joining({len(self.expected)} expected)"

    def register(self, device: Eui64, install_code: bytes) -> bool | None:
        """Let a device join.

        Args:
            device: The device.
            install_code: Its code of 16 octets, without the check.

        Returns:
            True where the log got an entry; None where the device was in it already (the code is
            ignored then); False where the log is full.

        Source:
            firmware.md 8.1 (MAP): already in the log: success; new: entry with an empty hash.
        """
        if device in self.log.entries and device not in self.expected:
            return None
        before = self.log.was_there(device)
        kind = None if before is None else before.device_type
        if device not in self.log.entries:
            history = self.log.historic
            if not self.log.add(DeviceLogEntry(device, kind, joined=False)):
                return False
            self.log.historic = history
        self.expected[device] = Expected(InstallCode(install_code).link_key())
        return True

    def open_window(self, now: UtcMs) -> None:
        """Let all expected devices join from now until the timeout."""
        self.open_until = UtcMs(now + self.timeout_s * _SECOND)
        for device, one in self.expected.items():
            self.expected[device] = replace(one, begin=now, until=self.open_until)

    def close_window(self, now: UtcMs) -> None:
        """Let nobody join any more."""
        self.open_until = now
        for device, one in self.expected.items():
            self.expected[device] = replace(one, until=now)

    def key_to_try(self, device: Eui64, now: UtcMs) -> bytes | None:
        """Return the link key under which a device may join now; None where it may not.

        Source:
            F-081, firmware.md 8.1 (MAP): a device of the Historic Log is tried with its old key
            for the first half of the timeout, with its install code for the second.
        """
        one = self.expected.get(device)
        if one is None or not one.begin <= now < one.until:
            return None
        old = self.log.was_there(device)
        middle = one.begin + (one.until - one.begin) // 2
        if old is not None and old.hashed_key and now < middle:
            return old.hashed_key
        return one.link_key

    def admit(self, device: Eui64, now: UtcMs, agreed_key: bytes | None = None) -> bool:
        """Let a device join if it may now; its key is then known by its hash.

        Args:
            device: The device.
            now: The present moment.
            agreed_key: Link key agreed with it; None for the one it joined under.
        """
        tried = self.key_to_try(device, now)
        entry = self.log.entries.get(device)
        if tried is None or entry is None:
            return False
        hashed = aes_mmo(tried if agreed_key is None else agreed_key)
        self.log.add(replace(entry, hashed_key=hashed, joined=True, last_heard=now))
        del self.expected[device]
        return True

    def unregister(self, device: Eui64) -> bool:
        """Take a device out; one that had joined goes into the Historic Log."""
        had_joined = self.expected.pop(device, None) is None
        if had_joined:
            return self.log.remove(device)
        return self.log.entries.pop(device, None) is not None

    def restore(self, pan_id: Eui64, entries: tuple[tuple[Eui64, bytes], ...]) -> bool:
        """Put a backed-up log in place of this one; False where it does not fit (CCS03)."""
        kept = DeviceLog(*self.log.sizes)
        for device, hashed in entries:
            known = self.log.entries.get(device) or self.log.was_there(device)
            kind = None if known is None else known.device_type
            if not kept.add(DeviceLogEntry(device, kind, hashed_key=hashed)):
                return False
        self.log.entries = kept.entries
        self.log.historic = [old for old in self.log.historic if old.eui64 not in kept.entries]
        self.expected.clear()
        self.extended_pan_id = pan_id
        return True

    def backup(self, entries: tuple[DeviceLogEntry, ...], at: UtcMs) -> Data:
        """Return a log as CCS07 and CS14 carry it: time, extended PAN id, devices with hashes."""
        return axdr.structure(
            axdr.octets(encode_date_time(at)),
            axdr.octets(self.extended_pan_id.octets),
            Data(Tag.ARRAY, tuple([entry.backed_up() for entry in entries])),
        )

    def dump(self) -> Json:
        """Return the state as JSON."""
        return {
            "expected": [
                {
                    "device": device.hex,
                    "link_key": one.link_key.hex(),
                    "begin": one.begin,
                    "until": one.until,
                }
                for device, one in self.expected.items()
            ],
            "timeout_s": self.timeout_s,
            "open_until": self.open_until,
            "extended_pan_id": self.extended_pan_id.hex,
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.expected = {
            row.eui64("device"): Expected(
                row.octets("link_key"), row.moment("begin"), row.moment("until")
            )
            for row in saved.rows("expected")
        }
        self.timeout_s = saved.number("timeout_s")
        self.open_until = saved.moment("open_until")
        self.extended_pan_id = saved.eui64("extended_pan_id")
