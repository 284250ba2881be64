"""The device as a function: every event in every state, power, timers, memory."""

import itertools
from typing import Any

import pytest

from device_profiles.loader import load_profile
from emulator.codecs.dlms import apdu_action, axdr
from emulator.codecs.dlms.apdu_action import (
    ActionBlockRequest,
    ActionFirstBlockRequest,
    ActionListFirstBlockRequest,
    ActionRequest,
)
from emulator.codecs.dlms.apdu_ciphered import Form
from emulator.codecs.dlms.apdu_get import GetNextRequest, GetRequest
from emulator.codecs.dlms.apdu_parts import Attribute, DataBlock, Descriptor, GetResult
from emulator.codecs.dlms.apdu_set import (
    SetBlockRequest,
    SetFirstBlockRequest,
    SetListFirstBlockRequest,
)
from emulator.codecs.dlms.axdr import Data
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.effects import (
    CancelTimer,
    CloseDlms,
    DeviceEvent,
    DlmsChannel,
    DlmsIndication,
    Note,
    Payload,
    SendDlms,
    SetTimer,
)
from emulator.core.errors import IllegalEventError
from emulator.devices.saved import Json, Saved
from emulator.devices.smets1.association import Asked
from emulator.devices.smets1.device import Smets1Device
from emulator.devices.smets1.object_model import (
    Access,
    CosemObject,
    Moment,
    ObjectTree,
    Outbox,
)
from tests.emulator.devices.smets1.server_kit import (
    ACTOR,
    ACTOR_M1,
    EUI64,
    INVOKE,
    LONG_A2,
    MANAGER,
    NOW,
    PLAIN_HLS,
    PUBLIC,
    READER,
    SEED,
    SERIAL_A2,
    STORE_A2,
    WRITER,
    Actor,
    Client,
    Serial,
    associated,
    device,
    encoded,
    keys,
    notes,
    powered,
    tree,
)

CHANNEL = DlmsChannel("optical", PUBLIC, 1)
GET = encoded(GetRequest(INVOKE, Attribute(SERIAL_A2)))
TICK = "9/0-0:10.0.0.255/tick"


def _off() -> Smets1Device:
    return device()


def _on() -> Smets1Device:
    return powered()


def _associated() -> Smets1Device:
    return associated().meter


def _pending() -> Smets1Device:
    client = Client(powered(), PLAIN_HLS)
    client.request()
    return client.meter


STATES = {"off": _off, "on": _on, "associated": _associated, "pending": _pending}
EVENTS: dict[str, tuple[DeviceEvent, Payload]] = {
    "power_on": (DeviceEvent.POWER_ON, None),
    "power_off": (DeviceEvent.POWER_OFF, None),
    "timer": (DeviceEvent.TIMER, TICK),
    "strange timer": (DeviceEvent.TIMER, "nobody's"),
    "request": (DeviceEvent.DLMS, DlmsIndication(CHANNEL, GET)),
    "request on pending": (
        DeviceEvent.DLMS,
        DlmsIndication(DlmsChannel("optical", PLAIN_HLS, 1), GET),
    ),
    "aarq": (
        DeviceEvent.DLMS,
        DlmsIndication(
            CHANNEL,
            bytes.fromhex("601DA109060760857405080101BE10040E01000000065F1F0400001A1DFFFF"),
        ),
    ),
    "rlrq": (DeviceEvent.DLMS, DlmsIndication(CHANNEL, bytes.fromhex("6203800100"))),
    "gone": (DeviceEvent.DLMS_GONE, CHANNEL),
    "other gone": (DeviceEvent.DLMS_GONE, DlmsChannel("tcp:9", PUBLIC, 1)),
}
#: (state, event) -> the answer's first octets, "" for none, or what else happens.
EXPECTED = {
    ("off", "power_on"): "on",
    ("off", "power_off"): "illegal",
    **{("off", name): "silent" for name in EVENTS if not name.startswith("power")},
    **{(state, "power_on"): "illegal" for state in ("on", "associated", "pending")},
    **{(state, "power_off"): "off" for state in ("on", "associated", "pending")},
    **{(state, "timer"): "silent" for state in ("on", "associated", "pending")},
    **{(state, "strange timer"): "silent" for state in ("on", "associated", "pending")},
    **{(state, "other gone"): "silent" for state in ("on", "associated", "pending")},
    **{(state, "aarq"): "61" for state in ("on", "associated", "pending")},
    **{(state, "request on pending"): "d80101" for state in ("on", "associated", "pending")},
    ("on", "request"): "d80101",
    ("associated", "request"): "c401",
    ("pending", "request"): "d80101",
    ("on", "rlrq"): "d80101",
    ("associated", "rlrq"): "63",
    ("pending", "rlrq"): "d80101",
    ("on", "gone"): "silent",
    ("associated", "gone"): "released",
    ("pending", "gone"): "silent",
}


