"""Planning and authorisation: classes, eligibility, exclusions, capacity, leave, prepayment."""

import itertools
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from device_profiles.epcl import Epcl
from device_profiles.errors import DataError, InvalidValueError
from device_profiles.installation import Installation, load, load_many, render_csv, render_toml
from device_profiles.words import (
    DeviceType,
    Dormancy,
    InstallationClass,
    PaymentMode,
    SupplyShape,
)
from emulator.core.clock import from_datetime
from harness.errors import UsageError
from harness.formats.migration_files.checking import Result
from harness.formats.migration_files.notifications import (
    AuthorisedMeterLine,
    DormantFirmwareLine,
    DormantMeterLine,
    read,
    render,
)
from harness.migration.file_work import FileWork
from harness.migration.planning import (
    Arrangements,
    Planning,
    dormancy_of,
    without_dormant_gsme,
)
from harness.migration.verdicts import InstallationVerdict, Stage
from harness.rules.eligibility import EarlyUpdateFacts, Instructor, check_early_update
from harness.rules.migration_planning import mode_change_due, places
from harness.rules.migration_rulebook import Switches
from harness.rules.outcomes import Refusal
from harness.rules.outcomes import Result as RuleResult
from tests.harness.migration.file_office_given import FewerOffice, lists, office, records, shipped

EIS, GIS = "0100", "0300"  # party octets of the generated suppliers
CAUSES = (None, Dormancy.CHANGE_OF_SUPPLIER, Dormancy.CONTRACT_END)


def only(found: dict[str, InstallationVerdict]) -> str:
    (row,) = found.values()
    assert row.stage is Stage.PLANNING
    assert (row.result is Result.ACCEPTED) == (not row.findings)
    return f"{row.code} {row.sub_code}".strip()


def changed(of: FewerOffice, **per_role: dict[str, Any]) -> FewerOffice:
    """Change devices of the one home, by role, and the home itself with ``home``."""
    (home,) = of.installations
    devices = tuple(
        device.model_copy(update=per_role.get(device.role.value, {})) for device in home.devices
    )
    update = {"devices": devices, **per_role.get("home", {})}
    of.installations = (home.model_copy(update=update),)
    return of


def planned(of: FewerOffice, **arranged: Any) -> str:
    return only(Planning(of, Arrangements(**arranged)).plan(records(of)))


def authorised(of: FewerOffice, **arranged: Any) -> str:
    return only(Planning(of, Arrangements(**arranged)).authorise(records(of)))


@pytest.mark.parametrize(("esme", "gsme"), list(itertools.product(CAUSES, repeat=2)))
def test_the_class_follows_from_the_meters_and_the_cause_of_dormancy_is_kept(
    esme: Dormancy | None, gsme: Dormancy | None
) -> None:
    wanted = {
        (False, False): InstallationClass.ACTIVE,
        (True, True): InstallationClass.DORMANT,
    }.get((esme is not None, gsme is not None), InstallationClass.MIXED)
    for of_class in InstallationClass:
        of = office(count=1, of_class=of_class)
        changed(of, ESME={"dormancy": esme}, GSME={"dormancy": gsme})
        planning, (record,) = Planning(of), records(of)
        told = only(planning.plan([record]))
        if esme is None and gsme is None:
            assert told == "", "nothing is told of causes: the class is taken as it stands"
            continue
        assert told == ("" if of_class is wanted else "X-CLASS 01")
        causes = [cause for cause in dict.fromkeys((esme, gsme)) if cause is not None]
        assert record.dormancy == ", ".join(causes)


def test_dormancy_without_a_cause_is_a_change_of_supplier() -> None:
    for of_class in InstallationClass:
        (home,) = office(count=1, of_class=of_class).installations
        active = of_class is InstallationClass.ACTIVE
        assert dormancy_of(home) == ("" if active else "change-of-supplier")


def test_dormancy_stands_in_installation_files_of_both_kinds(tmp_path: Path) -> None:
    of = changed(office(count=1), GSME={"dormancy": Dormancy.CONTRACT_END})
    (home,) = of.installations
    (tmp_path / "a.toml").write_text(render_toml([home]), "utf-8")
    (tmp_path / "a.csv").write_text(render_csv([home]), "utf-8")
    assert load(tmp_path / "a.toml") == home
    assert load_many(tmp_path / "a.csv") == (home,)
    text = render_toml([home]).replace('role = "CHF"', 'role = "CHF"\ndormancy = "contract-end"')
    (tmp_path / "b.toml").write_text(text, "utf-8")
    with pytest.raises(DataError, match="no other device can"):
        load(tmp_path / "b.toml")


