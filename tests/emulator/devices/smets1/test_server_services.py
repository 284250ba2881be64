"""GET, SET and ACTION in all their forms, with block transfer both ways."""

import itertools
from dataclasses import replace

import pytest

from emulator.codecs.dlms import apdu_action, apdu_get, apdu_set, axdr
from emulator.codecs.dlms.access import Selection
from emulator.codecs.dlms.apdu_action import (
    ActionBlockRequest,
    ActionBlockResponse,
    ActionFirstBlockRequest,
    ActionListFirstBlockRequest,
    ActionListRequest,
    ActionListResponse,
    ActionNextRequest,
    ActionNextResponse,
    ActionRequest,
    ActionResponse,
    MethodOutcome,
)
from emulator.codecs.dlms.apdu_ciphered import Form
from emulator.codecs.dlms.apdu_exception import ExceptionResponse, ServiceError, StateError
from emulator.codecs.dlms.apdu_get import (
    GetBlockResponse,
    GetFailedBlockResponse,
    GetListRequest,
    GetListResponse,
    GetNextRequest,
    GetRequest,
    GetResponse,
)
from emulator.codecs.dlms.apdu_parts import (
    ActionResult,
    Attribute,
    DataAccessResult,
    DataBlock,
    Descriptor,
)
from emulator.codecs.dlms.apdu_set import (
    SetBlockRequest,
    SetBlockResponse,
    SetFirstBlockRequest,
    SetLastBlockResponse,
    SetLastListBlockResponse,
    SetListFirstBlockRequest,
    SetListRequest,
    SetListResponse,
    SetRequest,
)
from emulator.codecs.dlms.axdr import NULL, Data
from emulator.codecs.dlms.initiate import Conformance
from tests.emulator.devices.smets1.server_kit import (
    ACTOR,
    ACTOR_M1,
    ALL_SERVICES,
    FORMS,
    INVOKE,
    LONG,
    LONG_A2,
    MANAGER,
    NOBODY,
    PUBLIC,
    SERIAL,
    SERIAL_A2,
    SETUP,
    STORE_A2,
    UNCONFIRMED,
    WRITER,
    Actor,
    Client,
    Long,
    Store,
    associated,
    encoded,
    notes,
    powered,
)

SERIAL_VALUE = axdr.octets(b"14P1234567")
LONG_VALUE = axdr.octets(bytes(number % 251 for number in range(300)))
NOT_SUPPORTED = ExceptionResponse(
    StateError.SERVICE_NOT_ALLOWED, ServiceError.SERVICE_NOT_SUPPORTED
)
TOO_LONG = ExceptionResponse(StateError.SERVICE_UNKNOWN, ServiceError.OTHER_REASON)
LIMITS = [64, 65, 100, 127, 128, 129, 200, 256, 300, 512, 1024]


def _store(client: Client) -> Store:
    found = client.meter.tree.find(1, STORE_A2.obis)
    assert isinstance(found, Store)
    return found


def _actor(client: Client) -> Actor:
    found = client.meter.tree.find(9, ACTOR)
    assert isinstance(found, Actor)
    return found


def _blocks(octets: bytes, size: int) -> list[DataBlock]:
    pieces = [octets[at : at + size] for at in range(0, len(octets), size)]
    return [DataBlock(n == len(pieces), n, piece) for n, piece in enumerate(pieces, 1)]


# -- GET -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("descriptor", "result"),
    [
        (Descriptor(1, NOBODY, 2), DataAccessResult.OBJECT_UNDEFINED),
        (Descriptor(3, SERIAL, 2), DataAccessResult.OBJECT_CLASS_INCONSISTENT),
        (Descriptor(1, SERIAL, 3), DataAccessResult.OBJECT_UNDEFINED),
        (Descriptor(1, SERIAL, 0), DataAccessResult.OBJECT_UNDEFINED),
        (Descriptor(64, SETUP, 1), axdr.octets(SETUP)),
    ],
)
def test_what_is_not_there_is_answered_with_its_result(
    descriptor: Descriptor, result: DataAccessResult | Data
) -> None:
    assert associated().get(descriptor) == result


def test_an_attribute_that_demands_protection_is_denied_without_it() -> None:
    counter = Descriptor(64, SETUP, 2)
    assert associated(WRITER).get(counter) is DataAccessResult.READ_WRITE_DENIED
    assert isinstance(associated(MANAGER).get(counter), Data)
    assert isinstance(associated(PUBLIC).get(counter), Data)


