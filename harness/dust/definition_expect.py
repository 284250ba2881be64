"""What a case of a run expects of each of its homes."""

from typing import Self

from pydantic import model_validator

from device_profiles.sections import Section
from device_profiles.words import DeviceType
from harness.dust.definition_words import SHOWN_BY, Shown
from harness.migration.states import State


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
        alert: Alert code that the participant gets.
        device: Device of the home that is looked at once it has migrated.
        shows: What of it is as the papers say.
    """

    file: str = ""
    result: str = ""
    state: State | None = None
    code: str = ""
    step: str = ""
    request: str = ""
    answer: str = ""
    alert: str = ""
    device: DeviceType | None = None
    shows: Shown | None = None

    @model_validator(mode="after")
    def _looks_at_a_device(self) -> Self:
        if (self.device is None) != (self.shows is None):
            raise ValueError("device goes with shows")
        can = () if self.device is None else SHOWN_BY.get(self.device, ())
        if self.device is not None and self.shows not in can:
            raise ValueError(f"a {self.device} shows {', '.join(can) or 'nothing'}")
        return self

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("it expects nothing")
        if bool(self.file) != bool(self.result) or bool(self.request) != bool(self.answer):
            raise ValueError("file goes with result, request with answer")
        return self
