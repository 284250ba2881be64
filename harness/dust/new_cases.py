"""The cases of a new run definition: a family of section 9 each, on the homes it has."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from device_profiles.cohort import Cohort, HandoverOrder
from device_profiles.words import DeviceType

#: Codes of the two faults of a new definition. Source: stand-in (migration.md 6.4).
_TEST_CODE: Final = "X-16.10.2"
_HUB_CODE: Final = "X-H4-7D"


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case as the file has it; ``about``: a set, or homes of it."""

    title: str
    family: str
    about: str
    expect: tuple[str, ...]
    clause: str = ""

    def lines(self, number: int) -> Iterator[str]:
        """Yield its lines of TOML."""
        yield "[[case]]"
        yield f'id = "C-{number:03d}"'
        yield f'title = "{self.title}"'
        yield f'family = "{self.family}"'
        yield "mandatory = true"
        if self.clause:
            yield f'clause = "{self.clause}"'
        yield self.about
        yield f"expect = [{', '.join('{' + one + '}' for one in self.expect)}]"
        yield ""


def hands_over(cohort: Cohort) -> bool:
    """Say whether keys and SIM change in steps of their own, so that a hub can be waited for."""
    return cohort.handover.order is not HandoverOrder.FOLDED


def cases(cohort: Cohort, *, simulated: bool) -> Iterator[NewCase]:
    """Yield the cases of a new definition, in order.

    Args:
        cohort: The cohort.
        simulated: Whether the built-in supplier takes part, and makes its mistakes.
    """
    migrated = 'state = "Migrated"'
    accepted = _outcome("accepted")
    yield NewCase(
        "Dual fuel, one supplier: migrated",
        "happy-path",
        _refs("dual-001"),
        (accepted, migrated, 'code = "none"', "attempts = 1"),
    )
    yield NewCase(
        "What parties say they did is borne out by their letters",
        "happy-path",
        _refs("dual-001"),
        (migrated, 'steps = "borne-out"'),
        "TMAD 4.45",
    )
    yield NewCase(
        "Split supply with Null Certificate IDs: migrated",
        "happy-path",
        _refs("split-001"),
        (accepted, migrated),
        "TMAD 5.8",
    )
    yield NewCase(
        "Electricity only; the supplier changes under way: migrated",
        "change-of-supplier",
        _refs("elec-002"),
        (accepted, migrated),
    )
    yield NewCase(
        "The gas meter is left out (GT01), electricity migrates",
        "happy-path",
        _set("gasout"),
        ('code = "GT01"', migrated),
        "MEHRS GT01",
    )
    yield NewCase(
        "Mixed: authorised and notified",
        "mixed-notification",
        _set("mixed"),
        (migrated,),
        "TMAD 4.24",
    )
    yield NewCase("Both meters prepay", "prepay", _set("prepay"), (accepted, migrated), "TMAD 4.49")
    yield NewCase(_third(cohort), "ppmid", _set("third"), (migrated,), "S1SR 18.63")
    yield from _of_mistakes(cohort, migrated, simulated=simulated)
    yield from _of_faults(cohort)
    yield NewCase(
        "After migration the meters answer Service Requests",
        "post-migration",
        _refs("dual-001"),
        (_answered("4.1.1"),),
        "S1SR",
    )
    yield from _of_devices(cohort)
    if simulated:
        yield from _of_services(cohort)


def _of_devices(cohort: Cohort) -> Iterator[NewCase]:
    """Yield what devices show to their S1SP once they have migrated."""
    holders, meters = [one.value for one in cohort.handover.holders], _meters(cohort)
    yield NewCase(
        "Labels, identifiers and clocks are as the papers say",
        "post-migration",
        _refs("dual-001"),
        tuple(_shows(one, what) for one in holders for what in ("serial", "eui64", "clock")),
        "S1SR",
    )
    yield NewCase(
        "Devices run the firmware of their papers, the display as it told its hub",
        "firmware-matrix",
        _refs("dual-001"),
        tuple(_shows(one, "firmware") for one in (*holders, "PPMID")),
        "S1SR",
    )
    yield NewCase(
        "Dormant: its firmware is updated before it migrates, and it runs",
        "firmware-matrix",
        _set("early"),
        ('state = "Migrated"', "attempts = 1", _shows("ESME", "firmware")),
        "TMAD 4.26",
    )
    yield NewCase(
        "Devices let their S1SP in, and nobody else",
        "post-migration",
        _refs("dual-001"),
        tuple(_shows(one, "keys") for one in holders),
        "TMAD 5.11",
    )
    yield NewCase(
        "The hub's device log lists the devices of the papers, no other",
        "post-migration",
        _refs("dual-001"),
        (_shows("CHF", "devices"),),
        "S1SR",
    )
    yield NewCase(
        "Meters that prepay go on prepaying",
        "prepay",
        _set("prepay"),
        tuple(_shows(one, "payment-mode") for one in meters),
        "TMAD 4.49",
    )