def test_a_list_is_answered_item_by_item_with_the_undefined_one_in_its_place() -> None:
    wanted = (SERIAL_A2, Descriptor(1, NOBODY, 2), STORE_A2)
    request = GetListRequest(INVOKE, tuple(Attribute(item) for item in wanted))
    response = associated().exchange(request)
    results = (SERIAL_VALUE, DataAccessResult.OBJECT_UNDEFINED, axdr.uint16(7))
    assert response == GetListResponse(INVOKE, results)


def test_a_selection_reaches_the_object_where_it_was_negotiated() -> None:
    assert associated().get(LONG_A2, Selection(2, NULL)) == axdr.octets(b"\0\1")
    client = Client(powered())
    client.associate(client.offer(conformance=ALL_SERVICES & ~Conformance.SELECTIVE_ACCESS))
    refused = client.get(LONG_A2, Selection(2, NULL))
    assert refused is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED


@pytest.mark.parametrize("invoke", [0x00, 0x41, 0x80, 0xC1, 0xCF, 0xFF])
def test_the_invoke_id_and_the_service_class_of_the_request_are_kept(invoke: int) -> None:
    client = associated()
    answer = client.ask(encoded(GetRequest(invoke, Attribute(SERIAL_A2))))
    if not invoke & 0x40:
        assert answer is None
        return
    assert answer is not None
    assert apdu_get.decode_response(answer) == GetResponse(invoke, SERIAL_VALUE)


def _read_long(client: Client, limit: int, invoke: int = INVOKE) -> bytes:
    """Read the long attribute block by block; check each APDU's length."""
    gathered = b""
    request: GetRequest | GetNextRequest = GetRequest(invoke, Attribute(LONG_A2))
    for number in itertools.count(1):
        octets = client.send(client.sealed(encoded(request)))
        assert octets is not None
        assert len(octets) <= limit
        plain = client.opened(octets)
        assert plain is not None
        response = apdu_get.decode_response(plain)
        if isinstance(response, GetResponse):
            assert number == 1
            assert isinstance(response.result, Data)
            return axdr.encode(response.result)
        assert isinstance(response, GetBlockResponse)
        assert (response.invoke, response.block.number) == (invoke, number)
        gathered += response.block.octets
        if response.block.last:
            return gathered
        request = GetNextRequest(invoke, number)
    raise AssertionError("the blocks have no end")


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("whose", ["client", "server"])
def test_a_long_value_comes_in_blocks_that_fit_the_lesser_limit(limit: int, whose: str) -> None:
    meter = powered(max_pdu_bytes=limit if whose == "server" else 1024)
    client = Client(meter)
    client.associate(client.offer(max_pdu_bytes=limit if whose == "client" else 1024))
    assert _read_long(client, limit) == axdr.encode(LONG_VALUE)
    assert client.meter.door.standing[client.channel].transfers.reading is None


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("form", FORMS)
def test_ciphered_blocks_fit_the_limit_with_what_protection_adds(limit: int, form: Form) -> None:
    client = Client(powered(), MANAGER, form=form)
    client.associate(client.offer(max_pdu_bytes=limit, dedicated_key=bytes(range(16))))
    assert _read_long(client, limit) == axdr.encode(LONG_VALUE)


@pytest.mark.parametrize("limit", [12, 13, 20])
def test_even_the_shortest_limit_gets_its_value(limit: int) -> None:
    client = Client(powered())
    client.associate(client.offer(max_pdu_bytes=limit))
    assert _read_long(client, limit) == axdr.encode(LONG_VALUE)


def test_an_answer_that_just_fits_is_not_cut() -> None:
    for length, cut in ((56, False), (57, False), (58, False), (59, True)):
        client = Client(powered())
        client.associate(client.offer(max_pdu_bytes=64))
        found = client.meter.tree.find(1, LONG)
        assert isinstance(found, Long)
        found.length = length
        response = client.exchange(GetRequest(INVOKE, Attribute(LONG_A2)))
        assert isinstance(response, GetBlockResponse) is cut
        octets = len(apdu_get.encode_response(response))
        assert octets <= 64


def test_a_long_list_comes_in_blocks_of_its_results() -> None:
    client = Client(powered())
    client.associate(client.offer(max_pdu_bytes=100))
    request = GetListRequest(INVOKE, (Attribute(LONG_A2), Attribute(SERIAL_A2)))
    response = client.exchange(request)
    gathered = b""
    while isinstance(response, GetBlockResponse):
        gathered += response.block.octets
        if response.block.last:
            break
        response = client.exchange(GetNextRequest(INVOKE, response.block.number))
    assert apdu_get.decode_results(gathered) == (LONG_VALUE, SERIAL_VALUE)


