"""Ciphered associations: nothing damaged, replayed, downgraded or under another key is acted on."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from emulator.codecs.dlms import acse, acse_release, apdu_ciphered, axdr
from emulator.codecs.dlms.apdu_action import ActionFirstBlockRequest, ActionRequest
from emulator.codecs.dlms.apdu_ciphered import BOTH, Form, Protection, SecurityControl
from emulator.codecs.dlms.apdu_get import GetRequest
from emulator.codecs.dlms.apdu_parts import (
    ActionResult,
    Attribute,
    DataAccessResult,
    DataBlock,
    Descriptor,
)
from emulator.codecs.dlms.apdu_set import SetRequest
from emulator.core.chance import Stream
from emulator.core.effects import DeviceEvent, SendDlms
from emulator.core.errors import MalformedFrameError
from emulator.crypto import dlms_cipher
from emulator.crypto.dlms_keys import InvocationCounters, KeyId
from emulator.crypto.dlms_security import SecurityContext
from emulator.devices.saved import Json
from tests.emulator.devices.smets1.server_kit import (
    ACTOR_M1,
    EUI64,
    FORMS,
    INVOKE,
    MANAGER,
    NOW,
    PUBLIC,
    SERIAL_A2,
    SETUP,
    STORE_A2,
    Client,
    associated,
    device,
    encoded,
    keys,
    notes,
    powered,
)

NOT_ALLOWED = bytes.fromhex("D80101")
UNREADABLE = bytes.fromhex("D80203")
NEW_KEY = bytes(range(100, 116))
TRANSFER = Descriptor(64, SETUP, 2)
REQUESTS = {
    "get": encoded(GetRequest(INVOKE, Attribute(SERIAL_A2))),
    "set": encoded(SetRequest(INVOKE, Attribute(STORE_A2), axdr.octets(b"new"))),
    "action": encoded(ActionRequest(INVOKE, ACTOR_M1, axdr.octets(b"do"))),
    "first-block": encoded(
        ActionFirstBlockRequest(INVOKE, ACTOR_M1, DataBlock(False, 1, b"\x09\x02a"))
    ),
    "unconfirmed": encoded(SetRequest(0x81, Attribute(STORE_A2), axdr.octets(b"new"))),
}


def _managing(form: Form = Form.SERVICE_GLOBAL, **changes: Any) -> Client:
    client = Client(powered(**changes), MANAGER, form=form)
    client.associate(client.offer(dedicated_key=bytes(range(16, 32))))
    return client


def _reason(client: Client) -> str:
    (note,) = notes(client.effects, "dlms_refused")
    return str(note["reason"])


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_comes_in_the_form_of_its_request(form: Form) -> None:
    client = _managing(form)
    assert client.get(SERIAL_A2) == axdr.octets(b"14P1234567")  # the kit compares the forms
    assert client.put(STORE_A2, axdr.octets(b"x")) is DataAccessResult.SUCCESS
    assert client.act(ACTOR_M1).result is ActionResult.SUCCESS


def test_forms_may_change_from_request_to_request() -> None:
    client = _managing()
    for form in (*FORMS, *reversed(FORMS)):
        client.form = form
        assert client.get(SERIAL_A2) == axdr.octets(b"14P1234567")


def _damaged(octets: bytes) -> list[bytes]:
    """Every flip of every octet (one bit of each, chosen by place), every cut, some extensions."""
    flips = [
        octets[:at] + bytes((octets[at] ^ (1 << at % 8),)) + octets[at + 1 :]
        for at in range(len(octets))
    ]
    whole = [
        octets[:at] + bytes((octets[at] ^ 0xFF,)) + octets[at + 1 :] for at in range(len(octets))
    ]
    cuts = [octets[:at] for at in range(len(octets))]
    return [*flips, *whole, *cuts, octets + b"\0", octets + octets, b"\0" + octets]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", REQUESTS)
def test_no_damaged_request_is_accepted_or_changes_anything(form: Form, name: str) -> None:
    client = _managing(form)
    sealed = client.sealed(REQUESTS[name])
    before = client.meter.dump()
    for octets in _damaged(sealed):
        assert client.send(octets) in {NOT_ALLOWED, UNREADABLE}, octets.hex()
        assert len(notes(client.effects, "dlms_refused")) == 1
        assert client.meter.dump() == before, octets.hex()
    client.send(sealed)
    assert client.meter.dump() != before
    assert not notes(client.effects, "dlms_refused")


@pytest.mark.parametrize("form", FORMS)
def test_a_replayed_request_is_refused(form: Form) -> None:
    client = _managing(form)
    sealed = client.sealed(REQUESTS["set"])
    client.send(sealed)
    before = client.meter.dump()
    assert client.send(sealed) == UNREADABLE
    assert _reason(client) == "counter_not_rising"
    assert client.meter.dump() == before


def test_an_earlier_counter_is_refused_though_it_was_never_used() -> None:
    client = _managing()
    held_back = client.sealed(REQUESTS["set"])
    client.ask(REQUESTS["get"])
    assert client.send(held_back) == UNREADABLE
    assert _reason(client) == "counter_not_rising"


def test_a_request_under_another_key_is_refused() -> None:
    client = _managing()
    other = client.held.keys.with_key(KeyId.UNICAST, NEW_KEY)
    assert client.security is not None
    client.security.keys = other
    before = client.meter.dump()
    assert client.send(client.sealed(REQUESTS["set"])) == UNREADABLE
    assert _reason(client) == "not_authentic"
    assert client.meter.dump() == before


@pytest.mark.parametrize("name", REQUESTS)
def test_a_plain_request_in_a_ciphered_association_is_refused(name: str) -> None:
    client = _managing()
    before = client.meter.dump()
    assert client.send(REQUESTS[name]) == NOT_ALLOWED
    assert _reason(client) == "not_protected"
    assert client.meter.dump() == before


def _framed(client: Client, plain: bytes, **changes: Any) -> bytes:
    """A request in a frame of our own making, with the right keys."""
    control = changes.get("control", SecurityControl(0, BOTH))
    title, counter = client.held.client_title, changes.get("counter", 1000)
    iv = dlms_cipher.nonce(title, counter)
    held = client.held.keys
    content = plain
    if control.protection:
        content = dlms_cipher.protect(held.unicast, held.authentication, iv, control, plain)
    values: dict[str, Any] = {
        "form": Form.GENERAL_GLOBAL, "service": None, "title": title, "control": control,
        "counter": counter, "content": content,
    }  # fmt: skip
    values.update({name: value for name, value in changes.items() if name in values})
    return apdu_ciphered.encode(apdu_ciphered.CipheredApdu(**values))


@pytest.mark.parametrize(
    ("changes", "answer", "reason"),
    [
        ({"control": SecurityControl(0, Protection.AUTHENTICATED)}, NOT_ALLOWED, "downgraded"),
        ({"control": SecurityControl(0, Protection.ENCRYPTED)}, NOT_ALLOWED, "downgraded"),
        ({"control": SecurityControl(0, Protection.NONE)}, NOT_ALLOWED, "not_protected"),
        ({"control": SecurityControl(1, BOTH)}, UNREADABLE, "wrong_suite"),
        ({"control": SecurityControl(0, BOTH, compressed=True)}, UNREADABLE, "compressed"),
        ({"control": SecurityControl(0, BOTH, broadcast=True)}, UNREADABLE, "not_authentic"),
        ({"title": bytes(8)}, UNREADABLE, "unknown_title"),
        ({"title": EUI64.octets}, UNREADABLE, "unknown_title"),
        ({"form": Form.GENERAL_DEDICATED}, UNREADABLE, "no_dedicated_key"),
        (
            {"form": Form.SERVICE_GLOBAL, "service": 0xC1, "title": None},
            UNREADABLE,
            "wrong_service",
        ),
    ],
)
def test_weaker_or_other_protection_is_refused_by_name(
    changes: dict[str, Any], answer: bytes, reason: str
) -> None:
    client = Client(powered(), MANAGER)
    client.associate()
    before = client.meter.dump()
    assert client.send(_framed(client, REQUESTS["get"], **changes)) == answer
    assert _reason(client) == reason
    assert client.meter.dump() == before


def test_our_own_frame_is_the_right_one() -> None:
    client = Client(powered(), MANAGER)
    client.associate()
    client.form = Form.GENERAL_GLOBAL
    answer = client.opened(client.send(_framed(client, REQUESTS["get"])))
    assert answer == bytes.fromhex("C401C100090A31345031323334353637")


def test_a_broadcast_frame_cannot_pass_for_a_dedicated_one() -> None:
    client = _managing()
    control = SecurityControl(0, BOTH, broadcast=True)
    held = client.held.keys
    assert held.broadcast is not None
    iv = dlms_cipher.nonce(client.held.client_title, 5)
    sealed = dlms_cipher.protect(held.broadcast, held.authentication, iv, control, REQUESTS["set"])
    frame = apdu_ciphered.CipheredApdu(Form.SERVICE_DEDICATED, 0xC1, None, control, 5, sealed)
    before = client.meter.dump()
    assert client.send(apdu_ciphered.encode(frame)) == UNREADABLE
    assert client.meter.dump() == before


def test_a_ciphered_request_in_a_plain_association_is_no_service() -> None:
    client = associated(PUBLIC)
    assert client.send(_framed(client, REQUESTS["get"])) == bytes.fromhex("D80102")


def test_one_clients_frames_are_worth_nothing_on_anothers_channel() -> None:
    meter = powered()
    one, two = Client(meter, MANAGER, "tcp:1"), Client(meter, MANAGER, "tcp:2")
    one.associate()
    two.counters = one.counters  # the two share their title, and so a counter
    two.associate()
    sealed = one.sealed(REQUESTS["set"])
    one.send(sealed)
    assert two.send(sealed) == UNREADABLE
    assert two.ask(REQUESTS["get"]) == one.ask(REQUESTS["get"])


def test_an_exception_to_an_authentic_request_goes_back_in_kind() -> None:
    client = _managing(Form.GENERAL_GLOBAL)
    octets = client.send(client.sealed(b"\xc0\x09\xc1"))
    assert octets is not None
    assert octets[0] == 0xDB
    assert client.opened(octets) == UNREADABLE
    client.form = Form.SERVICE_GLOBAL
    assert client.send(client.sealed(b"\xc0\x09\xc1")) == UNREADABLE


def test_no_answer_is_ever_protected_under_a_counter_used_before() -> None:
    client = _managing()
    seen: set[tuple[bool, int]] = set()
    for form in [*FORMS, *FORMS]:
        client.form = form
        octets = client.send(client.sealed(REQUESTS["get"]))
        frame = apdu_ciphered.decode(octets or b"")
        assert (form.dedicated, frame.counter) not in seen
        seen.add((form.dedicated, frame.counter))


@pytest.mark.parametrize("first", [1, 5, 1000])
def test_the_first_counter_is_that_of_the_profile(first: int) -> None:
    client = Client(powered(first_counter=first), MANAGER)
    response = client.request()
    assert apdu_ciphered.decode(response.user_information or b"").counter == first


def test_counters_survive_power_cuts_and_go_on() -> None:
    client = _managing()
    client.get(SERIAL_A2)
    last = client.sealed(REQUESTS["get"])
    client.send(last)
    sent = client.meter.security.counters.sent(client.held.keys.unicast, EUI64.octets)
    client.meter.handle(DeviceEvent.POWER_OFF, None, NOW)
    client.meter.handle(DeviceEvent.POWER_ON, None, NOW)
    assert client.send(last) == NOT_ALLOWED  # no association
    client.associate()
    assert client.send(last) == UNREADABLE
    assert _reason(client) == "counter_not_rising"
    counters = client.meter.security.counters
    assert counters.sent(client.held.keys.unicast, EUI64.octets) > sent


def test_a_device_without_counters_left_does_nothing_any_more() -> None:
    client = _managing()
    counters = client.meter.security.counters
    counters.resume(client.held.keys.unicast, EUI64.octets, (1 << 32) - 2)
    before = client.meter.dump()
    assert client.send(client.sealed(REQUESTS["set"])) == UNREADABLE
    assert _reason(client) == "counter_exhausted"
    assert client.request().diagnostic == 13
    assert _reason(client) == "counter_exhausted"
    assert client.meter.dump() == before


# -- keys that change ------------------------------------------------------------------------------


def _with(client: Client, key: bytes) -> Client:
    """The same client, holding another unicast key."""
    held = replace(client.held, keys=client.held.keys.with_key(KeyId.UNICAST, key))
    return Client(client.meter, MANAGER, client.line, held=held, counters=client.counters)


def test_a_transferred_key_is_in_force_and_the_old_one_refused_from_then_on() -> None:
    client = _managing()
    assert client.act(TRANSFER, axdr.octets(NEW_KEY)).result is ActionResult.SUCCESS
    assert client.get(SERIAL_A2) == axdr.octets(b"14P1234567")  # it stands until it ends
    assert client.meter.rows()["keys"] == "transferred"
    client.meter.handle(DeviceEvent.DLMS_GONE, client.channel, NOW)
    assert client.request().diagnostic == 13
    assert _reason(client) == "not_authentic"
    renewed = _with(client, NEW_KEY)
    renewed.associate()
    assert renewed.get(SERIAL_A2) == axdr.octets(b"14P1234567")


def test_a_rollback_takes_the_old_key_back_and_no_old_message_with_it() -> None:
    client = _managing()
    old = client.held.keys.unicast
    captured = client.sealed(REQUESTS["set"])
    client.send(captured)
    client.act(TRANSFER, axdr.octets(NEW_KEY))
    renewed = _with(client, NEW_KEY)
    renewed.associate()
    renewed.act(TRANSFER, axdr.octets(old))
    assert client.meter.rows()["keys"] == "as made"
    again = _with(client, old)
    again.associate()
    assert again.send(captured) == UNREADABLE
    assert _reason(again) == "counter_not_rising"
    assert again.get(SERIAL_A2) == axdr.octets(b"14P1234567")


def test_an_association_under_the_old_key_survives_dump_and_load_until_it_ends() -> None:
    client = _managing()
    client.act(TRANSFER, axdr.octets(NEW_KEY))
    other = device()
    other.load(client.meter.dump())
    client.meter = other
    assert client.get(SERIAL_A2) == axdr.octets(b"14P1234567")
    renewed = _with(client, NEW_KEY)
    renewed.line = "tcp:9"
    renewed.associate()


def test_the_last_counter_of_a_client_can_be_read() -> None:
    meter = powered()
    reader = Client(meter, PUBLIC, "tcp:1")
    reader.associate()
    counter = Descriptor(64, SETUP, 2)
    assert reader.get(counter) == axdr.Data(axdr.Tag.UINT32, 0)
    client = Client(meter, MANAGER)
    client.counters.resume(client.held.keys.unicast, client.held.client_title, 41)
    client.associate()
    last = client.counters.sent(client.held.keys.unicast, client.held.client_title)
    assert last > 41
    assert reader.get(counter) == axdr.Data(axdr.Tag.UINT32, last)
    assert meter.security.client_title == client.held.client_title


def test_a_secret_that_changed_is_asked_for_from_the_next_request_on() -> None:
    meter = powered()
    meter.security.replace_secret("reader", b"31415926")
    client = Client(meter, 2)
    assert client.request().diagnostic == 13
    client.held = replace(client.held, secrets={"reader": b"31415926"})
    client.associate()
    other = device()
    other.load(meter.dump())
    assert other.security.secret("reader") == b"31415926"
    assert other.security.secret("installer") == keys().secrets["installer"]
    assert other.security.secret("nobody") is None


# -- chance ----------------------------------------------------------------------------------------


def _without_counters(state: dict[str, Json]) -> dict[str, Json]:
    security = state["security"]
    assert isinstance(security, dict)
    return {**state, "security": {name: security[name] for name in ("keys", "secrets", "titles")}}


def _octets_of_chance(count: int) -> list[bytes]:
    stream = Stream(20240601, "test_server_security")
    heads = [b"", b"\xc0\x01\xc1", b"\xc1\x01\xc1", b"\xc3\x01\xc1", b"\x60", b"\x62", b"\xdb",
             b"\xc8", b"\xc3\x06\xc1", b"\xc1\x03\xc1", b"\xc0\x02\xc1", b"\x21", b"\xd8",
             b"\xc1\x02\xc1", b"\xc0\x03\xc1\x01"]  # fmt: skip
    drawn = [heads[n % len(heads)] + stream.octets(stream.below(60)) for n in range(count)]
    return [octets for octets in drawn if not _releases(octets)]


def _releases(octets: bytes) -> bool:
    """Whether chance made a whole release without user information: ``62 00``."""
    try:
        return acse_release.decode_request(octets).user_information is None
    except MalformedFrameError:
        return False


@pytest.mark.parametrize("sap", [None, PUBLIC, MANAGER, 2, 4])
@pytest.mark.parametrize("pending", [False, True])
def test_octets_of_chance_are_always_answered_and_never_change_a_thing(
    sap: int | None, pending: bool
) -> None:
    client = Client(powered(), sap or PUBLIC)
    if pending:
        client.request()
    elif sap is not None:
        client.associate()
    before = _without_counters(client.meter.dump())
    for octets in _octets_of_chance(1500):
        answer = client.send(octets)
        assert answer is not None, octets.hex()
        assert len(answer) >= 3
        after = _without_counters(client.meter.dump())
        assert _still(after) == _still(before), octets.hex()


def _still(state: dict[str, Json]) -> dict[str, Json]:
    """Without long transfers: a stray request ends one, a stray first block begins one."""
    rows = state["associations"]
    assert isinstance(rows, list)
    kept: list[Json] = []
    for row in rows:
        assert isinstance(row, dict)
        kept.append({name: value for name, value in row.items() if name != "transfers"})
    return {**state, "associations": kept}


@pytest.mark.soak
def test_many_more_octets_of_chance() -> None:
    client = Client(powered(), MANAGER)
    client.associate()
    before = _without_counters(client.meter.dump())
    for octets in _octets_of_chance(200_000):
        assert client.send(octets) is not None
    assert _still(_without_counters(client.meter.dump())) == _still(before)


def test_requests_under_chance_protection_with_the_right_keys_never_raise() -> None:
    client = _managing()
    stream = Stream(7, "authentic chance")
    heads = (b"\xc0", b"\xc1", b"\xc3", b"\xc4", b"\x01", b"\x60")
    for number, head in zip(range(600), itertools.cycle(heads)):
        client.form = (Form.GENERAL_GLOBAL, Form.GENERAL_DEDICATED)[number % 2]
        plain = head + stream.octets(1 + stream.below(40))
        effects = client.send(client.sealed(plain))
        assert effects is None or client.opened(effects) is not None


def test_an_authentic_frame_of_another_association_request_is_not_one() -> None:
    """A ciphered frame that holds an AARQ is no AARQ."""
    client = _managing(Form.GENERAL_GLOBAL)
    aarq = acse.encode_request(Client(client.meter).aarq())
    answer = client.opened(client.send(client.sealed(aarq)))
    assert answer == bytes.fromhex("D80102")
    assert len(client.meter.door.standing) == 1


def test_the_answer_of_a_refused_frame_says_nothing_of_keys() -> None:
    client = _managing()
    client.send(client.sealed(REQUESTS["set"])[:-1])
    held = client.held.keys
    text = repr(client.effects) + repr(client.meter.door.standing) + repr(client.meter.rows())
    for key in (held.unicast, held.authentication, held.master, bytes(range(16, 32))):
        assert key.hex() not in text
        assert repr(key) not in text
    assert any(isinstance(item, SendDlms) for item in client.effects)


def test_a_client_with_a_title_of_its_own_choice_is_let_in() -> None:
    held = replace(keys(), client_title=b"ABCDEFGH")
    client = Client(powered(), MANAGER, held=held)
    client.associate()
    assert client.meter.security.client_title == b"ABCDEFGH"
    stranger = SecurityContext(
        held.keys, InvocationCounters(), own_title=b"HGFEDCBA", peer_title=EUI64.octets
    )
    assert client.send(stranger.seal(REQUESTS["get"], Form.SERVICE_GLOBAL)) == UNREADABLE
    assert _reason(client) == "not_authentic"
