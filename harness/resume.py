"""Goes on with a run that was killed or interrupted."""

from pathlib import Path

from harness.journal import Journal
from harness.report.files import write_reports
from harness.report.model import RunRecord
from harness.run_folder import RunFolder
from harness.runner import Runner, Silent, Watcher
from harness.setting import Setting


def resume(
    path: Path,
    *,
    setting: Setting | None = None,
    watcher: Watcher | None = None,
    crash_at: int | None = None,
) -> tuple[RunFolder, RunRecord]:
    """Play what a run folder's journal does not hold yet.

    Operations with a recorded outcome are not repeated; a finished run is left as it is, but for
    steps that ended because a real bench broke (a cable out): they are played again. The crash
    fault the run was started with does not strike again.

    Args:
        path: The run folder.
        setting: Where scenarios and benches come from.
        watcher: Who hears of the progress.
        crash_at: Kill this process after that many commits (a fault for tests).

    Raises:
        UsageError: The folder holds no run, or one that cannot be read.
        RunInterruptedError: Ctrl-C or SIGTERM.
    """
    folder = RunFolder(path)
    with folder.lock():
        journal = Journal.open(folder.file("journal"))
        journal.crash_at = crash_at
        try:
            for scenario, step in journal.broken_by_the_bench():
                journal.take_back(scenario, step)
            journal.take_back_unbegun()
            Runner(folder, journal, setting or Setting(), watcher or Silent()).play_all()
        finally:
            journal.close()
        return folder, write_reports(folder)
