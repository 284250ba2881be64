"""Every job in every framing against a scripted meter."""

import pytest

from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_ciphered import Form
from emulator.codecs.dlms.apdu_parts import ActionResult, Attribute, DataAccessResult
from emulator.codecs.dlms.axdr import Data, Tag, octets
from emulator.codecs.dlms.initiate import Conformance
from harness.dlms.jobs import (
    ActionJob,
    AssociateJob,
    GetJob,
    RawJob,
    ReleaseJob,
    SetJob,
)
from harness.dlms.line import LineState
from harness.dlms.settings import OFFERED, Framing
from harness.meter import Association, Credentials, Silence, Unanswered
from tests.harness.dlms.peer import pump_for
from tests.harness.dlms.scripted import (
    CLOCK,
    METHOD,
    NAME,
    NOT_ALLOWED,
    SERVER_TITLE,
    ScriptedServer,
    management,
    public,
    reader_lls,
)

METHOD_ATTRIBUTE = Attribute(METHOD)
WAYS = [
    public(),
    reader_lls(),
    *(management(form) for form in Form),
]


@pytest.fixture(params=list(Framing))
def framing(request: pytest.FixtureRequest) -> Framing:
    found: Framing = request.param
    return found


def server() -> ScriptedServer:
    return ScriptedServer({NAME.descriptor: octets(b"name"), CLOCK.descriptor: octets(bytes(12))})


@pytest.mark.parametrize("credentials", WAYS, ids=lambda c: f"{c.name}-{c.form}")
def test_all_services_in_all_framings_and_forms(framing: Framing, credentials: Credentials) -> None:
    meter = server()
    pump = pump_for(framing, meter)
    joined = pump.play(AssociateJob(credentials))
    assert isinstance(joined, Association)
    assert (joined.accepted, joined.result, joined.why) == (True, 0, "")
    assert joined.conformance == OFFERED
    assert joined.max_pdu_bytes == 1024
    assert joined.server_title == SERVER_TITLE
    assert pump.play(GetJob((NAME,))) == (octets(b"name"),)
    assert pump.play(GetJob((NAME, METHOD_ATTRIBUTE, CLOCK))) == (
        octets(b"name"),
        DataAccessResult.OBJECT_UNDEFINED,
        octets(bytes(12)),
    )
    assert pump.play(SetJob(((NAME, octets(b"new")),))) == (DataAccessResult.SUCCESS,)
    assert pump.play(SetJob(((NAME, octets(b"a")), (METHOD_ATTRIBUTE, octets(b"b"))))) == (
        DataAccessResult.SUCCESS,
        DataAccessResult.OBJECT_UNDEFINED,
    )
    assert pump.play(ActionJob(METHOD, Data(Tag.INT8, 0))) == MethodOutcome(ActionResult.SUCCESS)
    assert meter.invoked == [(METHOD, Data(Tag.INT8, 0))]
    assert pump.play(ReleaseJob()) is None
    assert pump.line.state is LineState.CLOSED
    assert not meter.associated


def test_lists_go_as_lists_and_one_attribute_goes_alone(framing: Framing) -> None:
    meter = server()
    pump = pump_for(framing, meter)
    pump.play(AssociateJob(public()))
    pump.play(GetJob((NAME,)))
    pump.play(GetJob((NAME, CLOCK)))
    pump.play(SetJob(((NAME, octets(b"1")), (CLOCK, octets(bytes(12))))))
    assert [plain[:2].hex() for plain in meter.plain_requests] == ["c001", "c003", "c104"]


def test_without_multiple_references_attributes_go_one_by_one(framing: Framing) -> None:
    meter = server()
    meter.conformance = OFFERED & ~Conformance.MULTIPLE_REFERENCES
    pump = pump_for(framing, meter)
    pump.play(AssociateJob(public()))
    assert pump.play(GetJob((NAME, CLOCK))) == (octets(b"name"), octets(bytes(12)))
    assert pump.play(SetJob(((NAME, octets(b"1")), (CLOCK, octets(bytes(12)))))) == (
        DataAccessResult.SUCCESS,
        DataAccessResult.SUCCESS,
    )
    heads = [plain[:2].hex() for plain in meter.plain_requests]
    assert heads == ["c001", "c001", "c101", "c101"]


def test_nothing_asked_for_is_answered_without_a_word(framing: Framing) -> None:
    pump = pump_for(framing, server())
    pump.play(AssociateJob(public()))
    said = len(pump.sent)
    assert pump.play(GetJob(())) == ()
    assert pump.play(SetJob(())) == ()
    assert len(pump.sent) == said


def test_a_raw_apdu_goes_as_it_stands_and_its_answer_comes_so(framing: Framing) -> None:
    meter = server()
    pump = pump_for(framing, meter)
    pump.play(AssociateJob(management()))
    plain_get = bytes.fromhex("c001c1 0001 00002a0000ff 02 00")
    assert pump.play(RawJob(plain_get)) == NOT_ALLOWED
    assert meter.requests[-1] == plain_get
    assert pump.play(GetJob((NAME,))) == (octets(b"name"),)


@pytest.mark.parametrize(
    "job", [GetJob((NAME,)), SetJob(((NAME, octets(b"")),)), ActionJob(METHOD), RawJob(b"\xc0")]
)
def test_before_an_association_nothing_is_asked_and_nothing_said(
    framing: Framing, job: GetJob | SetJob | ActionJob | RawJob
) -> None:
    pump = pump_for(framing, server())
    answer = pump.play(job)
    assert isinstance(answer, Unanswered)
    assert answer.why is Silence.NOT_ASSOCIATED
    assert "associate first" in answer.detail
    assert pump.sent == []
    assert pump.play(ReleaseJob()) is None


def test_a_second_association_ends_the_first(framing: Framing) -> None:
    meter = server()
    pump = pump_for(framing, meter)
    for credentials in (public(), reader_lls(), reader_lls(), management(), public()):
        joined = pump.play(AssociateJob(credentials))
        assert isinstance(joined, Association)
        assert joined.accepted
        assert pump.play(GetJob((NAME,))) == (octets(b"name"),)
    tags = [request[0] for request in meter.requests]
    assert tags.count(0x60) == 5
    assert tags.count(0x62) == 4
    first_release = tags.index(0x62)
    assert tags[first_release + 1] == 0x60


def test_a_ciphered_release_proves_who_ends_the_association(framing: Framing) -> None:
    meter = server()
    pump = pump_for(framing, meter)
    pump.play(AssociateJob(management()))
    pump.play(ReleaseJob())
    release = next(request for request in meter.requests if request[0] == 0x62)
    assert b"\x21" in release[:12]


def test_invoke_ids_go_round_and_carry_priority_and_confirmation(framing: Framing) -> None:
    meter = server()
    pump = pump_for(framing, meter)
    pump.play(AssociateJob(public()))
    for _ in range(17):
        pump.play(GetJob((NAME,)))
    octet = [plain[2] for plain in meter.plain_requests]
    assert octet == [0xC0 | (n % 15 + 1) for n in range(17)]
