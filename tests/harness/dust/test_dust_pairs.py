"""Every defect that a run can build into a device: the case of ``dust new`` that notices it.

Those of parties at single homes are here as far as a case is about them. Each pair has a home of
its own, so that one run shows many; homes without a defect must pass the same cases.
"""

from pathlib import Path
from typing import Final

import pytest

from device_profiles.cohort import load_cohort
from harness.dust.definition_defects import of_devices, of_parties
from harness.dust.new_cases import hands_over
from harness.dust.record import Attribution
from harness.verdict import Verdict
from tests.harness.dust import pair_runs
from tests.harness.dust.pair_runs import RIGHT, Pair

_HAPPY: Final = "Dual fuel, one supplier: migrated"
_LABELS: Final = "Labels, identifiers and clocks are as the papers say"
_KEYS: Final = "Devices let their S1SP in, and nobody else"
_LOG: Final = "The hub's device log lists the devices of the papers, no other"
_SILENT: Final = "The hub is not heard within 7 days"
_BACK: Final = "A test fails: rolled back, and migrated when tried again"
_PREPAY: Final = "Meters that prepay go on prepaying"
_ANSWERS: Final = "After migration the meters answer Service Requests"
_BORNE: Final = "What parties say they did is borne out by their letters"
_READS: Final = "Readings are those of the meters: register, scaler, rates, load profile"
_SUPPLY: Final = "Supply is cut off and put on again by its supplier, and told as it is"
_TOLD: Final = (
    "A tariff, the payment mode, logs, versions and the inventory are as the devices show"
)
_CREDIT: Final = "A top-up over the air, and the balance that follows from it"
_MODES: Final = "Meters that prepay are set to credit and back"
_RUNS: Final = "Devices run the firmware of their papers, the display as it told its hub"
_EARLY: Final = "Dormant: its firmware is updated before it migrates, and it runs"
_HOLDERS: Final = ("chf", "esme", "gsme")


def _of(name: str, *roles: str) -> tuple[str, ...]:
    return tuple(f"s1-{role}-{name}" for role in roles)


