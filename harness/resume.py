"""Goes on with a run that was killed or interrupted."""

import importlib
import json
from pathlib import Path
from typing import Final

from harness.journal import Journal
from harness.report.files import write_reports
from harness.report.model import RunRecord
from harness.run_folder import RunFolder
from harness.run_options import RunOptions
from harness.runner import Runner, Silent, Watcher
from harness.setting import Setting

#: Tables of the journal whose rows are of one scenario each.
_OF_SCENARIOS: Final = ("steps", "records", "observations", "operations", "bench_states")


def resume(
    path: Path,
    *,
    setting: Setting | None = None,
    watcher: Watcher | None = None,
    crash_at: int | None = None,
) -> tuple[RunFolder, RunRecord]:
    """Play what a run folder's journal does not hold yet.

    Operations with a recorded outcome are not repeated; a finished run is left as it is, but for
    steps that ended because a real bench broke (a cable out): they are played again. On a bench
    whose devices are programs of ours and began anew, the whole scenario is. The crash
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
            chosen = setting or Setting()
            anew = _begins_anew(journal, chosen)
            for scenario, step in journal.broken_by_the_bench():
                if anew:
                    _forget(journal, scenario)
                else:
                    journal.take_back(scenario, step)
            journal.take_back_unbegun()
            Runner(folder, journal, chosen, watcher or Silent()).play_all()
        finally:
            journal.close()
        return folder, write_reports(folder)


def _forget(journal: Journal, scenario: int) -> None:
    """Forget all of a scenario, so that it is played from its beginning."""
    with journal.commit() as db:
        for table in _OF_SCENARIOS:
            db.execute(f"DELETE FROM {table} WHERE scenario = ?", (scenario,))  # noqa: S608 - ours
        db.execute(
            "UPDATE scenarios SET state = 'pending', started_at = NULL, ended_at = NULL,"
            " result = NULL WHERE n = ?",
            (scenario,),
        )
        db.execute("UPDATE runs SET state = 'running'")


def _begins_anew(journal: Journal, setting: Setting) -> bool:
    """Say whether the devices of a run's bench remember nothing of an earlier process."""
    (row,) = journal.rows("SELECT options, bench FROM runs")
    module = importlib.import_module(setting.benches[row["bench"]].partition(":")[0])
    asked = getattr(module, "begins_anew", None)
    return asked is not None and bool(asked(RunOptions.load(json.loads(row["options"]))))
