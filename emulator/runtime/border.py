"""Where a world ends: frames to and from nodes elsewhere, disturbed and recorded on the way."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from emulator.codecs.zigbee import quick
from emulator.codecs.zigbee.aps import ApsFrame, Fragment
from emulator.core.effects import SendZcl, ZclIndication
from emulator.core.fault_schedule import Frame
from emulator.core.ids import Eui64
from emulator.han.labels import label_of, wants_ack
from emulator.han.medium import LINK
from emulator.han.node import MAX_PAYLOAD_BYTES, RADIUS
from emulator.han.outputs import Settled
from emulator.runtime.box import Box
from emulator.runtime.outlet import OUTSIDE, Outlet
from emulator.runtime.scene import Crossed, Scene

#: What a reader of a capture must know of frames at the border.
COMMENT: Final = "as the outlet carried it: headers and fragments redrawn, unsealed (stand-in)"


class Border:
    """One world's way to an outlet.

    Faults of the air (link ``han``) strike here what a ZCL frame can suffer: loss, repetition and
    damage; what is late is not.
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
        key = (self._scene.index(box), handle)
        copies = self._cross(box, (order.source or box.eui64, order.to), order, label, out=True)
        if handle:
            self._waiting.append(key)
        for number, octets in enumerate(copies):
            self._outlet.send(replace(order, frame=octets), 0 if number else handle)
        return [] if copies or not handle else [Settled(handle, False, 1)]

    def heard(self, box: Box, frame: ZclIndication) -> list[ZclIndication]:
        """Return what reaches a box of a frame from elsewhere."""
        order = SendZcl(frame.destination, frame.cluster, frame.frame)
        label = label_of(frame.cluster, frame.frame)
        copies = self._cross(box, (frame.source, frame.destination), order, label, out=False)
        return [replace(frame, frame=octets) for octets in copies]

    def settles(self, box: Box, handle: int) -> bool:
        """Take a transfer as ended; False: nobody waits for it."""
        key = (self._scene.index(box), handle)
        if key not in self._waiting:
            return False
        self._waiting.remove(key)
        return True

    def cancel(self, box: Box, handle: int) -> bool:
        """Have a transfer given up; False: it did not go this way."""
        if (self._scene.index(box), handle) not in self._waiting:
            return False
        self._outlet.cancel(handle)
        return True

    def forget(self, box: Box) -> None:
        """A box has lost power: it waits for nothing any longer."""
        index = self._scene.index(box)
        self._waiting = [key for key in self._waiting if key[0] != index]

    def _cross(
        self, box: Box, way: tuple[Eui64, Eui64], order: SendZcl, label: str, *, out: bool
    ) -> list[bytes]:
        """Record a frame, and return the copies of it that faults leave."""
        scene = self._scene
        copies = [order.frame]
        faults: tuple[str, ...] = ()
        roles = (box.role, OUTSIDE) if out else (OUTSIDE, box.role)
        if scene.schedule.touches(LINK):
            crossing = scene.schedule.cross(Frame(LINK, order.frame, label, *roles))
            copies, faults = [copy.frame for copy in crossing.copies], crossing.faults
        drawn = [self._drawn(box, way, order.cluster, octets, label) for octets in copies]
        for octets in (octets for frames in drawn for octets in frames):
            scene.records.frame(scene.now_us, LINK, octets, COMMENT)
        if faults:
            crossed = Crossed(scene.now_us, LINK, order.frame, copies, faults)
            scene.struck(crossed, box, label)
        scene.records.count(roles[1], label)
        return copies

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
