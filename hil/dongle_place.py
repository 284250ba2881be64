"""Where a dongle of a bench file is reached while it is used: started where it is ours."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from device_profiles.installation import Installation
from emulator.core.clock import UtcMs
from harness.errors import HarnessError, UsageError
from harness.run_options import RunOptions
from hil.dongle_child import DongleChild
from hil.dongle_sections import DongleKind, DongleSection
from hil.zigbee.replay import Difference, different
from hil.zigbee.replay_place import ReplayedDongleEndpoint
from hil.zigbee.transcript import load_dongle


@dataclass(slots=True)
class Place:
    """A dongle as it can be reached now.

    Attributes:
        path: Where a driver finds it.
        child: The program that it is, where it is one of ours.
        recorded: The recording that it is.
    """

    path: str
    child: DongleChild | None = None
    recorded: ReplayedDongleEndpoint | None = None

    def close(self) -> None:
        """End what was started for it; harmless when repeated."""
        if self.child is not None:
            self.child.stop()
        if self.recorded is not None:
            self.recorded.stop()

    def cause_of(self, error: HarnessError) -> HarnessError:
        """Return what is behind an error: a recording that was asked something else, or itself."""
        if self.recorded is None or not self.recorded.dongle.differences:
            return error
        name = str(self.recorded.transcript.about.role)
        return different(self.recorded.dongle.differences[0], name)


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a loopback dongle.

    Attributes:
        home: The home.
        options: Seed and overlay folders.
        start: First moment of its devices' clocks.
        extra: Further words of its command.
    """

    home: Installation
    options: RunOptions
    start: UtcMs
    extra: Sequence[str] = ()


def place_of(
    bench: Path,
    section: DongleSection,
    around: Callable[[], Around],
    tell: Callable[[Difference], None] | None = None,
) -> Place:
    """Start a dongle of a bench file where it is ours.

    Args:
        bench: The bench file: names of recordings start at its folder.
        section: What the file says of the dongle.
        around: Gives what stands around a loopback one.
        tell: Told, in another thread, when a recorded one is asked something else.

    Raises:
        UsageError: No such recording, or one made at another clock factor.
        BenchError: It does not start.
    """
    match section.where.kind:
        case DongleKind.LOOPBACK:
            told = around()
            child = DongleChild.start(section, told.home, told.options, told.start, told.extra)
            return Place(child.path, child)
        case DongleKind.REPLAY:
            transcript = load_dongle(bench.parent / section.where.target)
            factor = transcript.about.clock_factor
            if factor not in {None, section.factor}:
                raise UsageError(
                    f"the dongle was recorded at clock factor {factor}",
                    where=f"{bench}, clock_factor = {section.factor}",
                    cause="what the host says depends on its devices' clocks",
                    next_command=f"write clock_factor = {factor} into its table",
                )
            recorded = ReplayedDongleEndpoint(transcript, tell=tell)
            return Place(recorded.start(), recorded=recorded)
        case _:
            return Place(section.where.target)


@contextmanager
def placed(bench: Path, section: DongleSection, around: Callable[[], Around]) -> Iterator[Place]:
    """Have a dongle of a bench file for a while.

    Raises:
        UsageError: As ``place_of``.
        BenchError: As ``place_of``; or a recorded dongle was asked something else.
    """
    place = place_of(bench, section, around)
    try:
        yield place
    except HarnessError as error:
        cause = place.cause_of(error)
        if cause is error:
            raise
        raise cause from error
    finally:
        place.close()
