"""What a word, code, clause, scenario or defect means, and where we know it from."""

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Final, Protocol

from device_profiles.dmves import load_dmves
from device_profiles.evidence import MEANINGS as MARKS
from device_profiles.files import Folders
from device_profiles.loader import load_profile, profile_names
from device_profiles.participant_codes import load_participant_codes
from device_profiles.rows import load_alert_notes, load_clauses, load_duis_codes, load_words
from emulator.codecs.gbcs.alerts import MEANINGS
from emulator.codecs.gbcs.use_cases import MESSAGES
from emulator.core.faults import FAULTS
from emulator.core.ids import Eui64
from firmware_images.defects import DEFECTS
from harness.errors import UsageError
from harness.explain_migration import migration_meanings
from harness.formats.duis.faults import SENTENCES
from harness.setting import Setting

#: So much of an unknown term is repeated.
_SHOWN: Final = 60
#: Saboteurs by name: imported when asked for.
_PARTY_DEFECTS: Final = "harness.parties.defects"
_MIGRATION_DEFECTS: Final = "harness.parties.migration_defects"
_FIRMWARE_DEFECTS: Final = "harness.parties.firmware_defects"
_EMULATED_BENCH: Final = "harness.benches.emulated_plan"
#: Modules whose ``SAYS`` tell codes of refusals, what those are, where they come up.
_REFUSING: Final = (
    ("harness.parties.s1sp_desk_faults", "S1SP refusal", "smetsbench run 'FM-3*' 'MIG-*'"),
    ("harness.door.errors", "refusal of the participant door", "smetsbench dust door --help"),
)
_OURS: Final = "stand-in"
#: Stands in every name of a saboteur.
_HYPHEN: Final = "-"


class _Saboteur(Protocol):
    """A named defect of a party or device."""

    @property
    def sentence(self) -> str:
        """What it does."""
        ...


@dataclass(frozen=True, slots=True)
class Explanation:
    """One meaning of a term.

    Attributes:
        kind: ``clause``, ``DUIS code``, ``alert code``, ``use case``, ``outcome`` …
        id: The term as we write it.
        says: What it means.
        details: Further facts: name -> value; ``also`` holds other ways to ask for it.
        evidence: Where we know it from; empty where the program itself defines it.
    """

    kind: str
    id: str
    says: str
    details: Mapping[str, str]
    evidence: str = ""

    def figures(self) -> dict[str, object]:
        """Return the explanation as a JSON object."""
        return {
            "kind": self.kind,
            "id": self.id,
            "says": self.says,
            **self.details,
            "evidence": self.evidence,
        }


def explain(term: str, overlays: Folders = ()) -> list[Explanation]:
    """Return every meaning of a term, without regard to case.

    Raises:
        UsageError: Nothing of that name is known; names what is near.
        DataError: A data file cannot be used.
    """
    wanted = _canonical(term)
    is_saboteur = _HYPHEN in wanted  # all of them are; to list them loads parties and devices
    sources = _SOURCES if is_saboteur else _PLAIN
    known = [entry for source in sources for entry in source(overlays)]
    found = [entry for entry in known if _canonical(entry.id) == wanted]
    found = found or [entry for entry in known if wanted in _aliases(entry)]
    scenarios = {_canonical(name): name for name in _scenario_ids()}
    if wanted in scenarios:
        found.append(_scenario(scenarios[wanted]))
    if found:
        return found
    # Saboteurs come last: they are looked up through the bench, and that loads every device.
    devices = list(_device_defects()) if is_saboteur else []
    found = [entry for entry in devices if _canonical(entry.id) == wanted]
    if found:
        return found
    names = scenarios | {_canonical(entry.id): entry.id for entry in (*known, *devices)}
    holding = [name for name in names if len(wanted) > 2 and wanted in name]
    close = holding[:5] or difflib.get_close_matches(wanted, names, n=5)
    near = ", ".join(names[name] for name in close)
    raise UsageError(
        f"nothing is known of {term[:_SHOWN]!r}",
        where="smetsbench explain",
        cause=f"near it: {near}" if near else "a mistyped code, or one that no table here has",
        next_command="smetsbench explain 8F72  (an example; words of lists: smetsbench scenarios)",
    )


