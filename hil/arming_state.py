"""The armed bench as a file: who armed it, until when, and what was confirmed."""

import hashlib
import os
import re
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from device_profiles.sections import Section
from emulator.core.clock import UtcMs, from_datetime
from harness.errors import UsageError
from hil import wall_clock
from hil.bench_file import LoadedBench
from hil.dry_run_report import sha256_of
from hil.verbs import Verb

#: Longest time a bench stays armed. Source: invented: one working day.
MAX_ARMED_S: Final = 8 * 3600
_DURATION: Final = re.compile(r"([1-9][0-9]{0,5})([smh])")
_UNITS_S: Final = {"s": 1, "m": 60, "h": 3600}
_MAX_STATE_BYTES: Final = 64 * 1024


class Arming(Section):
    """An armed bench.

    Attributes:
        bench_sha256: Hash of the bench file that was armed.
        operator: Who armed it.
        user: Number of the system's user who did.
        armed_at: When, milliseconds since 1970.
        until: When it lapses.
        confirmed: Verbs confirmed word for word.
        dry_run_sha256: Hash of the dry-run report that lay there; None: there was none.
    """

    bench_sha256: str
    operator: str
    user: int
    armed_at: int
    until: int
    confirmed: tuple[Verb, ...] = ()
    dry_run_sha256: str | None = None


def state_file(bench: Path, suffix: str) -> Path:
    """Return where a state of a bench lies: beside the bench file, else in the user's state folder.

    Args:
        bench: The bench file.
        suffix: Which state: ``.armed.json``, ``.dry-run.json`` …
    """
    folder = bench.resolve().parent
    if os.access(folder, os.W_OK):
        return folder / (bench.name + suffix)
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    name = hashlib.sha256(str(bench.resolve()).encode()).hexdigest()[:16]
    return home / "smetsbench" / f"{bench.stem}-{name}{suffix}"


def armed_file(bench: Path) -> Path:
    """Return where a bench's arming lies."""
    return state_file(bench, ".armed.json")


def dry_run_file(bench: Path) -> Path:
    """Return where a bench's dry-run report lies."""
    return state_file(bench, ".dry-run.json")


def duration_s(text: str) -> int:
    """Read ``90s``, ``30m`` or ``2h``.

    Raises:
        UsageError: It is none of these, or longer than a bench may stay armed.
    """
    found = _DURATION.fullmatch(text.strip())
    seconds = 0 if found is None else int(found[1]) * _UNITS_S[found[2]]
    if not 0 < seconds <= MAX_ARMED_S:
        raise UsageError(
            f"a bench cannot be armed for {text!r}",
            where="--for",
            cause=f"write 90s, 30m or 2h; at most {MAX_ARMED_S // 3600}h, then it lapses",
            next_command="smetsbench bench arm FILE --for 30m --operator NAME",
        )
    return seconds


def write_private(path: Path, content: bytes) -> None:
    """Write a state file whole, readable and writable by its owner alone.

    Raises:
        UsageError: It cannot be written.
    """
    fresh = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        fresh.replace(path)
    except OSError as error:
        raise UsageError(
            f"the state of the bench cannot be written: {error.strerror}",
            where=str(path),
            cause="a folder that is not yours, or a full disk",
            next_command=f"ls -ld {path.parent}",
        ) from error


def load_arming(bench: Path) -> Arming | None:
    """Return a bench's arming; None where there is none that can be read."""
    try:
        with armed_file(bench).open("rb") as file:
            return Arming.model_validate_json(file.read(_MAX_STATE_BYTES))
    except (OSError, ValidationError):
        return None


def last_moment(loaded: LoadedBench) -> UtcMs | None:
    """Return the moment from which nothing may be written any more; None: there is none.

    A bench's last day ends at midnight UTC.
    """
    day = loaded.content.bench.expires
    if day is None:
        return None
    return from_datetime(datetime.combine(day, time(), UTC) + timedelta(days=1))


def refuse_arming(loaded: LoadedBench, operator: str, at: UtcMs) -> None:
    """Refuse whoever is not the operator of a bench, and a bench past its last day.

    Raises:
        UsageError: It is one of these.
    """
    owner = loaded.content.bench.operator
    if operator != owner:
        raise UsageError(
            f"the operator of this bench is {owner}, not {operator}",
            where=f"{loaded.path}, bench.operator",
            cause="another person's bench, or a mistyped name",
            next_command=f"smetsbench bench arm {loaded.path} --operator {owner!r}",
        )
    end = last_moment(loaded)
    if end is not None and at >= end:
        raise UsageError(
            f"the bench expired on {loaded.content.bench.expires}",
            where=f"{loaded.path}, bench.expires",
            cause="permission to write from this bench has an end",
            next_command=f"smetsbench bench check {loaded.path}",
        )


def arm(  # noqa: PLR0913 - an arming is a bench, a person, a time, and what was confirmed
    loaded: LoadedBench,
    *,
    operator: str,
    for_s: int,
    confirmed: Iterable[Verb] = (),
    now: UtcMs | None = None,
    user: int | None = None,
) -> Arming:
    """Arm a bench and write its state; the caller has had the bench's name typed.

    Raises:
        UsageError: The operator is not the bench file's, the bench has expired, or the state
            cannot be written.
    """
    at = wall_clock.now() if now is None else now
    refuse_arming(loaded, operator, at)
    until, end = UtcMs(at + for_s * 1000), last_moment(loaded)
    arming = Arming(
        bench_sha256=loaded.sha256,
        operator=operator,
        user=os.getuid() if user is None else user,
        armed_at=at,
        until=until if end is None else min(until, end),
        confirmed=tuple(verb for verb in Verb if verb in set(confirmed)),
        dry_run_sha256=sha256_of(dry_run_file(loaded.path)),
    )
    write_private(armed_file(loaded.path), (arming.model_dump_json(indent=1) + "\n").encode())
    return arming


def disarm(bench: Path) -> bool:
    """Take a bench's arming away; returns whether there was one.

    Raises:
        UsageError: It is there and cannot be taken away.
    """
    path = armed_file(bench)
    there = path.exists()
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"the bench cannot be disarmed: {error.strerror}",
            where=str(path),
            cause="another user armed it",
            next_command=f"sudo rm {path}   (or unplug the lead)",
        ) from error
    return there