@pytest.mark.parametrize(("state", "event"), list(itertools.product(STATES, EVENTS)))
def test_every_event_in_every_state(state: str, event: str) -> None:
    meter = STATES[state]()
    kind, payload = EVENTS[event]
    expected = EXPECTED[state, event]
    before = meter.dump()
    if expected == "illegal":
        with pytest.raises(IllegalEventError):
            meter.handle(kind, payload, NOW)
        assert meter.dump() == before
        return
    effects = meter.handle(kind, payload, NOW)
    if expected == "silent":
        assert effects == []
        assert meter.dump() == before
    elif expected in {"on", "off"}:
        assert {"on": expected == "on"} in notes(effects, "power")
        assert meter.powered is (expected == "on")
        assert not meter.door.standing
    elif expected == "released":
        assert notes(effects, "dlms_released")[0]["why"] == "link_gone"
        assert not meter.door.standing
    else:
        (answer,) = [item.apdu for item in effects if isinstance(item, SendDlms)]
        assert answer.hex().startswith(expected)


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        (DeviceEvent.GBCS, b""),
        (DeviceEvent.WAN, b""),
        (DeviceEvent.CSP, b""),
        (DeviceEvent.DLMS, b""),
        (DeviceEvent.DLMS, CHANNEL),
        (DeviceEvent.DLMS_GONE, None),
        (DeviceEvent.TIMER, None),
    ],
)
def test_an_event_that_the_device_cannot_have_is_illegal(
    event: DeviceEvent, payload: Payload
) -> None:
    with pytest.raises(IllegalEventError):
        powered().handle(event, payload, NOW)


def test_a_profile_without_dlms_makes_no_device() -> None:
    with pytest.raises(ValueError, match="no \\[dlms\\] section"):
        Smets1Device(EUI64, load_profile("gfi-esme"), tree(), keys(), Chance(SEED))


# -- objects that act ------------------------------------------------------------------------------


def test_an_objects_effects_come_after_the_answer() -> None:
    client = associated(WRITER)
    client.act(Descriptor(9, ACTOR, 3))
    kinds = [type(item) for item in client.effects]
    assert kinds.index(SendDlms) < kinds.index(SetTimer)
    assert client.meter.timers == {TICK: NOW + 1000}


def test_an_objects_timer_comes_back_to_it() -> None:
    client = associated(WRITER)
    client.act(Descriptor(9, ACTOR, 3))
    effects = client.meter.handle(DeviceEvent.TIMER, TICK, UtcMs(NOW + 1000))
    found = client.meter.tree.named("9/0-0:10.0.0.255")
    assert isinstance(found, Actor)
    assert found.calls == ["m3", "tick"]
    assert CloseDlms(None) in effects
    assert notes(effects, "dlms_released")[0]["why"] == "closed_by_device"
    assert not client.meter.door.standing
    assert client.meter.handle(DeviceEvent.TIMER, TICK, UtcMs(NOW + 2000)) == []


def test_a_timer_of_an_object_that_is_gone_is_forgotten() -> None:
    meter = powered()
    meter.timers["9/1-1:1.1.1.1/tick"] = NOW
    assert meter.handle(DeviceEvent.TIMER, "9/1-1:1.1.1.1/tick", NOW) == []
    assert meter.timers == {}


def test_a_method_that_drops_every_association_still_has_its_answer() -> None:
    meter = powered()
    one, two = Client(meter, WRITER, "tcp:1"), Client(meter, PUBLIC, "tcp:2")
    one.associate()
    two.associate()
    one.act(Descriptor(9, ACTOR, 4))
    kinds = [type(item) for item in one.effects]
    assert kinds.index(SendDlms) < kinds.index(CloseDlms)
    assert two.send(GET) == bytes.fromhex("D80101")


def test_power_off_cancels_timers_and_ends_associations() -> None:
    client = associated(WRITER)
    client.act(Descriptor(9, ACTOR, 3))
    effects = client.meter.handle(DeviceEvent.POWER_OFF, None, NOW)
    assert CancelTimer(TICK) in effects
    assert notes(effects, "dlms_released")[0]["why"] == "power_off"
    assert notes(effects, "actor") == [{"on": False}]
    assert client.meter.timers == {}
    assert client.meter.handle(DeviceEvent.DLMS, DlmsIndication(CHANNEL, GET), NOW) == []
    effects = client.meter.handle(DeviceEvent.POWER_ON, None, NOW)
    assert notes(effects, "actor") == [{"on": True}]


