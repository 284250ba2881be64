"""Where a world ends: frames to and from nodes elsewhere, disturbed and recorded on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from emulator.codecs.zigbee import quick
from emulator.codecs.zigbee.aps import ApsFrame, Fragment
from emulator.core.effects import SendZcl, ZclIndication
from emulator.core.fault_schedule import Frame
from emulator.core.faults import Copy
from emulator.core.ids import Eui64
from emulator.han.labels import label_of, wants_ack
from emulator.han.medium import LINK
from emulator.han.node import MAX_PAYLOAD_BYTES, RADIUS
from emulator.han.outputs import Settled
from emulator.runtime.box import Box
from emulator.runtime.outlet import OUTSIDE, KnowsRoles, Outlet
from emulator.runtime.scene import Crossed, Scene

#: Entries of the agenda: a late frame goes out, or comes in.
LATE_OUT: Final = "border-out"
LATE_IN: Final = "border-in"
#: What a reader of a capture must know of frames at the border.
COMMENT: Final = "as the outlet carried it: headers and fragments redrawn, unsealed (stand-in)"


class Border:
    """One world's way to an outlet.

    Faults of the air (link ``han``) strike here what a ZCL frame can suffer: loss, repetition,
    damage and delay.
    """

    def __init__(self, scene: Scene, outlet: Outlet) -> None:
        """Take the shared state of the world, and what carries its frames."""
        self._scene = scene
        self._outlet = outlet
        self._waiting: list[tuple[int, int]] = []  # box and handle of what is on its way out
        self._sequence = 0

    def send(self, box: Box, order: SendZcl, handle: int) -> list[Settled]:
        """Send a frame out; return what is settled at once: what a fault has swallowed."""
        order = replace(order, source=order.source or box.eui64)
        label = label_of(order.cluster, order.frame)
        key = (box.index, handle)
        copies = self._cross(box, (order.source or box.eui64, order.to), order, label, out=True)
        if handle:
            self._waiting.append(key)
        for number, copy in enumerate(copies):
            late = replace(order, frame=copy.frame)
            own = 0 if number else handle
            if copy.delay_us:
                self._put_off(LATE_OUT, box, copy.delay_us, [*_plain(late), own])
            else:
                self._outlet.send(late, own)
        return [] if copies or not handle else [Settled(handle, False, 1)]

    def send_late(self, box: Box, what: Sequence[Any]) -> None:
        """Send a frame out whose delay is over; none of a box without power, nor a cancelled one.

        Args:
            box: Whose it is.
            what: The frame, as it was put off.
        """
        handle = what[-1]
        waits = not handle or (box.index, handle) in self._waiting
        if box.powered and waits:
            self._outlet.send(_order(what[:-1]), handle)

    def _put_off(self, kind: str, box: Box, delay_us: int, what: list[Any]) -> None:
        scene = self._scene
        scene.agenda.put(scene.now_us + delay_us, kind, box.index, what)

    def heard(self, box: Box, frame: ZclIndication) -> list[ZclIndication]:
        """Return what reaches a box of a frame from elsewhere."""
        order = SendZcl(frame.destination, frame.cluster, frame.frame)
        label = label_of(frame.cluster, frame.frame)
        copies = self._cross(box, (frame.source, frame.destination), order, label, out=False)
        for copy in copies:
            if copy.delay_us:
                late = SendZcl(frame.destination, frame.cluster, copy.frame, frame.source)
                self._put_off(LATE_IN, box, copy.delay_us, _plain(late))
        return [replace(frame, frame=copy.frame) for copy in copies if not copy.delay_us]

    @staticmethod
    def heard_late(what: Sequence[Any]) -> ZclIndication:
        """Return a frame from elsewhere whose delay is over."""
        order = _order(what)
        return ZclIndication(order.source or order.to, order.to, order.cluster, order.frame)

    def settles(self, box: Box, handle: int) -> bool:
        """Take a transfer as ended; False: nobody waits for it."""
        key = (box.index, handle)
        if key not in self._waiting:
            return False
        self._waiting.remove(key)
        return True

    def cancel(self, box: Box, handle: int) -> bool:
        """Have a transfer given up; False: it did not go this way."""
        if (box.index, handle) not in self._waiting:
            return False
        self._outlet.cancel(handle)
        return True

    def forget(self, box: Box) -> None:
        """A box has lost power: it waits for nothing any longer."""
        index = box.index
        self._waiting = [key for key in self._waiting if key[0] != index]

    def _cross(
        self, box: Box, way: tuple[Eui64, Eui64], order: SendZcl, label: str, *, out: bool
    ) -> Sequence[Copy]:
        """Record a frame, and return the copies of it that faults leave."""
        scene = self._scene
        copies: Sequence[Copy] = [Copy(order.frame)]
        faults: tuple[str, ...] = ()
        there = self._role_of(way[1] if out else way[0])
        roles = (box.role, there) if out else (there, box.role)
        if scene.schedule.touches(LINK):
            crossing = scene.schedule.cross(Frame(LINK, order.frame, label, *roles))
            copies, faults = crossing.copies, crossing.faults
        for copy in copies:
            for octets in self._drawn(box, way, order.cluster, copy.frame, label):
                scene.records.frame(scene.now_us + copy.delay_us, LINK, octets, COMMENT)
        if faults:
            arrived = [copy.frame for copy in copies]
            crossed = Crossed(scene.now_us, LINK, order.frame, arrived, faults)
            scene.struck(crossed, box, label)
        scene.records.count(OUTSIDE if out else box.role, label)
        return copies

    def _role_of(self, device: Eui64) -> str:
        """Return what a node elsewhere is, in the words of faults, where the outlet knows it."""
        known = self._outlet.role_of(device) if isinstance(self._outlet, KnowsRoles) else ""
        return known or OUTSIDE

    def _drawn(
        self, box: Box, way: tuple[Eui64, Eui64], cluster: int, octets: bytes, label: str
    ) -> list[bytes]:
        """Return the frames of the air that a ZCL frame may have been; none for strangers."""
        book = box.node.book
        source, to = book.find(way[0]), book.find(way[1])
        if source is None or to is None or not self._scene.records.keeps_frames:
            return []
        step = MAX_PAYLOAD_BYTES
        pieces = [octets[at : at + step] for at in range(0, len(octets), step)] or [b""]
        frames = []
        for number, piece in enumerate(pieces):
            self._sequence = (self._sequence + 1) & 0xFF
            fragment = Fragment(number == 0, number or len(pieces)) if len(pieces) > 1 else None
            frame = ApsFrame(
                to.endpoint,
                source.endpoint,
                cluster,
                self._sequence if fragment is None else (self._sequence - number) & 0xFF,
                piece,
                ack_request=wants_ack(label) or fragment is not None,
                fragment=fragment,
            )
            sequences = (self._sequence, self._sequence)
            frames.append(
                quick.encode(book.pan_id, to.short, source.short, RADIUS, sequences, frame)
            )
        return frames

    def dump(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {"waiting": [[*key] for key in self._waiting], "sequence": self._sequence}

    def load(self, state: Mapping[str, Any]) -> list[tuple[int, int]]:
        """Put everything back; return what was on its way out, by box and handle: it is lost."""
        self._waiting = [(index, handle) for index, handle in state["waiting"]]
        self._sequence = state["sequence"]
        return [*self._waiting]


def _plain(order: SendZcl) -> list[Any]:
    source = "" if order.source is None else order.source.hex
    return [order.to.hex, order.cluster, order.frame, source]


def _order(what: Sequence[Any]) -> SendZcl:
    to, cluster, frame, source = what
    return SendZcl(Eui64.parse(to), cluster, frame, Eui64.parse(source) if source else None)