def meanings(overlays: Folders = ()) -> list[Explanation]:
    """Return everything that can be explained, scenarios excepted.

    Raises:
        DataError: A data file cannot be used.
    """
    return [entry for source in _SOURCES for entry in source(overlays)]


def _canonical(text: str) -> str:
    return " ".join(text.casefold().split()).removeprefix("0x")


def _aliases(entry: Explanation) -> set[str]:
    return {_canonical(part) for part in entry.details.get("also", "").split(",") if part.strip()}


def _clauses(overlays: Folders) -> Iterator[Explanation]:
    for row in load_clauses(overlays).values():
        details = {"title": row.title, "document": row.document}
        number = row.id.rpartition(" ")[2]
        if number != row.id:
            details["also"] = number
        yield Explanation("clause", row.id, row.says, details, row.evidence)


def _duis_codes(overlays: Folders) -> Iterator[Explanation]:
    for row in load_duis_codes(overlays).values():
        details = {
            "services": ", ".join(row.services) or "any",
            "category": row.category,
            "meaning_status": row.meaning_status.value,
        }
        yield Explanation("DUIS code", row.id, row.says, details, row.evidence)


def _participant_codes(overlays: Folders) -> Iterator[Explanation]:
    """Yield codes that participants are sent and no other source here tells."""
    elsewhere = load_duis_codes(overlays)
    for row in load_participant_codes(overlays).values():
        if row.kind in {"response", "alert", "paper"} and row.code not in elsewhere:
            details = {"said_in": f"a {row.kind}", "meaning_status": row.status.value}
            yield Explanation("code for participants", row.code, row.says, details, row.evidence)


def _alert_codes(overlays: Folders) -> Iterator[Explanation]:
    notes = load_alert_notes(overlays)
    for code, meaning in MEANINGS.items():
        name = f"{code:04X}"
        note = notes.get(name)
        details, evidence = {}, "source:GP alert list"
        if note is not None:
            evidence = note.evidence
            details = {"sender": note.sender, "recipient": note.recipient, "carries": note.carries}
        yield Explanation("alert code", name, meaning, details, evidence)


def _use_cases(_overlays: Folders) -> Iterator[Explanation]:
    by_use_case: dict[str, list[int]] = {}
    for code, row in MESSAGES.items():
        by_use_case.setdefault(row.use_case, []).append(code)
    for use_case, codes in by_use_case.items():
        first = MESSAGES[codes[0]]
        told = ", ".join(f"{code:04X}" for code in codes)
        details = {
            "message_codes": told,
            "services": ", ".join(first.srvs) or "none",
            "devices": ", ".join(first.devices),
            "payload": ", ".join(first.payload),
            "category": first.category.value,
            "also": told,
        }
        yield Explanation("use case", use_case, first.title, details, "source:RTDS 4.5.0; MAP")


def _words(overlays: Folders) -> Iterator[Explanation]:
    for row in load_words(overlays).values():
        yield Explanation(row.group, row.id, row.says, {}, row.evidence)


def _faults(_overlays: Folders) -> Iterator[Explanation]:
    for name, row in FAULTS.items():
        details = {
            "links": ", ".join(row.links),
            "use": f"smetsbench run FM-01 --fault {row.example}",
        }
        yield Explanation("fault", name, row.sentence.replace("``", ""), details)


def _refusals(_overlays: Folders) -> Iterator[Explanation]:
    for fault, sentence in SENTENCES.items():
        yield Explanation(
            "DUIS refusal", str(fault), sentence, {"use": "smetsbench duis check FILE"}
        )


def _refusing_parties(_overlays: Folders) -> Iterator[Explanation]:
    for module, kind, use in _REFUSING:
        for code, sentence in import_module(module).SAYS.items():
            yield Explanation(kind, str(code), sentence, {"use": use}, _OURS)


