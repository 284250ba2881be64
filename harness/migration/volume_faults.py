"""Faults of a migration run as people write them: on links, at steps, in files."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from device_profiles.words import DeviceType
from harness.errors import UsageError
from harness.formats.migration_files.words import FileType
from harness.migration.script import Script, Tamper, When

#: ``MOMENT[.ATTEMPT]:STEP[:DEVICE]/ORDER``, e.g. ``before:R1:GSME/mute@wan``.
_AT_STEP: Final = re.compile(
    r"(?P<moment>before|after)(\.(?P<attempt>[1-9]))?:(?P<step>[PVHTCRM][0-9]{1,2})"
    r"(:(?P<device>[A-Z]+))?/(?P<order>.+)"
)
#: What a value stands behind in migration files: a device, a reference, a moment.
_A_VALUE: Final = re.compile(rb"(DeviceID|InstallationRef|CreatedAt)(>|=\")(?=[0-9A-Za-z])")
_IN_FILE: Final = re.compile(r"file:(?P<type>[A-Z]{3})/(?P<word>[a-z-]+)")


def _flipped(octets: bytes, at: int) -> bytes:
    """Return octets with one letter or digit at or behind ``at`` changed into another."""
    while not octets[at : at + 1].isalnum():
        at += 1
    other = b"A" if octets[at : at + 1] != b"A" else b"B"
    return octets[:at] + other + octets[at + 1 :]


def _in_signature(octets: bytes) -> bytes:
    at = octets.rfind(b"SignatureValue>", 0, octets.rfind(b"SignatureValue>"))
    return _flipped(octets, at + len(b"SignatureValue>") + 4)


def _in_body(octets: bytes) -> bytes:
    """Change a value, and leave the file well-formed: what fails then is its signature."""
    found = list(_A_VALUE.finditer(octets, 0, len(octets) * 3 // 4))
    return _flipped(octets, found[-1].end())


def _shortened(octets: bytes) -> bytes:
    return octets[: len(octets) * 2 // 3]


def _with_doctype(octets: bytes) -> bytes:
    head, mark, rest = octets.partition(b"?>")
    return head + mark + b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + rest


#: What can happen to a migration file on its way; ``smetsbench migration run --help`` names them.
SPOILS: Final[dict[str, Tamper]] = {
    "signature": _in_signature,
    "content": _in_body,
    "truncated": _shortened,
    "doctype": _with_doctype,
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """All that goes wrong in a run.

    Attributes:
        on_links: Orders in force from the beginning, in the notation of ``--fault``.
        script: What goes wrong at steps and in files.
    """

    on_links: tuple[str, ...] = ()
    script: Script = field(default_factory=Script)


def never_met(
    faults: Sequence[str], steps: Collection[str], files: Collection[str]
) -> tuple[str, ...]:
    """Return what is to be told of faults whose step was never taken, or whose file never sent.

    Args:
        faults: As people wrote them.
        steps: The steps that were taken.
        files: The types of the files that were sent.
    """
    told = []
    for text in dict.fromkeys(faults):
        at_step, in_file = _AT_STEP.fullmatch(text), _IN_FILE.fullmatch(text)
        if at_step is not None and at_step["step"] not in steps:
            told.append(
                f"the fault {text} never happened: no installation came to {at_step['step']}"
            )
        elif in_file is not None and in_file["type"] not in files:
            told.append(f"the fault {text} never happened: no {in_file['type']} was sent")
    return tuple(told)


def parse(
    faults: Sequence[str], *, known: Callable[[str], None], steps: Collection[str] | None = None
) -> Trouble:
    """Read faults as people write them.

    Args:
        faults: ``NAME[:key=value,...]@LINK`` for a link; the same behind
            ``before:STEP[:DEVICE]/`` or ``after:STEP[:DEVICE]/`` for a step of the first attempt
            (``before.2:`` of the second); ``file:TYPE/WORD`` for a migration file.
        known: Refuses an order that means nothing, by raising.
        steps: The steps there are; None: they are not looked at.

    Raises:
        UsageError: One of them means nothing.
    """
    on_links: list[str] = []
    orders: dict[When, tuple[str, ...]] = {}
    files: dict[str, Tamper] = {}
    for fault in faults:
        at_step, in_file = _AT_STEP.fullmatch(fault), _IN_FILE.fullmatch(fault)
        if at_step is not None:
            when = _when(fault, at_step, steps)
            known(at_step["order"])
            orders[when] = (*orders.get(when, ()), at_step["order"])
        elif in_file is not None:
            files[in_file["type"]] = _spoil(fault, in_file)
        else:
            known(fault)
            on_links.append(fault)
    return Trouble(tuple(on_links), Script(orders, files))


def _when(fault: str, found: re.Match[str], steps: Collection[str] | None) -> When:
    if steps is not None and found["step"] not in steps:
        raise _unknown(fault, f"there is no step {found['step']}; there are: {', '.join(steps)}")
    device = found["device"] or ""
    if device and device not in DeviceType.__members__:
        raise _unknown(fault, f"{device} is no device type")
    # Steps P come before the first file, and so before any attempt.
    attempt = "" if found["step"].startswith("P") else f":{found['attempt'] or 1}"
    return (f"{found['moment']}{attempt}", found["step"], device)


def _spoil(fault: str, found: re.Match[str]) -> Tamper:
    if found["type"] not in FileType.__members__:
        raise _unknown(fault, f"{found['type']} is no migration file")
    spoil = SPOILS.get(found["word"])
    if spoil is None:
        raise _unknown(fault, f"{found['word']} is none of {', '.join(SPOILS)}")
    return spoil


def _unknown(fault: str, why: str) -> UsageError:
    return UsageError(
        f"a fault means nothing: {why}",
        where=f"--fault {fault}",
        cause="a mistyped step, device, file or word",
        next_command="smetsbench migration run --help",
    )
