"""What the person at the bench chose for a run."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Self

_PATHS: Final = frozenset({"bench", "installation", "request", "image", "keystore"})
_TUPLES: Final = frozenset({"faults", "defects", "devices"})


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Choices of a run; every scenario of the run sees the same ones.

    Attributes:
        seed: Seed of every octet of chance.
        faults: Faults as given with ``--fault NAME[:key=value,...]@LINK``, plus the scenario's own.
        defects: Named saboteurs (``--defect NAME``) to build into devices or parties.
        accepted: Scenario and clause ids whose inferred or stand-in rules may carry a FAIL.
        bench: Bench file; None means the emulated bench.
        installation: The user's installation file, or None for the scenario's own world.
        request: The user's DUIS request file, or None.
        image: The user's firmware image, or None.
        data: Overlay folders for device profiles and other data, the strongest last.
        keystore: Key store whose keys the parties use where it holds them, or None.
        with_identifiers: Whether reports may show EUI-64s and MPxNs of user data.
        world: The scenario's world; set by the runner before it opens the bench.
        devices: The scenario's device types; set by the runner before it opens the bench.
        scenario: The scenario's id; set by the runner before it opens the bench.
        settings: The scenario's further words for whoever builds the world; set by the runner.
        folder: The run folder, for what a bench itself records; set by the runner.
    """

    seed: int = 1
    faults: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    accepted: frozenset[str] = frozenset()
    bench: Path | None = None
    installation: Path | None = None
    request: Path | None = None
    image: Path | None = None
    data: tuple[Path, ...] = ()
    keystore: Path | None = None
    with_identifiers: bool = False
    world: str = ""
    devices: tuple[str, ...] = ()
    scenario: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None

    @property
    def on_user_data(self) -> bool:
        """Whether identifiers in reports are the user's (and so are made pseudonymous)."""
        return any((self.bench, self.installation, self.request, self.image))

    def dump(self) -> dict[str, Any]:
        """Return the options as JSON values, for the journal; a run folder knows where it is."""
        plain = asdict(self)
        del plain["folder"]
        plain["accepted"] = sorted(self.accepted)
        for name in _TUPLES:
            plain[name] = list(plain[name])
        plain["data"] = [str(folder.resolve()) for folder in self.data]
        for name in _PATHS:
            plain[name] = None if plain[name] is None else str(Path(plain[name]).resolve())
        return plain

    @classmethod
    def load(cls, plain: dict[str, Any]) -> Self:
        """Return the options a journal holds."""
        known = {entry.name for entry in fields(cls)}
        chosen = {name: value for name, value in plain.items() if name in known}
        chosen["accepted"] = frozenset(chosen.get("accepted", ()))
        chosen["data"] = tuple(Path(folder) for folder in chosen.get("data", ()))
        for name in _TUPLES & chosen.keys():
            chosen[name] = tuple(chosen[name])
        for name in _PATHS & chosen.keys():
            chosen[name] = None if chosen[name] is None else Path(chosen[name])
        return cls(**chosen)
