"""What the data imply for image, hub and device: every rule decides something, and says on what."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from device_profiles.bilingual_table import Listed, NotifiedAs
from device_profiles.cohort import load_cohort
from device_profiles.cpl import CplEntry
from device_profiles.evidence import EvidenceKind, Mark
from device_profiles.loader import load_profile
from device_profiles.metadata_layout import MetadataMode
from device_profiles.metadata_makers import load_makers
from device_profiles.schema import DeviceProfile
from device_profiles.words import DowngradePolicy, ImageAcceptance, SmetsVersion
from harness.firmware_matrix_images import ImageOrder, make, make_oversize
from harness.firmware_matrix_world import DEFAULT_DAY
from harness.rules.bilingual import BilingualCase, judge
from harness.rules.firmware_case import Basis, ImpliedCase
from harness.rules.firmware_implied import RULES, imply
from harness.verdict import ExpectationKind

ROOT = Path(__file__).resolve().parents[3]
MAKERS = load_makers()
TACTICAL, ENDURING = MetadataMode.TACTICAL, MetadataMode.ENDURING
ORDER = ImageOrder("one", "10000002", "10000002", 2048)
ESME = load_profile("demo-s1-esme")
HUB = load_profile("demo-s1-chf-ioc")
SECURE = load_profile("demo-s1-chf-sec")


def case(
    hub: DeviceProfile = HUB,
    target: DeviceProfile = ESME,
    layout: str = "L-IOC-1",
    mode: MetadataMode = TACTICAL,
    cohort: str = "IOC",
) -> ImpliedCase:
    image = make(ORDER, target, MAKERS.find(layout))
    own = None if cohort == "SMETS2+" else load_cohort(cohort)
    return ImpliedCase(image.facts, hub, target, own, mode, DEFAULT_DAY)


def told(one: ImpliedCase, without: str = "") -> tuple[str, str]:
    rules = {name: rule for name, rule in RULES.items() if name != without}
    found = imply(one, rules)
    return found.word, found.rule


def changed(profile: DeviceProfile, section: str, **values: object) -> DeviceProfile:
    part = getattr(profile, section).model_copy(update=values)
    return profile.model_copy(update={section: part})


def row(one: ImpliedCase, **values: object) -> CplEntry:
    return CplEntry.model_validate(
        {
            "cpl_entry_id": "ROW",
            "device_type": one.target.device_type,
            "smets": "SMETS1",
            "manufacturer_name": "Acme",
            "manufacturer_id": one.target.identity.manufacturer_hex,
            "model_id": one.target.identity.model_hex[:4],
            "hardware_version": one.target.identity.model_hex[4:],
            "firmware_version": one.image.listed_version,
            "manufacturer_image_hash": one.hash.hex(),
            "status": "Active",
            "effective_from": DEFAULT_DAY,
            "evidence": "stand-in",
            **values,
        }
    )


FITTING = case()
THIRD = load_profile("demo-s1-ppmid")
ENDED = load_profile("demo-s1-ppmid-ended")
BILINGUAL = load_profile("demo-bilingual-ppmid")
OVER = make_oversize(ORDER, ESME, MAKERS.find("L-IOC-1"), 750_000).facts
AWAY = judge(BilingualCase(TACTICAL, Listed.BOTH, NotifiedAs.SMETS2, SmetsVersion.SMETS1))
OLDER = make(replace(ORDER, version="0FFFFFFF"), ESME, MAKERS.find("L-IOC-1")).facts
STRICT = changed(ESME, "firmware", downgrade_policy=DowngradePolicy.REFUSE_AT_ACTIVATION)
NEVER = changed(THIRD, "firmware", takes_images=ImageAcceptance.NEVER)
SEED = changed(THIRD, "firmware", takes_images=ImageAcceptance.BY_SEED)
SMETS2_HUB = load_profile("demo-chf")
OLD_HUB = changed(SMETS2_HUB, "hub", ppmid_ota=False)
#: What is asked, its word, and the rule that alone decides it.
DECIDED: Mapping[str, tuple[ImpliedCase, str, str]] = {
    "announced as the other kind": (
        replace(case(target=BILINGUAL), ruling=AWAY),
        "UNTARGETABLE",
        "targetable",
    ),
    "withdrawn": (replace(FITTING, cpl=row(FITTING, status="Withdrawn")), "REJECTED", "listed"),
    "another hash listed": (
        replace(FITTING, cpl=row(FITTING, manufacturer_image_hash="ab" * 32)),
        "REJECTED",
        "listed",
    ),
    "third party on Secure": (
        case(SECURE, THIRD, "L-SEC-1", cohort="DA"),
        "NOT_SUPPORTED",
        "own-make",
    ),
    "hub without SECMP0007": (
        case(OLD_HUB, BILINGUAL, "L-NONE", cohort="SMETS2+"),
        "NOT_SUPPORTED",
        "hub-updates-it",
    ),
    "one octet over": (replace(FITTING, image=OVER), "DISCARDED", "fits-the-store"),
    "metadata of another maker": (case(layout="L-MDS-1"), "DISCARDED", "has-the-metadata"),
    "bare in tactical mode": (case(layout="L-NONE"), "DISCARDED", "has-the-metadata"),
    "damaged metadata": (
        replace(FITTING, image=replace(FITTING.image, layout_id="")),
        "DISCARDED",
        "has-the-metadata",
    ),
    "not bare in enduring mode": (
        case(mode=ENDURING),
        "DISCARDED or REJECTED",
        "has-the-metadata",
    ),
    "other hardware": (
        replace(FITTING, image=replace(FITTING.image, hardware=(0x0200, 0x02FF))),
        "HW_MISMATCH",
        "fits-the-hardware",
    ),
    "too large for the device": (
        replace(FITTING, target=changed(ESME, "firmware", max_image_bytes=1000)),
        "TRANSFER_FAILED",
        "device-takes-it",
    ),
    "image of another type": (
        replace(FITTING, image=replace(FITTING.image, image_type=0x0099)),
        "TRANSFER_FAILED",
        "device-takes-it",
    ),
    "downgrade": (replace(FITTING, target=STRICT, image=OLDER), "ACT_FAILED", "device-takes-it"),
    "another hash in 11.3": (
        replace(FITTING, activation_hash=b"\0" * 32),
        "HASH_MISMATCH",
        "hash-is-right",
    ),
    "support ended": (case(target=SEED), "uncertain", "maker-supports-it"),
}


@pytest.mark.parametrize("name", DECIDED)
def test_each_rule_decides_what_is_its_own(name: str) -> None:
    one, word, rule = DECIDED[name]
    assert told(one) == (word, rule)


@pytest.mark.parametrize("name", DECIDED)
def test_without_its_rule_the_image_works(name: str) -> None:
    """No case rests on two rules, so taking one out always shows."""
    one, _, rule = DECIDED[name]
    assert told(one, without=rule) == ("ACTIVATED", "none")


def test_every_rule_has_a_case() -> None:
    assert {rule for _, _, rule in DECIDED.values()} == set(RULES)


@pytest.mark.parametrize("layout", ["L-IOC-1", "L-MDS-1", "L-SEC-1", "L-FOC-T1", "L-FOC-L1"])
def test_an_image_works_on_the_hubs_of_one_maker(layout: str) -> None:
    hubs = [load_profile(f"demo-s1-chf-{name}") for name in ("ioc", "mds", "sec", "foct", "focl")]
    taken = [hub.name for hub in hubs if told(case(hub, layout=layout))[0] == "ACTIVATED"]
    assert taken == [MAKERS.find(layout).profile]


def test_a_bare_image_works_everywhere_in_enduring_mode() -> None:
    hubs = ("demo-s1-chf-ioc", "demo-s1-chf-mds", "demo-s1-chf-sec", "demo-chf")
    for hub in hubs:
        one = case(load_profile(hub), layout="L-NONE", mode=ENDURING)
        assert told(one)[0] == "ACTIVATED"


def test_at_the_limit_it_fits_and_one_octet_over_it_does_not() -> None:
    size = FITTING.image.size_bytes
    for store, word in ((size, "ACTIVATED"), (size - 1, "DISCARDED")):
        hub = changed(HUB, "hub", image_store_bytes=store)
        assert told(replace(FITTING, hub=hub))[0] == word


def test_one_hash_on_the_list_serves_one_maker_at_most() -> None:
    """F-053, F-054: five hashes for one Manufacturer Image, one in enduring mode."""
    layouts = [maker.layout.layout_id for maker in MAKERS.asking()]
    hubs = {one.layout.layout_id: load_profile(one.profile) for one in MAKERS.asking()}
    tactical = {case(hubs[name], layout=name).hash for name in layouts}
    enduring = {case(hubs[name], layout="L-NONE", mode=ENDURING).hash for name in layouts}
    assert (len(layouts), len(tactical), len(enduring)) == (5, 5, 1)
    listed = row(FITTING)
    served = [
        name
        for name in layouts
        if told(replace(case(hubs[name], layout=name), cpl=listed))[0] == "ACTIVATED"
    ]
    assert served == ["L-IOC-1"]


def test_an_uncertain_case_agrees_with_any_end_but_a_hang_or_a_broken_frame() -> None:
    found = imply(case(target=SEED))
    assert found.kind is ExpectationKind.UNCERTAIN
    assert all(found.agrees(word) for word in ("ACTIVATED", "TRANSFER_FAILED", "ACT_FAILED"))
    assert not any(found.agrees(word) for word in ("HANG", "BROKEN_FRAME", "DISCARDED", ""))


def test_a_device_that_takes_no_image_ends_anywhere_but_activated() -> None:
    found = imply(case(target=NEVER))
    assert found.kind is ExpectationKind.ONE_OF
    assert not found.agrees("ACTIVATED")


def test_the_basis_names_each_value_with_its_mark_and_ends_where_it_was_decided() -> None:
    found = imply(DECIDED["one octet over"][0])
    items = {one.item: one for one in found.basis}
    assert items["demo-s1-chf-ioc hub.image_store_bytes"].value == "750000"
    assert items["demo-s1-chf-ioc hub.image_store_bytes"].mark.kind is EvidenceKind.STAND_IN
    assert not any("metadata" in item for item in items)
    secure = imply(DECIDED["third party on Secure"][0])
    marks = {one.item: one.mark.kind for one in secure.basis}
    assert marks["cohort DA ppmid.third_party_firmware"] is EvidenceKind.SOURCE


def test_a_value_the_profile_leaves_out_is_no_input() -> None:
    basis = Basis()
    basis.profile(HUB, "hub.no_such_key", 1)
    assert basis.items == {}


def test_a_layout_is_as_weak_as_its_weakest_value() -> None:
    evidence = {**HUB.evidence, "metadata.layout_id": Mark.parse("source:maker")}
    basis = Basis()
    basis.layout(HUB.model_copy(update={"evidence": evidence}))
    assert [one.mark.kind for one in basis.items.values()] == [EvidenceKind.STAND_IN]


#: What predicts or says what documents say: no module of the emulator may read it.
TABLES = re.compile(
    r"^\s*(?:from|import) device_profiles(?:\.| import )"
    r"(?:s1sr|bilingual_table|updaters|matrix_axes|rows|cohort)\b",
    re.MULTILINE,
)
DEVICES = re.compile(r"^\s*(?:from|import) emulator", re.MULTILINE)


def test_prediction_and_emulator_know_nothing_of_each_other() -> None:
    """The engine imports nothing of the emulator; the emulator reads no table of predictions."""
    for name in ("firmware_implied", "firmware_case", "bilingual", "s1sr_expectations"):
        text = (ROOT / "harness" / "rules" / f"{name}.py").read_text("utf-8")
        assert DEVICES.search(text) is None, name
    assert TABLES.search("from device_profiles.s1sr import load_s1sr") is not None
    readers = [
        path
        for path in (ROOT / "emulator").rglob("*.py")
        if TABLES.search(path.read_text("utf-8")) is not None
    ]
    assert readers == []
