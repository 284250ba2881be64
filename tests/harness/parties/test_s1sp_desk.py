"""The S1SP's desk: what it believes, what it refuses with which code, what it keeps."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyUsage
from emulator.crypto.top_up_code import TopUp, decode, top_up_key
from harness.formats.duis import countersigned, s1sp_alert, smets1_response
from harness.formats.duis import smets1_bodies as bodies
from harness.formats.duis.countersigned import Countersigned
from harness.formats.duis.signing import Signatories
from harness.formats.duis.smets1_contents import Result
from harness.parties.import_supplier import change_body, handover_body, replacement
from harness.parties.instruction import countersign
from harness.parties.s1sp_desk import S1spDesk
from harness.parties.s1sp_desk_faults import UNTOLD, DeskFault
from harness.rules.roles import UserRole
from tests.harness.parties.s1sp_world import (
    AT,
    CP,
    DSP,
    EIS,
    ESME,
    GIS,
    GSME,
    NEW,
    S1SP,
    World,
    certificates,
    keys,
    run,
    signed_request,
    signing_key,
)

EIS_TEXT = str(EIS).encode()
READ = bodies.ReadInstantaneousImportRegisters()
CREDIT = bodies.UpdatePaymentMode(bodies.Credit())


def asked_for(request: bytes, counter: int = 5, device: Eui64 = ESME) -> Countersigned:
    return Countersigned(S1SP, device, EIS, counter, request)


def believed(value: Countersigned, by: Eui64 = DSP) -> bytes:
    return countersigned.write(value, signing_key(by))


PLAIN = signed_request(EIS, READ, ESME, 5)
GOOD = believed(asked_for(PLAIN))
BROKEN: dict[str, tuple[Callable[[], bytes], DeskFault]] = {
    "oversized": (lambda: GOOD + b" " * (16 * 1024 * 1024), DeskFault.TOO_LARGE),
    "not XML": (lambda: GOOD[:200], DeskFault.MALFORMED),
    "another document": (lambda: PLAIN, DeskFault.MALFORMED),
    "a document type": (
        lambda: GOOD.replace(b"<!-- ", b"<!DOCTYPE x><!-- ", 1),
        DeskFault.MALFORMED,
    ),
    "not countersigned": (
        lambda: GOOD[: GOOD.index(b"<ds:Signature")] + GOOD[GOOD.index(b"</ds:Signature>") + 15 :],
        DeskFault.NOT_COUNTERSIGNED,
    ),
    "countersigned by another": (
        lambda: believed(asked_for(PLAIN), EIS),
        DeskFault.COUNTERSIGNATURE,
    ),
    "altered after countersigning": (
        lambda: GOOD.replace(b"Counter>5<", b"Counter>6<"),
        DeskFault.COUNTERSIGNATURE,
    ),
    "for another S1SP": (
        lambda: believed(replace(asked_for(PLAIN), s1sp=GIS)),
        DeskFault.OTHER_S1SP,
    ),
    "the request unsigned": (
        lambda: believed(asked_for(PLAIN[: PLAIN.index(b"<ds:Signature")] + b"</sr:Request>")),
        DeskFault.NOT_SIGNED,
    ),
    "the request signed by another": (
        lambda: believed(
            asked_for(signed_request(GIS, READ, ESME, 5).replace(str(GIS).encode(), EIS_TEXT))
        ),
        DeskFault.USER_SIGNATURE,
    ),
    "the request altered": (
        lambda: believed(asked_for(PLAIN.replace(b":5<", b":6<"))),
        DeskFault.USER_SIGNATURE,
    ),
    "the request no XML": (lambda: believed(asked_for(b"<x")), DeskFault.REQUEST_MALFORMED),
    "the request of another device": (
        lambda: believed(asked_for(signed_request(EIS, READ, GSME, 5))),
        DeskFault.OTHER_REQUEST,
    ),
    "the request of another counter": (
        lambda: believed(asked_for(PLAIN, counter=6)),
        DeskFault.OTHER_REQUEST,
    ),
}


@pytest.mark.parametrize("name", list(BROKEN))
def test_what_cannot_be_believed_is_refused_by_name_and_changes_nothing(name: str) -> None:
    make, fault = BROKEN[name]
    world = World()
    before = json.dumps(world.desk.dump()["records"])
    assert run(world.desk.take(make())) == ()
    assert [one for one, _detail in world.desk.refused] == [fault]
    assert json.dumps(world.desk.dump()["records"]) == before
    assert world.meter.asked == []


def test_the_same_request_is_carried_out_once() -> None:
    world = World()
    first = run(world.desk.take(GOOD))
    assert len(first) == 1
    asked = len(world.meter.asked)
    before = json.dumps(world.desk.dump()["records"])
    assert run(world.desk.take(GOOD)) == ()
    assert world.desk.refused[-1][0] is DeskFault.REPLAYED
    assert len(world.meter.asked) == asked
    assert json.dumps(world.desk.dump()["records"]) == before


def test_a_lower_counter_of_the_same_user_is_a_replay_and_of_another_user_is_not() -> None:
    world = World()
    run(world.desk.take(GOOD))
    older = believed(asked_for(signed_request(EIS, READ, ESME, 4), 4))
    assert run(world.desk.take(older)) == ()
    assert world.desk.refused[-1][0] is DeskFault.REPLAYED
    through_dcc = Countersigned(S1SP, ESME, DSP, 1, signed_request(GIS, READ, ESME, 3), GIS, 3)
    assert len(run(world.desk.take(believed(through_dcc)))) == 1


def test_what_was_refused_is_not_carried_out_when_it_comes_again() -> None:
    """The supplier was told no; whoever keeps the octets must not turn that into yes later."""
    world = World()
    refused = believed(asked_for(signed_request(EIS, CREDIT, ESME, 5)))
    (octets,) = run(world.desk.take(refused))
    assert s1sp_alert.read_alert(octets).code == DeskFault.NULL_CERTIFICATE
    world.notify(ESME, EIS)
    assert run(world.desk.take(refused)) == ()
    assert world.desk.refused[-1][0] is DeskFault.REPLAYED
    assert world.meter.asked == []
    (answer,) = run(world.desk.take(believed(asked_for(signed_request(EIS, CREDIT, ESME, 6), 6))))
    assert answer
    assert "set" in world.meter.asked


def test_a_device_it_does_not_have_and_a_service_nobody_has_are_told() -> None:
    world = World()
    del world.desk.records[ESME]
    (octets,) = run(world.desk.take(GOOD))
    assert s1sp_alert.read_alert(octets).code == DeskFault.UNKNOWN_DEVICE


# --- notified certificates -----------------------------------------------------------------------


def test_a_critical_request_is_refused_while_the_certificate_id_is_null() -> None:
    world = World()
    code, answer = run(world.ask(world.eis, CREDIT, ESME))
    assert code == "I99"
    assert answer.value.code == DeskFault.NULL_CERTIFICATE
    assert world.meter.asked == []


def test_after_6_21_the_same_request_is_carried_out() -> None:
    world = World()
    _code, handed = run(world.ask(world.eis, handover_body(keys(), EIS), ESME))
    assert handed.success
    _code, answer = run(world.ask(world.eis, CREDIT, ESME))
    assert answer.success
    assert "set" in world.meter.asked


def test_6_21_is_for_devices_whose_certificate_id_is_null() -> None:
    world = World()
    world.notify(ESME, EIS)
    _code, answer = run(world.ask(world.eis, handover_body(keys(), EIS), ESME))
    assert answer.value.code == DeskFault.NOT_NULL


def test_another_partys_certificate_bars_critical_requests() -> None:
    world = World()
    world.notify(ESME, GIS)
    _code, answer = run(world.ask(world.eis, CREDIT, ESME))
    assert answer.value.code == DeskFault.OTHER_CERTIFICATE


def test_a_read_needs_no_notified_certificate() -> None:
    world = World()
    _code, answer = run(world.ask(world.eis, READ, ESME))
    assert answer.success


def test_a_new_supplier_takes_over_by_6_23_and_the_old_one_is_refused() -> None:
    world = World()
    world.notify(ESME, EIS)
    new = world.user(NEW, UserRole.IMPORT_SUPPLIER, "new supplier")
    record = world.dsp.inventory.find(ESME)
    assert record is not None
    world.dsp.register_supply(record.mpxn, NEW)
    _code, answer = run(world.ask(new, change_body(keys(), NEW, record.mpxn), ESME))
    assert answer.success
    code, nothing = run(world.ask(world.eis, CREDIT, ESME))
    assert (code, nothing) == ("E4", None)
    _code, answer = run(world.ask(new, CREDIT, ESME))
    assert answer.success


def test_the_counter_of_a_change_of_supplier_must_rise_over_parties_too() -> None:
    world = World()
    world.desk.records[ESME].cos_execution = 10_000
    _code, answer = run(world.ask(world.eis, change_body(keys(), EIS, "9900000000024"), ESME))
    assert answer.value.code == DeskFault.COS_REPLAYED
    assert all(one.is_null for one in world.desk.records[ESME].notified.values())


def test_certificates_of_another_party_or_use_are_not_taken() -> None:
    world = World()
    own = replacement(keys(), EIS)
    path = bodies.CertificatePath((own.signing or b"",))
    for wrong in (replacement(keys(), GIS), bodies.ReplacementCertificates(own.agreement)):
        body = bodies.RequestHandover(bodies.PartyRole.SUPPLIER, wrong, path)
        _code, answer = run(world.ask(world.eis, body, ESME))
        assert isinstance(answer.value.body, Result)
        assert not answer.success
        assert answer.value.body.values[0].find(
            "ReplacementOutcome", "StatusCode", "ASN1Status"
        ) == ("badCertificate")
        assert all(one.is_null for one in world.desk.records[ESME].notified.values())


# --- the DCO's part ------------------------------------------------------------------------------


def test_without_the_dcos_part_no_critical_request_reaches_the_device() -> None:
    world = World(dco_knows=False)
    world.notify(ESME, EIS)
    _code, answer = run(world.ask(world.eis, CREDIT, ESME))
    assert answer.value.code == DeskFault.DCO_PART_MISSING
    assert world.meter.asked == []
    _code, read = run(world.ask(world.eis, READ, ESME))
    assert read.success


class Forger:
    """Stands where the DCO does."""

    def __init__(self, world: World, *, counter: int, other: bool) -> None:
        self._world, self._counter, self._other = world, counter, other

    def countersign(self, instruction: object, asked_by: str) -> object:
        _ = asked_by
        signing = keys().find(EIS if self._other else self._world.dco.party, KeyUsage.DS)
        assert signing is not None
        assert signing.private_scalar is not None
        signer = EIS if self._other else self._world.dco.party
        return countersign(signer, signing.private_scalar, instruction, self._counter)  # type: ignore[arg-type]  # the gate passes an Instruction


@pytest.mark.parametrize(
    ("counter", "other", "fault"),
    [(1, True, DeskFault.DCO_PART_SIGNER), (0, False, DeskFault.DCO_PART_REPLAYED)],
)
def test_a_wrong_part_of_the_dco_is_told_by_its_own_code(
    counter: int, other: bool, fault: DeskFault
) -> None:
    world = World()
    world.notify(ESME, EIS)
    world.s1sp._dco = Forger(world, counter=counter, other=other)  # type: ignore[assignment]  # a forger in its place
    _code, answer = run(world.ask(world.eis, CREDIT, ESME))
    assert answer.value.code == fault
    assert world.meter.asked == []


# --- answers -------------------------------------------------------------------------------------


def test_not_supported_is_an_answer_and_touches_no_device() -> None:
    world = World()
    world.notify(ESME, EIS)
    _code, answer = run(world.ask(world.eis, bodies.ArmSupply(), ESME))
    assert isinstance(answer.value.body, Result)
    assert not answer.success
    assert "cannot be armed" in answer.value.body.statuses[0].error
    assert world.meter.asked == []


def test_a_refusal_of_the_device_is_an_answer_and_silence_is_an_alert() -> None:
    world = World()
    world.notify(ESME, EIS)
    world.meter.refuses = True
    _code, answer = run(world.ask(world.eis, CREDIT, ESME))
    assert isinstance(answer.value.body, Result)
    assert "read-write-denied" in answer.value.body.statuses[0].error
    world.meter.mute = True
    _code, alert = run(world.ask(world.eis, CREDIT, ESME))
    assert alert.value.code == DeskFault.SILENT


def test_a_top_up_that_does_not_arrive_comes_back_as_a_code_for_the_keypad() -> None:
    world = World()
    world.notify(ESME, EIS)
    world.meter.mute = True
    _code, alert = run(world.ask(world.eis, world.eis.top_up(ESME, TopUp(1500, 3)), ESME))
    assert alert.value.code == DeskFault.NOT_DELIVERED
    key = top_up_key(ESME.octets * 2, ESME)
    assert decode(alert.value.utrn, key, ESME) == TopUp(1500, 50_001)
    assert alert.value.utrn not in repr(alert.value)
    assert alert.value.utrn not in json.dumps(world.desk.dump())


def test_an_order_that_comes_again_gets_the_code_it_had_and_another_order_the_next() -> None:
    world = World()
    world.notify(ESME, EIS)
    world.meter.mute = True
    codes = []
    for order in (TopUp(1500, 3), TopUp(1500, 3), TopUp(1500, 4), TopUp(1600, 3)):
        _code, alert = run(world.ask(world.eis, world.eis.top_up(ESME, order), ESME))
        codes.append(alert.value.utrn)
        world.desk.load(world.desk.dump())
    key = top_up_key(ESME.octets * 2, ESME)
    numbers = [decode(one, key, ESME) for one in codes]
    assert numbers == [
        TopUp(1500, 50_001),
        TopUp(1500, 50_001),
        TopUp(1500, 50_002),
        TopUp(1600, 50_003),
    ]


def test_a_utrn_of_another_device_or_user_is_refused() -> None:
    world = World()
    world.notify(ESME, EIS)
    _code, alert = run(world.ask(world.eis, world.eis.top_up(GSME, TopUp(1500, 3)), ESME))
    assert alert.value.code == DeskFault.BAD_UTRN
    _code, alert = run(world.ask(world.eis, world.gis.top_up(ESME, TopUp(1500, 3)), ESME))
    assert alert.value.code == DeskFault.BAD_UTRN
    assert world.desk.records[ESME].next_top_up == 50_001


def test_answers_go_back_under_the_counter_they_were_asked_under() -> None:
    world = World()
    (octets,) = run(world.desk.take(GOOD))
    value = smets1_response.read_signed(octets, Signatories(certificates(), AT), S1SP)
    assert (value.device, value.target, value.counter) == (ESME, EIS, 5)
    assert (value.supplementary_party, value.supplementary_counter) == (None, None)


def test_every_fault_has_a_code_of_its_own_with_our_prefix() -> None:
    assert len({one.value for one in DeskFault}) == len(DeskFault)
    assert all(one.value.startswith("X-") for one in DeskFault)
    assert set(DeskFault) > UNTOLD


def test_a_desk_comes_back_from_its_dump() -> None:
    world = World()
    world.notify(ESME, EIS)
    run(world.ask(world.eis, CREDIT, ESME))
    state = json.loads(json.dumps(world.desk.dump()))
    other = World()
    other.desk.load(state)
    assert other.desk.dump() == world.desk.dump()
    assert isinstance(other.desk, S1spDesk)
    assert CP not in other.desk.records
