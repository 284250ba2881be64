"""Named defects of the parties and rules of a migration: saboteurs, and misconduct of rows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from device_profiles.smets1_services import Notified
from device_profiles.words import DeviceType, PaymentMode
from harness.formats.migration_files.words import FileType
from harness.migration.step_table import load_steps
from harness.parties import image_defects, telling_defects
from harness.rules.migration_rulebook import RuleBook, load_rule_book

#: A method, bound to its party.
Right = Any
#: Takes the course and the right method, and returns the wrong one.
Override = Callable[[Any, Right], Right]
#: Where the parties of the time after migration stand, from the course on.
_AFTERWARDS: Final = "commissioning.world."
_WEEK_MS: Final = 7 * 86_400_000
_RULE_OFF: Final = "rule-off-"
#: Steps that a party can leave out and say it took: what others would notice by devices alone.
_LEFT_OUT: Final = frozenset(
    {"V4", "H1", "H2", "H3", "H4", "T1", "T2", "T3", "T4", "T6", "R1", "R2", "R3"}
)
#: Steps that are taken device by device.
_PER_DEVICE: Final = frozenset({"H2", "R1"})
_DEVICES: Final = ("CHF", "ESME", "GSME")


@dataclass(frozen=True, slots=True)
class MigrationDefect:
    """One way in which a migration is done wrong.

    Attributes:
        sentence: Who does what wrong.
        rules_off: Rules that nobody asks.
        forgets_overrides: Whether what the run overrides is not heeded.
        omits: Steps (``H2``, ``H2/GSME``) that their party says it took and did not.
        cohort: Key paths of the cohort's data (``rollback.enabled``) -> what is taken for true.
        settings: Numbers of the rules that are taken for others.
        prepayment: Parts of the rule of 4.49(e) that are taken for others.
        wrong: ``part.method``, from the course on -> what makes it wrong.
    """

    sentence: str
    rules_off: frozenset[str] = frozenset()
    forgets_overrides: bool = False
    omits: frozenset[str] = frozenset()
    cohort: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    prepayment: Mapping[str, Any] = field(default_factory=dict)
    wrong: Mapping[str, Override] = field(default_factory=dict)


def rule_off(rule: str) -> str:
    """Return the name of the defect under which nobody asks a rule."""
    return f"{_RULE_OFF}{rule.lower().replace('(', '').replace(')', '')}"


def _rules_off(book: RuleBook) -> Iterator[tuple[str, MigrationDefect]]:
    for rule, row in book.rules.items():
        said = f"nobody asks whether {row.says}"
        yield rule_off(rule), MigrationDefect(said, rules_off=frozenset({rule}))


def _omissions() -> Iterator[tuple[str, MigrationDefect]]:
    for step, row in load_steps().items():
        if step not in _LEFT_OUT:
            continue
        said = f"{row.actor} says that {step} was done, and does nothing"
        yield f"omits-{step.lower()}", MigrationDefect(said, omits=frozenset({step}))
        for device in _DEVICES if step in _PER_DEVICE else ():
            one = f"{said} to the {device}"
            name = f"omits-{step.lower()}-{device.lower()}"
            yield name, MigrationDefect(one, omits=frozenset({f"{step}/{device}"}))


# -- files --------------------------------------------------------------------------------------


def _again(course: Any, right: Right) -> Right:
    """Give a counter that another installation's set had, and that was accepted then."""

    def next_counter(group_id: str) -> int:
        files = course.files
        used: int = right(group_id) - 1
        files.rp.counters[group_id] = used
        highest = {**files.ledger.state.highest, (str(files.rp.party), group_id): used}
        files.ledger = replace(files.ledger, state=replace(files.ledger.state, highest=highest))
        return used

    return next_counter


def _last_encrypted(course: Any, right: Right) -> Right:
    """Send the encrypted file of the set before."""

    def group_files(*args: Any, **named: Any) -> Any:
        group, _encrypted = right(*args, **named)
        return group, course.files.hands[-2].files[FileType.MEF]

    return group_files


def _miscounts(*made: str) -> Override:
    """Return what makes some files of a set with the counter after the set's own."""

    def wrong(_course: Any, right: Right) -> Right:
        def builder(cohort: Any, counter: int, *more: Any, **named: Any) -> Any:
            made_right = right(cohort, counter, *more, **named)
            made_wrong = right(cohort, counter + 1, *more, **named)
            for name in made:
                setattr(made_right, name, getattr(made_wrong, name))
            return made_right

        return builder

    return wrong


