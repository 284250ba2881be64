"""What a captured frame says: who to whom, one line, and every decoded field."""

import enum
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any, Final

from emulator.codecs import csp_transfer
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.use_cases import MESSAGES
from emulator.codecs.zcl import foundation, metering, ota, tunnel_wrapper, tunneling
from emulator.codecs.zcl import frame as zcl
from emulator.codecs.zigbee import aps, mac, nwk
from emulator.core.errors import EmulatorError, MalformedFrameError
from harness.dlms_view.line import Way
from harness.gbcs_view.message import Field, fields_of
from harness.ports import CapturedFrame
from harness.report.layers import FRAGMENTS, REASSEMBLED, Dissection, Fields, Layer, Layers, said
from harness.report.line_frames import LineFrames, is_wrapped
from harness.report.naming import COORDINATOR, Directory, flat, spaced
from harness.report.xml_fields import fields_of_xml, is_xml

_CLUSTERS: Final = {
    0x0000: "Basic",
    0x000A: "Time",
    0x0019: "OTA Upgrade",
    0x0702: "Metering",
    0x0704: "Tunneling",
}
#: What the fields of a GBCS message come in.
_GBCS_PARTS: Final = ("GBCS message", "header", "payload", "protection")
_COMMANDS: Final = {
    table.cluster: table for table in (ota.COMMANDS, tunneling.COMMANDS, metering.COMMANDS)
}
#: Commands that come in great numbers, and the family their request and response share.
_FAMILIES: Final = {
    "ImageBlockRequest": "ImageBlock",
    "ImageBlockResponse": "ImageBlock",
    "ImageBlockWait": "ImageBlock",
    "ImagePageRequest": "ImageBlock",
    "TunnelGet": "tunnel polling",
    "Chunk": "image chunk",
    "ChunkAnswer": "image chunk",
}


