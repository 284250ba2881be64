"""Further ports of a bench file: a power relay, a hub's console."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from device_profiles.sections import Section
from device_profiles.words import DeviceType
from hil.bench_fields import (
    AssociationName,
    Baud,
    EndpointText,
    PatternText,
    Seconds,
    Text,
    refuse,
)
from hil.drivers.hub_console import PROMPT, ConsoleSettings
from hil.drivers.power import RelaySettings
from hil.endpoints import BY_USB, Endpoint, EndpointKind


class PowerSection(Section):
    """``[power]``: a relay that switches a device's mains, by the strings it understands.

    Attributes:
        endpoint: Its port (``serial:URL``).
        role: Whose mains hang on it; may be left out where the bench has one real device.
        baud: Its speed.
        on: What switches it on, line end included.
        off: What switches it off, line end included.
        query: What asks how it stands; None: it cannot be asked, and is believed.
        is_on: Pattern of the answer when it is on.
        is_off: Pattern of the answer when it is off.
        settle_s: Seconds from the command to the mains having changed.
        reply_s: Seconds to wait for an answer.
    """

    endpoint: EndpointText
    role: DeviceType | None = None
    baud: Baud = 9600
    on: Text
    off: Text
    query: Text | None = None
    is_on: PatternText | None = None
    is_off: PatternText | None = None
    settle_s: Seconds = 0.5
    reply_s: Seconds = 2.0

    @model_validator(mode="after")
    def _an_answer_can_be_read(self) -> Self:
        _only_serial(self.endpoint)
        asked = self.query is not None
        if asked != (self.is_on is not None) or asked != (self.is_off is not None):
            raise refuse("inconsistent", "query, is_on and is_off go together")
        return self

    @property
    def settings(self) -> RelaySettings:
        """What the relay's driver is told."""
        return RelaySettings(
            on=self.on,
            off=self.off,
            query=self.query or "",
            is_on=self.is_on or "",
            is_off=self.is_off or "",
            settle_s=self.settle_s,
            reply_s=self.reply_s,
        )


class ConsoleSection(Section):
    """``[console]``: a hub's debug console; no protocol is assumed.

    Attributes:
        endpoint: Its port (``serial:URL``).
        baud: Its speed.
        prompt: Pattern of what it shows when it waits for a line.
        replies: Name -> pattern of an answer that scenarios look for.
        timeout_s: Seconds to wait for a prompt.
        line_end: What ends a line that is sent.
        harmless: Lines that change nothing, word for word; any other needs an armed bench.
    """

    endpoint: EndpointText
    baud: Baud = 115_200
    prompt: PatternText
    replies: Annotated[dict[AssociationName, PatternText], Field(default_factory=dict)]
    timeout_s: Seconds = 5.0
    line_end: Annotated[str, Field(strict=True, min_length=1, max_length=2)] = "\r\n"
    harmless: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _has_a_port(self) -> Self:
        _only_serial(self.endpoint)
        if PROMPT in self.replies:
            raise refuse("inconsistent", "a reply cannot be called prompt")
        return self

    @property
    def settings(self) -> ConsoleSettings:
        """What the console's driver is told."""
        return ConsoleSettings(
            prompt=self.prompt,
            replies=self.replies,
            timeout_s=self.timeout_s,
            line_end=self.line_end,
            harmless=frozenset(self.harmless),
        )


def _only_serial(text: str) -> None:
    endpoint = Endpoint.parse(text)
    if endpoint.kind is not EndpointKind.SERIAL or endpoint.target == BY_USB:
        raise refuse("inconsistent", "it is a port: serial:URL")