def test_what_is_on_no_list_is_not_planned() -> None:
    of = changed(office(count=1), ESME={"cpl_entry": "NONE"})
    assert planned(of) == "X-P2-CPL 01"
    of.terms.switches = Switches(disabled=frozenset({"CPL"}))
    assert planned(of) == "MA110 X-01"
    of.terms.switches = Switches(disabled=frozenset({"CPL", "MA110"}))
    assert planned(of) == ""


def test_a_combination_is_not_planned_before_its_epcl_entry() -> None:
    of = office(count=1)
    assert planned(of) == ""
    of.clock.at = from_datetime(datetime(2020, 12, 12, tzinfo=UTC))
    assert planned(of) in {"X-RELEASE 01", "MA110 X-02"}
    of.terms.switches = Switches(disabled=frozenset({"RELEASE"}))
    assert planned(of) == "MA110 X-02"


@pytest.mark.parametrize(
    ("category", "code"),
    [
        ("missing_master_keys", "X-18 01"),
        ("no_wan_before", "X-18 02"),
        ("no_wan_during", "X-18 03"),
        ("failed_attempts", "X-18 04"),
        ("uneconomic_to_test", "X-18 06"),
        ("contract_ended", "X-18 07"),
    ],
)
def test_every_excluded_category_keeps_an_installation_out(category: str, code: str) -> None:
    of = office(count=1)
    ref = of.installations[0].ref
    assert planned(of, exclusions={ref: frozenset({category})}) == code
    of.terms.switches = Switches(disabled=frozenset({"18"}))
    assert planned(of, exclusions={ref: frozenset({category})}) == ""


def test_a_gas_meter_that_is_excluded_is_told_and_the_rest_migrates() -> None:
    of = office(count=1)
    ref = of.installations[0].ref
    held = Arrangements(exclusions={ref: frozenset({"gas_han_failure"})})
    (row,) = Planning(of, held).plan(records(of)).values()
    assert row.accepted
    assert [one.code for one in row.warnings] == ["GT01"]


def test_the_end_of_a_contract_excludes_only_with_the_suppliers_statement() -> None:
    of = office(count=1, of_class=InstallationClass.DORMANT)
    both = {"dormancy": Dormancy.CONTRACT_END}
    changed(of, ESME=both, GSME=both)
    ref = of.installations[0].ref
    assert planned(of) == ""
    assert planned(of, statements=frozenset({ref})) == "X-18 07"
    other = {"dormancy": Dormancy.CHANGE_OF_SUPPLIER}
    changed(of, ESME=other, GSME=other)
    assert planned(of, statements=frozenset({ref})) == ""


def test_an_uneconomic_combination_of_the_list_is_excluded() -> None:
    of = office(count=1)
    rows = {
        key: row.model_copy(update={"uneconomic": row.group_id == "EA" or row.uneconomic})
        for key, row in lists().dmcs.entries.items()
    }
    dmcs = type(lists().dmcs)(rows.values(), lists().cpl)
    of.lists = replace(lists(), dmcs=dmcs)
    assert planned(of) == "X-18 06"


def test_five_failed_attempts_exclude() -> None:
    of = office(count=1)
    (record,) = records(of)
    for count in range(7):
        record.failures = [("X-H4-7D", "01")] * count
        told = only(Planning(of).plan([record]))
        assert told == ("X-18 04" if count >= 5 else "")


