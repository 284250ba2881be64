"""Which home a test plays in: what the marker ``home``, a parameter and a cohort say."""

import difflib
import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from device_profiles import installation as installations
from device_profiles.files import Folders
from device_profiles.installation import Installation
from device_profiles.words import DeviceType, InstallationClass, SupplyShape
from harness.data_files import reading_data
from harness.errors import UsageError
from harness.installed import with_models
from harness.new_installations import Order, generate

#: World of a home (``RunOptions.world``) by how a test names it; empty: as the home has it.
WORLDS: Final = ("", "SMETS2+", "SMETS1", "SMETS1+SMETS2+", "meter")
_EXAMPLE: Final = '@pytest.mark.home(shape="split-supply", seed=3)'
_Word = TypeVar("_Word", bound=enum.StrEnum)


@dataclass(frozen=True, slots=True)
class HomeWords:
    """What a test says of its home.

    Attributes:
        file: Installation file, or name of a shipped one; empty: a home is made up.
        shape: Which fuels, and whether one supplier serves both.
        of_class: Active, Dormant or Mixed.
        models: Role -> device model, in the place of the home's own.
        seed: Seed of the home and of all chance; None: the run's (``--smetsbench-seed``).
        faults: Faults in force, in the notation of ``--fault``.
        defects: Saboteurs built into devices or parties, as with ``--defect``.
        world: What the bench plays (``WORLDS``); empty: SMETS1 for a home with a cohort.
    """

    file: str = ""
    shape: SupplyShape = SupplyShape.DUAL_FUEL
    of_class: InstallationClass = InstallationClass.ACTIVE
    models: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    faults: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    world: str = ""


def words_of(given: Mapping[str, Any], where: str) -> HomeWords:
    """Return the words of a marker or parameter.

    Args:
        given: Names and values.
        where: The marker or parameter, for messages.

    Raises:
        UsageError: An unknown name, or a value that means nothing.
    """
    known = list(HomeWords.__slots__)
    for name in given:
        if name not in known:
            raise misuse(f"a home has no {name!r}", where, closest(name, known), _EXAMPLE)
    told = dict(given)
    for name, kind in (("shape", SupplyShape), ("of_class", InstallationClass)):
        if name in told:
            told[name] = _of(kind, told[name], f"{where}, {name}")
    for name in ("faults", "defects"):
        told[name] = _texts(told.get(name, ()), f"{where}, {name}")
    _check(told, where)
    return HomeWords(**told)


def home_of(words: HomeWords, cohort: str | None, seed: int, overlays: Folders) -> Installation:
    """Return the home.

    Args:
        words: What the test says of it.
        cohort: Cohort key; None: devices that always were SMETS2+.
        seed: Seed of the run.
        overlays: Overlay folders, the strongest last.

    Raises:
        UsageError: The cohort, the file or a model cannot be used, or they do not fit together.
    """
    if words.file and cohort is not None:
        raise misuse(
            "a home from a file has the cohort that its file says",
            words.file,
            f"the test asks for cohort {cohort} as well",
            "leave out the marker cohort, or the file",
        )
    own = seed if words.seed is None else words.seed
    with reading_data():
        if words.file:
            found = installations.load(words.file, overlays)
        else:
            order = Order(1, own, cohort, words.shape, words.of_class)
            found = generate(order, overlays)[0]
        return with_models(found, words.models)


def world_of(words: HomeWords, home: Installation) -> str:
    """Return the world a bench plays for a home."""
    return words.world or ("SMETS2+" if home.cohort is None else "SMETS1")


def closest(name: str, known: Iterable[str]) -> str:
    """Return the closest known names to one nobody knows, as a likely cause."""
    table = list(known)
    folded = {one.lower(): one for one in table}
    near = difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.4)
    if near:
        return f"did you mean {', '.join(folded[one] for one in near)}?"
    shown = ", ".join(table[:12]) or "none"
    return f"known: {shown}" + (" …" if len(table) > 12 else "")


def misuse(what: str, where: str, cause: str, next_command: str = "docs/pytest.md") -> UsageError:
    """Return what is said of a fixture or marker that is used wrongly."""
    return UsageError(what, where=where, cause=cause, next_command=next_command)


def _of(kind: type[_Word], value: object, where: str) -> _Word:
    text = str(value).strip().lower().replace(" ", "-").replace("_", "-")
    for member in kind:
        if member.value.lower() == text:
            return member
    raise misuse(f"there is no {value!r}", where, closest(text, [one.value for one in kind]))


def _texts(value: object, where: str) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return tuple(value)
    raise misuse(f"{value!r} is no list of texts", where, "texts as on the command line")


def _check(told: Mapping[str, Any], where: str) -> None:
    models = told.get("models", {})
    if not isinstance(models, Mapping):
        raise misuse(f"{models!r} names no models", where, "models are a dict: role -> profile")
    for role in models:
        if role not in DeviceType.__members__:
            raise misuse(f"no device is a {role!r}", where, closest(str(role), DeviceType))
    if told.get("world", "") not in WORLDS:
        raise misuse(f"there is no world {told['world']!r}", where, closest(told["world"], WORLDS))
    seed = told.get("seed")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
        raise misuse(f"{seed!r} is no seed", where, "a whole number from 0")
