"""``smetsbench run --against``: the same scenarios on two benches, and what differed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rich.text import Text

from device_profiles.loader import load_profile
from emulator.crypto.dlms_factory import made_up_eui64
from harness.cli.comparison_shown import show, write_comparison
from harness.cli.output import console
from harness.data_files import reading_data
from harness.differences_runs import Comparison, compare_runs
from harness.errors import UsageError
from harness.files import write_octets
from harness.report.model import RunRecord
from harness.report.privacy import Veil
from harness.run_folder import RunFolder
from harness.run_options import RunOptions
from harness.runner import Watcher, start
from harness.setting import Setting, run_id
from harness.verdict import Verdict

#: What stands before the name of a profile in the place of a bench file.
EMULATED: Final = "emulated:"
_BENCH: Final = """\
# Made by `smetsbench run --against`: an emulated device of this profile.
[bench]
name = "emulated {name}"
operator = "smetsbench"

[roles.{role}]
endpoint = "emulated:{profile}"
eui64 = "{eui64}"
"""


@dataclass(frozen=True, slots=True)
class Sides:
    """Two benches as given: bench files, or ``emulated:PROFILE``; empty: the emulated bench."""

    a: str
    b: str


def run_against(
    scenarios: Sequence[str], options: RunOptions, sides: Sides, out: Path | None, watcher: Watcher
) -> tuple[Comparison, tuple[RunRecord, ...], Path]:
    """Run scenarios on two benches, into ``OUT/a`` and ``OUT/b``, and compare them.

    Raises:
        UsageError: A scenario, bench or profile cannot be used.
        RunInterruptedError: Ctrl-C or SIGTERM.
    """
    ids = Setting().choose(scenarios)
    folder = out or Path("runs") / f"{run_id(options, ids)}-against"
    _make(folder)
    records: list[RunRecord] = []
    runs: list[RunFolder] = []
    for name, side in (("a", sides.a), ("b", sides.b)):
        chosen = replace(options, bench=bench_of(side, folder / f"{name}.bench.toml", options))
        run, record = start(scenarios, chosen, out=folder / name, watcher=watcher)
        runs.append(run)
        records.append(record)
    found = compare_runs(runs[0], runs[1], (sides.a or "emulated", sides.b))
    shown = _veiled(found, records)
    write_comparison(folder, shown)
    return shown, tuple(records), folder


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            "the folder for the two runs cannot be made",
            where=str(folder),
            cause=error.strerror or str(error),
            next_command="smetsbench run ID --bench A --against B --out OTHER-FOLDER",
        ) from error


def bench_file(text: str | None) -> Path | None:
    """Return the bench file given with ``--bench``; None where none was.

    Raises:
        UsageError: There is no such file, or it is a profile and there is no second bench.
    """
    if text is None:
        return None
    path = Path(text)
    if path.is_file():
        return path
    if text.startswith(EMULATED):
        raise UsageError(
            f"{text} is a bench of a comparison",
            where="--bench",
            cause="--against is missing",
            next_command=f"smetsbench run ID --bench {text} --against FILE",
        )
    raise UsageError(
        "there is no such bench file",
        where=text,
        cause="a mistyped name, or another folder than the one meant",
        next_command=f"ls {text}   (with --against also emulated:PROFILE: smetsbench profiles)",
    )


def bench_of(side: str, made: Path, options: RunOptions) -> Path | None:
    """Return the bench file of one side; one is made for ``emulated:PROFILE``.

    Args:
        side: As given.
        made: Where a bench file may be made.
        options: Choices of the run, for overlays.

    Raises:
        UsageError: There is no such file or profile.
    """
    if not side.startswith(EMULATED):
        return bench_file(side or None)
    profile = side.removeprefix(EMULATED)
    with reading_data():
        model = load_profile(profile, options.data)
    is_file = profile.endswith(".toml") or "/" in profile
    place = str(Path(profile).resolve()) if is_file else profile
    # One identifier for both sides: everything that grows out of it is then the same.
    eui64 = made_up_eui64(options.seed, "compared device")
    text = _BENCH.format(name=model.name, role=model.device_type.value, profile=place, eui64=eui64)
    write_octets(made, text.encode())
    return made


def _veiled(found: Comparison, records: Sequence[RunRecord]) -> Comparison:
    """Return the comparison with pseudonyms for the identifiers of the user's data."""
    chosen = [one.options for one in records if one.options.on_user_data]
    if not chosen or any(one.with_identifiers for one in chosen):
        return found
    veil = Veil()
    for options in chosen:
        if options.bench is not None and options.bench.is_file():
            veil.learn_text(options.bench.read_text("utf-8", errors="replace"))
    for record in records:
        for scenario in record.scenarios:
            for name in scenario.names:
                if len(name) == 16:
                    veil.learn_eui64(bytes.fromhex(name))
    veiled: Comparison = veil.over(found)
    return veiled


def differ(  # noqa: PLR0913 -- the choices of ``run``, and how to tell
    scenarios: Sequence[str],
    options: RunOptions,
    sides: Sides,
    out: Path | None,
    watcher: Watcher,
    *,
    as_json: bool,
) -> int:
    """Run on two benches and print what differs.

    Returns:
        The exit code: 0 same, 1 different, 3 a bench broke.

    Raises:
        UsageError: A scenario, bench or profile cannot be used.
    """
    found, records, folder = run_against(scenarios, options, sides, out, watcher)
    show(found, as_json=as_json)
    if not as_json:
        console().print(Text(f"page    {folder / 'differences.html'}"))
    if any(record.verdict is Verdict.ERROR for record in records):
        return 3
    return 0 if found.same else 1
