"""What a captured frame says: who to whom, one line, and every decoded field."""

import enum
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, partial
from typing import Any, Final, Self

from emulator.codecs import csp_transfer
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.use_cases import MESSAGES
from emulator.codecs.zcl import foundation, metering, ota, tunnel_wrapper, tunneling
from emulator.codecs.zcl import frame as zcl
from emulator.codecs.zigbee import aps, mac, nwk
from emulator.core.errors import EmulatorError, MalformedFrameError
from emulator.core.ids import Eui64
from harness.gbcs_view.message import Field, fields_of
from harness.ports import CapturedFrame

Fields = tuple[tuple[str, str], ...]

#: Octets of a field that are shown before the rest is only counted; the dump has them all.
_SHOWN_OCTETS: Final = 40
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
_COORDINATOR: Final = 0x0000
#: Family of a fragment, and the layer that says a frame completed a message.
FRAGMENTS: Final = "fragments"
REASSEMBLED: Final = "reassembled"
#: The hub's lane: its CHF and its GPF share a radio and a line.
_HUB: Final = "CHF"
#: Parties whose names are abbreviations, whatever case a step writes them in.
_ABBREVIATIONS: Final = frozenset({"ACB", "CSP", "DCC", "DSP", "MCC", "S1SP", "SMSO"})
_SHORT: Final = re.compile(r"0x[0-9A-Fa-f]{4}")


@dataclass(frozen=True, slots=True)
class Layer:
    """One decoded layer of a frame.

    Attributes:
        name: Its name, for a heading.
        tell: Returns its fields as (name, text); asked only for frames that are shown.
    """

    name: str
    tell: Callable[[], Fields]


Layers = tuple[Layer, ...]


@dataclass(frozen=True, slots=True)
class Dissection:
    """A decoded frame; attributes as in ``TraceItem``."""

    sender: str
    receiver: str
    label: str
    family: str = ""
    layers: Layers = ()
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Directory:
    """Names of addresses.

    Attributes:
        eui64s: EUI-64 in hex -> device.
        shorts: Zigbee short address -> device.
        hub: The lane of the hub.
        wan: The lanes that send to and receive from the hub over the SM WAN.
    """

    eui64s: Mapping[str, str]
    shorts: Mapping[int, str]
    hub: str
    wan: tuple[str, str]

    @classmethod
    def of(
        cls, names: Mapping[str, str], rows: Mapping[str, Mapping[str, str]], parties: Iterable[str]
    ) -> Self:
        """Gather names from the journal: EUI-64s by role, short addresses from device rows."""
        shorts = {_COORDINATOR: _HUB}
        for device, row in rows.items():
            for name, value in row.items():
                if "short" in name and _SHORT.fullmatch(str(value)):
                    shorts.setdefault(int(str(value), 16), device.split(" ", 1)[0])
        known = {name.upper() for name in parties}
        sender = next((name for name in ("ACB", "DSP") if name in known), "ACB")
        receiver = next((name for name in ("DSP", "ACB") if name in known), "ACB")
        return cls(dict(names), shorts, _HUB, (sender, receiver))

    def eui64(self, address: Eui64) -> str:
        """Return who an EUI-64 is, or the EUI-64."""
        return self.eui64s.get(address.hex, str(address))

    def party(self, name: str) -> str:
        """Return the one spelling of a party's name; ``hub`` is the lane of the hub."""
        if name.lower() in {"hub", self.hub.lower()}:
            return self.hub
        return name.upper() if name.upper() in _ABBREVIATIONS else name

    def with_name(self, text: str) -> str:
        """Return a printed EUI-64 with the device's name behind it; other texts unchanged."""
        known = self.eui64s.get(text.replace("-", "").lower())
        return text if known is None else f"{text} ({known})"

    def short(self, address: int) -> str:
        """Return who a short address is, or the address."""
        return "all nodes" if address >= 0xFFF8 else self.shorts.get(address, unnamed(address))


