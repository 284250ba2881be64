"""What a case of a run expects of each of its homes."""

import enum
from typing import Annotated, Self

from pydantic import Field, model_validator

from device_profiles.sections import Section
from device_profiles.words import DeviceType
from harness.dust.definition_words import SHOWN_BY, Shown
from harness.migration.states import State


class Told(enum.StrEnum):
    """What of an answer's contents is expected."""

    AS_SHOWN = "as-shown"  # what the device shows when it is looked at over other octets


class Steps(enum.StrEnum):
    """What is expected of the steps that parties say they took."""

    BORNE_OUT = "borne-out"  # each has left the letter, or the notice, that goes with it


class Expect(Section):
    """One thing a case expects; what is empty is not asked.

    Attributes:
        file: Kind of file, e.g. ``MA outcome``.
        result: What the file says: ``accepted``, ``repaired``, ``refused``.
        state: Where its homes stand at the end.
        code: Code they rest on or met on their way; ``none``: their latest attempt met none.
        step: Step they end at.
        request: Service reference variant that is asked of them, e.g. ``4.1.1``.
        answer: Response code or class of it, e.g. ``I0``.
        told: What the answer tells: ``as-shown``, as the device shows by itself.
        attempts: How many attempts their migration took.
        through: State that they passed through on their way.
        steps: ``borne-out``: letters bear out the steps that parties say they took.
        alert: Alert code that the participant gets.
        device: Device of the home that is looked at once it has migrated, or that is asked.
        shows: What of it is as the papers say.
    """

    file: str = ""
    result: str = ""
    state: State | None = None
    code: str = ""
    step: str = ""
    request: str = ""
    answer: str = ""
    told: Told | None = None
    attempts: Annotated[int | None, Field(strict=True, ge=1, le=100)] = None
    through: State | None = None
    steps: Steps | None = None
    alert: str = ""
    device: DeviceType | None = None
    shows: Shown | None = None

    @model_validator(mode="after")
    def _looks_at_a_device(self) -> Self:
        alone = self.device is not None and self.shows is None and not self.request
        if alone or (self.device is None and self.shows is not None):
            raise ValueError("device goes with shows, or with request")
        can = () if self.device is None else SHOWN_BY.get(self.device, ())
        if self.device is not None and self.shows is not None and self.shows not in can:
            raise ValueError(f"a {self.device} shows {', '.join(can) or 'nothing'}")
        return self

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("it expects nothing")
        if bool(self.file) != bool(self.result) or bool(self.request) != bool(self.answer):
            raise ValueError("file goes with result, request with answer")
        if self.told is not None and not self.request:
            raise ValueError("told goes with request")
        return self