class Dissector:
    """Decodes the frames of one scenario in order; puts fragments together.

    Attributes:
        directory: Names of addresses.
        learnt: Short addresses told by GBCS messages that crossed in tunnels -> device.
    """

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self._parts: dict[tuple[int, int, int], dict[int, bytes]] = {}
        self._totals: dict[tuple[int, int, int], int] = {}
        self._ends = (0, 0)
        self.learnt: dict[int, str] = {}
        self._lines = LineFrames(directory)

    def dissect(self, frame: CapturedFrame) -> Dissection:
        """Decode one frame; damaged octets become a line that says so."""
        hub, wan = self.directory.hub, self.directory.wan
        ways = {
            "wan-in": (wan[0], hub),
            "wan-out": (hub, wan[1]),
            "csp-in": ("CSP", hub),
            "csp-out": (hub, "CSP"),
        }
        if frame.link == "han":
            return self._han(frame.frame)
        way = Way(frame.link.rpartition("-")[2])
        if frame.link.startswith("line"):
            return self._lines.line(way, frame.frame)
        sender, receiver = ways[frame.link]
        if is_wrapped(frame.frame):
            return self._lines.wan(way, frame.frame, (sender, receiver))
        readers: tuple[Callable[[bytes], Dissection], str] = (
            (self._csp, "image transfer")
            if frame.link.startswith("csp")
            else (self._gbcs, "GBCS message")
        )
        told = _guarded(readers[0], frame.frame, readers[1])
        return Dissection(sender, receiver, told.label, told.family, told.layers, told.damaged)

    def message(self, kind: str, octets: bytes) -> Dissection:
        """Decode what parties exchanged: a GBCS message where it is one, else text or octets."""
        if octets[:1] in {b"\xdd", b"\xdf"}:
            told = _guarded(self._gbcs, octets, kind)
            if not told.damaged:
                return told
        if is_xml(octets) and (rows := fields_of_xml(octets)):
            return Dissection("", "", kind, layers=(said(kind, *rows),))
        try:
            shown = octets.decode("utf-8")
        except UnicodeDecodeError:
            return Dissection("", "", kind)
        layers = (said(kind, ("text", shown)),) if shown else ()
        return Dissection("", "", kind, layers=layers)

    def _gbcs(self, octets: bytes) -> Dissection:
        label, layers = gbcs_layers(octets, self.directory)
        return Dissection("", "", label, layers=layers)

    def _csp(self, octets: bytes) -> Dissection:
        value = csp_transfer.decode(octets)
        name = type(value).__name__
        reason = getattr(value, "reason", None)
        label = f"{spaced(name)}: {reason.word}" if reason is not None else spaced(name)
        layers = (self._layer("image transfer to the hub (stand-in)", value),)
        return Dissection("", "", label, _FAMILIES.get(name, ""), layers)

    def _han(self, octets: bytes) -> Dissection:
        try:
            frame = mac.decode(octets)
        except MalformedFrameError as error:
            return Dissection(
                "radio", "radio", f"damaged frame: {error.why}", "damaged", (), damaged=True
            )
        ends = self.directory.short(frame.source), self.directory.short(frame.destination)
        layers = [self._layer("IEEE 802.15.4", frame, "payload")]
        try:
            told = self._above_mac(frame, layers)
        except MalformedFrameError as error:
            layers.append(said(error.layer, ("refused", error.why)))
            told = Dissection("", "", f"damaged: {error.why}", "", tuple(layers), damaged=True)
        return Dissection(*ends, told.label, told.family, told.layers, told.damaged)

    def _above_mac(self, frame: mac.MacFrame, layers: list[Layer]) -> Dissection:
        network = nwk.decode(frame.payload)
        layers.append(self._layer("Zigbee NWK", network, "payload"))
        self._ends = (network.source, network.destination)
        application = aps.decode(network.payload)
        if isinstance(application, aps.ApsAck):
            layers.append(self._layer("Zigbee APS acknowledgement", application))
            return Dissection("", "", "APS ack", "ack", tuple(layers))
        layers.append(self._layer("Zigbee APS", application, "payload"))
        if application.fragment is None:
            return self._zcl(application.cluster, application.payload, layers)
        return self._fragment(network, application, application.fragment, layers)

    def _fragment(
        self,
        network: nwk.NwkFrame,
        application: aps.ApsFrame,
        fragment: aps.Fragment,
        layers: list[Layer],
    ) -> Dissection:
        key = (network.source, network.destination, application.counter)
        if fragment.first:
            self._parts[key] = {}
            self._totals[key] = fragment.block
        parts = self._parts.setdefault(key, {})
        parts[fragment.number] = application.payload
        total = self._totals.get(key, 0)
        if total and len(parts) == total and all(n in parts for n in range(total)):
            whole = b"".join(parts[n] for n in range(total))
            del self._parts[key], self._totals[key]
            rows = (("fragments", str(total)), ("octets", str(len(whole))))
            layers.append(said(REASSEMBLED, *rows))
            return self._zcl(application.cluster, whole, layers)
        of = f" of {total}" if total else ""
        cluster = _CLUSTERS.get(application.cluster, f"{application.cluster:#06x}")
        label = f"{cluster}: fragment {fragment.number + 1}{of}"
        return Dissection("", "", label, FRAGMENTS, tuple(layers))

    def _zcl(self, cluster: int, octets: bytes, layers: list[Layer]) -> Dissection:
        frame = zcl.decode(octets)
        name = _CLUSTERS.get(cluster, f"cluster {cluster:#06x}")
        layers.append(self._layer(f"ZCL, {name}", frame, "payload"))
        table = _COMMANDS.get(cluster)
        if not frame.cluster_specific:
            value: Any = foundation.decode(frame)
        elif table is not None and table.knows(frame):
            value = table.decode(frame)
        else:
            return Dissection("", "", f"{name} command {frame.command:#04x}", "", tuple(layers))
        command = type(value).__name__
        layers.append(self._layer(spaced(command), value))
        if isinstance(value, tunneling.TransferData):
            return self._tunnelled(value.data, layers)
        label, family = self._told(command, value), _FAMILIES.get(command, "")
        return Dissection("", "", label, family, tuple(layers))

    def _told(self, command: str, value: Any) -> str:
        status = getattr(value, "status", None)
        if isinstance(status, enum.Enum):
            return f"{spaced(command)}: {status.name}"
        return spaced(command)

    def _tunnelled(self, data: bytes, layers: list[Layer]) -> Dissection:
        """A GBCS message bare, or inside the wrapper that sleepy devices use."""
        if is_wrapped(data):  # a SMETS1 home
            return self._of_home(data, layers)
        if data[:1] not in {b"\xdd", b"\xdf"}:
            wrapped = tunnel_wrapper.decode(data)
            name = type(wrapped).__name__
            layers.append(self._layer(spaced(name), wrapped, "message"))
            data = getattr(wrapped, "message", b"")
            if not data:
                family = "tunnel polling"
                return Dissection("", "", spaced(name), family, tuple(layers))
            if is_wrapped(data):
                return self._of_home(data, layers)
        label, inner = gbcs_layers(data, self.directory)
        self._learn(data)
        return Dissection("", "", f"{label}, in the tunnel", "", (*layers, *inner))

    def _of_home(self, data: bytes, layers: list[Layer]) -> Dissection:
        way = Way.IN if self._ends[0] == COORDINATOR else Way.OUT
        told = self._lines.tunnelled(way, data)
        inside = (*layers, *told.layers)
        return Dissection("", "", told.label, told.family, inside, told.damaged)

    def _learn(self, message: bytes) -> None:
        """A tunnel's far end is who its messages come from or go to."""
        header = envelope.decode(message).header
        for short, eui64 in zip(self._ends, (header.originator, header.target), strict=True):
            if short != COORDINATOR and eui64.hex in self.directory.eui64s:
                self.learnt.setdefault(short, self.directory.eui64(eui64))

    def _layer(self, name: str, value: Any, *left_out: str) -> Layer:
        return Layer(name, lambda: tuple(flat(value, self.directory, left_out)))