def unnamed(short: int) -> str:
    """Return what a node is called whose short address nobody named."""
    return f"node {short:#06x}"


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
        sender, receiver = ways[frame.link]
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
        try:
            shown = octets.decode("utf-8")
        except UnicodeDecodeError:
            return Dissection("", "", kind)
        layers = (_said(kind, ("text", shown)),) if shown else ()
        return Dissection("", "", kind, layers=layers)

    def _gbcs(self, octets: bytes) -> Dissection:
        label, layers = gbcs_layers(octets, self.directory)
        return Dissection("", "", label, layers=layers)

    def _csp(self, octets: bytes) -> Dissection:
        value = csp_transfer.decode(octets)
        name = type(value).__name__
        reason = getattr(value, "reason", None)
        label = f"{_spaced(name)}: {reason.word}" if reason is not None else _spaced(name)
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
            layers.append(_said(error.layer, ("refused", error.why)))
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
            layers.append(_said(REASSEMBLED, *rows))
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
        layers.append(self._layer(_spaced(command), value))
        if isinstance(value, tunneling.TransferData):
            return self._tunnelled(value.data, layers)
        label, family = self._told(command, value), _FAMILIES.get(command, "")
        return Dissection("", "", label, family, tuple(layers))

    def _told(self, command: str, value: Any) -> str:
        status = getattr(value, "status", None)
        if isinstance(status, enum.Enum):
            return f"{_spaced(command)}: {status.name}"
        return _spaced(command)

    def _tunnelled(self, data: bytes, layers: list[Layer]) -> Dissection:
        """A GBCS message bare, or inside the wrapper that sleepy devices use."""
        if data[:1] not in {b"\xdd", b"\xdf"}:
            wrapped = tunnel_wrapper.decode(data)
            name = type(wrapped).__name__
            layers.append(self._layer(_spaced(name), wrapped, "message"))
            data = getattr(wrapped, "message", b"")
            if not data:
                family = "tunnel polling"
                return Dissection("", "", _spaced(name), family, tuple(layers))
        label, inner = gbcs_layers(data, self.directory)
        self._learn(data)
        return Dissection("", "", f"{label}, in the tunnel", "", (*layers, *inner))

    def _learn(self, message: bytes) -> None:
        """A tunnel's far end is who its messages come from or go to."""
        header = envelope.decode(message).header
        for short, eui64 in zip(self._ends, (header.originator, header.target), strict=True):
            if short != _COORDINATOR and eui64.hex in self.directory.eui64s:
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


def _said(name: str, *rows: tuple[str, str]) -> Layer:
    return Layer(name, lambda: rows)


def _indented(tree: list[Field], directory: Directory, depth: int = 0) -> Iterable[tuple[str, str]]:
    for name, value in tree:
        indent = "\N{NO-BREAK SPACE}" * 2 * depth
        if isinstance(value, str):
            yield f"{indent}{name}", directory.with_name(value)
        else:
            yield f"{indent}{name}", ""
            yield from _indented(value, directory, depth + 1)


def flat(
    value: Any, directory: Directory, left_out: tuple[str, ...] = (), prefix: str = ""
) -> Iterable[tuple[str, str]]:
    """Yield (name, text) of every field of a dataclass, nested ones dotted."""
    for entry in fields(value):
        if entry.name in left_out:
            continue
        yield from _row(f"{prefix}{entry.name}", getattr(value, entry.name), directory)


def _row(name: str, value: Any, directory: Directory) -> Iterable[tuple[str, str]]:
    if is_dataclass(value) and not isinstance(value, Eui64 | type):
        yield from flat(value, directory, (), f"{name}.")
    elif isinstance(value, tuple | list):
        for number, item in enumerate(value):
            yield from _row(f"{name}[{number}]", item, directory)
    elif value is not None:
        yield name.replace("_", " "), show(value, directory)


def show(value: Any, directory: Directory) -> str:
    """Return a field's value as a reader wants it: named, and in the base the clauses use."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, enum.Enum):
        number = f" ({value.value:#x})" if isinstance(value.value, int) else ""
        return f"{value.name}{number}"
    if isinstance(value, int):
        return f"{value} ({value:#x})" if value > 9 else str(value)
    if isinstance(value, Eui64):
        return directory.with_name(str(value))
    if isinstance(value, bytes):
        return _hex(value)
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _hex(octets: bytes) -> str:
    if not octets:
        return "(empty)"
    more = f" … {len(octets) - _SHOWN_OCTETS} more" if len(octets) > _SHOWN_OCTETS else ""
    return octets[:_SHOWN_OCTETS].hex(" ") + more


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