@pytest.mark.parametrize(
    ("key", "of_class", "withheld", "unnotified", "code"),
    [
        ("EA", InstallationClass.ACTIVE, (), (), ""),
        ("EA", InstallationClass.ACTIVE, (EIS,), (), "X-P5 01"),
        ("EA", InstallationClass.ACTIVE, (GIS,), (), "X-P5 01"),
        ("DA", InstallationClass.ACTIVE, (GIS,), (), ""),  # the EIS coordinates
        ("DA", InstallationClass.ACTIVE, (EIS,), (), "X-P5 01"),
        ("EA", InstallationClass.ACTIVE, (), (EIS, GIS), ""),
        ("EA", InstallationClass.DORMANT, (EIS, GIS), (), ""),
        ("EA", InstallationClass.DORMANT, (), (EIS,), "X-P5 02"),
        ("EA", InstallationClass.DORMANT, (), (GIS,), "X-P5 02"),
        ("EA", InstallationClass.MIXED, (EIS,), (), "X-P5 01"),
        ("EA", InstallationClass.MIXED, (GIS,), (), ""),
        ("EA", InstallationClass.MIXED, (), (GIS,), "X-P5 02"),
        ("EA", InstallationClass.MIXED, (), (EIS,), ""),
        ("EA", InstallationClass.MIXED, (), (), ""),
    ],
)
def test_active_meters_are_authorised_dormant_ones_notified_and_mixed_both(
    key: str,
    of_class: InstallationClass,
    withheld: tuple[str, ...],
    unnotified: tuple[str, ...],
    code: str,
) -> None:
    of = office(key, 1, of_class=of_class)
    told = authorised(of, withheld=frozenset(withheld), unnotified=frozenset(unnotified))
    assert told == code


def test_the_letters_of_authorisation_go_the_right_way() -> None:
    ways = {
        InstallationClass.ACTIVE: [("EIS", "MCC"), ("GIS", "MCC")],
        InstallationClass.DORMANT: [("MCC", "EIS"), ("MCC", "GIS")],
        InstallationClass.MIXED: [("EIS", "MCC"), ("MCC", "GIS")],
    }
    for of_class, expected in ways.items():
        of = office(count=1, of_class=of_class)
        assert authorised(of) == ""
        assert [(one.sender, one.receiver) for one in of.post.letters] == expected
        for letter in of.post.letters:
            kind: type[Any] = DormantMeterLine if letter.sender == "MCC" else AuthorisedMeterLine
            (line,) = read(kind, letter.octets)
            assert line.ref == of.installations[0].ref
            assert b"stand-in" in letter.octets


def test_a_window_opens_and_closes() -> None:
    of = office(count=1)
    ref = of.installations[0].ref
    for first, last, code in (
        (date(2021, 6, 7), date(2021, 6, 7), ""),
        (date(2021, 6, 8), date(2021, 6, 9), "X-P5 03"),
        (date(2021, 6, 1), date(2021, 6, 6), "X-P5 03"),
    ):
        assert authorised(of, windows={ref: (first, last)}) == code


def prepaying(of: FewerOffice, *roles: str) -> FewerOffice:
    credit = {"ESME": {"payment_mode": PaymentMode.CREDIT}}
    credit["GSME"] = dict(credit["ESME"])
    credit |= {role: {"payment_mode": PaymentMode.PREPAYMENT} for role in roles}
    return changed(of, **credit)


@pytest.mark.parametrize("at", ["P6", "C5"])
@pytest.mark.parametrize("roles", [(), ("ESME",), ("GSME",), ("ESME", "GSME")])
def test_the_prepayment_obligation_bites_where_the_table_puts_it(
    at: str, roles: tuple[str, ...]
) -> None:
    of = prepaying(office(count=1), *roles)
    settings = replace(shipped().settings, prepayment_mode_change_at=at)
    of.book = replace(shipped(), settings=settings)
    before = at == "P6" and bool(roles)
    assert authorised(of) == ("X-4.49 01" if before else "")
    meters = frozenset(device.eui64 for device in of.installations[0].devices)
    assert authorised(of, in_credit=meters) == ""
    assert [mode_change_due(settings, step) for step in ("P6", "T6", "C5", "C7")] == [
        at == "P6",
        at == "P6",
        True,
        True,
    ]


def test_capacity_goes_to_dormant_installations_first() -> None:
    active = office(count=3).installations
    dormant = tuple(
        home.model_copy(update={"ref": f"d-{home.ref}", "installation_class": "Dormant"})
        for home in office(count=2, of_class=InstallationClass.DORMANT).installations
    )
    found = places((*active, *dormant), 3, shipped().settings)
    assert [found[home.ref] for home in dormant] == [True, True]
    assert sum(found[home.ref] for home in active) == 1
    assert all(places((*active, *dormant), 5, shipped().settings).values())