def test_a_wrong_block_number_ends_the_transfer() -> None:
    client = Client(powered())
    client.associate(client.offer(max_pdu_bytes=100))
    client.exchange(GetRequest(INVOKE, Attribute(LONG_A2)))
    wrong = client.exchange(GetNextRequest(INVOKE, 2))
    invalid, none = (
        DataAccessResult.DATA_BLOCK_NUMBER_INVALID,
        DataAccessResult.NO_LONG_GET_IN_PROGRESS,
    )
    assert wrong == GetFailedBlockResponse(INVOKE, True, 2, invalid)
    again = client.exchange(GetNextRequest(INVOKE, 1))
    assert again == GetFailedBlockResponse(INVOKE, True, 1, none)


def test_a_new_read_ends_the_long_one() -> None:
    client = Client(powered())
    client.associate(client.offer(max_pdu_bytes=100))
    client.exchange(GetRequest(INVOKE, Attribute(LONG_A2)))
    assert client.get(SERIAL_A2) == SERIAL_VALUE
    failed = client.exchange(GetNextRequest(INVOKE, 1))
    assert failed.result is DataAccessResult.NO_LONG_GET_IN_PROGRESS


def test_a_write_between_its_blocks_does_not_change_a_long_answer() -> None:
    client = Client(powered(), WRITER)
    client.associate(client.offer(max_pdu_bytes=100))
    client.put(STORE_A2, axdr.octets(bytes(150)))
    first = client.exchange(GetRequest(INVOKE, Attribute(STORE_A2)))
    client.put(STORE_A2, axdr.uint16(1))
    gathered = first.block.octets
    while not first.block.last:
        first = client.exchange(GetNextRequest(INVOKE, first.block.number))
        gathered += first.block.octets
    assert axdr.decode(gathered) == axdr.octets(bytes(150))


def test_two_clients_read_long_values_at_once_and_do_not_disturb_each_other() -> None:
    meter = powered()
    one, two = Client(meter, PUBLIC, "tcp:1"), Client(meter, PUBLIC, "tcp:2")
    gathered: dict[str, bytes] = {}
    for client, limit in ((one, 64), (two, 90)):
        client.associate(client.offer(max_pdu_bytes=limit))
        first = client.exchange(GetRequest(INVOKE, Attribute(LONG_A2)))
        gathered[client.line] = first.block.octets
    for number in itertools.count(1):
        going = False
        for client in (one, two):
            response = client.exchange(GetNextRequest(INVOKE, number))
            if isinstance(response, GetBlockResponse):
                gathered[client.line] += response.block.octets
                going = True
        if not going:
            break
    assert gathered == dict.fromkeys(("tcp:1", "tcp:2"), axdr.encode(LONG_VALUE))


# -- SET -------------------------------------------------------------------------------------------


def test_a_write_is_done_and_noted_without_its_value() -> None:
    client = associated(WRITER)
    assert client.put(STORE_A2, axdr.octets(b"secret")) is DataAccessResult.SUCCESS
    (note,) = notes(client.effects, "dlms_write")
    assert note == {
        "line": "optical", "client": "installer", "class": 1, "obis": "0-0:96.1.9.255",
        "index": 2, "result": "success",
    }  # fmt: skip
    assert _store(client).value == axdr.octets(b"secret")


@pytest.mark.parametrize(
    ("descriptor", "value", "result"),
    [
        (STORE_A2, NULL, DataAccessResult.TYPE_UNMATCHED),
        (SERIAL_A2, axdr.uint16(1), DataAccessResult.READ_WRITE_DENIED),
        (Descriptor(1, NOBODY, 2), NULL, DataAccessResult.OBJECT_UNDEFINED),
        (Descriptor(3, SERIAL, 2), NULL, DataAccessResult.OBJECT_CLASS_INCONSISTENT),
        (Descriptor(1, SERIAL, 9), NULL, DataAccessResult.OBJECT_UNDEFINED),
    ],
)
def test_a_write_that_cannot_be_done_says_why(
    descriptor: Descriptor, value: Data, result: DataAccessResult
) -> None:
    client = associated(WRITER)
    assert client.put(descriptor, value) is result
    assert _store(client).value == axdr.uint16(7)


