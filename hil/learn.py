"""``smetsbench bench learn``: makes an emulated meter answer as a captured one did."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from device_profiles.dlms import DeviationSection, DlmsSection
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.access import print_obis
from emulator.codecs.dlms.apdu_parts import DataAccessResult, Descriptor
from harness.cli.output import console, emit_json, progress
from harness.data_files import DataOption, overlays
from harness.differences import Difference, volatile_of
from harness.dlms_view.opened import KeyRing, opened
from harness.dlms_view.readings import Reading, readings_of
from harness.errors import UsageError
from harness.replay_client import Replayed, recorded_exchanges
from harness.transcript import Transcript
from harness.transcript_file import load
from harness.words import counted
from hil.capture import capture_walk
from hil.capture_subject import CaptureChoices
from hil.cli_capture import role_of
from hil.learnt_overlay import Learnt, write_overlay
from hil.replay import Against, against_emulator

#: Class -> attributes whose values move by themselves; why.
#: Source: inferred, from what the classes of reference serial-dlms.md section 8.2 hold.
_MOVING: Final[dict[int, tuple[frozenset[int], str]]] = {
    3: (frozenset({2}), "a register that moves"),
    4: (frozenset({2, 5}), "a register that moves"),
    5: (frozenset({2, 3, 6, 7}), "a register that moves"),
    7: (frozenset({2, 7}), "rows that come by themselves"),
    8: (frozenset({2}), "clock"),
    111: (frozenset({3, 4, 5, 6, 7}), "an account that moves"),
    112: (frozenset({2, 7}), "a balance that moves"),
    113: (frozenset({2, 10, 11, 12}), "a charge that moves"),
    115: (frozenset({2, 3, 6}), "what was last entered"),
}
_VIEW: Final = (15, 2)
_IDENTITIES: Final = {
    bytes.fromhex("0000600100ff"): "the device's serial number",
    bytes.fromhex("0000600101ff"): "the device's EUI-64",
}
#: Row of a link, a sign-on or an association -> key of the ``[dlms]`` section.
_SETTINGS: Final = {
    "transmit bytes": "hdlc.max_information_bytes",
    "transmit window": "hdlc.window",
    "manufacturer": "sign_on.manufacturer",
    "name": "sign_on.name",
    "speed": "sign_on.baud_character",
    "longest APDU": "max_pdu_bytes",
}


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a capture teaches of a profile.

    Attributes:
        learnt: What goes into the overlay.
        told: What differs and is not learnt: subject and why.
    """

    learnt: Learnt
    told: tuple[tuple[str, str], ...]


def register(nouns: typer.Typer) -> None:
    """Add ``bench learn``."""
    nouns.command("learn")(learn)


def lesson_of(
    transcript: Transcript, found: Replayed, ring: KeyRing, section: DlmsSection
) -> Lesson:
    """Return what the differences between a recording and an emulated meter teach.

    Args:
        transcript: The recording.
        found: The replay against the profile as it is.
        ring: Keys that open the recording's protected APDUs.
        section: The profile's ``[dlms]`` section.
    """
    answers: dict[tuple[Descriptor, bool], Reading] = {}
    for exchange in opened(recorded_exchanges(transcript), ring):
        for reading in readings_of(exchange):
            if reading.target is not None and not reading.written:
                answers.setdefault((reading.target, reading.selected), reading)
    deviations: list[DeviationSection] = []
    settings: dict[str, str | int] = {}
    told: list[tuple[str, str]] = [(one.subject, one.volatile) for one in found.volatile]
    for one in found.differences:
        why = _not_learnt(one, answers)
        whole = None if one.target is None else answers.get((one.target, False))
        learnt = _settings_of(one, section) if one.target is None else {}
        if why or (whole is None and not learnt):
            told.append((one.subject, why or "it is no attribute that was read whole"))
        elif whole is not None:
            deviations.append(_deviation(whole))
        else:
            settings |= learnt
    mark = f"observed:{transcript.about.short_hash}"
    return Lesson(Learnt(tuple(deviations), settings, mark), tuple(dict.fromkeys(told)))


def _not_learnt(one: Difference, answers: dict[tuple[Descriptor, bool], Reading]) -> str:
    """Say why a difference is not learnt; empty where it may be."""
    target = one.target
    if target is None or one.method:
        return "" if target is None else "what became of a method is behaviour, not a value"
    if (target.class_id, target.index) == _VIEW:
        return "each client has its own view: objects belong into a catalogue"
    if target.obis in _IDENTITIES:
        return _IDENTITIES[target.obis]
    reading = answers.get((target, False))
    refused = reading is not None and reading.data is None
    indexes, why = _MOVING.get(target.class_id, (frozenset[int](), ""))
    moving = volatile_of(target) or (why if target.index in indexes else "")
    return "" if refused else moving


