"""What was chosen for a served device, as values: keys and moments."""

from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from emulator.core.clock import UtcMs, from_datetime
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import FactoryKeys, factory_keys, load_keys
from emulator.crypto.key_entry import KeyStoreError
from harness.benches import WALL_CLOCK
from harness.errors import UsageError


def keys_of(path: Path | None, seed: int, eui64: Eui64) -> FactoryKeys:
    """Return the keys in a file, else keys made from the seed.

    Raises:
        UsageError: The file cannot be used.
    """
    if path is None:
        return factory_keys(seed, eui64)
    try:
        return load_keys(path)
    except KeyStoreError as error:
        raise UsageError(
            f"the keys cannot be used: {error}",
            where=f"--keys {path}",
            cause="a file of another form, or a key of another length",
            next_command="leave --keys out to have keys made from the seed",
        ) from error


def moment_of(text: str, option: str = "--start") -> UtcMs:
    """Read a moment, UTC unless it says otherwise.

    Args:
        text: The moment.
        option: What it was given by.

    Raises:
        UsageError: It is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is no moment",
            where=option,
            cause="not ISO 8601; write it like 2026-01-05T09:00:00Z",
        ) from error
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def wall_clock() -> UtcMs:
    """Return the present moment, from whoever may read the wall clock."""
    module, _, name = WALL_CLOCK.partition(":")
    now: UtcMs = getattr(import_module(module), name)()
    return now
