"""A running ESME, commands to it built from the catalogue, and random values of any shape."""

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from device_profiles.gbcs_objects import MemberRow
from device_profiles.words import DeviceType, RemoteParty
from emulator.codecs.dlms import access, axdr
from emulator.codecs.dlms.access import AccessItem, AccessRequest, AccessResponse, Operation
from emulator.codecs.dlms.axdr import NULL, BitString, Data, Tag
from emulator.codecs.dlms.plain_scalars import Scalar
from emulator.codecs.dlms.protected import (
    AttributeReference,
    ProtectedRequest,
    ProtectionParameters,
    request_data,
)
from emulator.codecs.dlms.selective import CaptureObject, RangeSelection, selection_of
from emulator.codecs.dlms.shapes import Choice, Compact, Fields, Prices, Rows, Shape, shape_of
from emulator.codecs.gbcs.blocks import encrypted_blocks
from emulator.codecs.gbcs.dates import encode_date_time
from emulator.codecs.gbcs.dlms import invoke_id
from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.gbcs.payload import decode_payload
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.effects import DeviceEvent, Effect
from emulator.crypto.protection import Accepted, decrypt_block
from emulator.devices.consumption import DAY_MS
from emulator.devices.esme.esme import Esme
from emulator.devices.esme.model.store import esme_objects
from emulator.devices.log_selection import CLOCK_COLUMN
from tests.emulator.devices.kit import (
    ACB,
    ESME,
    NETWORK_OPERATOR,
    START,
    SUPPLIER,
    command,
    everyone,
    opened,
    powered,
)

OBJECTS = esme_objects()
CODES = {
    row.use_case: MessageCode(row.code)
    for row in MESSAGES.values()
    if row.use_case in OBJECTS.roles and row.command
}
SENDERS = {
    RemoteParty.SUPPLIER: SUPPLIER,
    RemoteParty.NETWORK_OPERATOR: NETWORK_OPERATOR,
    RemoteParty.ACCESS_CONTROL_BROKER: ACB,
}


class Meter:
    """An ESME and a counter for the commands to it."""

    def __init__(self, **attributes: Any) -> None:
        made = powered(DeviceType.ESME)
        assert isinstance(made, Esme)
        self.device = made
        self.now = START
        self.counter = 1000
        for name, plain in attributes.items():
            made.model.put(name, plain)

    def ask(self, use_case: str, items: Iterable[AccessItem]) -> tuple[AccessResponse, Accepted]:
        """Send an access-request and return the response."""
        effects = self.send(use_case, items)
        [answer] = [one for one in opened(effects) if one.envelope.header.cra is Cra.RESPONSE]
        value = decode_payload(answer.row, answer.envelope.header.cra, answer.envelope.payload)
        assert isinstance(value, AccessResponse)
        return value, answer

    def send(self, use_case: str, items: Iterable[AccessItem]) -> list[Effect]:
        """Send an access-request."""
        self.counter += 1
        request = AccessRequest(invoke_id(self.counter), tuple(items))
        roles = OBJECTS.roles[use_case]
        originator = next(eui64 for role, eui64 in SENDERS.items() if role in roles)
        message = command(
            CODES[use_case],
            ESME,
            access.encode_request(request),
            counter=self.counter,
            originator=originator,
        )
        return self.device.handle(DeviceEvent.GBCS, message, self.now)

    def set(self, use_case: str, **values: Data) -> None:
        """Set or invoke members by name; all of it must succeed."""
        items = [item_of(OBJECTS.named[name], data) for name, data in values.items()]
        response, _ = self.ask(use_case, items)
        assert [one.result for one in response.results] == [0] * len(items), response

    def read(self, use_case: str, name: str, days: int = 0) -> Data:
        """Read one attribute by name, through a protected read where the use case has one.

        Args:
            use_case: Use case that reads it.
            name: Its name in the catalogue.
            days: Of a log: how many days back from now; 0 asks for all of it.
        """
        row = OBJECTS.named[name]
        guard = next((r for r in OBJECTS.rows if use_case in r.write), None)
        if guard is not None and guard.binding == "protected":
            return self.read_protected(use_case, guard, row, days)
        response, _ = self.ask(use_case, [self.selected(row, days) if days else item_of(row)])
        assert response.results[0].result == 0, (use_case, name)
        return response.results[0].data

    def selected(self, row: MemberRow, days: int) -> AccessItem:
        """A read of the last days of a log."""
        since = UtcMs(self.now - days * DAY_MS)
        first, last = [Data(Tag.UINT32, to_zigbee_seconds(at)) for at in (since, self.now)]
        selection = selection_of(RangeSelection(CaptureObject(*CLOCK_COLUMN), first, last))
        get = Operation.GET_SELECTED
        return AccessItem(get, row.class_id, row.obis, row.index, NULL, selection)

    def read_protected(
        self, use_case: str, guard: MemberRow, row: MemberRow, days: int = 0
    ) -> Data:
        """Read one attribute through get_protected_attributes and decrypt it."""
        reference = AttributeReference(row.class_id, row.obis, row.index)
        if days:
            since = UtcMs(self.now - days * DAY_MS)
            ends = encode_date_time(since), encode_date_time(self.now)
            reference = AttributeReference(row.class_id, row.obis, row.index, *ends)
        parameters = ProtectionParameters(self.counter + 1, SUPPLIER, ESME)
        data = request_data(ProtectedRequest((reference,), parameters))
        response, answer = self.ask(use_case, [item_of(guard, data)])
        assert response.results[0].result == 0, (use_case, row.name)
        [block] = encrypted_blocks(response)
        plain = decrypt_block(block, answer.envelope.header, everyone())
        assert plain is not None
        value = axdr.decode(plain).value
        assert isinstance(value, tuple)
        return value[0]

    def wait(self, milliseconds: int) -> list[Effect]:
        """Let time pass; timers of the model that fall due go off."""
        self.now = UtcMs(self.now + milliseconds)
        due = [name for name, at in self.device.timers.items() if at <= self.now]
        effects: list[Effect] = []
        for name in due:
            effects += self.device.handle(DeviceEvent.TIMER, name, self.now)
        return effects


