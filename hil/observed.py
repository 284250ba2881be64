"""Which dongle is to observe, and with which keys: out of a bench file, or named by itself."""

import contextlib
import ipaddress
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from device_profiles import installation as installations
from emulator.core.ids import Eui64
from emulator.crypto import install_code
from emulator.crypto.install_code import InstallCode
from harness.data_files import reading_data
from harness.errors import UsageError
from harness.run_options import RunOptions
from harness.transcript_about import About
from hil import locks, wall_clock
from hil.bench_file import LoadedBench, load_bench
from hil.dongle_parts import line_of
from hil.dongle_place import Around, placed
from hil.dongle_sections import DongleSection
from hil.dongle_transcript import about_of
from hil.references import NotAReferenceError, Reference, SecretMissingError, Vault
from hil.zigbee.guard import Role
from hil.zigbee.settings import DongleSettings
from hil.zigbee_observation.census import CHANNELS
from hil.zigbee_observation.unsealing import KEY_OCTETS

_SCHEME: Final = "zigbee:"
#: Where a dongle is that is a program of this computer; all others are a bench file's to name
#: (reference zigbee-dongle.md 5.3-1): opening one resets whatever is there.
_PTY, _TCP = "/dev/pts/", "tcp://"
_NEXT: Final = "smetsbench bench observe FILE"
_HERE_ALONE: Final = "smetsbench bench observe --at zigbee:tcp://127.0.0.1:PORT"
#: Home around a loopback dongle that observes, and what its program is told besides.
_HOME: Final = "demo"
_BESIDE_A_HUB: Final = ("--hub", "emulated", "--as", "nobody")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The dongle that is meant.

    Attributes:
        file: Bench file, or None.
        name: Its name in the file; None: the only one that observes.
        at: Its address, where there is no file: of a program on this computer.
        seed: Seed of a loopback dongle's home.
        data: Overlay folders.
    """

    file: Path | None
    name: str | None
    at: str | None
    seed: int = 1
    data: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Observing:
    """A dongle as it may be used now.

    Attributes:
        settings: Its line.
        channels: Channels it may listen on.
        eui64: Its address, where another one is to be refused.
        about: What its transcript says of it.
        keep_keys: Whether its transcript holds keys in clear.
    """

    settings: DongleSettings
    channels: tuple[int, ...] = CHANNELS
    eui64: Eui64 | None = None
    about: About = field(default_factory=About)
    keep_keys: bool = False


@contextmanager
def held(wanted: Wanted) -> Iterator[Observing]:
    """Hold the dongle that is meant: locked for others, started where it is a program of ours.

    Raises:
        UsageError: None is named, or not in a way that will mean the same one tomorrow.
        BenchError: Somebody else works with it, or the program does not start.
    """
    if (wanted.file is None) == (wanted.at is None):
        raise UsageError(
            "which dongle shall observe?",
            where="FILE or --at",
            cause="one of them is needed: a bench file with a dongle, or a program's address",
            next_command=_NEXT,
        )
    with contextlib.ExitStack() as stack:
        if wanted.file is None:
            settings = _by_itself(wanted.at or "")
            stack.enter_context(locks.acquire(locks.port_name(settings.path), "bench observe"))
            about = About(role="observer", endpoint="zigbee", seed=wanted.seed)
            yield Observing(settings, about=about)
            return
        loaded = load_bench(wanted.file, wanted.data)
        name, section = _chosen(loaded, wanted.name)
        if section.is_real:
            port, operator = locks.port_name(section.where.target), loaded.content.bench.operator
            stack.enter_context(locks.acquire(port, operator))
        place = stack.enter_context(placed(loaded.path, section, lambda: _around(wanted)))
        eui64 = None if section.eui64 is None else Eui64.parse(section.eui64)
        about = about_of(name, section, loaded.content.bench.name, wanted.seed)
        line = line_of(name, section, place.path)
        yield Observing(line, section.channels, eui64, about, section.keep_keys)


def within(asked: Sequence[int], allowed: tuple[int, ...]) -> tuple[int, ...]:
    """Return the channels to look at: those asked for, or all that are allowed.

    Raises:
        UsageError: One is not allowed by the bench file.
    """
    wrong = sorted(set(asked) - set(allowed))
    if wrong:
        raise UsageError(
            f"the bench file does not let this dongle listen on {', '.join(map(str, wrong))}",
            where="--channel",
            cause=f"its channel mask is {', '.join(map(str, allowed))}",
            next_command="smetsbench bench check FILE",
        )
    return tuple(sorted(set(asked))) or allowed


def keys_of(
    file: Path | None, keys: Sequence[str], install_codes: Sequence[str]
) -> tuple[bytes, ...]:
    """Follow references to keys and install codes; return keys of 16 octets.

    Raises:
        UsageError: A text is no reference, leads to nothing, or to no key; it is never repeated.
    """
    vault = Vault(Path.cwd() if file is None else file.parent, os.environ)
    found = [_key(vault, _reference(text, "--key")) for text in keys]
    codes = [_reference(text, "--install-code") for text in install_codes]
    return (*found, *(_link_key(vault, code) for code in codes))


def _by_itself(at: str) -> DongleSettings:
    """Return a dongle that no bench file names: a program of this computer.

    Raises:
        UsageError: It is none, or may be a real one.
    """
    path = at.removeprefix(_SCHEME)
    if not at.startswith(_SCHEME) or not path.startswith(("/", _TCP)):
        raise UsageError(
            f"{at!r} names no dongle that could be observed with",
            where="--at",
            cause="write zigbee: and the address that smetsbench dongle printed",
            next_command=_HERE_ALONE,
        )
    if not (_is_pty(path) or _is_here(path)):
        raise UsageError(
            f"{path} may be a real dongle, and no bench file names it",
            where="--at",
            cause="opening resets whatever is there; --at is for programs of this computer (a"
            " pseudo-terminal, tcp://127.0.0.1:PORT). Write the dongle into a bench file:"
            f' [dongles.ears] endpoint = "{at}", role = "observer"',
            next_command=_NEXT,
        )
    return DongleSettings(path)


def _is_pty(path: str) -> bool:
    """Say whether a path is a pseudo-terminal, or a link that somebody made for one."""
    return str(Path(path).resolve()).startswith(_PTY)


def _is_here(path: str) -> bool:
    """Say whether an address is a TCP port of this computer."""
    if not path.startswith(_TCP):
        return False
    try:
        host = urlsplit(path).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name that may lead anywhere
        return False


def _chosen(loaded: LoadedBench, name: str | None) -> tuple[str, DongleSection]:
    """Return the dongle of a bench file that observes.

    Raises:
        UsageError: There is none, more than one, or it is a hub or a node.
    """
    observers = {
        key: one for key, one in loaded.content.dongles.items() if one.role is Role.OBSERVER
    }
    known = ", ".join(observers) or "none"
    if name is None and len(observers) == 1:
        name = next(iter(observers))
    if name is None or name not in observers:
        what = "which dongle shall observe?" if name is None else f"{name} is no observer"
        raise UsageError(
            what,
            where=f"{loaded.path}, [dongles]",
            cause=f'dongles with role = "observer": {known}; a reset would disturb a hub or node',
            next_command=f"smetsbench bench check {loaded.path}",
        )
    return name, observers[name]


def _around(wanted: Wanted) -> Around:
    with reading_data():
        home = installations.load(_HOME, wanted.data)
    options = RunOptions(seed=wanted.seed, bench=wanted.file, data=wanted.data)
    return Around(home, options, wall_clock.now(), _BESIDE_A_HUB)


def _reference(text: str, option: str) -> Reference:
    try:
        return Reference.parse(text)
    except NotAReferenceError as error:
        raise UsageError(
            str(error),
            where=option,
            cause="a key on a command line stays in the shell's history",
            next_command=f"{option} env:NAME",
        ) from error


def _text(vault: Vault, reference: Reference) -> bytes:
    return vault.secret(reference, "zigbee")


def _key(vault: Vault, reference: Reference) -> bytes:
    octets = _text(vault, reference)
    if len(octets) != KEY_OCTETS:
        octets = _from_hex(octets)
    if len(octets) == KEY_OCTETS:
        return octets
    raise _no_secret(reference, f"a key has {KEY_OCTETS} octets, {2 * KEY_OCTETS} hex digits")


def _link_key(vault: Vault, reference: Reference) -> bytes:
    octets = _text(vault, reference)
    text = octets.decode("ascii", "replace")
    code = install_code.parse(text)
    if not isinstance(code, InstallCode):
        code = install_code.decode(octets)
    if isinstance(code, InstallCode):
        return code.link_key()
    raise _no_secret(reference, f"it is no install code ({code.value})")


def _from_hex(octets: bytes) -> bytes:
    try:
        return bytes.fromhex(octets.decode("ascii").replace(":", ""))
    except (UnicodeDecodeError, ValueError):
        return b""


def _no_secret(reference: Reference, why: str) -> SecretMissingError:
    return SecretMissingError(
        f"what is kept in {reference} is of no use: {why}",
        where=str(reference),
        cause="another secret, or a mistyped one",
        next_command="smetsbench bench observe --help",
    )