def _a_week_later(_course: Any, right: Right) -> Right:
    """Answer with a validation file made in the week after."""

    def builder(cohort: Any, counter: int, at: int, *more: Any, **named: Any) -> Any:
        made = right(cohort, counter, at, *more, **named)
        later = right(cohort, counter, at + _WEEK_MS, *more, **named)
        made.validation = later.validation
        return made

    return builder


def _all_for_one(_course: Any, right: Right) -> Right:
    """Refuse every installation of a set with the first that is refused."""

    def check(hand: Any) -> Any:
        found = right(hand)
        bad = next((one for one in found.values() if not one.accepted), None)
        if bad is None:
            return found
        return {ref: replace(bad, ref=ref) for ref in found}

    return check


# -- devices and records --------------------------------------------------------------------------


def _does_nothing(_course: Any, _right: Right) -> Right:
    return lambda *_args, **_named: None


def _open_gate(_course: Any, right: Any) -> Any:
    """Take nothing for critical."""
    return replace(right, critical=frozenset())


def _to_one_supplier(_course: Any, right: Right) -> Right:
    """Send the notices of the gas supplier to the electricity supplier."""

    def hand_over(sender: str, receiver: str, *rest: Any) -> None:
        right(sender, "EIS" if receiver == "GIS" else receiver, *rest)

    return hand_over


def _to_no_supplier(_course: Any, right: Right) -> Right:
    """Send suppliers nothing."""

    def hand_over(sender: str, receiver: str, *rest: Any) -> None:
        if receiver not in {"EIS", "GIS"}:
            right(sender, receiver, *rest)

    return hand_over


def _with_another_version(_course: Any, right: Right) -> Right:
    """Pre-notify with a firmware version that is another entry's."""

    def prenotification(*args: Any) -> Any:
        return replace(right(*args), firmware_version="01000001")

    return prenotification


def _for_everybody(_course: Any, right: Any) -> Any:
    """Take every service for one that needs no notified certificate."""
    return {name: row.model_copy(update={"notified": Notified.NONE}) for name, row in right.items()}


