"""A served device's memory on disk: whose it is, when it was, and what the device dumped."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from emulator.core.clock import UtcMs
from emulator.servers.errors import StateFileError

_FORM: Final = "smetsbench served device 1"
#: Longest file read. Source: invented, several times the largest image.
MAX_FILE_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose state a file holds.

    Attributes:
        profile: Name of the device model.
        eui64: The device, sixteen hex digits.
        seed: Seed its keys and values come from.
    """

    profile: str
    eui64: str
    seed: int


@dataclass(frozen=True, slots=True)
class StoredState:
    """What a file holds.

    Attributes:
        now: The device's clock when it was stored.
        device: What the device dumped.
    """

    now: UtcMs
    device: Any


class StateFile:
    """One file, always whole: a new state is written beside it and takes its place."""

    def __init__(self, path: Path, owner: Owner) -> None:
        self.path = path
        self._owner = owner
        self._last = b""

    def load(self) -> StoredState | None:
        """Return the stored state, or None when there is no file yet.

        Raises:
            StateFileError: It cannot be read, is damaged, or belongs to another device.
        """
        try:
            with self.path.open("rb") as file:
                octets = file.read(MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._error(f"it cannot be read: {error.strerror}") from error
        try:
            table = json.loads(octets)
        except (ValueError, RecursionError):  # the message would quote what may be a key
            raise self._error("it is not a stored state, or damaged") from None
        if not isinstance(table, Mapping) or table.get("form") != _FORM:
            raise self._error("it is not the stored state of a served device of this version")
        self._refuse_other(table)
        now = table.get("now_ms")
        if not isinstance(now, int) or isinstance(now, bool) or "device" not in table:
            raise self._error("it is damaged: no time or no device in it")
        return StoredState(UtcMs(now), table["device"])

    def save(self, now: UtcMs, device: Any) -> None:
        """Store a state; only its owner may read it, because a device's memory holds its keys.

        Raises:
            StateFileError: It cannot be written.
        """
        table = {
            "form": _FORM,
            "profile": self._owner.profile,
            "eui64": self._owner.eui64,
            "seed": self._owner.seed,
            "now_ms": now,
            "device": device,
        }
        octets = json.dumps(table, separators=(",", ":")).encode()
        if octets == self._last:
            return
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}.new")
        try:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(octets)
            beside.replace(self.path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise self._error(f"it cannot be written: {error.strerror}") from error
        self._last = octets

    def _refuse_other(self, table: Mapping[str, Any]) -> None:
        for name, wanted in (
            ("profile", self._owner.profile),
            ("eui64", self._owner.eui64),
            ("seed", self._owner.seed),
        ):
            if table.get(name) != wanted:
                raise self._error(f"it belongs to another device: {name} is {table.get(name)!r}")

    def _error(self, why: str) -> StateFileError:
        return StateFileError(str(self.path), why)