def test_an_object_cannot_ask_for_everything() -> None:
    with pytest.raises(IllegalEventError, match="SendDlms"):
        Outbox().put(SendDlms(CHANNEL, b""))


class _Inquisitive(Serial):
    """Remembers for whom it was read."""

    seen: Moment | None = None

    def read(self, index: int, selection: Any, at: Moment) -> Any:
        self.seen = at
        return super().read(index, selection, at)


def test_an_object_learns_who_asks_and_how() -> None:
    client = Client(powered(), MANAGER, "tcp:5")
    item = _Inquisitive(SERIAL_A2.obis)
    client.meter.tree = ObjectTree(
        [item, *[kept for kept in client.meter.tree.objects() if kept.obis != item.obis]],
        lambda *_: Access(read=True, invoke=True),
    )
    client.associate()
    client.get(SERIAL_A2)
    assert item.seen is not None
    view = item.seen.client
    assert (view.sap, view.name, view.rights, view.line) == (1, "management", "all", "tcp:5")
    assert (view.context, view.mechanism, view.pending) == (3, 5, False)
    assert view.channel == client.channel
    assert item.seen.now == NOW
    assert item.seen.security is client.meter.security


# -- the tree --------------------------------------------------------------------------------------


def test_the_tree_refuses_two_objects_of_one_name() -> None:
    with pytest.raises(ValueError, match=r"1/0-0:96\.1\.0\.255"):
        ObjectTree([Serial(SERIAL_A2.obis), Serial(SERIAL_A2.obis)], lambda *_: Access())


def test_an_object_needs_six_octets() -> None:
    with pytest.raises(ValueError, match="six octets"):
        Serial(bytes(5))


def test_a_bare_object_answers_for_its_logical_name_alone() -> None:
    item, at = CosemObject(bytes(6)), Moment(NOW)
    assert item.read(1, None, at) == axdr.octets(bytes(6))
    assert item.read(2, None, at) == 4
    assert item.write(1, axdr.NULL, at) == 3
    assert item.invoke(1, None, at).result == 4
    item.on_timer("x", at)
    item.on_power(on=True, at=at)
    item.load(Saved({}))
    assert (item.attributes(), item.methods(), item.dump()) == ((1,), (), {})
    assert at.client.name == "device"


# -- memory ----------------------------------------------------------------------------------------


def _conversation(client: Client) -> list[bytes]:
    """Plain requests that leave a transfer of each kind under way, and then end each."""
    value = axdr.encode(axdr.octets(bytes(100)))
    outcome = axdr.octets(bytes(range(150)))
    one, two = DataBlock(False, 1, value[:60]), DataBlock(True, 2, value[60:])
    several = b"\x01" + value
    first, second = DataBlock(False, 1, several[:60]), DataBlock(True, 2, several[60:])
    assert client.meter.powered
    return [
        encoded(request)
        for request in (
            GetRequest(INVOKE, Attribute(LONG_A2)),
            SetFirstBlockRequest(INVOKE, Attribute(STORE_A2), one),
            ActionFirstBlockRequest(INVOKE, ACTOR_M1, one),
            GetNextRequest(INVOKE, 1),
            SetBlockRequest(INVOKE, two),
            ActionBlockRequest(INVOKE, two),
            SetListFirstBlockRequest(INVOKE, (Attribute(STORE_A2),), first),
            ActionListFirstBlockRequest(INVOKE, (ACTOR_M1,), first),
            SetBlockRequest(INVOKE, second),
            ActionBlockRequest(INVOKE, second),
            ActionRequest(INVOKE, ACTOR_M1, outcome),
            apdu_action.ActionNextRequest(INVOKE, 1),
            GetNextRequest(INVOKE, 2),
            GetNextRequest(INVOKE, 3),
        )
    ]


@pytest.mark.parametrize("sap", [WRITER, MANAGER])
@pytest.mark.parametrize("form", [Form.SERVICE_GLOBAL, Form.GENERAL_DEDICATED])
def test_a_restored_device_goes_on_at_any_point_octet_for_octet(sap: int, form: Form) -> None:
    steps = len(_conversation(Client(powered())))
    whole = Client(powered(), sap, form=form)
    whole.associate(whole.offer(max_pdu_bytes=128, dedicated_key=bytes(range(16))))
    answers = [whole.send(whole.sealed(plain)) for plain in _conversation(whole)]
    assert None not in answers
    for at in range(steps + 1):
        client = Client(powered(), sap, form=form)
        client.associate(client.offer(max_pdu_bytes=128, dedicated_key=bytes(range(16))))
        found = []
        for number, plain in enumerate(_conversation(client)):
            if number == at:
                other = device()
                other.load(client.meter.dump())
                assert other.dump() == client.meter.dump()
                client.meter = other
            found.append(client.send(client.sealed(plain)))
        assert found == answers


