"""A dormant dual-fuel home: migrated, commissioned, handed to its supplier, topped up."""

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from device_profiles.words import DeviceStatus, DeviceType, InstallationClass, SupplyShape
from emulator.crypto.top_up_code import TopUp
from harness.formats.duis import smets1_bodies as bodies
from harness.formats.duis.bodies import ReadFirmwareVersion, ReadInventory, RequestBody
from harness.formats.duis.inventory_contents import Inventory
from harness.formats.duis.responses import ResponseMessage
from harness.formats.duis.smets1_contents import Result
from harness.formats.duis.smets1_response import Smets1Response
from harness.migration.commissioning import Commissioning
from harness.migration.commissioning_ends import fulfilments, prepayment_duties
from harness.migration.course import Course
from harness.migration.states import State
from harness.parties.import_supplier import FromS1sp, handover_body
from harness.parties.s1sp_desk_faults import DeskFault
from harness.rules.migration_prepayment import load_prepayment_rule, unmet
from tests.given import DUIS_DIR, needs_duis
from tests.harness.formats.duis_given import is_valid
from tests.harness.migration.after_kit import device, home, played

HOME = home("EA", InstallationClass.DORMANT, SupplyShape.DUAL_FUEL)
ESME, GSME = device(HOME, DeviceType.ESME), device(HOME, DeviceType.GSME)
CHF, PPMID = device(HOME, DeviceType.CHF), device(HOME, DeviceType.PPMID)


@dataclass
class Told:
    """What came of the story, by name."""

    course: Course
    codes: dict[str, str] = field(default_factory=dict)
    answers: dict[str, FromS1sp | None] = field(default_factory=dict)
    inventory: Inventory | None = None
    dump: str = ""


@cache
def told() -> Told:
    kept: list[Told] = []

    async def story(course: Course, bench: Any) -> None:
        out = Told(course)
        kept.append(out)
        world = _commissioning(course).world
        (user,) = world.suppliers.values()

        async def go(name: str, body: RequestBody, at: Any = None) -> None:
            asked = await world.ask(user, body, at)
            out.codes[name] = asked.code
            out.answers[name] = user.answer_to(asked.request.request_id)

        out.dump = json.dumps(course.commissioning.dump())
        prepay = bodies.UpdatePaymentMode(bodies.Prepayment())
        store = course.office.keys.store
        await go("1.6 while Null", prepay, ESME)
        await go("6.21", handover_body(store, user.eui64), ESME)
        await go("6.21 gas", handover_body(store, user.eui64), GSME)
        await go("1.6", prepay, ESME)
        await go("balance", bodies.ReadMeterBalance(), ESME)
        await go("2.2", user.top_up(ESME, TopUp(1500, 7)), ESME)
        await go("balance after", bodies.ReadMeterBalance(), ESME)
        await go("2.2 gas", user.top_up(GSME, TopUp(700, 8)), GSME)
        await go("gas register", bodies.ReadInstantaneousImportRegisters(), GSME)
        await go("11.2 PPMID", ReadFirmwareVersion(), PPMID)
        await go("7.3", bodies.ArmSupply(), ESME)
        await go("8.9", bodies.ReadDeviceLog(), CHF)
        await go("8.2", ReadInventory(ESME))
        shown = user.inbox[-1].response.body
        assert isinstance(shown, ResponseMessage)
        assert isinstance(shown.content, Inventory)
        out.inventory = shown.content
        await go("1.6 credit", bodies.UpdatePaymentMode(bodies.Credit()), ESME)
        await bench.disturb("mute@wan")
        await go("2.2 without WAN", user.top_up(ESME, TopUp(900, 9)), ESME)

    played(HOME, story)
    return kept[0]


def _commissioning(course: Course) -> Commissioning:
    found = course.commissioning
    assert isinstance(found, Commissioning)
    return found


def value(name: str, element: str) -> str:
    answer = told().answers[name]
    assert answer is not None
    assert isinstance(answer.value, Smets1Response)
    assert isinstance(answer.value.body, Result)
    return next(one.text for one in answer.value.body.values if one.name == element)


def alert(name: str) -> Any:
    answer = told().answers[name]
    assert answer is not None
    return answer.value


def test_the_home_is_migrated_and_every_device_is_commissioned_in_order() -> None:
    (case,) = told().course.cases.values()
    assert case.state is State.MIGRATED
    steps = [entry.step for entry in case.record.history if entry.step.startswith("C")]
    assert steps[:3] == ["C1", "C1", "C2"]
    assert steps[-3:] == ["C6", "C7", "C7"]
    inventory = _commissioning(told().course).world.dsp.inventory
    for record in inventory:
        assert record.status is DeviceStatus.COMMISSIONED
        moments = [at for at, _status in record.history]
        assert moments == sorted(moments)
        assert record.history[0][1] is DeviceStatus.PENDING


