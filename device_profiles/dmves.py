"""Device Model variations to Equivalent Steps: what a head end does for each service request."""

import enum
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from device_profiles.csv_rows import whole_lines
from device_profiles.errors import InconsistentDataError, UnreadableFileError
from device_profiles.files import Folders, by_content, checked, layers, once, read_csv
from device_profiles.sections import NONE_FOR_EMPTY, MarkText, Section
from device_profiles.words import DeviceType

FILE: Final = "dmves.csv"
_OBIS = r"^\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$"
_MODEL: Final = re.compile(r"[a-z0-9*?-]+")


class Support(enum.StrEnum):
    """What a device model makes of a service request."""

    SUPPORTED = "supported"
    VARIES = "varies"
    NOT_SUPPORTED = "not-supported"


class StepVerb(enum.StrEnum):
    """What one step does on the device."""

    GET = "get"
    SET = "set"
    ACTION = "action"
    IMAGE_BLOCKS = "image-blocks"  # the action for every block that is missing
    ACTION_POLLED = "action-polled"  # the action, again while it answers temporary failure


class EquivalentStep(Section):
    """One step of a service request on one device model.

    Attributes:
        models: Device model it belongs to, a glob over profile names; ``*`` for all others.
        device_type: Type of device.
        service: Service reference as DUIS writes it (``4.1.1``), or a word of ours for what is
            none (``rotate-credentials``).
        support: What the model makes of the request.
        step: Number of the step from 1; 0 in the one row of a request that is not supported.
        verb: What the step does; None there.
        client: Association it needs; empty there.
        class_id: Interface class of the object; 0 there.
        obis: Logical name; empty there.
        index: Attribute or method.
        argument: Word for what is written or passed; empty for none.
        says: The step, or the reason, in one sentence.
        evidence: Where the row comes from.
    """

    models: Annotated[str, Field(min_length=1, max_length=60)]
    device_type: DeviceType
    service: Annotated[str, StringConstraints(pattern=r"^[0-9a-z.-]{1,30}$")]
    support: Support
    step: Annotated[int, Field(ge=0, le=99)]
    verb: Annotated[StepVerb | None, NONE_FOR_EMPTY] = None
    client: str = ""
    class_id: Annotated[int, Field(ge=0, le=0xFFFF)] = 0
    obis: Annotated[str, StringConstraints(pattern=rf"({_OBIS}|^$)")] = ""
    index: Annotated[int, Field(ge=0, le=127)] = 0
    argument: str = ""
    says: Annotated[str, Field(min_length=1)]
    evidence: MarkText

    @field_validator("class_id", "index", "step", mode="before")
    @classmethod
    def _zero_for_empty(cls, text: object) -> object:
        return text or 0

    @field_validator("models")
    @classmethod
    def _is_a_glob(cls, text: str) -> str:
        if _MODEL.fullmatch(text) is None:
            raise ValueError("models is a profile name or a glob such as smets1*")
        return text

    @model_validator(mode="after")
    def _steps_belong_to_support(self) -> Self:
        if self.support is Support.NOT_SUPPORTED:
            if self.step or self.verb or self.obis or self.client:
                raise ValueError("a request that is not supported has no steps")
        elif not (self.step and self.verb and self.obis and self.client and self.index):
            raise ValueError("a step needs step, verb, client, class_id, obis and index")
        return self


@dataclass(frozen=True, slots=True)
class Equivalent:
    """All of one service request on one device model.

    Attributes:
        service: The request.
        device_type: Type of device.
        support: What the model makes of it.
        steps: The steps in order; none where it is not supported.
        says: Where it is not supported: why.
        evidence: Mark of its first row.
    """

    service: str
    device_type: DeviceType
    support: Support
    steps: tuple[EquivalentStep, ...]
    says: str
    evidence: str