def test_a_restored_device_knows_pending_proofs_and_goes_on_with_its_challenges() -> None:
    client = Client(powered(), PLAIN_HLS)
    response = client.request()
    other = device()
    other.load(client.meter.dump())
    expected = Client(client.meter, PLAIN_HLS, "tcp:1").request().authentication
    client.meter = other
    client.prove(response)
    assert Client(other, PLAIN_HLS, "tcp:1").request().authentication == expected


def _damaged_states() -> list[tuple[str, Any]]:
    client = Client(powered(), MANAGER)
    client.associate(client.offer(max_pdu_bytes=128, dedicated_key=bytes(range(16))))
    for plain in _conversation(client)[:3]:
        client.send(client.sealed(plain))
    paths: list[tuple[str, ...]] = []

    def walk(value: Json, path: tuple[str, ...]) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                if path[:1] != ("objects",):
                    paths.append((*path, name))
                    walk(inner, (*path, name))
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                walk(inner, (*path, str(number)))

    walk(client.meter.dump(), ())
    assert len(paths) > 40
    return [("/".join(path), path) for path in paths]


def _replaced(value: Json, path: tuple[str, ...], new: Json) -> Json:
    if not path:
        return new
    if isinstance(value, list):
        at = int(path[0])
        return [*value[:at], _replaced(value[at], path[1:], new), *value[at + 1 :]]
    assert isinstance(value, dict)
    return {**value, path[0]: _replaced(value[path[0]], path[1:], new)}


@pytest.mark.parametrize("new", [3.5, -1, "no hex", "ff", [[]], {"x": 1}])
def test_a_damaged_state_is_refused_as_such(new: Any) -> None:
    client = Client(powered(), MANAGER)
    client.associate(client.offer(max_pdu_bytes=128, dedicated_key=bytes(range(16))))
    for plain in _conversation(client)[:3]:
        client.send(client.sealed(plain))
    state = client.meter.dump()
    refused = 0
    for _, path in _damaged_states():
        damaged = _replaced(state, path, new)
        try:
            device().load(damaged)
        except IllegalEventError:
            refused += 1
    assert refused > 20


def test_a_state_of_another_device_is_refused() -> None:
    state = powered().dump()
    with pytest.raises(IllegalEventError, match="device_type"):
        device().load({**state, "device_type": "GSME"})
    with pytest.raises(IllegalEventError, match="not known"):
        device().load({**state, "more": 1})
    associations: list[Json] = [{**_row(), "client": 99}]
    with pytest.raises(IllegalEventError, match="not a client"):
        device().load({**state, "associations": associations})


def _row() -> dict[str, Json]:
    rows = associated(READER).meter.dump()["associations"]
    assert isinstance(rows, list)
    assert isinstance(rows[0], dict)
    return rows[0]


def test_a_state_says_nothing_of_keys_that_never_changed() -> None:
    client = associated(MANAGER)
    text = repr(client.meter.dump())
    held = keys()
    for key in (held.keys.unicast, held.keys.authentication, held.keys.master):
        assert key.hex() not in text
    for secret in held.secrets.values():
        assert secret.hex() not in text


def test_the_rows_for_a_reader() -> None:
    meter = powered()
    assert meter.rows() == {
        "model": "Birchwell Wick", "power": "on", "clients": "none", "keys": "as made",
    }  # fmt: skip
    Client(meter, PUBLIC).associate()
    Client(meter, READER, "tcp:1").associate()
    assert meter.rows()["clients"] == "public on optical, reader on tcp:1"


# -- saboteurs -------------------------------------------------------------------------------------


class _Liar(Smets1Device):
    """Reads what was not asked for."""

    def read(self, asked: Asked, attribute: Attribute) -> GetResult:
        true = super().read(asked, attribute)
        return axdr.octets(b"lies") if isinstance(true, Data) else true


def test_one_method_is_enough_to_make_a_device_that_lies() -> None:
    client = Client(powered(_Liar))
    client.associate()
    assert client.get(SERIAL_A2) == axdr.octets(b"lies")


def test_two_devices_of_one_seed_say_the_same_octets() -> None:
    def talk() -> list[Any]:
        client = Client(powered(), MANAGER)
        client.associate()
        return [client.send(client.sealed(GET)), client.meter.dump()]

    assert talk() == talk()


def test_a_note_names_line_and_client_of_every_refusal() -> None:
    client = Client(powered(), PUBLIC, "tcp:4")
    client.send(GET)
    (note,) = [item for item in client.effects if isinstance(item, Note)]
    assert dict(note.fields) == {
        "line": "tcp:4", "client": PUBLIC, "reason": "not_associated", "detail": "APDU c0",
    }  # fmt: skip