def item_of(row: MemberRow, data: Data | None = None) -> AccessItem:
    """A get of an attribute without data, a set or action with."""
    operation = Operation.ACTION if row.is_method else Operation.SET
    if data is None:
        operation = Operation.GET
    return AccessItem(operation, row.class_id, row.obis, row.index, NULL if data is None else data)


# -- random values -------------------------------------------------------------------------------

_RANGES = {
    Tag.INT8: (-128, 127), Tag.INT16: (-(1 << 15), (1 << 15) - 1),
    Tag.INT32: (-(1 << 31), (1 << 31) - 1), Tag.UINT8: (0, 255), Tag.UINT16: (0, 65_535),
    Tag.UINT32: (0, (1 << 32) - 1), Tag.ENUM: (0, 255),
}  # fmt: skip


def values_of(word: str) -> st.SearchStrategy[Data]:
    """Any value of a shape."""
    return _values(shape_of(word))


def _values(shape: Shape) -> st.SearchStrategy[Data]:
    match shape:
        case Scalar():
            return _scalars(shape)
        case Choice(options):
            return st.one_of([_values(option) for option in options])
        case Prices(table):
            return _values(table)
        case Compact():
            raise ValueError("logs are not set")
        case Fields(elements):
            parts = st.tuples(*[_values(element) for _, element in elements])
            return parts.map(lambda items: Data(Tag.STRUCTURE, items))
        case Rows(element, count):
            rows = st.lists(_values(element), min_size=count or 0, max_size=count or 3)
            return rows.map(lambda items: Data(Tag.ARRAY, tuple(items)))


def _scalars(scalar: Scalar) -> st.SearchStrategy[Data]:
    if scalar.tag is Tag.BOOLEAN:
        return st.sampled_from([Data(Tag.BOOLEAN, 0), Data(Tag.BOOLEAN, 0xFF)])
    if scalar.tag is Tag.BIT_STRING:
        count = scalar.count or 7
        octets = (count + 7) // 8
        return st.binary(min_size=octets, max_size=octets).map(
            lambda value: Data(Tag.BIT_STRING, BitString(count, value))
        )
    if scalar.tag in _RANGES:
        low, high = _RANGES[scalar.tag]
        return st.integers(low, high).map(lambda number: Data(scalar.tag, number))
    least, most = (scalar.count, scalar.count) if scalar.count else (0, 12)
    return st.binary(min_size=least, max_size=most).map(lambda value: Data(scalar.tag, value))


def number(data: Data) -> int:
    """The number a value is."""
    assert isinstance(data.value, int)
    return data.value