def test_a_write_of_a_part_is_refused() -> None:
    client = associated(WRITER)
    attribute = Attribute(STORE_A2, Selection(1, NULL))
    response = client.exchange(SetRequest(INVOKE, attribute, axdr.uint16(9)))
    assert response.result is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    assert _store(client).value == axdr.uint16(7)


def test_a_list_is_written_item_by_item() -> None:
    client = associated(WRITER)
    attributes = (Attribute(SERIAL_A2), Attribute(STORE_A2))
    request = SetListRequest(INVOKE, attributes, (NULL, axdr.uint16(9)))
    expected = (DataAccessResult.READ_WRITE_DENIED, DataAccessResult.SUCCESS)
    assert client.exchange(request) == SetListResponse(INVOKE, expected)
    assert _store(client).value == axdr.uint16(9)


def test_an_unconfirmed_write_is_done_without_an_answer() -> None:
    client = associated(WRITER)
    request = SetRequest(UNCONFIRMED, Attribute(STORE_A2), axdr.uint16(9))
    assert client.ask(encoded(request)) is None
    assert _store(client).value == axdr.uint16(9)


@pytest.mark.parametrize("size", [1, 64, 65, 100, 255, 256, 512, 1000])
@pytest.mark.parametrize("sap", [WRITER, MANAGER])
def test_a_long_value_is_written_once_with_its_last_block(size: int, sap: int) -> None:
    client = associated(sap)
    value = axdr.octets(bytes(number % 256 for number in range(1500 if size > 1 else 40)))
    blocks = _blocks(axdr.encode(value), size)
    for block in blocks[:-1]:
        request: SetFirstBlockRequest | SetBlockRequest = SetBlockRequest(INVOKE, block)
        if block.number == 1:
            request = SetFirstBlockRequest(INVOKE, Attribute(STORE_A2), block)
        assert client.exchange(request) == SetBlockResponse(INVOKE, block.number)
        assert _store(client).value == axdr.uint16(7)
    last = client.exchange(SetBlockRequest(INVOKE, blocks[-1]))
    assert last == SetLastBlockResponse(INVOKE, DataAccessResult.SUCCESS, len(blocks))
    assert _store(client).value == value


def test_a_long_list_is_written_with_its_last_block() -> None:
    client = associated(WRITER)
    value = axdr.octets(bytes(90))
    blocks = _blocks(apdu_set.encode_values((NULL, value)), 50)
    attributes = (Attribute(SERIAL_A2), Attribute(STORE_A2))
    client.exchange(SetListFirstBlockRequest(INVOKE, attributes, blocks[0]))
    last = client.exchange(SetBlockRequest(INVOKE, blocks[1]))
    results = (DataAccessResult.READ_WRITE_DENIED, DataAccessResult.SUCCESS)
    assert last == SetLastListBlockResponse(INVOKE, results, 2)
    assert _store(client).value == value


def test_a_single_block_that_is_the_last_is_written() -> None:
    client = associated(WRITER)
    block = DataBlock(True, 1, axdr.encode(axdr.uint16(3)))
    response = client.exchange(SetFirstBlockRequest(INVOKE, Attribute(STORE_A2), block))
    assert response == SetLastBlockResponse(INVOKE, DataAccessResult.SUCCESS, 1)


@pytest.mark.parametrize(
    ("second", "result"),
    [
        (DataBlock(True, 3, b"x"), DataAccessResult.DATA_BLOCK_NUMBER_INVALID),
        (DataBlock(True, 1, b"x"), DataAccessResult.DATA_BLOCK_NUMBER_INVALID),
        (DataBlock(False, 2, b""), DataAccessResult.LONG_SET_ABORTED),
        (DataBlock(True, 2, b"x"), DataAccessResult.OTHER_REASON),
    ],
)
@pytest.mark.parametrize("several", [False, True])
def test_a_wrong_block_ends_the_transfer_and_nothing_is_written(
    second: DataBlock, result: DataAccessResult, several: bool
) -> None:
    client = associated(WRITER)
    first = DataBlock(False, 1, b"\x09\x03x")
    if several:
        client.exchange(SetListFirstBlockRequest(INVOKE, (Attribute(STORE_A2),), first))
        failed = client.exchange(SetBlockRequest(INVOKE, second))
        assert failed == SetLastListBlockResponse(INVOKE, (result,), second.number)
    else:
        client.exchange(SetFirstBlockRequest(INVOKE, Attribute(STORE_A2), first))
        failed = client.exchange(SetBlockRequest(INVOKE, second))
        assert failed == SetLastBlockResponse(INVOKE, result, second.number)
    assert _store(client).value == axdr.uint16(7)
    none = client.exchange(SetBlockRequest(INVOKE, DataBlock(True, 2, b"x")))
    assert none.result is DataAccessResult.NO_LONG_SET_IN_PROGRESS