class Dmves:
    """The table: device model and service request -> equivalent steps."""

    def __init__(self, rows: Mapping[tuple[str, DeviceType, str], tuple[EquivalentStep, ...]]):
        self._rows = rows
        self._found: dict[tuple[str, DeviceType, str], Equivalent] = {}

    def services(self, model: str, device_type: DeviceType) -> list[str]:
        """Return the requests of which the table says something for this model."""
        return sorted(
            {
                service
                for models, kind, service in self._rows
                if kind is device_type and fnmatchcase(model, models)
            }
        )

    def find(self, model: str, device_type: DeviceType, service: str) -> Equivalent:
        """Return what a model makes of a request; what no row names is not supported.

        The most exact ``models`` wins: a name before a longer glob before a shorter one.
        """
        asked = (model, device_type, service)
        if asked not in self._found:
            self._found[asked] = self._look_up(model, device_type, service)
        return self._found[asked]

    def _look_up(self, model: str, device_type: DeviceType, service: str) -> Equivalent:
        fitting = [
            models
            for models, kind, named in self._rows
            if named == service and kind is device_type and fnmatchcase(model, models)
        ]
        if not fitting:
            says = f"no row of the table names {service} for {device_type} {model}"
            return Equivalent(
                service, device_type, Support.NOT_SUPPORTED, (), says, "inferred:no row"
            )
        best = max(fitting, key=lambda models: (models == model, len(models.replace("*", ""))))
        rows = self._rows[best, device_type, service]
        first = rows[0]
        steps = () if first.support is Support.NOT_SUPPORTED else rows
        return Equivalent(service, device_type, first.support, steps, first.says, first.evidence)


def load_dmves(path: Path | None = None, overlays: Folders = ()) -> Dmves:
    """Load the table: the shipped one with overlays' rows before it, or a file of the user's.

    A request named for the same models in a stronger file replaces all its rows.

    Args:
        path: The user's own file, used alone; None for the shipped one.
        overlays: Folders whose ``catalogues/dmves.csv`` wins, weakest first.

    Raises:
        DataError: A file cannot be read, or a row is wrong or contradicts another.
    """
    return once(("dmves", path, tuple(overlays)), lambda: _table(path, overlays))


def _table(path: Path | None, overlays: Folders) -> Dmves:
    rows: dict[tuple[str, DeviceType, str], tuple[EquivalentStep, ...]] = {}
    for file in [path] if path is not None else layers("catalogues", FILE, overlays):
        rows |= _load(file)
    return Dmves(rows)


@by_content
def _load(path: Path) -> Mapping[tuple[str, DeviceType, str], tuple[EquivalentStep, ...]]:
    headings, lines = read_csv(path)
    missing = {"models", "device_type", "service", "support", "says", "evidence"} - set(headings)
    unknown = set(headings) - set(EquivalentStep.model_fields)
    if missing or unknown:
        raise UnreadableFileError(
            f"headings missing: {sorted(missing)}; unknown: {sorted(unknown)}", file=path
        )
    grouped: dict[tuple[str, DeviceType, str], list[EquivalentStep]] = defaultdict(list)
    for where, cells in whole_lines(path, lines):
        step = checked(EquivalentStep, cells, path, where)
        grouped[step.models, step.device_type, step.service].append(step)
    for key, steps in grouped.items():
        _check(key, steps, path)
    return {key: tuple(steps) for key, steps in grouped.items()}


def _check(key: tuple[str, DeviceType, str], steps: list[EquivalentStep], path: Path) -> None:
    where = f"{key[2]} for {key[1]} {key[0]}"
    if len({step.support for step in steps}) > 1:
        raise InconsistentDataError("its rows do not agree on support", file=path, key=where)
    numbers = [step.step for step in steps]
    expected = [0] if steps[0].support is Support.NOT_SUPPORTED else list(range(1, len(steps) + 1))
    if numbers != expected:
        raise InconsistentDataError(
            f"steps are numbered {numbers}, not {expected}", file=path, key=where
        )