def test_without_a_place_an_installation_waits() -> None:
    of = office(count=2)
    found = Planning(of, Arrangements(capacity=1)).plan(records(of))
    assert [f"{row.code} {row.sub_code}".strip() for row in found.values()] == ["", "X-P4 01"]


def test_what_may_not_migrate_takes_nobodys_place() -> None:
    of = office(count=3)
    first = of.installations[0].ref
    held = Arrangements(capacity=1, exclusions={first: frozenset({"no_wan_before"})})
    found = Planning(of, held).plan(records(of))
    codes = [f"{row.code} {row.sub_code}".strip() for row in found.values()]
    assert codes[0].startswith("X-18")
    assert codes[1:] == ["", "X-P4 01"]


@pytest.mark.parametrize(
    ("role", "dormant", "code"),
    [
        (DeviceType.CHF, DeviceType.GSME, "X-4.26 01"),
        (DeviceType.PPMID, DeviceType.GSME, "X-4.26 01"),
        (DeviceType.GSME, DeviceType.GSME, ""),
        (DeviceType.CHF, DeviceType.ESME, ""),
    ],
)
def test_hub_and_displays_of_a_mixed_home_belong_to_its_electricity_meter(
    role: DeviceType, dormant: DeviceType, code: str
) -> None:
    of = office("EB", 1, of_class=InstallationClass.MIXED)
    cause = {"dormancy": Dormancy.CHANGE_OF_SUPPLIER}
    of = changed(of, **{one: {"dormancy": None} for one in ("ESME", "GSME")})
    of = changed(of, **{dormant.value: cause})
    of.clock.at = from_datetime(datetime(2021, 4, 20, tzinfo=UTC))
    (record,) = records(of)
    device = of.installations[0].of(role)[0].eui64
    dmc = lists().dmcs.entries["SYN-DMC-EB-DUAL-PPMID"]
    outcome = Planning(of).early_update(record, device, dmc).outcome
    assert f"{outcome.code} {outcome.sub_code}".strip() == code


def test_an_installation_that_the_inventory_lacks_is_told() -> None:
    of = office(count=1)
    (record,) = records(of)
    record.ref = "elsewhere"
    assert only(Planning(of).plan([record])) == "X-P1 01"


@pytest.mark.parametrize(
    ("of_class", "instructor", "code"),
    [
        (InstallationClass.DORMANT, Instructor.DCC, ""),
        (InstallationClass.DORMANT, Instructor.SMSO, "X-4.26 04"),
        (InstallationClass.ACTIVE, Instructor.DCC, "X-4.26 01"),
        (InstallationClass.ACTIVE, Instructor.SUPPLIER, "X-4.26 01"),
    ],
)
def test_an_early_update_is_logged_with_who_ordered_and_who_carried_it_out(
    of_class: InstallationClass, instructor: Instructor, code: str
) -> None:
    of = office("EB", 1, of_class=of_class)
    of.clock.at = from_datetime(datetime(2021, 4, 20, tzinfo=UTC))
    planning, (record,) = Planning(of), records(of)
    device = of.installations[0].of(DeviceType.ESME)[0].eui64
    dmc = lists().dmcs.entries["SYN-DMC-EB-DUAL-PPMID"]
    order = planning.early_update(
        record, device, dmc, instructor=instructor, versions=("10000001", "10000002")
    )
    assert f"{order.outcome.code} {order.outcome.sub_code}".strip() == code
    assert (order.instructed_by, order.executed_by) == (instructor.value, "SMSO")
    again = Planning(of)
    again.load(json.loads(json.dumps(planning.dump())))
    assert again.updates == planning.updates == [order]
    letters = [(one.sender, one.receiver, one.kind) for one in of.post.letters]
    assert letters == ([] if code else [("MCC", "SMSO", "order")])


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (date(2021, 4, 20), ""),
        (date(2020, 9, 17), "X-4.26 06"),
        (date(2024, 12, 31), ""),
        (date(2025, 1, 1), "X-4.26 06"),
    ],
)
def test_4_26_allows_nothing_before_it_was_and_after_the_tmad_ceased(day: date, code: str) -> None:
    book = shipped()
    tested = {"mt_complete_on": date(2020, 1, 1)}
    row = lists().dmcs.entries["SYN-DMC-EB-DUAL-PPMID"].model_copy(update=tested)
    listed = replace(lists(), epcl=Epcl([], lists().cpl, None))
    of = InstallationClass.DORMANT
    facts = EarlyUpdateFacts(of, True, Instructor.DCC, row, "EB", "SMETS1", day)
    got = check_early_update(book, listed, facts)
    assert (f"X-4.26 {got.sub_code}" if isinstance(got, Refusal) else "") == code


