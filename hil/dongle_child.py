"""An emulated dongle as a process of our own, with the home of a run around it."""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from device_profiles.installation import Installation, render_toml
from emulator.core.clock import UtcMs, iso
from harness.run_options import RunOptions
from hil.children import Child
from hil.dongle_sections import DongleSection

#: Commands of our own, to be run by this Python.
_OURS: Final = (sys.executable, "-m", "harness.cli.main", "dongle")
#: A free port of this machine alone; ``tcp`` costs no waiting at a reset (reference 1.1).
_PLACE: Final = "tcp://127.0.0.1:0"


@dataclass(slots=True)
class DongleChild:
    """``smetsbench dongle`` with the installation, seed, start and clock factor of a run.

    Attributes:
        child: The process.
    """

    child: Child
    _folder: "tempfile.TemporaryDirectory[str]" = field(repr=False)

    @classmethod
    def start(
        cls,
        section: DongleSection,
        home: Installation,
        options: RunOptions,
        start: UtcMs,
        extra: Sequence[str] = (),
    ) -> Self:
        """Start one; it lives as long as this process, and not longer.

        Args:
            section: What the bench file says of it.
            home: The home around it.
            options: Seed and overlay folders.
            start: First moment of its devices' clocks.
            extra: Further words of its command.

        Raises:
            ChildFailedError: It does not start.
        """
        folder = tempfile.TemporaryDirectory(prefix="smetsbench-dongle-")
        try:
            path = Path(folder.name, "home.toml")
            path.write_text(render_toml([home]), "utf-8")
            words = [*_OURS, *_words(section, path, options, start), *extra]
            return cls(Child.start([*words, "--until-stdin-closes"]), folder)
        except BaseException:
            folder.cleanup()
            raise

    @property
    def path(self) -> str:
        """Where a driver finds it."""
        return self.child.address

    def stop(self) -> None:
        """Let it end; harmless when repeated."""
        self.child.stop()
        self._folder.cleanup()


def _words(section: DongleSection, home: Path, options: RunOptions, start: UtcMs) -> list[str]:
    words = ["--listen", _PLACE, "--ezsp", str(section.ezsp[0]), "--han", str(home)]
    words += ["--join", section.join or "install-code", "--seed", str(options.seed)]
    words += ["--start", iso(start), "--clock-factor", str(section.factor)]
    words += [] if section.pace is None else ["--pace", str(section.pace)]
    for folder in options.data:
        words += ["--data", str(folder.resolve())]
    return words
