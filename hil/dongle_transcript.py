"""Where the transcripts of dongles' lines go: into the run's folder, or one for the command."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from emulator.core.clock import UtcMs, iso
from harness.errors import HarnessError, UsageError
from harness.run_folder import FILES
from harness.transcript_about import About
from hil import wall_clock
from hil.dongle_sections import DongleSection
from hil.zigbee.transcript import DongleTranscript

#: Folder of a command that is no run, in the current one; runs have theirs there too.
_RUNS: Final = Path("runs")
_NAME: Final = Path(FILES["dongle"]).stem


def about_of(name: str, section: DongleSection, bench: str, seed: int) -> About:
    """Return what is known of a dongle's line before it is opened; never where it is.

    Args:
        name: What the bench file calls the dongle.
        section: What the bench file says of it.
        bench: Name of the bench.
        seed: Seed of the host's chance.
    """
    return About(
        role=f"{section.role.value} {name}",
        endpoint=section.where.kind.value,
        bench=bench,
        seed=seed,
        device={} if section.eui64 is None else {"eui64": section.eui64},
        clock_factor=section.factor,
    )


def of_run(
    folder: Path, about: About, secrets: Iterable[bytes] = (), *, clear: bool = False
) -> DongleTranscript:
    """Open the transcript of a run's dongle: a new one, or the one that is there, to go on.

    Raises:
        UsageError: It cannot be written.
    """
    transcript = DongleTranscript(folder / _NAME, about, secrets=secrets, clear=clear)
    transcript.session()
    return transcript


@contextmanager
def of_command(
    command: str,
    where: Path | None,
    about: About,
    secrets: Iterable[bytes] = (),
    *,
    clear: bool = False,
) -> Iterator[DongleTranscript]:
    """Keep the transcript of a command that is no run.

    Args:
        command: Its name.
        where: Name of the files, without ending; None: ``runs/COMMAND-MOMENT/dongle``.
        about: What is known of the dongle.
        secrets: Further keys that may cross the line.
        clear: Keep keys as they crossed the line.

    Raises:
        UsageError: It cannot be written, or is there already.
        BenchError: It could not be written to its end.
    """
    name = _fresh(command) if where is None else where
    if name.with_name(name.name + ".pcapng").exists():
        raise UsageError(
            "there is such a transcript already",
            where=str(name),
            cause="a transcript is not replaced",
            next_command="--transcript OTHER-NAME",
        )
    try:
        name.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            "the folder of the transcript cannot be made",
            where=str(name.parent),
            cause=error.strerror or str(error),
            next_command="--transcript OTHER-NAME",
        ) from error
    transcript = DongleTranscript(name, about, secrets=secrets, clear=clear)
    try:
        yield transcript
    except BaseException:
        _finish_quietly(transcript)
        raise
    transcript.finish()


def _finish_quietly(transcript: DongleTranscript) -> None:
    """Close what broke off; what broke it is the news, and not that the disk is full besides."""
    try:
        transcript.finish()
    except HarnessError:
        return


def _fresh(command: str) -> Path:
    moment = iso(UtcMs(wall_clock.now())).replace("-", "").replace(":", "")
    return _RUNS / f"{command}-{moment}" / _NAME