@pytest.mark.parametrize("octets", [b"", b"\x09\x05abc", b"\x12\x00\x01\x00", b"\xfe"])
def test_joined_blocks_that_are_no_value_write_nothing(octets: bytes) -> None:
    client = associated(WRITER)
    block = DataBlock(True, 1, octets)
    response = client.exchange(SetFirstBlockRequest(INVOKE, Attribute(STORE_A2), block))
    assert response == SetLastBlockResponse(INVOKE, DataAccessResult.OTHER_REASON, 1)
    listed = client.exchange(SetListFirstBlockRequest(INVOKE, (Attribute(STORE_A2),), block))
    assert listed.results == (DataAccessResult.OTHER_REASON,)
    assert _store(client).value == axdr.uint16(7)


def test_more_values_than_attributes_write_nothing() -> None:
    client = associated(WRITER)
    octets = apdu_set.encode_values((axdr.uint16(1), axdr.uint16(2)))
    block = DataBlock(True, 1, octets)
    response = client.exchange(SetListFirstBlockRequest(INVOKE, (Attribute(STORE_A2),), block))
    assert response.results == (DataAccessResult.OTHER_REASON,)
    assert _store(client).value == axdr.uint16(7)


def test_a_value_longer_than_the_device_gathers_is_given_up() -> None:
    client = associated(WRITER)
    piece = bytes(1000)
    client.exchange(SetFirstBlockRequest(INVOKE, Attribute(STORE_A2), DataBlock(False, 1, piece)))
    for number in range(2, 66):
        answer = client.exchange(SetBlockRequest(INVOKE, DataBlock(False, number, piece)))
        assert answer == SetBlockResponse(INVOKE, number)
    last = client.exchange(SetBlockRequest(INVOKE, DataBlock(False, 66, piece)))
    assert last == SetLastBlockResponse(INVOKE, DataAccessResult.LONG_SET_ABORTED, 66)


# -- ACTION ----------------------------------------------------------------------------------------


def test_a_method_is_carried_out_and_noted() -> None:
    client = associated(WRITER)
    outcome = client.act(ACTOR_M1, axdr.uint16(5))
    assert outcome == MethodOutcome(ActionResult.SUCCESS, axdr.uint16(5))
    (note,) = notes(client.effects, "dlms_action")
    assert (note["obis"], note["index"], note["result"]) == ("0-0:10.0.0.255", 1, "success")


@pytest.mark.parametrize(
    ("method", "result"),
    [
        (Descriptor(9, ACTOR, 9), ActionResult.OBJECT_UNDEFINED),
        (Descriptor(9, NOBODY, 1), ActionResult.OBJECT_UNDEFINED),
        (Descriptor(1, ACTOR, 1), ActionResult.OBJECT_CLASS_INCONSISTENT),
        (Descriptor(64, SETUP, 2), ActionResult.READ_WRITE_DENIED),
    ],
)
def test_a_method_that_cannot_be_carried_out_says_why(
    method: Descriptor, result: ActionResult
) -> None:
    assert associated(WRITER).act(method).result is result


def test_a_client_without_the_right_invokes_nothing() -> None:
    client = associated(PUBLIC)
    assert client.act(ACTOR_M1).result is ActionResult.READ_WRITE_DENIED
    assert _actor(client).calls == []


def test_a_null_argument_is_no_argument() -> None:
    assert associated(WRITER).act(ACTOR_M1, NULL) == MethodOutcome(ActionResult.SUCCESS)


def test_a_list_of_methods_is_carried_out_in_order() -> None:
    client = associated(WRITER)
    methods = tuple(Descriptor(9, ACTOR, index) for index in (2, 1, 9))
    request = ActionListRequest(INVOKE, methods, (NULL, axdr.uint16(1), NULL))
    outcomes = (
        MethodOutcome(ActionResult.SUCCESS),
        MethodOutcome(ActionResult.SUCCESS, axdr.uint16(1)),
        MethodOutcome(ActionResult.OBJECT_UNDEFINED),
    )
    assert client.exchange(request) == ActionListResponse(INVOKE, outcomes)
    assert _actor(client).calls == ["m2", "m1"]


