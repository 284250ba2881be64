"""An association that was dumped goes on under the same counters, and takes no old APDU again."""

import json
from typing import Any

import pytest

from emulator.codecs.dlms.apdu_ciphered import BOTH, Form, Protection
from emulator.codecs.dlms.dumped import DumpedStateError
from emulator.crypto.dlms_keys import InvocationCounters, SecurityKeys
from emulator.crypto.dlms_security import Opened, Refused, SecurityContext, SecurityRefusal

KEYS = SecurityKeys(bytes(range(16)), bytes(range(16, 32)), bytes(range(32, 48)))
DEDICATED = bytes(range(48, 64))
CLIENT, METER = b"CLIENT01", b"METER001"
APDU = bytes.fromhex("c001c100010000600100ff0200")


def context(
    own: bytes, peer: bytes, counters: InvocationCounters, dedicated: bytes | None = None
) -> SecurityContext:
    return SecurityContext(
        KEYS,
        counters,
        own_title=own,
        peer_title=peer,
        required=Protection.NONE,
        dedicated_key=dedicated,
    )


def again(meter: SecurityContext, counters: InvocationCounters) -> SecurityContext:
    fresh_counters = InvocationCounters()
    fresh_counters.load(json.loads(json.dumps(counters.dump())))
    fresh = context(METER, CLIENT, fresh_counters)
    fresh.load(json.loads(json.dumps(meter.dump())))
    assert fresh.dump() == meter.dump()
    return fresh


@pytest.mark.parametrize("form", [form for form in Form if form is not Form.PLAIN])
def test_a_dumped_association_answers_alike_and_refuses_a_replay(form: Form) -> None:
    client = context(CLIENT, METER, InvocationCounters(), DEDICATED)
    counters = InvocationCounters()
    meter = context(METER, CLIENT, counters, DEDICATED)
    meter.require(BOTH)
    first, second = client.seal(APDU, form), client.seal(APDU, form)
    assert isinstance(meter.open(first), Opened)
    twin = again(meter, counters)
    assert twin.required == BOTH
    replayed = twin.open(first)
    assert isinstance(replayed, Refused)
    assert replayed.reason is SecurityRefusal.COUNTER_NOT_RISING
    assert twin.open(second) == meter.open(second)
    answer = bytes.fromhex("c401c1001107")
    assert twin.seal(answer, form) == meter.seal(answer, form)


@pytest.mark.parametrize(
    ("name", "value", "path"),
    [
        ("required", 64, "security.required"),
        ("required", "both", "security.required"),
        ("dedicated_key", "00" * 15, "security.dedicated_key"),
        ("dedicated_key", "00" * 17, "security.dedicated_key"),
        ("dedicated_counters", {}, "security.dedicated_counters.received"),
        (
            "dedicated_counters",
            {"sent": {}, "received": []},
            "security.dedicated_counters.received",
        ),
        (
            "dedicated_counters",
            {"sent": {"a": 1 << 32}, "received": {}},
            "security.dedicated_counters.sent.a",
        ),
    ],
)
def test_a_damaged_dump_is_refused_by_path_and_changes_nothing(
    name: str, value: Any, path: str
) -> None:
    meter = context(METER, CLIENT, InvocationCounters(), DEDICATED)
    before = meter.dump()
    with pytest.raises(DumpedStateError) as caught:
        meter.load({**before, name: value})
    assert caught.value.path == path
    assert meter.dump() == before
    assert DEDICATED.hex() not in str(caught.value)


@pytest.mark.parametrize(
    "state",
    [None, {}, {"sent": {}}, {"sent": {}, "received": {"a": -1}}, {"sent": 1, "received": 2}],
)
def test_damaged_counters_are_refused(state: Any) -> None:
    counters = InvocationCounters()
    counters.draw(bytes(16), METER)
    before = counters.dump()
    with pytest.raises(DumpedStateError, match="counters"):
        counters.load(state)
    assert counters.dump() == before
