"""What a wrong method is, a row that says who has it, and what is wrong on a device's lines."""

from collections.abc import Callable, Mapping
from typing import Any

from device_profiles.words import DeviceType

Method = Callable[..., Any]
#: Takes the right method and returns the wrong one.
Override = Callable[[Method], Method]
#: Name without its device, devices that can have it, sentence, method -> what makes it wrong
#: (``part.method`` for a part of the device).
Row = tuple[str, tuple[DeviceType, ...], str, Mapping[str, Override]]


def on_the_line(word: str) -> Callable[[Any], Any]:
    """Return what adds a defect of the device's lines (``servers.defective_application``)."""
    return lambda right: right | {word}