def test_an_unconfirmed_method_is_carried_out_without_an_answer() -> None:
    client = associated(WRITER)
    assert client.ask(encoded(ActionRequest(UNCONFIRMED, ACTOR_M1))) is None
    assert _actor(client).calls == ["m1"]


@pytest.mark.parametrize("size", [64, 128, 200, 512, 1000])
@pytest.mark.parametrize("sap", [WRITER, MANAGER])
def test_a_long_argument_comes_in_blocks_and_a_long_answer_goes_in_blocks(
    size: int, sap: int
) -> None:
    client = Client(powered(), sap)
    client.associate(client.offer(max_pdu_bytes=max(size, 80)))
    value = axdr.octets(bytes(number % 256 for number in range(1200)))
    blocks = _blocks(axdr.encode(value), size)
    for block in blocks[:-1]:
        request: ActionFirstBlockRequest | ActionBlockRequest = ActionBlockRequest(INVOKE, block)
        if block.number == 1:
            request = ActionFirstBlockRequest(INVOKE, ACTOR_M1, block)
        assert client.exchange(request) == ActionNextResponse(INVOKE, block.number)
    assert _actor(client).calls == []
    response = client.exchange(ActionBlockRequest(INVOKE, blocks[-1]))
    gathered = b""
    while isinstance(response, ActionBlockResponse):
        gathered += response.block.octets
        if response.block.last:
            break
        response = client.exchange(ActionNextRequest(INVOKE, response.block.number))
    assert apdu_action.decode_outcome(gathered) == MethodOutcome(ActionResult.SUCCESS, value)
    assert _actor(client).calls == ["m1"]


def test_a_long_list_of_methods_comes_in_blocks() -> None:
    client = associated(WRITER)
    methods = (Descriptor(9, ACTOR, 2), ACTOR_M1)
    blocks = _blocks(apdu_set.encode_values((NULL, axdr.octets(bytes(80)))), 50)
    client.exchange(ActionListFirstBlockRequest(INVOKE, methods, blocks[0]))
    response = client.exchange(ActionBlockRequest(INVOKE, blocks[1]))
    assert [outcome.result for outcome in response.outcomes] == [ActionResult.SUCCESS] * 2
    assert _actor(client).calls == ["m2", "m1"]


def test_a_long_answer_to_a_list_goes_in_blocks() -> None:
    client = Client(powered(), WRITER)
    client.associate(client.offer(max_pdu_bytes=100))
    value = axdr.octets(bytes(90))
    request = ActionListRequest(INVOKE, (ACTOR_M1, ACTOR_M1), (value, value))
    response = client.exchange(request)
    gathered = b""
    while isinstance(response, ActionBlockResponse):
        gathered += response.block.octets
        if response.block.last:
            break
        response = client.exchange(ActionNextRequest(INVOKE, response.block.number))
    expected = (MethodOutcome(ActionResult.SUCCESS, value),) * 2
    assert apdu_action.decode_outcomes(gathered) == expected


@pytest.mark.parametrize(
    ("second", "result"),
    [
        (DataBlock(True, 3, b"x"), ActionResult.LONG_ACTION_ABORTED),
        (DataBlock(False, 2, b""), ActionResult.LONG_ACTION_ABORTED),
        (DataBlock(True, 2, b"xx"), ActionResult.OTHER_REASON),
    ],
)
@pytest.mark.parametrize("several", [False, True])
def test_a_wrong_block_ends_the_transfer_and_nothing_is_invoked(
    second: DataBlock, result: ActionResult, several: bool
) -> None:
    client = associated(WRITER)
    first = DataBlock(False, 1, b"\x09\x07x")
    opening: ActionFirstBlockRequest | ActionListFirstBlockRequest
    opening = ActionFirstBlockRequest(INVOKE, ACTOR_M1, first)
    if several:
        opening = ActionListFirstBlockRequest(INVOKE, (ACTOR_M1,), first)
    client.exchange(opening)
    failed = client.exchange(ActionBlockRequest(INVOKE, second))
    assert failed == ActionResponse(INVOKE, MethodOutcome(result))
    none = client.exchange(ActionBlockRequest(INVOKE, replace(second, number=2)))
    assert none.outcome.result is ActionResult.NO_LONG_ACTION_IN_PROGRESS
    assert _actor(client).calls == []