def test_the_inventory_answers_with_the_fields_of_a_smets1_home() -> None:
    shown = told().inventory
    assert shown is not None
    by_type = {one.device_type: one for one in shown.devices}
    assert set(by_type) == {
        DeviceType.CHF, DeviceType.GPF, DeviceType.ESME, DeviceType.GSME, DeviceType.PPMID,
    }  # fmt: skip
    for one in shown.devices:
        assert (one.csp_region, one.connectivity) == ("SMETS1", "Cellular"), one.device_type
        assert one.s1sp == told().course.office.cohort.cohort.s1sp
        assert one.date_commissioned is not None
    assert by_type[DeviceType.ESME].import_mpxn == HOME.of(DeviceType.ESME)[0].mpxn


def test_each_supplier_is_told_of_its_own_meters_alone() -> None:
    post = told().course.office.post
    letters = [*post.between("MCC", "EIS"), *post.between("MCC", "GIS")]
    assert [one.receiver for one in letters] == ["EIS", "GIS"]
    for letter, meter, other in zip(letters, (ESME, GSME), (GSME, ESME), strict=True):
        assert str(meter).encode() in letter.octets
        assert str(other).encode() not in letter.octets
        assert b"stand-in" in letter.octets


def test_from_null_certificates_to_the_first_top_up() -> None:
    assert alert("1.6 while Null").code == DeskFault.NULL_CERTIFICATE
    for name in ("6.21", "6.21 gas", "1.6", "2.2", "2.2 gas"):
        answer = told().answers[name]
        assert answer is not None
        assert answer.success, name
    grown = int(value("balance after", "MeterBalance")) - int(value("balance", "MeterBalance"))
    assert 1_490_000 < grown <= 1_500_000


def test_what_is_not_delivered_comes_as_a_code_for_the_keypad() -> None:
    undelivered = alert("2.2 without WAN")
    assert undelivered.code == DeskFault.NOT_DELIVERED
    assert len(undelivered.utrn) == 20


def test_reads_answer_and_what_a_model_cannot_is_told() -> None:
    assert value("11.2 PPMID", "FirmwareVersion") == "10000001"
    answer = told().answers["7.3"]
    assert answer is not None
    assert not answer.success
    log = told().answers["8.9"]
    assert log is not None
    assert log.success
    assert str(PPMID) in str(log.value)


def test_a_supplier_that_sets_credit_has_done_its_duty_and_one_that_does_not_has_failed() -> None:
    course = told().course
    commissioning = _commissioning(course)
    rule = load_prepayment_rule()
    hand = next(iter(commissioning._files.hands))
    (part,) = hand.installations.values()
    duties = prepayment_duties(part, rule, course.office.clock.now())
    now = course.office.clock.now()
    late = type(now)(now + 100 * 86_400_000)
    modes = [meter.payment_mode for meter in part.meters]
    assert len(duties) == modes.count(rule.applies_to)
    assert unmet(duties, [], rule, late) == tuple(duties)
    assert {one.meter for one in fulfilments(commissioning.world)} == {ESME}


@needs_duis
def test_every_duis_document_of_the_course_is_valid_against_the_schema() -> None:
    assert DUIS_DIR is not None
    seen = 0
    for letter in told().course.office.post.letters:
        if letter.kind in {"duis", "dcc-alert"} and b"x-bench" not in letter.octets:
            assert is_valid(letter.octets), letter.summary
            seen += 1
    assert seen > 60


def test_countersigned_requests_carry_supplementary_fields_where_the_device_knows_no_user() -> None:
    post = told().course.office.post
    sent = [one for one in post.between("DSP", "S1SP") if b"Countersigned" in one.octets]
    assert sent
    for letter in sent:
        through_dcc = b"SupplementaryRemotePartyID" in letter.octets
        assert through_dcc == (b"SupplementaryRemotePartyCounter" in letter.octets)
        assert b"stand-in" in letter.octets
    own = [one for one in sent if "2.2 for" in one.summary]
    assert own
    assert not any(b"SupplementaryRemotePartyID" in one.octets for one in own)
    logs = [one for one in sent if "8.11 for" in one.summary or "8.9 for" in one.summary]
    assert logs
    assert all(b"SupplementaryRemotePartyID" in one.octets for one in logs)


def test_the_memory_of_the_parties_is_json_and_holds_no_key_of_a_device() -> None:
    office = told().course.office
    assert told().dump
    for name in (ESME, GSME, CHF):
        assert office.s1spdp.authentication(name).hex() not in told().dump
