"""Run definitions: what is read, what is refused with its key, which homes they make."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from device_profiles.installation import render_toml
from device_profiles.words import DeviceType, Dormancy, InstallationClass, PaymentMode, SupplyShape
from harness.dust.definition import DORMANT_ONLY, DUST, load_definition
from harness.dust.definition_faults import trouble_of
from harness.dust.definition_homes import changed, changes, homes
from harness.errors import UsageError
from tests.harness.dust.definitions_given import ME, given, text_of, written
from tests.sampling import examples

CONTRACT = """
[run]
id = "SEC-2022-A"
title = "the definition of the contract"
cohort = "DA"
environment = "UIT-emulated"
as_of = 2023-01-31
seed = 1
[participant]
name = "Example Supplier"
mode = "drop"
user_ids = ["90-B3-D5-1F-30-01-00-00"]
roles = ["IS", "GS"]
trust = "trust"
drop = "drop"
listen = "127.0.0.1:0"
patience_s = 120
[capacity]
per_day = 50
dmin = 100
remainder = "largest-remainder"
other_demand = {dormant = 0, "SUPPLIER-B" = 0}
days = 5
[[devices]]
name = "dual"
count = 20
class = "Active"
shape = "dual fuel"
payment_mode = "credit"
ppmid = "own"
models = ""
bench = ""
[[change_of_supplier]]
set = "dual"
count = 1
after = "authorisation"
[faults]
faults = []
defects = []
[retry]
max_attempts = 5
policy = "default"
[[disabled_checks]]
id = "MA110"
from = 2021-10-12
why = "unblocking"
[[entry]]
id = "E1"
check = "epcl"
[[case]]
id = "C-001"
title = "a case"
family = "happy-path"
mandatory = true
set = "dual"
expect = [{file = "MA outcome", result = "accepted"}, {state = "Migrated"}, {code = ""}]
[[waiver]]
case = "C-001"
owner = "Test Manager"
review = 2023-03-01
why = "known"
[exit]
mandatory_cases = true
open_defects_below = 3
terminal_states = true
evidence_complete = true
rules_accepted = ["MA110", "cohort.smso_tag"]
overlays = []
"""


def test_the_definition_of_the_contract_loads_with_every_key(tmp_path: Path) -> None:
    found = load_definition(written(tmp_path, CONTRACT))
    assert len(found.refs) == 20
    assert found.refs[0] == "dual-001"
    assert found.rules_accepted == ("MA110", "cohort.smso_tag")
    assert found.disabled_checks[0].from_day.isoformat() == "2021-10-12"
    assert found.place(found.participant.trust) == tmp_path / "trust"
    assert json.loads(json.dumps(found.dump()))["sha256"] == found.sha256


def test_the_same_file_gives_the_same_homes_and_another_seed_others(tmp_path: Path) -> None:
    definition = given(tmp_path)
    first, again = homes(definition), homes(definition)
    assert first == again
    other = homes(definition.with_seed(2))
    mine = {one.eui64 for home in first for one in home.devices}
    assert not mine & {one.eui64 for home in other for one in home.devices}
    points = [one.mpxn for home in first for one in home.devices if one.mpxn]
    assert len(set(points)) == len(points)


def test_homes_have_the_shape_class_mode_and_ppmid_of_their_set(tmp_path: Path) -> None:
    found = {home.ref: home for home in homes(given(tmp_path))}
    assert list(found)[:3] == ["dual-001", "dual-002", "dual-003"]
    assert found["split-001"].shape is SupplyShape.SPLIT_SUPPLY
    assert {one.supplier for one in found["dual-001"].devices} == {ME}
    assert len({one.supplier for one in found["split-001"].devices}) == 2
    assert not found["elec-001"].of(DeviceType.PPMID)
    assert not found["elec-001"].of(DeviceType.GSME)
    mixed = found["mixed-001"]
    assert mixed.installation_class is InstallationClass.MIXED
    assert mixed.of(DeviceType.GSME)[0].dormancy is Dormancy.CHANGE_OF_SUPPLIER
    assert mixed.of(DeviceType.ESME)[0].payment_mode is PaymentMode.PREPAYMENT
    assert found["dual-001"].of(DeviceType.ESME)[0].payment_mode is PaymentMode.CREDIT
    own, third = (found[ref].of(DeviceType.PPMID)[0].profile for ref in ("dual-001", "split-001"))
    assert own != third  # Secure: its own make, and another's


def test_a_gas_supplier_s_homes_get_their_electricity_from_another(tmp_path: Path) -> None:
    sets = '[[devices]]\nname = "split"\nshape = "split supply"\n'
    home = homes(given(tmp_path, participant='roles = ["GS"]', sets=sets))[0]
    assert home.of(DeviceType.GSME)[0].supplier == ME
    assert home.of(DeviceType.ESME)[0].supplier != ME


def test_a_run_of_dormant_homes_alone_is_no_migration_dust(tmp_path: Path) -> None:
    sets = '[[devices]]\nname = "old"\nclass = "Dormant"\n'
    assert given(tmp_path, sets=sets).kind == DORMANT_ONLY
    assert given(tmp_path).kind == DUST


def test_a_change_of_supplier_names_homes_and_a_supplier_of_another_party(tmp_path: Path) -> None:
    more = '[[change_of_supplier]]\nset = "dual"\ncount = 2\n'
    definition = given(tmp_path, more)
    found = changes(definition)
    assert [one.ref for one in found] == ["dual-001", "dual-002"]
    home = changed(homes(definition)[0], found[0].to)
    assert {one.supplier for one in home.devices} == {found[0].to}
    assert found[0].to != ME


def test_faults_of_some_homes_are_about_those_alone(tmp_path: Path) -> None:
    more = (
        '[faults]\nfaults = ["after:C1/clear@han"]\n'
        '[[fault]]\nrefs = ["dual-002"]\nfaults = ["before:T3:ESME/mute:role=esme@han"]\n'
        '[[fault]]\nset = "split"\nday = 2\nfaults = ["file:MEF/signature", "mute@wan"]\n'
    )
    definition = given(tmp_path, more)
    first = trouble_of(definition, 1, definition.refs).trouble
    assert first.script.orders == {
        ("after:1", "C1", ""): ("clear:home={ref}@han",),
        ("before:1", "T3", "ESME@dual-002"): ("mute:role=esme,home=dual-002@han",),
    }
    assert not first.script.files
    second = trouble_of(definition, 2, ("split-001",)).trouble
    assert second.on_links == ("mute:home=split-001@wan",)
    assert list(second.script.files) == ["MEF"]
    assert ("before:1", "T3", "ESME@dual-002") not in second.script.orders


def test_a_gas_meter_that_is_left_out_cannot_be_heard(tmp_path: Path) -> None:
    sets = '[[devices]]\nname = "gasout"\nshape = "GSME excluded"\n'
    definition = given(tmp_path, sets=sets)
    orders = trouble_of(definition, 1, definition.refs).trouble.script.orders
    assert orders == {("before:1", "T4", "@gasout-001"): ("mute:role=gsme,home=gasout-001@han",)}


CASE = '[[case]]\nid = "C"\ntitle = "t"\nfamily = "happy-path"\n'
REFUSED = [
    ("[extra]\nkey = 1\n", "extra"),
    ("[capacity]\nper_day = 0\n", "capacity.per_day"),
    ('[capacity]\nremainder = "lots"\n', "capacity.remainder"),
    ('[capacity]\nother_demand = {"Example Supplier" = 3}\n', "other_demand"),
    (
        f'{CASE}set = "no"\nexpect = [{{state = "Migrated"}}]\n',
        "case.0.set",
    ),
    (
        f'{CASE}refs = ["dual-009"]\nexpect = [{{state = "Migrated"}}]\n',
        "case.0.refs",
    ),
    (
        '[[case]]\nid = "C"\ntitle = "t"\nfamily = "happy-path"\nexpect = [{state = "Gone"}]\n',
        "case.0.expect.0.state",
    ),
    (
        '[[case]]\nid = "C"\ntitle = "t"\nfamily = "happy-path"\nexpect = [{file = "MA"}]\n',
        "case.0.expect.0",
    ),
    ('[[waiver]]\ncase = "C-9"\nowner = "o"\nreview = 2023-01-01\nwhy = "w"\n', "waiver.0.case"),
    ('[[disabled_checks]]\nid = "NOPE"\nfrom = 2021-01-01\nwhy = "w"\n', "disabled_checks.0.id"),
    ('[faults]\nfaults = ["mute@nowhere"]\n', "faults.faults"),
    ('[[fault]]\nset = "dual"\nday = 9\nfaults = ["mute@wan"]\n', "fault.0.day"),
    ("[[change_of_supplier]]\ncount = 1\n", "change_of_supplier.0.set"),
    ('[[devices]]\nname = "dual"\n', "devices.name"),
    ('[[devices]]\nname = "odd"\nclass = "Mixed"\nshape = "ESME-only"\n', "devices.4"),
    ('[[devices]]\nname = "odd"\nmodels = "ESME=demo-s1-gsme"\n', "devices.4.models.ESME"),
    ('[[devices]]\nname = "odd"\nbench = "zigbee"\n', "devices.4.bench"),
    ('[[devices]]\nname = "odd"\nfrom_stock = true\n', "devices.4.from_stock"),
    ('[exit]\nrules_accepted = ["NO-RULE"]\n', "rules_accepted"),
]


@pytest.mark.parametrize(("more", "key"), REFUSED, ids=[key for _, key in REFUSED])
def test_what_is_wrong_is_refused_with_file_and_key(tmp_path: Path, more: str, key: str) -> None:
    path = written(tmp_path, text_of(more))
    with pytest.raises(UsageError) as caught:
        load_definition(path)
    assert str(path) in caught.value.where
    assert key in caught.value.where
    assert caught.value.cause
    assert caught.value.next_command


def test_a_cohort_that_is_not_migrated_is_refused_with_its_own_reason(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="removed the group"):
        given(tmp_path, cohort="EC")


def test_an_unknown_cohort_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no cohort"):
        given(tmp_path, cohort="ZZ")
    with pytest.raises(UsageError, match="cannot be read"):
        load_definition(tmp_path / "none.toml")


def test_one_device_in_two_homes_is_refused(tmp_path: Path) -> None:
    made = homes(given(tmp_path))[:1]
    (tmp_path / "mine.toml").write_text(render_toml(made), encoding="utf-8")
    more = '[[devices]]\nname = "mine"\ninstallations = "mine.toml"\n'
    definition = given(tmp_path, more)
    with pytest.raises(UsageError, match="stands in dual-001 and in mine-001"):
        homes(definition)
    alone = given(tmp_path, sets=more)
    assert homes(alone)[0].devices == made[0].devices


VALUES = (
    "true",
    "-1",
    "1.5",
    '""',
    '"x"',
    "[]",
    "[1]",
    "{}",
    "2023-01-31",
    '"\\u0000"',
    "1e400",
    "nan",
)


def _homes_or_place(path: Path) -> object:
    """Return the homes of a definition, or where it is wrong; anything else is a defect."""
    try:
        return homes(load_definition(path))
    except UsageError as error:
        return error.where


@settings(max_examples=examples(250), deadline=None)
@drawn(line=st.integers(0, CONTRACT.count("\n") - 1), value=st.sampled_from(VALUES))
def test_any_other_value_loads_or_is_refused_with_file_and_key(line: int, value: str) -> None:
    lines = CONTRACT.splitlines()
    key, equals, _ = lines[line].partition(" = ")
    lines[line] = f"{key}{equals}{value}" if equals else lines[line]
    with TemporaryDirectory() as folder:
        path = written(Path(folder), "\n".join(lines))
        assert _homes_or_place(path)


def test_an_overlay_of_the_command_wins_over_the_definition_s_own(tmp_path: Path) -> None:
    mark = "0" * 16
    for name, tag in (("own", "ONE"), ("command", "TWO")):
        place = tmp_path / name / "cohorts"
        place.mkdir(parents=True)
        (place / "DA.toml").write_text(
            f'[cohort]\nsmso_tag = "{tag}"\n[evidence]\n"cohort.smso_tag" = "user:{mark}"\n',
            encoding="utf-8",
        )
    path = written(tmp_path, text_of('[exit]\noverlays = ["own"]\n'))
    assert load_definition(path).cohort.cohort.smso_tag == "ONE"
    other = load_definition(path, (tmp_path / "command",))
    assert other.cohort.cohort.smso_tag == "TWO"
    assert [one.name for one in other.overlays] == ["own", "command"]