#: Title of a case -> the defects that it notices.
NOTICED: Final[dict[str, tuple[str, ...]]] = {
    _HAPPY: (
        *_of("rotation-refused", *_HOLDERS),
        *_of("keeps-old-keys-too", *_HOLDERS),
        *_of("keeps-old-key", *_HOLDERS),
        *_of("other-firmware", *_HOLDERS),
        *_of("other-eui64", *_HOLDERS),
        *_of("never-wakes-again", "gsme"),
        *_of("han-lost", "gsme"),
        *_of("log-lacks-gsme", "chf"),
        *_of("forgets-keys", "chf"),
        *("omits-h2", "omits-h2-chf", "omits-h2-esme", "omits-h2-gsme", "omits-h3", "omits-t1"),
        *("dco-signs-nothing", "cp-names-another-version", "s1-chf-tells-nobody"),
    ),
    _BORNE: (
        *("omits-h1", "smso-keeps-its-records"),
        *("mcc-tells-eis-of-everything", "mcc-tells-nobody"),
    ),
    _READS: tuple(
        f"s1-esme-{name}"
        for name in (
            *("wrong-scaler", "profile-gap", "range-ignored", "tou-does-not-add-up"),
            "list-drops-undefined",
        )
    ),
    _SUPPLY: ("s1-esme-switch-lies",),
    _MODES: _of("forgets-payment-mode", "esme", "gsme"),
    _RUNS: ("s1-ppmid-other-firmware",),
    _EARLY: ("s1-esme-keeps-old-version", "dcc-orders-no-update"),
    _LABELS: (
        *_of("other-serial", *_HOLDERS),
        *_of("clock-adrift", *_HOLDERS),
        *_of("wrong-serial", "esme"),
    ),
    _KEYS: _of("any-key", "esme"),
    _LOG: _of("log-lacks-ppmid", "chf"),
    _SILENT: ("omits-h4",),
    _BACK: (
        *_of("restore-refused", "chf", "esme"),
        *_of("restored-key-garbled", *_HOLDERS),
        *_of("rollback-fails", "esme"),
        *("omits-t3", "omits-r1", "omits-r1-chf", "omits-r1-esme", "omits-r1-gsme"),
        *("omits-r2", "rule-off-16.10.2", "s1-gsme-restore-refused"),
    ),
}
_IMAGES: Final = "about images, which the simulated supplier does not send: scenarios FM-…"
_VIEW: Final = "nobody reads a meter's list of objects in a run: scenarios SER-…"
_TWICE: Final = "an S1SP issues no code twice, and no customer keys one in: scenarios SER-…"
_PORT: Final = "about the port of a meter or a client that no run has: scenarios SER-…"
#: Defects that no case notices, and why: nothing is silently fine.
UNNOTICED: Final[dict[str, str]] = {
    "omits-r3": "no letter tells of it, and a home given back migrates later: scenario MIG-073",
    **dict.fromkeys(
        _of("loses-blocks-on-power-loss", "esme")
        + _of("claims-whole-image", "esme")
        + _of("activates-unverified", "esme")
        + _of("takes-any-image", "esme", "gsme", "ppmid")
        + _of("keeps-old-version", "chf", "gsme", "ppmid")
        + _of("downloads-on-low-battery", "gsme", "ppmid")
        + _of("activates-at-once", "ppmid")
        + _of("ignores-upgrade-time", "ppmid")
        + _of("never-rejoins", "ppmid")
        + tuple(
            f"s1-chf-{name}"
            for name in (
                *("skips-size-check", "refuses-at-the-limit", "skips-metadata-check"),
                *("channel-always-open", "keeps-discarded", "forgets-outcome"),
                *("silent-about-outcome", "claims-delivery", "oversize-blocks-for-good"),
                *("ignores-force-replace", "always-replaces", "serves-wrong-hardware"),
                *("damages-a-block", "upgrades-at-once"),
            )
        ),
        _IMAGES,
    ),
    "s1-esme-view-lies": _VIEW,
    "s1-esme-topup-twice": _TWICE,
    **dict.fromkeys(
        tuple(
            f"s1-esme-{name}"
            for name in (
                *("any-password", "plain-in-ciphered", "accepts-replay", "executes-repeats"),
                *("keeps-idle-links", "read-out-disagrees"),
            )
        ),
        _PORT,
    ),
    "s1-esme-forgets-clock-set": "its clock is right before it is set: scenario SER-006",
}
#: What is told that is not so: defects of a whole run, and the case that each shows in.
TELLING: Final[dict[str, str]] = {
    "s1sp-tells-another-register": _READS,
    "s1sp-tells-rows-of-another-time": _READS,
    "s1sp-leaves-an-entry-out": _TOLD,
    "s1sp-tells-another-supply": _SUPPLY,
    "s1sp-tells-another-balance": _CREDIT,
    "s1sp-tells-another-version": _TOLD,
    "dsp-shows-old-versions": _TOLD,
}
PAIRS: Final = tuple(
    Pair(defect, title)
    for title, defects in {**NOTICED, _PREPAY: (), _ANSWERS: (), _TOLD: (), _CREDIT: ()}.items()
    for defect in (RIGHT, *defects)
)
#: Known holes of before, and a defect of a party.
DAILY: Final = (
    *(Pair(RIGHT, title) for title in (_LABELS, _KEYS, _LOG)),
    *(Pair(defect, _LABELS) for defect in ("s1-esme-other-serial", "s1-gsme-clock-adrift")),
    *(Pair("s1-esme-any-key", _KEYS), Pair("s1-chf-log-lacks-ppmid", _LOG)),
    *(Pair(defect, _BORNE) for defect in (RIGHT, "omits-h1")),
    *(Pair(defect, _READS) for defect in (RIGHT, "s1-esme-wrong-scaler")),
    *(Pair(defect, _EARLY) for defect in (RIGHT, "s1-esme-keeps-old-version")),
    Pair("omits-h2-esme", _HAPPY),
)
#: Those of what parties say they did: a cohort that folds its hand-over has no H1.
FOLDED: Final = (*(one for one in DAILY[:-1] if one.defect != "omits-h1"), Pair("omits-t1", _HAPPY))


def test_every_defect_of_a_device_is_noticed_or_told_to_be_not() -> None:
    noticed = {name for defects in NOTICED.values() for name in defects}
    assert not noticed & UNNOTICED.keys()
    assert noticed <= {*of_devices(), *of_parties()}
    assert {*of_devices()} == {name for name in noticed | {*UNNOTICED} if name.startswith("s1-")}


def test_cases_notice_defects_which_nothing_noticed_before(tmp_path: Path) -> None:
    assert not pair_runs.unnoticed(pair_runs.played(tmp_path, "EA", DAILY), DAILY)


@pytest.mark.soak
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("defect", TELLING)
def test_what_parties_tell_that_no_device_shows_is_noticed_and_laid_at_their_door(
    tmp_path: Path, defect: str
) -> None:
    pairs = (Pair(RIGHT, TELLING[defect]),)
    record = pair_runs.played(tmp_path, "EA", pairs, everywhere=defect)
    [case] = record.cases
    assert case.verdict is Verdict.FAIL, case.reason
    [found] = [one for one in record.defects if one.case]
    whose = Attribution.DCO if defect.startswith("dsp") else Attribution.S1SP
    if "supply" in defect:  # the meter's own log tells otherwise: either of the two may have lied
        whose = Attribution.OPEN
    assert found.attribution is whose, found.text


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_the_template_s_cases_notice_every_defect(tmp_path: Path) -> None:
    assert not pair_runs.unnoticed(pair_runs.played(tmp_path, "EA", PAIRS), PAIRS)


@pytest.mark.soak
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("cohort", ["DA", "EB", "IOC", "MDS"])
def test_every_cohort_s_cases_notice_what_nothing_noticed_before(
    tmp_path: Path, cohort: str
) -> None:
    pairs = DAILY if hands_over(load_cohort(cohort)) else FOLDED
    assert not pair_runs.unnoticed(pair_runs.played(tmp_path, cohort, pairs), pairs)
