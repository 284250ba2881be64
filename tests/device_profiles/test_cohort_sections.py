"""Cohorts as data: what differs between groups stands in their files, each value marked."""

from pathlib import Path

import pytest

from device_profiles import files
from device_profiles.cohort import HandoverOrder, PpmidFirmwareReading, cohort_names, load_cohort
from device_profiles.errors import DataError
from device_profiles.evidence import EvidenceKind
from device_profiles.words import DeviceType

FOC = {"EA", "EB", "EC"}


@pytest.mark.parametrize("key", cohort_names())
def test_what_the_documents_say_of_foc_holds_for_foc_alone(key: str) -> None:
    cohort = load_cohort(key)
    foc = key in FOC
    assert cohort.split_supply.require_null_supplier_certificates is foc
    assert cohort.rollback.enabled is foc
    assert cohort.cohort.resubmission_5_8a is foc
    assert cohort.cohort.multi_day is foc
    assert cohort.handover.cert_rotation is cohort.handover.sim_migration is foc
    assert (cohort.handover.order is HandoverOrder.FOLDED) is not foc
    assert (cohort.envelope.protected_data is not None) is foc
    assert cohort.envelope.plaintext_allowed is (key == "EB")
    assert cohort.ppmid.third_party_migrated is (key != "DA")
    assert cohort.cohort.migratable is (key != "EC")


def test_dates_and_readings_differ_as_the_sources_say() -> None:
    assert load_cohort("EA").handover.chf_contact_timeout_days == 7
    assert str(load_cohort("DA").dates.migration_dust_ends) == "2023-01-31"
    assert str(load_cohort("DA").checks.ma110_from) == "2022-02-01"
    assert load_cohort("EA").dates.migration_dust_ends is None
    assert load_cohort("EC").dates.starts is None
    assert load_cohort("EA").ppmid.read_firmware is PpmidFirmwareReading.RAW
    assert load_cohort("DA").ppmid.read_firmware is PpmidFirmwareReading.OWN_MAKE_ONLY


@pytest.mark.parametrize("key", cohort_names())
def test_restored_devices_are_those_that_changed_hands(key: str) -> None:
    cohort = load_cohort(key)
    assert set(cohort.handover.holders) == {DeviceType.CHF, DeviceType.ESME, DeviceType.GSME}
    mark = cohort.mark("handover.holders")
    assert mark is not None
    assert mark.kind is EvidenceKind.STAND_IN
    assert cohort.mark("handover.nothing") is None


def test_smso_tags_tell_cohorts_apart() -> None:
    tags = [load_cohort(key).cohort.smso_tag.casefold() for key in cohort_names()]
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('["GSME", "ESME", "CHF"]', '["GSME", "ESME"]', "rollback.order"),
        ("migratable = true", "migratable = false", "not_migrated_because"),
        ('"before_file_processing"', '"some day"', "handover.order"),
        ("chf_contact_timeout_days = 7", "chf_contact_timeout_days = 0", "timeout"),
        ("multi_day = true\n", "", "multi_day"),
        ("starts = 2020-12-13", 'starts = "soon"', "starts"),
        ('smso_tag = "BG"', 'smso_tag = "B G"', "smso_tag"),
    ],
)
def test_a_wrong_value_is_named_by_its_key(tmp_path: Path, old: str, new: str, why: str) -> None:
    shipped = (files.SHIPPED / "cohorts" / "EA.toml").read_text("utf-8")
    assert old in shipped
    path = tmp_path / "mine.toml"
    text = shipped.replace(old, new)
    if new == "":
        text = text.replace('"cohort.multi_day" = "source:S000 §6 (4.15)"\n', "")
    path.write_text(text, "utf-8")
    with pytest.raises(DataError, match=why):
        load_cohort(path)


def test_no_rule_module_asks_for_a_group_id() -> None:
    """R-006: groups differ by data, never by an ``if`` on a GroupID."""
    rules = Path(__file__).resolve().parents[2] / "harness" / "rules"
    for path in rules.glob("*.py"):
        text = path.read_text("utf-8")
        for group in ('"EA"', '"EB"', '"EC"', '"DA"', '"AA"', '"BA"'):
            assert group not in text, f"{path.name} names {group}"
