"""The device log of a SMETS1 hub: which devices it serves, and which of them have joined.

Stand-in throughout: no public document says how a SMETS1 hub kept it.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from emulator.codecs.dlms import han_log
from emulator.codecs.dlms.han_log import Join, LogRow, Word
from emulator.core.effects import Note
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.devices.saved import Json, Saved, State

#: Types that have no head-end credentials, and join by themselves.
DISPLAYS: Final = frozenset({"PPMID", "IHD"})


class DeviceLog:
    """Which devices a hub serves.

    Attributes:
        entries: Device -> its row, in the order they were put in.
        limit: Rows it can hold.
        joining: Whether the HAN is open to devices that want to join.
        makers: Makers of displays whose firmware the hub reads; none: all.
        sessions: Displays that have joined since the hub last started.
    """

    def __init__(self, limit: int, makers: Iterable[int] = ()) -> None:
        self.entries: dict[Eui64, LogRow] = {}
        self.limit = limit
        self.makers = frozenset(makers)
        self.joining = False
        self.sessions: set[Eui64] = set()
        self._welcomed: Join | None = None
        self._orders: list[Join | Note] = []

    def install(self, rows: Iterable[LogRow]) -> None:
        """Take over what the installer has put into the log."""
        self.entries = {row.eui64: row for row in rows}

    def add(self, eui64: Eui64, device_type: str) -> bool:
        """Put a device into the log; say whether there was room."""
        known = self.entries.get(eui64)
        if known is None and len(self.entries) >= self.limit:
            return False
        if known is None or known.device_type != device_type:
            self.entries[eui64] = LogRow(eui64, device_type)
            self._note("added", eui64)
        self._invite(self.entries[eui64])
        return True

    def remove(self, eui64: Eui64) -> bool:
        """Take a device out of the log; say whether it was there."""
        row = self.entries.pop(eui64, None)
        self.sessions.discard(eui64)
        if row is not None:
            self._note("removed", eui64)
            self._dismiss(row)
        return row is not None

    def unjoin(self, eui64: Eui64) -> bool:
        """Have a device of the log leave the HAN; say whether it was in the log."""
        row = self.entries.get(eui64)
        if row is None:
            return False
        self.entries[eui64] = replace(row, joined=False)
        self.sessions.discard(eui64)
        self._note("unjoined", eui64)
        self._dismiss(row)
        return True

    def open(self, *, on: bool) -> None:
        """Open the HAN to the devices of the log, or close it."""
        self.joining = on
        for row in self.entries.values():
            self._invite(row)

    def heard(self, eui64: Eui64) -> None:
        """Note that a device of the log has spoken: it has joined."""
        row = self.entries.get(eui64)
        if row is not None and not row.joined:
            self.entries[eui64] = replace(row, joined=True)

    def hello(self, apdu: bytes) -> None:
        """Take what a display says; one that is not in the log, or not invited, is told to go."""
        try:
            said = han_log.decode_join(apdu)
        except MalformedFrameError as error:
            why = (("layer", error.layer), ("why", error.why))
            self._orders.append(Note("malformed_frame", why))
            return
        if said.word is not Word.HELLO:
            self._note("word out of place", said.eui64)
        elif self.welcomes(said):
            self._note("joined", said.eui64)
            self._welcomed = said
            self._orders.append(Join(Word.WELCOME, said.eui64))
        else:
            self._note("refused", said.eui64)
            self._orders.append(Join(Word.LEAVE, said.eui64))

    def take_welcomed(self) -> Join | None:
        """Return what the display said that has just joined, and forget it."""
        said, self._welcomed = self._welcomed, None
        return said

    def welcomes(self, said: Join) -> bool:
        """Let a display that says hello join where it may, and keep what it tells; say whether."""
        row = self.entries.get(said.eui64)
        if row is None or not (row.joined or self.joining):
            return False
        told = said.firmware if not self.makers or said.maker in self.makers else b""
        self.entries[said.eui64] = replace(row, joined=True, firmware=told)
        self.sessions.add(said.eui64)
        return True

    def end_sessions(self) -> None:
        """Forget who has joined since the hub started: it is off, or starts again."""
        self.sessions.clear()

    def call_back(self) -> None:
        """Call displays that had joined before the hub started back onto the HAN."""
        for row in self.entries.values():
            lost = row.joined and row.eui64 not in self.sessions
            if lost and row.device_type in DISPLAYS:
                self._orders.append(Join(Word.INVITE, row.eui64))

    def take_orders(self) -> list[Join | Note]:
        """Return what is to be said and noted because the log was changed."""
        orders, self._orders = self._orders, []
        return orders

    def _invite(self, row: LogRow) -> None:
        if self.joining and not row.joined and row.device_type in DISPLAYS:
            self._orders.append(Join(Word.INVITE, row.eui64))

    def _dismiss(self, row: LogRow) -> None:
        if row.device_type in DISPLAYS:
            self._orders.append(Join(Word.LEAVE, row.eui64))

    def _note(self, what: str, eui64: Eui64) -> None:
        self._orders.append(Note("device_log", (("device", str(eui64)), ("change", what))))

    def dump(self) -> State:
        """Return the state as JSON values."""
        rows: list[Json] = [
            {
                "eui64": row.eui64.hex,
                "device_type": row.device_type,
                "joined": row.joined,
                "firmware": row.firmware.hex(),
            }
            for row in self.entries.values()
        ]
        sessions: list[Json] = [
            eui64.hex for eui64 in sorted(self.sessions, key=lambda one: one.octets)
        ]
        return {"entries": rows, "joining": self.joining, "sessions": sessions}

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.install(
            LogRow(
                row.eui64("eui64"),
                row.text("device_type"),
                row.flag("joined"),
                row.octets("firmware"),
            )
            for row in saved.rows("entries")
        )
        self.joining = saved.flag("joining")
        self.sessions = {*saved.eui64s("sessions")}