def _deviation(reading: Reading) -> DeviationSection:
    target = reading.target
    assert target is not None  # noqa: S101 -- callers pass attributes alone
    value = None if reading.data is None else axdr.encode(reading.data).hex()
    return DeviationSection(
        class_id=target.class_id,
        obis=print_obis(target.obis),
        attribute=target.index,
        value=value,
        result=None if value is not None else int(_refusal(reading)),
    )


def _refusal(reading: Reading) -> DataAccessResult:
    """Return the result a refusal names: ``refused: 3 read write denied``."""
    number = reading.rows[0][1].removeprefix("refused: ").split(" ", 1)[0]
    return DataAccessResult(int(number))


def _settings_of(one: Difference, section: DlmsSection) -> dict[str, str | int]:
    """Return what a link, a sign-on or an AARE says of the ``[dlms]`` section."""
    found: dict[str, str | int] = {}
    for detail in one.details:
        key = _SETTINGS.get(detail.path)
        if key is None or (key.startswith("sign_on.") and section.sign_on is None):
            continue
        word = detail.a.split(" ", 1)[0]
        text_value = key in {"sign_on.manufacturer", "sign_on.name", "sign_on.baud_character"}
        found[key] = (detail.a if key == "sign_on.name" else word) if text_value else int(word)
    return found


def learn(  # noqa: PLR0913, PLR0917 -- one parameter an option
    profile: Annotated[str, typer.Option(help="Profile that is to answer as the device does.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Overlay folder to write.")],
    bench: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Bench file: capture first.")
    ] = None,
    capture: Annotated[
        Path | None, typer.Option("--from", metavar="NAME", help="A capture made before.")
    ] = None,
    role: Annotated[str, typer.Option(help="Device type, with --bench.")] = "ESME",
    client: Annotated[str, typer.Option(help="Who reads, with --bench.")] = "public",
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write an overlay that makes an emulated meter answer as a device did.

    Only reads. Clocks, counters and whatever grows by itself are told, not learnt.
    """
    if (bench is None) == (capture is None):
        raise UsageError(
            "learn from a bench or from a capture",
            where="--bench, --from",
            cause="both or neither were given",
            next_command="smetsbench bench learn --from NAME --profile P --out DIR",
        )
    folders = overlays(data)
    with tempfile.TemporaryDirectory() as folder:
        name = capture or Path(folder) / "learnt"
        if bench is not None:
            choices = CaptureChoices(bench, name, role_of(role), client, data=folders)
            capture_walk(replace(choices, with_identifiers=False), lambda _done, _total: None)
        _learn(name, Against(profile, folders), out, as_json=as_json)


def _learn(name: Path, against: Against, out: Path, *, as_json: bool) -> None:
    transcript = load(name)
    meter = against.meter(transcript)
    model = meter.model()
    section = model.dlms
    assert section is not None  # noqa: S101 -- ``model`` refuses a profile without
    with progress(len(recorded_exchanges(transcript)), "comparing") as step:
        before = against_emulator(transcript, against, step)
    lesson = lesson_of(transcript, before, meter.held().ring, section)
    if not lesson.learnt:
        _tell(None, before.differences, lesson, before.differences, as_json=as_json)
        return
    path = write_overlay(out, model.name, section, lesson.learnt)
    after = against_emulator(transcript, replace(against, overlays=(*against.overlays, out)))
    _tell(path, before.differences, lesson, after.differences, as_json=as_json)


def _tell(
    path: Path | None,
    before: Sequence[Difference],
    lesson: Lesson,
    after: Sequence[Difference],
    *,
    as_json: bool,
) -> None:
    if as_json:
        emit_json(
            {
                "overlay": None if path is None else str(path),
                "differences_before": len(before),
                "learnt": len(lesson.learnt.deviations) + len(lesson.learnt.settings),
                "told": [{"subject": subject, "why": why} for subject, why in lesson.told],
                "differences_after": [one.to_json() for one in after],
            }
        )
        return
    screen = console()
    for subject, why in lesson.told:
        screen.print(Text(f"not learnt: {subject}: {why}"))
    count = len(lesson.learnt.deviations) + len(lesson.learnt.settings)
    found, left = counted(len(before), "difference"), counted(len(after), "difference")
    screen.print(Text(f"{found}, {counted(count, 'value')} learnt, {left} left"))
    if path is not None:
        screen.print(Text(f"overlay {path}   (use it with --data {path.parents[1]})"))
