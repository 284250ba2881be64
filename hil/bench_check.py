"""All that can be said of a bench file without opening a port."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from harness.errors import BenchError, UsageError
from hil.arming_state import last_moment
from hil.bench_file import LoadedBench
from hil.credentials import of_file
from hil.dongle_codes import code_of
from hil.dongle_sections import DongleKind
from hil.endpoints import EndpointKind
from hil.findings import Finding, Level
from hil.references import Reference

#: Permission bits of a file that somebody else than its owner may read or write.
_OTHERS: Final = 0o077


def shortcomings(loaded: LoadedBench, now: UtcMs) -> list[Finding]:
    """Return what is missing or stale in a bench file that is right in itself."""
    return [
        *_expired(loaded, now),
        *_strangers(loaded),
        *_secrets(loaded),
        *_recordings(loaded),
        *_codes(loaded),
        *_joiners(loaded),
    ]


def _expired(loaded: LoadedBench, now: UtcMs) -> Iterator[Finding]:
    end = last_moment(loaded)
    if end is not None and now >= end:
        yield Finding(
            "bench-expired",
            Level.WARNING,
            f"{loaded.path}, bench.expires",
            f"the last day on which this bench may write was {loaded.content.bench.expires}",
            "reading goes on; to write, have the permission renewed and the date with it",
            f"smetsbench bench probe {loaded.path}",
        )


def _strangers(loaded: LoadedBench) -> Iterator[Finding]:
    for role, section in loaded.of(EndpointKind.SERIAL).items():
        if section.eui64 is None:
            yield Finding(
                "no-identity",
                Level.WARNING,
                f"{loaded.path}, roles.{role}.eui64",
                f"the file does not say which {role} this is, so scenarios skip it",
                "read its EUI-64 from it and write it there",
                f"smetsbench bench probe {loaded.path}",
            )


def _secrets(loaded: LoadedBench) -> Iterator[Finding]:
    for role, section in loaded.content.roles.items():
        for name, one in section.credentials.items():
            where = f"{loaded.path}, roles.{role}.credentials.{name}"
            yield from _fetch(loaded, role, name, where)
            for text in (one.secret, one.keys):
                if text is not None:
                    yield from _readable(Reference.parse(text), loaded.path.parent, where)


def _fetch(loaded: LoadedBench, role: DeviceType, name: str, where: str) -> Iterator[Finding]:
    try:
        of_file(loaded, role, name)
    except BenchError as error:
        yield Finding(
            "secret-missing",
            Level.FAULT,
            where,
            error.what,
            f"put it there ({error.cause})",
            error.next_command,
        )


def _readable(reference: Reference, folder: Path, where: str) -> Iterator[Finding]:
    path = reference.path(folder)
    if path is not None and path.is_file() and path.stat().st_mode & _OTHERS:
        yield Finding(
            "secret-readable",
            Level.WARNING,
            where,
            f"others may read {path}, which holds secrets",
            "let its owner alone read it",
            f"chmod 600 {path}",
        )


def _codes(loaded: LoadedBench) -> Iterator[Finding]:
    """Follow the references to install codes; a loopback dongle's are drawn, and need none."""
    for role, section in loaded.content.roles.items():
        if section.install_code is None:
            continue
        where = f"{loaded.path}, roles.{role}.install_code"
        try:
            code_of(loaded, section.install_code)
        except UsageError as error:
            remedy = f"put it there ({error.cause})"
            yield Finding(
                "secret-missing", Level.FAULT, where, error.what, remedy, error.next_command
            )
        yield from _readable(Reference.parse(section.install_code), loaded.path.parent, where)


def _joiners(loaded: LoadedBench) -> Iterator[Finding]:
    """Look whether real devices behind a dongle are named, and on the list."""
    found = loaded.dongle
    if found is None or not found[1].is_real:
        return
    for role, section in loaded.of(EndpointKind.DONGLE).items():
        where = f"{loaded.path}, roles.{role}"
        if section.install_code is None:
            yield Finding(
                "no-install-code",
                Level.WARNING,
                where,
                f"nothing says where the install code of the {role} is kept",
                "write the reference, here or in the installation; without it nobody joins",
                'install_code = "env:NAME"',
            )
        if section.eui64 is not None and section.eui64 not in loaded.content.bench.allow:
            yield Finding(
                "not-allowed",
                Level.WARNING,
                where,
                f"{section.eui64} is not in bench.allow, so it will not be let in",
                "have its owner agree, and write it there",
                f"smetsbench bench arm {loaded.path} --for 30m --operator NAME",
            )


def _recordings(loaded: LoadedBench) -> Iterator[Finding]:
    meters = "smetsbench capture --bench FILE --out {}"
    named = [
        (f"roles.{role}", section.where.target, meters)
        for role, section in loaded.of(EndpointKind.REPLAY).items()
    ]
    named += [
        (f"dongles.{dongle}", section.where.target, "smetsbench run ID --bench FILE --out FOLDER")
        for dongle, section in loaded.content.dongles.items()
        if section.where.kind is DongleKind.REPLAY
    ]
    for key, target, how in named:
        name = loaded.path.parent / target
        if not any(name.with_name(name.name + end).exists() for end in ("", ".pcapng", ".toml")):
            yield Finding(
                "recording-missing",
                Level.FAULT,
                f"{loaded.path}, {key}.endpoint",
                f"there is no recording {target}",
                "record one, or correct the name (paths start at the bench file's folder)",
                how.format(target),
            )
