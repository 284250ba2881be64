"""A command of every use case, for every type of device that carries it out; all keys are fresh."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from hypothesis import find

from device_profiles.words import DeviceType, RemoteParty
from emulator.codecs import der
from emulator.codecs.der import Node, Tag
from emulator.codecs.dlms import access, axdr
from emulator.codecs.dlms.access import AccessItem, AccessRequest, Operation
from emulator.codecs.dlms.axdr import NULL, Data
from emulator.codecs.dlms.axdr import Tag as DataTag
from emulator.codecs.dlms.protected import (
    AttributeReference,
    ProtectedRequest,
    ProtectionParameters,
    request_data,
)
from emulator.codecs.dlms.selective import CaptureObject, RangeSelection, selection_of
from emulator.codecs.dlms.shapes import fits, shape_of
from emulator.codecs.gbcs import credentials as wire
from emulator.codecs.gbcs import gbz
from emulator.codecs.gbcs.asn1 import ActivateFirmware, ReadFirmwareVersion
from emulator.codecs.gbcs.asn1_parts import time_node
from emulator.codecs.gbcs.credentials import Cell
from emulator.codecs.gbcs.dates import NOW, encode_date_time
from emulator.codecs.gbcs.dlms import invoke_id
from emulator.codecs.gbcs.gbz import GbzComponent, GbzMessage
from emulator.codecs.gbcs.joins import JoinDevice, LoggedDevice
from emulator.codecs.gbcs.metering import SupplyStatus, frame_of
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode, MessageRow, PayloadKind
from emulator.codecs.zcl import foundation, gas
from emulator.codecs.zcl.account import ChangePaymentMode, ConsumerTopUp
from emulator.codecs.zcl.foundation import ReadAttributes
from emulator.codecs.zcl.metering import ChangeSupply
from emulator.codecs.zcl.prepayment import PREPAYMENT
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.prepayment_token import make_token
from emulator.crypto.protection import KeyRing
from emulator.devices.chf import objects as hub_objects
from emulator.devices.chf.values import CONFIGURATION, SHAPES
from emulator.devices.consumption import DAY_MS
from emulator.devices.cosem import VERSION
from emulator.devices.credentials.places import MODES, PLACES
from emulator.devices.log_selection import CLOCK_COLUMN
from harness.gbcs_blocks import whole_messages
from tests.emulator.devices.credentials import test_credentials_contingency as contingency
from tests.emulator.devices.credentials.own_home import ROLES, Home
from tests.emulator.devices.esme.esme_kit import OBJECTS, item_of, values_of
from tests.emulator.devices.gas.gas_kit import CATALOGUE
from tests.emulator.devices.kit import messages

C, D, R = MessageCode, DeviceType, RemoteParty
KINDS = (D.ESME, D.GSME, D.GPF, D.CHF, D.PPMID, D.HCALCS)
LOG, HISTORIC = bytes((0, 0, 30, 3, 0, 255)), bytes((0, 0, 30, 3, 1, 255))
PEER = Eui64(bytes.fromhex("00db123456780001"))
_LONGEST = 90


@cache
def pairs() -> tuple[tuple[MessageRow, DeviceType], ...]:
    """Every command of the table with every type of device that carries it out."""
    made = {kind: Home(kind) for kind in KINDS}
    return tuple(
        (row, kind)
        for row in MESSAGES.values()
        if row.command
        for kind in KINDS
        if made[kind].device.handling(row.code) is not None
    )


class Asking:
    """A fresh home, and the command of one use case to it."""

    def __init__(self, row: MessageRow, kind: DeviceType, seed: int) -> None:
        self.row = row
        self.code = C(row.code)
        sealed = self.code is C.CS02B_ANY_BY_CONTINGENCY
        self.home = contingency.home_with_contingency(kind) if sealed else Home(kind, seed)
        for party in self.home.parties.values():
            self.home.counters[party] = 1 + self.home.chance.below(1 << 30)
        if row.use_case.startswith("PCS"):
            self._know_a_ppmid()
        self.party = self._party()
        self.counter = self.home.counter(self.party)
        self.items = 0

    def _know_a_ppmid(self) -> None:
        """A gas meter takes orders of the PPMID that it shares a key with."""
        self.home.counters[PEER] = 1 + self.home.chance.below(1 << 30)
        entries = self.home.pki.device_entries(PEER)
        self.home.keys = self.home.keys.merged(KeyStore(entries))
        device = self.home.device
        device.take_ring(KeyRing(device.ring.keystore.merged(KeyStore(entries).public())))

    def _party(self) -> Eui64:
        roles = self.home.device.roles_for(self.row.code) or frozenset()
        return next((self.home.parties[role] for role in ROLES if role in roles), PEER)

    def message(self) -> bytes:
        """The command."""
        if self.code is C.CS02B_ANY_BY_CONTINGENCY:
            self.party = contingency.PARTY
            return contingency.command(self.home, self.counter)
        if self.code in MODES:
            return self._replacement()
        kind = self.row.payload[0]
        if kind is PayloadKind.DLMS:
            octets = self._dlms()
        elif kind is PayloadKind.GBZ:
            octets = self._gbz()
        else:
            octets = der.encode(self._asn1())
        return self.home.sealed(self.code, octets, self.party, self.counter)

    def answers(self) -> list[bytes]:
        """What the device sends when it is asked, blocks put together."""
        return whole_messages(messages(self.home.give(self.message())))

    # -- DLMS --------------------------------------------------------------------------------------

    def _dlms(self) -> bytes:
        if self.code in {C.CS01A, C.CS01B}:
            self.counter = self.counter << 32
        if self.home.device_type is D.CHF:
            items = tuple(_hub_items(self.row.use_case, self.home.now))
        else:
            items = tuple(self._items())
        self.items = len(items)
        assert items, self.row
        return access.encode_request(AccessRequest(invoke_id(self.counter), items))

    def _items(self) -> Iterator[AccessItem]:
        use_case = self.row.use_case
        if use_case == "ECS52":
            yield AccessItem(*VERSION)
            return
        guard = next((r for r in OBJECTS.rows if use_case in r.write and r.binding == "protected"),
                     None)  # fmt: skip
        read = [row for row in OBJECTS.rows if use_case in row.read and _has_phase(row)]
        if guard is not None:
            yield item_of(guard, self._protected(read))
            return
        for row in read:
            yield _selected(row, self.home.now) if row.binding == "log" else item_of(row)
        for row in OBJECTS.rows:
            if use_case in row.write and _has_phase(row):
                yield item_of(row, self._value(row))

    def _protected(self, rows: list[Any]) -> Data:
        since, until = (
            encode_date_time(UtcMs(self.home.now - DAY_MS)),
            encode_date_time(self.home.now),
        )
        references = [
            AttributeReference(row.class_id, row.obis, row.index, since, until)
            if row.binding == "log"
            else AttributeReference(row.class_id, row.obis, row.index)
            for row in rows
        ]
        parameters = ProtectionParameters(self.counter, self.party, self.home.eui64)
        return request_data(ProtectedRequest(tuple(references[:3]), parameters))

    def _value(self, row: Any) -> Data:
        if row.type == "date_time":
            return axdr.octets(NOW)
        if row.name == "top_up_token":
            return axdr.octets(self._token().encode())
        return _least(row.type)

    def _token(self) -> str:
        ring = KeyRing(self.home.keys)
        made = make_token(self.counter, 500, self.home.parties[R.SUPPLIER], self.home.eui64, ring)
        assert made is not None
        return made

    # -- GBZ ---------------------------------------------------------------------------------------

    def _gbz(self) -> bytes:
        if self.code in {C.CS01A, C.CS01B}:
            self.counter = self.counter << 32
        parts = tuple(self._components())
        self.items = len(parts)
        assert parts, self.row
        return gbz.encode(GbzMessage(parts))

    def _components(self) -> Iterator[GbzComponent]:
        use_case = self.row.use_case
        rows = [row for row in CATALOGUE.rows if use_case in row.use_cases]
        clusters = dict.fromkeys(row.cluster for row in rows if row.kind == "a")
        place = 0
        for cluster in clusters:
            if cluster is None:
                continue
            numbers = [row.number for row in rows if (row.kind, row.cluster) == ("a", cluster)]
            asked = foundation.encode(ReadAttributes(tuple(numbers)), place, server_to_client=False)
            yield GbzComponent(cluster, asked[0], asked[1], asked[2], asked[3:])
            place += 1
        for row in rows:
            if row.kind in {"c", "s"} and row.cluster is not None:
                yield self._command(row.cluster, row.kind == "s", row.number, place)
                place += 1

    def _command(self, cluster: int, from_server: bool, number: int, place: int) -> GbzComponent:
        control = 0x09 if from_server else 0x01
        special = self._special()
        if special is not None:
            return GbzComponent(cluster, control, place, number, special)
        for size in range(_LONGEST):
            one = GbzComponent(cluster, control, place, number, bytes(size))
            try:
                gas.decode(cluster, frame_of(one))
            except (MalformedFrameError, ValueError):
                continue
            return one
        raise AssertionError(f"no command {number:02x} of cluster {cluster:04x}")

    def _special(self) -> bytes | None:
        """Payloads that are none of zeros alone."""
        made: dict[str, Any] = {
            "GCS03": lambda: ChangePaymentMode(0, 7, 0, PREPAYMENT, -1),
            "GCS39": lambda: ChangeSupply(0, 7, 0, 0, SupplyStatus.OFF_ARMED, 1),
            "CS01b": lambda: ConsumerTopUp(1, self._token().encode()),
            "PCS01": lambda: ConsumerTopUp(2, self._token().encode()),
        }
        found = made.get(self.row.use_case)
        return None if found is None else found().encode()

    # -- ASN.1 -------------------------------------------------------------------------------------

    def _replacement(self) -> bytes:
        mode, kind = MODES[self.code], self.home.device_type
        held = {cell.role for cell in PLACES[kind]} & mode.replaced
        role = min(held - {R.ROOT}, default=R.ROOT)
        rows = self.home.rows_for(role, self.home.parties[role]) if role != R.ROOT else []
        node, counter = self.home.replacement(self.code, rows)
        self.party = self.home.parties[mode.authoriser or 0]
        return self.home.sealed(self.code, node, self.party, counter)

    def _asn1(self) -> Node:
        home, code = self.home, self.code
        usage = der.sequence(Node(Tag.BIT_STRING, wire.DIGITAL_SIGNATURE))
        own = home.keys.find(home.eui64, KeyUsage.KA)
        role = next(role for role, party in home.parties.items() if party == self.party)
        ask = der.sequence(
            der.sequence(*Cell(role, wire.DIGITAL_SIGNATURE).nodes),
            der.sequence(der.integer(R.SUPPLIER)),
        )
        method = {C.CS03A1: 0, C.CS03A2: 1, C.CS03B: 2, C.CS03C: 3}.get(code, 0)
        brought = home.pki.device_entry(PEER, KeyUsage.KA).certificate if method == 3 else None
        entries = der.sequence(der.sequence(LoggedDevice(PEER, 5).node()))
        span = der.sequence(time_node(UtcMs(home.now - 1000)), time_node(UtcMs(home.now + 1000)))
        made: dict[MessageCode, Any] = {
            C.CS02A: lambda: ask, C.CS02F: lambda: ask,
            C.CS02C: lambda: usage, C.CS02E: lambda: usage,
            C.CS02D: lambda: der.decode((own and own.certificate) or b""),
            C.CS04AC: lambda: der.octet_string(PEER.octets),
            C.CS04B: lambda: der.octet_string(PEER.octets),
            C.CS06: lambda: der.decode(ActivateFirmware(bytes(32), self.counter, None).encode()),
            C.CS07: lambda: der.NULL,
            C.CS08: lambda: der.decode(ReadFirmwareVersion().encode()),
            C.GCS28: lambda: span,
            C.GCS59: lambda: entries,
        }  # fmt: skip
        if code in made:
            found: Node = made[code]()
            return found
        return JoinDevice(method, PEER, 5, brought).node()


def _has_phase(row: Any) -> bool:
    return (row.obis[0], row.obis[2]) not in {(1, 52), (1, 72)}


@cache
def _least(word: str) -> Data:
    """The simplest value of a shape."""
    shape = shape_of(word)
    return find(values_of(word), lambda value: fits(shape, value))


def _selected(row: Any, now: UtcMs) -> AccessItem:
    return _range(row.class_id, row.obis, row.index, now)


def _range(class_id: int, obis: bytes, index: int, now: UtcMs) -> AccessItem:
    """A read of a day of a log."""
    first, last = [Data(DataTag.UINT32, to_zigbee_seconds(UtcMs(at))) for at in (now - DAY_MS, now)]
    selection = selection_of(RangeSelection(CaptureObject(*CLOCK_COLUMN), first, last))
    return AccessItem(Operation.GET_SELECTED, class_id, obis, index, NULL, selection)


def _hub_items(use_case: str, now: UtcMs) -> Iterator[AccessItem]:
    """What a hub is asked."""
    act, get, put = Operation.ACTION, Operation.GET, Operation.SET
    named = axdr.structure(
        axdr.octets(PEER.octets), Data(DataTag.ENUM, 1), axdr.octets(bytes(16)),
        Data(DataTag.ENUM, 0),
    )  # fmt: skip
    backup = axdr.structure(axdr.octets(bytes(8)), Data(DataTag.ARRAY, ()))
    of_log = {
        "CCS01": [
            AccessItem(act, 104, LOG, 1, named),
            AccessItem(put, 104, LOG, 3, axdr.uint16(90)),
            AccessItem(put, 104, LOG, 2, Data(DataTag.BOOLEAN, 0xFF)),
        ],
        "CCS02": [AccessItem(act, 104, LOG, 2, axdr.octets(PEER.octets))],
        "CCS03": [AccessItem(act, 104, LOG, 5, backup)],
        "CCS05/CCS04": [AccessItem(get, 104, LOG, index) for index in (2, 3, 4)],
        "CCS06": [AccessItem(get, 104, LOG, 4)],
        "CCS07": [AccessItem(act, 104, LOG, 4), AccessItem(act, 104, HISTORIC, 4)],
        "ECS52": [AccessItem(*VERSION)],
    }
    yield from of_log.get(use_case, ())
    for (operation, class_id, obis, index), (words, _) in hub_objects._ACCESSES.items():
        if use_case not in words.split():
            continue
        if operation is Operation.GET_SELECTED:
            yield _range(class_id, obis, index, now)
        else:
            said = {"DBCH04": _least(SHAPES[CONFIGURATION]), "DBCH05": Data(DataTag.UINT8, 1)}
            yield AccessItem(operation, class_id, obis, index, said.get(use_case, NULL))