def _of_services(cohort: Cohort) -> Iterator[NewCase]:
    """Yield what the simulated supplier is answered; see ``asks`` of the participant."""
    yield NewCase(
        "A tariff, the payment mode, logs, versions and the inventory are as the devices show",
        "post-migration",
        _refs("dual-001"),
        tuple(_as_shown(one) for one in ("1.1.1", "1.6", "6.13", "8.2", "8.9", "11.2")),
        "S1SR",
    )
    yield NewCase(
        "Readings are those of the meters: register, scaler, rates, load profile",
        "post-migration",
        _refs("dual-001"),
        tuple(_as_shown(one, kind) for kind in _meters(cohort) for one in ("4.1.1", "4.8.1")),
        "S1SR",
    )
    yield NewCase(
        "Supply is cut off and put on again by its supplier, and told as it is",
        "post-migration",
        _refs("dual-001"),
        tuple(_as_shown(one) for one in ("7.2", "7.4", "7.1")),
        "S1SR",
    )
    yield NewCase(
        "A top-up over the air, and the balance that follows from it",
        "prepay",
        _set("prepay"),
        (_as_shown("2.2"), _as_shown("4.18")),
        "TMAD 4.49",
    )
    yield NewCase(
        "Meters that prepay are set to credit and back",
        "prepay",
        _set("prepay"),
        tuple(_as_shown("1.6", kind) for kind in _meters(cohort)),
        "TMAD 4.49",
    )
    yield NewCase(
        "The supplier that gained a home puts its certificates there (6.23)",
        "change-of-supplier",
        _refs("elec-002"),
        (_answered("6.23"), 'alert = "N42"'),
        "S1SR",
    )
    if cohort.split_supply.require_null_supplier_certificates:
        yield NewCase(
            "Null Certificate IDs of split supply are replaced by its supplier (6.21)",
            "post-migration",
            _refs("split-001"),
            (_answered("6.21"), 'alert = "N42"'),
            "S1SR",
        )


def _answered(service: str) -> str:
    return f'request = "{service}", answer = "I0"'


def _as_shown(service: str, device: str = "") -> str:
    """Return the expectation that an answer tells what the device shows by itself."""
    of = f', device = "{device}"' if device else ""
    return f'request = "{service}"{of}, answer = "I0", told = "as-shown"'


def _meters(cohort: Cohort) -> tuple[str, ...]:
    """Return the meters that the cohort's S1SP reaches by itself."""
    return tuple(one.value for one in cohort.handover.holders if one is not DeviceType.CHF)


def _shows(device: str, what: str) -> str:
    return f'device = "{device}", shows = "{what}"'


def _third(cohort: Cohort) -> str:
    kept = "migrates" if cohort.ppmid.third_party_migrated else "is left behind"
    return f"A third-party PPMID {kept}"


def _of_mistakes(cohort: Cohort, migrated: str, *, simulated: bool) -> Iterator[NewCase]:
    if not simulated:
        for ref, family, clause in (
            ("dual-002", "ma-file-fault", "MAM 7.3.2"),
            ("split-002", "5.9.10", "TMAD 5.9.10"),
            ("elec-001", "authorisation-window", "MAM"),
        ):
            yield NewCase(
                f"{ref}: authorised and migrated", family, _refs(ref), (migrated,), clause
            )
        return
    null = cohort.split_supply.require_null_supplier_certificates
    ids = "refused, corrected" if null else "no rule of this cohort"
    yield NewCase(
        "A supplier-style EUI-64 is repaired",
        "ma-file-fault",
        _refs("dual-002"),
        (_outcome("repaired"), migrated),
        "MAM 7.3.2",
    )
    yield NewCase(
        "A wrong MPAN is refused, corrected, migrated",
        "ma-file-fault",
        _refs("dual-003"),
        (_outcome("refused"), migrated),
        "MAM 7.3.2",
    )
    yield NewCase(
        f"Split supply with own Certificate IDs: {ids}",
        "5.9.10",
        _refs("split-002"),
        (_outcome("refused" if null else "accepted"), migrated),
        "TMAD 5.9.10",
    )
    yield NewCase(
        "A window that is over is refused, corrected, migrated",
        "authorisation-window",
        _refs("elec-001"),
        (_outcome("refused"), migrated),
        "MAM",
    )


def _of_faults(cohort: Cohort) -> Iterator[NewCase]:
    if cohort.rollback.enabled:
        title, family = "A test fails: rolled back, and migrated when tried again", "rollback"
        end: tuple[str, ...] = ('through = "RolledBack"', 'state = "Migrated"')
    else:
        title, family, end = "A test fails: the home is stranded", "other", ('state = "Stranded"',)
    told = (f'code = "{_TEST_CODE}"', *end)
    yield NewCase(title, family, _set("back"), told, "TMAD 16.10")
    if hands_over(cohort):
        days = cohort.handover.chf_contact_timeout_days
        yield NewCase(
            f"The hub is not heard within {days} days",
            "chf-silent",
            _set("late"),
            (f'code = "{_HUB_CODE}"',),
            "TMAD 4.15",
        )
    if hands_over(cohort) and cohort.cohort.resubmission_5_8a:
        yield NewCase(
            "It is completed by clause 5.8A once its hub is heard",
            "5.8A",
            _set("late"),
            ('state = "Migrated"',),
            "TMAD 5.8A",
        )


def _refs(ref: str) -> str:
    return f'refs = ["{ref}"]'


def _set(name: str) -> str:
    return f'set = "{name}"'


def _outcome(result: str) -> str:
    return f'file = "MA outcome", result = "{result}"'