def _marks(_overlays: Folders) -> Iterator[Explanation]:
    for mark, sentence in MARKS.items():
        yield Explanation("evidence mark", str(mark), sentence, {"use": "smetsbench data status"})


def _image_defects(_overlays: Folders) -> Iterator[Explanation]:
    for name, defect in DEFECTS.items():
        details = {"use": f"smetsbench firmware build RECIPE --out FILE --defect {name}"}
        yield Explanation("image defect", name, defect.sentence, details)


def _party_defects(_overlays: Folders) -> Iterator[Explanation]:
    yield from _saboteurs(_PARTY_DEFECTS, "party defect")


def _migration_defects(_overlays: Folders) -> Iterator[Explanation]:
    yield from _saboteurs(_MIGRATION_DEFECTS, "migration defect", "MIG-001")


def _firmware_defects(_overlays: Folders) -> Iterator[Explanation]:
    yield from _saboteurs(_FIRMWARE_DEFECTS, "firmware defect", "FM-30")


def _device_defects() -> Iterator[Explanation]:
    yield from _saboteurs(_EMULATED_BENCH, "device defect")


def _saboteurs(module: str, kind: str, scenario: str = "FM-01") -> Iterator[Explanation]:
    table: Mapping[str, _Saboteur] = import_module(module).DEFECTS
    for name, defect in table.items():
        row = "SER-001" if name.startswith("s1-") else scenario
        details = {"use": f"smetsbench run {row} --defect {name}"}
        yield Explanation(kind, name, defect.sentence, details)


def _equivalent_steps(overlays: Folders) -> Iterator[Explanation]:
    table = load_dmves(overlays=overlays)
    for name in profile_names(overlays):
        profile = load_profile(name, overlays)
        if profile.dlms is None:
            continue
        for service in table.services(name, profile.device_type):
            found = table.find(name, profile.device_type, service)
            steps = "; ".join(step.says for step in found.steps) or found.says
            details = {"model": name, "support": found.support.value, "also": service}
            yield Explanation(
                "equivalent steps", f"SMETS1 {service} on {name}", steps, details, found.evidence
            )


def _migration(overlays: Folders) -> Iterator[Explanation]:
    for row in migration_meanings(overlays):
        yield Explanation(row.kind, row.id, row.says, row.details, row.evidence)


def _profiles(overlays: Folders) -> Iterator[Explanation]:
    for name in profile_names(overlays):
        profile = load_profile(name, overlays)
        details = {"device_type": profile.device_type.value, "use": f"smetsbench profiles {name}"}
        reference = profile.identity.reference_eui64
        if reference is not None:
            details["also"] = f"{reference}, {Eui64.parse(reference).hex}"
        yield Explanation("device profile", name, profile.title, details)


def _scenario_ids() -> list[str]:
    """Return the ids of all scenarios without loading any."""
    return list(Setting().table())


def _scenario(name: str) -> Explanation:
    scenario = Setting().scenario(name)
    outcomes = ", ".join(sorted(scenario.expectation.outcomes)) or "any"
    details = {
        "devices": ", ".join(scenario.devices),
        "world": scenario.world,
        "expectation": f"{scenario.expectation.kind.value}: {outcomes}",
        "clauses": "; ".join(ref.id for ref in scenario.clauses),
        "steps": "; ".join(step.title for step in scenario.steps),
        "saboteur": scenario.saboteur or "none",
        "use": f"smetsbench run {scenario.id}",
    }
    evidence = scenario.expectation.evidence
    return Explanation("scenario", scenario.id, scenario.title, details, evidence)


_Source = Callable[[Folders], Iterator[Explanation]]
#: Sources of what is quickly told.
_PLAIN: Final[tuple[_Source, ...]] = (
    _clauses,
    _duis_codes,
    _participant_codes,
    _alert_codes,
    _use_cases,
    _words,
    _faults,
    _refusals,
    _refusing_parties,
    _marks,
    _image_defects,
    _equivalent_steps,
    _migration,
    _profiles,
)
_SOURCES: Final[tuple[_Source, ...]] = (
    *_PLAIN,
    _party_defects,
    _migration_defects,
    _firmware_defects,
)