def test_a_new_request_ends_the_long_one_of_its_service() -> None:
    client = Client(powered(), WRITER)
    client.associate(client.offer(max_pdu_bytes=100))
    client.exchange(SetFirstBlockRequest(INVOKE, Attribute(STORE_A2), DataBlock(False, 1, b"\x12")))
    client.put(STORE_A2, axdr.uint16(1))
    late = client.exchange(SetBlockRequest(INVOKE, DataBlock(True, 2, b"\0\2")))
    assert late.result is DataAccessResult.NO_LONG_SET_IN_PROGRESS
    assert _store(client).value == axdr.uint16(1)
    client.exchange(ActionFirstBlockRequest(INVOKE, ACTOR_M1, DataBlock(False, 1, b"\x12")))
    client.exchange(ActionRequest(INVOKE, ACTOR_M1, axdr.octets(bytes(200))))
    none = MethodOutcome(ActionResult.NO_LONG_ACTION_IN_PROGRESS)
    block = ActionBlockRequest(INVOKE, DataBlock(True, 2, b"\0\2"))
    assert client.exchange(block) == ActionResponse(INVOKE, none)
    client.act(ACTOR_M1)
    assert client.exchange(ActionNextRequest(INVOKE, 1)) == ActionResponse(INVOKE, none)
    assert _actor(client).calls == ["m1", "m1"]


def test_an_ended_transfer_is_forgotten() -> None:
    client = associated(WRITER)
    block = DataBlock(True, 1, axdr.encode(axdr.uint16(3)))
    client.exchange(SetFirstBlockRequest(INVOKE, Attribute(STORE_A2), block))
    client.exchange(ActionFirstBlockRequest(INVOKE, ACTOR_M1, block))
    assert set(client.meter.door.standing[client.channel].transfers.dump().values()) == {None}


def test_more_arguments_than_methods_invoke_nothing() -> None:
    client = associated(WRITER)
    block = DataBlock(True, 1, apdu_set.encode_values((NULL, NULL)))
    response = client.exchange(ActionListFirstBlockRequest(INVOKE, (ACTOR_M1,), block))
    assert response.outcome.result is ActionResult.OTHER_REASON
    assert _actor(client).calls == []


def test_a_wrong_number_ends_a_long_answer() -> None:
    client = Client(powered(), WRITER)
    client.associate(client.offer(max_pdu_bytes=100))
    request = ActionRequest(INVOKE, ACTOR_M1, axdr.octets(bytes(200)))
    assert isinstance(client.exchange(request), ActionBlockResponse)
    wrong = client.exchange(ActionNextRequest(INVOKE, 7))
    assert wrong.outcome.result is ActionResult.LONG_ACTION_ABORTED
    none = client.exchange(ActionNextRequest(INVOKE, 1))
    assert none.outcome.result is ActionResult.NO_LONG_ACTION_IN_PROGRESS


# -- conformance and limits ------------------------------------------------------------------------

_BLOCK = DataBlock(True, 1, axdr.encode(axdr.uint16(3)))
_ONE = Attribute(STORE_A2)


@pytest.mark.parametrize(
    ("missing", "request_"),
    [
        (Conformance.GET, GetRequest(INVOKE, _ONE)),
        (Conformance.GET, GetNextRequest(INVOKE, 1)),
        (Conformance.MULTIPLE_REFERENCES, GetListRequest(INVOKE, (_ONE,))),
        (Conformance.SET, SetRequest(INVOKE, _ONE, axdr.uint16(3))),
        (Conformance.BLOCK_SET, SetFirstBlockRequest(INVOKE, _ONE, _BLOCK)),
        (Conformance.BLOCK_SET, SetBlockRequest(INVOKE, _BLOCK)),
        (Conformance.MULTIPLE_REFERENCES, SetListRequest(INVOKE, (_ONE,), (axdr.uint16(3),))),
        (Conformance.MULTIPLE_REFERENCES, SetListFirstBlockRequest(INVOKE, (_ONE,), _BLOCK)),
        (Conformance.ACTION, ActionRequest(INVOKE, ACTOR_M1)),
        (Conformance.BLOCK_ACTION, ActionFirstBlockRequest(INVOKE, ACTOR_M1, _BLOCK)),
        (Conformance.BLOCK_ACTION, ActionBlockRequest(INVOKE, _BLOCK)),
        (Conformance.BLOCK_ACTION, ActionNextRequest(INVOKE, 1)),
        (Conformance.MULTIPLE_REFERENCES, ActionListRequest(INVOKE, (ACTOR_M1,), (NULL,))),
    ],
)
def test_a_service_that_was_not_negotiated_is_not_supported(
    missing: Conformance, request_: GetRequest
) -> None:
    client = Client(powered(), WRITER)
    client.associate(client.offer(conformance=ALL_SERVICES & ~missing))
    before = client.meter.dump()
    assert client.exchange(request_) == NOT_SUPPORTED
    assert client.meter.dump() == before
    assert notes(client.effects, "dlms_refused")[0]["reason"] == "not_negotiated"