#: What a party does wrong beyond leaving out a step.
_ROWS: Final[Mapping[str, MigrationDefect]] = {
    "rp-uses-a-counter-twice": MigrationDefect(
        "the Requesting Party uses a counter that it has used before",
        wrong={"files.rp.next_counter": _again},
    ),
    "rp-sends-the-last-mef-again": MigrationDefect(
        "the Requesting Party sends the encrypted file of the set before",
        wrong={"files.rp.group_files": _last_encrypted},
    ),
    "rp-miscounts-the-mgf": MigrationDefect(
        "the Requesting Party makes the group file with another counter",
        wrong={"files.rp.builder": _miscounts("group")},
    ),
    "rp-miscounts-the-mef": MigrationDefect(
        "the Requesting Party makes the encrypted file with another counter",
        wrong={"files.rp.builder": _miscounts("encrypted")},
    ),
    "mcc-miscounts-the-mvf": MigrationDefect(
        "the MCC answers with another counter than the common file's",
        wrong={"files.rp.builder": _miscounts("validation")},
    ),
    "mcc-answers-a-week-later": MigrationDefect(
        "the MCC answers in the Migration Week after the file's",
        wrong={"files.rp.builder": _a_week_later},
    ),
    "s1sp-rejects-all-for-one": MigrationDefect(
        "the S1SP refuses a whole set for one bad installation",
        wrong={"files.check": _all_for_one},
    ),
    "s1sp-skips-its-gate": MigrationDefect(
        "the S1SP carries critical instructions out without the DCO's part",
        wrong={"office.s1sp.gate": _open_gate},
    ),
    "dco-signs-nothing": MigrationDefect(
        "the DCO countersigns nothing", wrong={"office.dco.countersign": _does_nothing}
    ),
    "dcc-orders-no-update": MigrationDefect(
        "the DCC allows an update before migration and orders it of nobody",
        wrong={"office.smso.take_update": _does_nothing},
    ),
    "smso-keeps-its-records": MigrationDefect(
        "the SMSO keeps the keys of what has migrated", wrong={"office.smso.drop": _does_nothing}
    ),
    "mcc-tells-eis-of-everything": MigrationDefect(
        "the notices for the gas supplier go to the electricity supplier",
        wrong={"office.post.hand_over": _to_one_supplier},
    ),
    "mcc-tells-nobody": MigrationDefect(
        "no supplier is told that its meter is commissioned",
        wrong={"office.post.hand_over": _to_no_supplier},
    ),
    "cp-names-another-version": MigrationDefect(
        "the Commissioning Party pre-notifies with another entry of the CPL",
        wrong={"commissioning.world.party.prenotification": _with_another_version},
    ),
    "mcc-forgets-overrides": MigrationDefect(
        "what the run overrides explicitly is not heeded", forgets_overrides=True
    ),
    "mcc-asks-ma110-always": MigrationDefect(
        "the EPCL is asked on days on which it was not", cohort={"checks.ma110_from": None}
    ),
    "s1sp-takes-null-for-everybody": MigrationDefect(
        "the S1SP looks at no notified certificate",
        wrong={"commissioning.world.desk._services": _for_everybody},
    ),
    "mcc-allows-99-days": MigrationDefect(
        "a supplier has 99 days to set a prepayment meter to credit", prepayment={"duty_days": 99}
    ),
    "mcc-asks-credit-meters": MigrationDefect(
        "4.49(e) is taken to be about credit meters",
        prepayment={"applies_to": PaymentMode.CREDIT},
    ),
    "mcc-compares-whole-user-ids": MigrationDefect(
        "two User IDs are taken for two parties",
        settings={"party_octet_first": 1, "party_octet_last": 8},
    ),
    "mcc-never-excludes": MigrationDefect(
        "no number of failed attempts excludes", settings={"attempts_until_excluded": 99}
    ),
    "s1sp-waits-a-day-less": MigrationDefect(
        "the S1SP gives up on a hub a day early",
        cohort={"handover.chf_contact_timeout_days": 6},
    ),
    "s1sp-waits-a-day-more": MigrationDefect(
        "the S1SP waits for a hub a day longer than it may",
        cohort={"handover.chf_contact_timeout_days": 8},
    ),
    "s1sp-never-rolls-back": MigrationDefect(
        "the S1SP takes nothing back", cohort={"rollback.enabled": False}
    ),
    "s1sp-always-rolls-back": MigrationDefect(
        "the S1SP takes back what the cohort does not", cohort={"rollback.enabled": True}
    ),
    "s1sp-restores-the-hub-first": MigrationDefect(
        "the S1SP restores the hub before what stands behind it",
        cohort={"rollback.order": (DeviceType.CHF, DeviceType.ESME, DeviceType.GSME)},
    ),
    "s1sp-takes-no-plaintext": MigrationDefect(
        "the S1SP refuses group data in the clear where the group may have them",
        cohort={"envelope.plaintext_allowed": False},
    ),
    "s1sp-migrates-every-ppmid": MigrationDefect(
        "PPMIDs of all makes migrate", cohort={"ppmid.third_party_migrated": True}
    ),
    "mcc-resubmits-for-every-cohort": MigrationDefect(
        "5.8A is taken to hold for every cohort", cohort={"cohort.resubmission_5_8a": True}
    ),
    "mcc-refuses-split-supply": MigrationDefect(
        "split supply is taken to need Null Certificate IDs in every cohort",
        cohort={"split_supply.require_null_supplier_certificates": True},
    ),
}


def _of_images() -> Iterator[tuple[str, MigrationDefect]]:
    """Yield what parties do wrong with images, once a home has migrated."""
    for name, defect in image_defects.DEFECTS.items():
        wrong = {f"{_AFTERWARDS}{path}": _alone(one) for path, one in defect.wrong.items()}
        yield name, MigrationDefect(defect.sentence, wrong=wrong)


def _of_answers() -> Iterator[tuple[str, MigrationDefect]]:
    """Yield what service users are told that is not so, once a home has migrated."""
    for name, one in telling_defects.DEFECTS.items():
        wrong = {f"{_AFTERWARDS}{one.path}": _alone(one.wrong)}
        yield name, MigrationDefect(one.sentence, wrong=wrong)


def _alone(change: Callable[[Right], Right]) -> Override:
    return lambda _course, right: change(right)


def _table() -> Mapping[str, MigrationDefect]:
    book = load_rule_book()
    return MappingProxyType(
        {**dict(_rules_off(book)), **dict(_omissions()), **_ROWS, **dict(_of_images())}
        | dict(_of_answers())
    )


#: Every defect by name.
DEFECTS: Final = _table()
