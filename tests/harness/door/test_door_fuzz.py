"""Whatever octets come, the door says no by name, or took exactly what was signed."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.door.errors import DoorCode, Refusal
from harness.door.intake import Ticket
from harness.formats.duis.bodies import ReadInventory
from harness.formats.duis.faults import DuisFault
from harness.formats.duis.requests import read_request
from tests.harness.door.door_kit import ESME, Served
from tests.sampling import examples

CODES = {str(one) for one in (*DoorCode, *DuisFault)}
EDITS = st.lists(
    st.tuples(st.integers(0, 4000), st.integers(0, 12), st.binary(max_size=12)), max_size=4
)
PIECES = [b"<", b">", b"&", b"<a/>", b"<!--", b"]]>", b"<?x?>", b"<!DOCTYPE a>", b"\x00", b"&lt;"]


def edited(octets: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for at, gone, new in edits:
        place = at % (len(octets) + 1)
        octets = octets[:place] + new + octets[place + gone :]
    return octets


def taken(served: Served, octets: bytes, original: bytes) -> None:
    before = served.door.exchange.counts()["requests"]
    outcome = served.door.intake.take(octets, door="http")
    after = served.door.exchange.counts()["requests"]
    if isinstance(outcome, Refusal):
        assert outcome.code in CODES
        assert outcome.as_json()["what"]
        assert after == before
    else:
        assert isinstance(outcome, Ticket)
        assert read_request(octets).body == read_request(original).body
        assert read_request(octets).header == read_request(original).header
        assert after == before + 1


@settings(
    max_examples=examples(400),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(edits=EDITS)
def test_an_edited_request_is_refused_or_says_what_was_signed(
    served: Served, edits: list[tuple[int, int, bytes]]
) -> None:
    original = served.signed(ReadInventory(ESME))
    taken(served, edited(original, edits), original)


@settings(
    max_examples=examples(200),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(places=st.lists(st.tuples(st.integers(0, 4000), st.sampled_from(PIECES)), max_size=3))
def test_markup_put_anywhere_is_refused_or_changes_nothing(
    served: Served, places: list[tuple[int, bytes]]
) -> None:
    original = served.signed(ReadInventory(ESME))
    taken(served, edited(original, [(at, 0, piece) for at, piece in places]), original)


@settings(
    max_examples=examples(200),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(octets=st.binary(min_size=1, max_size=200))
def test_octets_that_are_no_document_are_refused(served: Served, octets: bytes) -> None:
    outcome = served.door.intake.take(octets, door="http")
    assert isinstance(outcome, Refusal)
    assert outcome.code in CODES