def test_an_unconfirmed_service_that_was_not_negotiated_has_no_answer() -> None:
    client = Client(powered(), WRITER)
    client.associate(client.offer(conformance=Conformance.GET))
    assert client.ask(encoded(SetRequest(UNCONFIRMED, _ONE, axdr.uint16(3)))) is None
    assert _store(client).value == axdr.uint16(7)


def test_a_long_answer_without_block_transfer_says_so() -> None:
    client = Client(powered(), WRITER)
    none = Conformance.BLOCK_GET | Conformance.BLOCK_ACTION
    client.associate(client.offer(conformance=ALL_SERVICES & ~none, max_pdu_bytes=64))
    assert client.get(LONG_A2) is DataAccessResult.DATA_BLOCK_UNAVAILABLE
    assert client.exchange(GetListRequest(INVOKE, (Attribute(LONG_A2),))) == TOO_LONG
    outcome = client.act(ACTOR_M1, axdr.octets(bytes(100)))
    expected = DataAccessResult.DATA_BLOCK_UNAVAILABLE
    assert outcome == MethodOutcome(ActionResult.SUCCESS, expected)
    several = ActionListRequest(INVOKE, (ACTOR_M1,), (axdr.octets(bytes(100)),))
    bare = (MethodOutcome(ActionResult.SUCCESS),)
    assert client.exchange(several) == ActionListResponse(INVOKE, bare)


def test_a_list_whose_answer_the_client_could_not_take_is_refused_before_anything_is_done() -> None:
    client = Client(powered(), WRITER)
    client.associate(client.offer(max_pdu_bytes=12, conformance=ALL_SERVICES))
    attributes, values = (_ONE,) * 3, (axdr.uint16(3),) * 3
    assert client.exchange(SetListRequest(INVOKE, attributes, values)) == TOO_LONG
    assert _store(client).value == axdr.uint16(7)
    client.associate(
        client.offer(max_pdu_bytes=12, conformance=ALL_SERVICES & ~Conformance.BLOCK_ACTION)
    )
    methods, nothing = (ACTOR_M1,) * 4, (NULL,) * 4
    assert client.exchange(ActionListRequest(INVOKE, methods, nothing)) == TOO_LONG
    assert _actor(client).calls == []


@pytest.mark.parametrize("sap", [WRITER, MANAGER])
def test_a_request_longer_than_the_device_takes_is_refused(sap: int) -> None:
    client = Client(powered(max_pdu_bytes=128), sap)
    client.associate()
    head = len(encoded(SetRequest(INVOKE, _ONE, axdr.octets(b""))))
    fits, too_long = (axdr.octets(bytes(128 - head + more)) for more in (0, 1))
    assert client.put(STORE_A2, fits) is DataAccessResult.SUCCESS
    assert client.put(STORE_A2, too_long) == TOO_LONG
    assert notes(client.effects, "dlms_refused")[0]["reason"] == "too_long"
    assert _store(client).value == fits


@pytest.mark.parametrize("tag", sorted(set(range(256)) - {0x60, 0x62, 0xC0, 0xC1, 0xC3}))
def test_an_apdu_that_is_no_request_is_no_service_we_know(tag: int) -> None:
    client = associated()
    before = client.meter.dump()
    assert client.send(bytes((tag, 1, 0xC1, 0))) == bytes.fromhex("D80102")
    assert notes(client.effects, "dlms_refused")[0]["reason"] == "unknown_service"
    assert client.meter.dump() == before


@pytest.mark.parametrize(
    "octets", ["", "C0", "C001", "C001C1", "C004C1", "C001C100010000600100FF02"]
)
def test_octets_that_are_no_whole_request_are_unreadable(octets: str) -> None:
    assert associated().send(bytes.fromhex(octets)) == bytes.fromhex("D80203")


@pytest.mark.parametrize("octets", ["", "00", "62", "C0", "C001C100010000600100FF0200", "C8", "FF"])
def test_without_an_association_every_service_is_refused(octets: str) -> None:
    client = Client(powered())
    assert client.send(bytes.fromhex(octets)) == bytes.fromhex("D80101")
    assert notes(client.effects, "dlms_refused")[0]["reason"] == "not_associated"