def test_an_early_update_does_not_make_an_installation_eligible() -> None:
    of = office("EB", 1, of_class=InstallationClass.DORMANT)
    of.clock.at = from_datetime(datetime(2021, 4, 20, tzinfo=UTC))
    of.terms.switches = Switches(disabled=frozenset({"RELEASE"}))
    planning, (record,) = Planning(of), records(of)
    device = of.installations[0].of(DeviceType.ESME)[0].eui64
    dmc = lists().dmcs.entries["SYN-DMC-EB-DUAL-PPMID"]
    assert planning.early_update(record, device, dmc).outcome.result is RuleResult.PASSED
    assert only(planning.plan([record])) == "MA110 X-02", "only with its EPCL entry (R-015)"


def native_and_left() -> tuple[FewerOffice, FewerOffice]:
    """A native ESME-only installation, and one whose dormant GSME the SMSO de-registered."""
    native = office("DA", 1, SupplyShape.ELECTRICITY_ONLY)
    left = office("DA", 1, SupplyShape.DUAL_FUEL, of_class=InstallationClass.MIXED)
    left.installations = (without_dormant_gsme(left.installations[0], left),)
    return native, left


def test_a_de_registered_gas_meter_leaves_an_esme_only_installation() -> None:
    native, left = native_and_left()
    (home,) = left.installations
    assert home.shape is SupplyShape.ELECTRICITY_ONLY
    assert home.installation_class is InstallationClass.ACTIVE
    assert not home.of(DeviceType.GSME)
    assert Installation.model_validate(home.model_dump(by_alias=True)) == home
    letters = [(one.sender, one.receiver) for one in left.post.letters]
    assert letters == [("SMSO", "SMSO")], "no other party hears of it"
    traces = []
    for of in (native, left):
        planning, files = Planning(of), FileWork(of)
        assert only(planning.plan(records(of))) == ""
        assert only(planning.authorise(records(of))) == ""
        hand = files.send_common(records(of))
        files.validate(hand)
        files.send_group(hand)
        assert [row.accepted for row in files.check(hand).values()] == [True]
        traces.append([(one.sender, one.receiver, one.kind) for one in of.post.letters])
    assert traces[0] == traces[1][1:], "afterwards the same as a native one (R-074)"


@pytest.mark.parametrize(
    ("key", "shape", "of_class", "why"),
    [
        ("EA", SupplyShape.DUAL_FUEL, InstallationClass.MIXED, "does not de-register"),
        ("DA", SupplyShape.DUAL_FUEL, InstallationClass.ACTIVE, "no dormant gas meter"),
        ("DA", SupplyShape.ELECTRICITY_ONLY, InstallationClass.DORMANT, "no dormant gas meter"),
    ],
)
def test_only_a_dormant_gas_meter_of_a_group_that_does_so_is_de_registered(
    key: str, shape: SupplyShape, of_class: InstallationClass, why: str
) -> None:
    of = office(key, 1, shape, of_class=of_class)
    with pytest.raises(UsageError, match=why):
        without_dormant_gsme(of.installations[0], of)
    assert of.post.letters == []


def test_notifications_are_read_as_they_were_written() -> None:
    day = date(2021, 6, 7)
    lines: list[Any] = [
        AuthorisedMeterLine("a,b", "1", "02-53", day, day),
        DormantMeterLine('q"', "2", "02-53", day, day),
        DormantFirmwareLine("c", "02-53", "10000001", "10000002", day),
    ]
    for line in lines:
        octets = render(type(line), [line, line])
        assert octets.splitlines()[0].endswith(b",evidence")
        assert read(type(line), octets) == (line, line)
        for wrong in (
            octets.replace(b"ref", b"rof", 1),
            octets + b"x\n",
            octets.replace(b"2021-06-07", b"2021-06-37"),
            b"\xff",
            b"",
        ):
            with pytest.raises(InvalidValueError):
                read(type(line), wrong)