def _guarded(read: Callable[[bytes], Dissection], octets: bytes, what: str) -> Dissection:
    try:
        return read(octets)
    except EmulatorError as error:
        why = error.why if isinstance(error, MalformedFrameError) else str(error)
        return Dissection("", "", f"{what}: {why}", damaged=True)


def gbcs_layers(octets: bytes, directory: Directory) -> tuple[str, Layers]:
    """Return one line and the decoded layers of a GBCS message.

    Raises:
        MalformedFrameError: It is none.
    """
    message = envelope.decode(octets)
    code, kind = message.header.other.message_code, message.header.cra.name.lower()
    row = MESSAGES.get(code)
    use_case = row.use_case if row is not None else f"code {code:#06x}"
    kind = "pre-command" if message.signature is None else kind
    label = use_case if use_case.endswith(kind) else f"{use_case} {kind}"
    tree = cache(lambda: fields_of(octets))
    return label, tuple(
        Layer(name, partial(_part, tree, number, directory))
        for number, name in enumerate(_GBCS_PARTS)
    )


def _part(tree: Callable[[], list[Field]], number: int, directory: Directory) -> Fields:
    name, value = tree()[number]
    if isinstance(value, str):
        return ((name, value),)
    form = name.partition("(")[2].rstrip(")")  # "payload (DLMS, 52 octets)"
    rows = tuple(_indented(value, directory))
    return (("form", form), *rows) if form else rows


def _indented(tree: list[Field], directory: Directory, depth: int = 0) -> Iterable[tuple[str, str]]:
    for name, value in tree:
        indent = "\N{NO-BREAK SPACE}" * 2 * depth
        if isinstance(value, str):
            yield f"{indent}{name}", directory.with_name(value)
        else:
            yield f"{indent}{name}", ""
            yield from _indented(value, directory, depth + 1)
