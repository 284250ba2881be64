"""``smetsbench gbcs answer``: one emulated device answers messages out of files, in order."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from device_profiles.errors import DataError
from device_profiles.loader import load_profile
from device_profiles.words import DeviceType, RemoteParty
from emulator.codecs.gbcs import envelope, gbt
from emulator.codecs.gbcs.gbt import GbtSettings
from emulator.core.clock import UtcMs, from_datetime, iso
from emulator.core.errors import IllegalEventError
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from emulator.crypto.protection import KeyRing
from harness.answering_parties import addressed, parties_of
from harness.benches.emulated_answering import (
    AnsweringDevice,
    Keys,
    Reaction,
    Standing,
    emulated_roles,
    keys_for,
)
from harness.cli.output import console, emit_json
from harness.data_files import usage_error
from harness.errors import UsageError
from harness.files import read_octets, write_octets
from harness.gbcs_files import MAX_FILE_BYTES, Found, message_files, read_file
from harness.gbcs_view import field as view
from harness.gbcs_view.message import Reader, fields_of
from harness.keys import open_keystore

_EXIT_REFUSED: Final = 1
_START: Final = from_datetime(datetime(2026, 1, 5, 9, 0, tzinfo=UTC))
_HELP: Final = "smetsbench gbcs answer --help"


@dataclass(frozen=True, slots=True)
class _Choices:
    """What was chosen with options, as it was written."""

    device: str
    role: str | None
    eui64: str | None
    party: tuple[str, ...]
    joined: tuple[str, ...]
    seed: int
    at: str | None


@dataclass(slots=True)
class _Course:
    """What happened, in order.

    Attributes:
        before: What it did while time passed before the first message.
        answered: Each message with what the device did at once.
        later: What it did while time passed after them.
    """

    before: list[Reaction] = field(default_factory=list)
    answered: list[tuple[Found, list[Reaction]]] = field(default_factory=list)
    later: list[Reaction] = field(default_factory=list)


_FILES = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Messages, in order.")]
_DEVICE = Annotated[str, typer.Option("--device", help="Device profile: name or path.")]
_KEYSTORE = Annotated[Path, typer.Option("--keystore", help="JSON key store, or folder.")]
_ROLE = Annotated[
    str | None, typer.Option("--role", help="Device type; GPF for the GPF of a hub's profile.")
]
_EUI64 = Annotated[
    str | None, typer.Option("--eui64", help="Its EUI-64; default: the first message's target.")
]
_PARTY = Annotated[
    list[str] | None,
    typer.Option("--party", help="ROLE=EUI64, e.g. supplier=…; default: by certificates."),
]
_JOINED = Annotated[
    list[str] | None,
    typer.Option("--joined", help="EUI64=TYPE of a device in a hub's log; repeatable."),
]
_STATE = Annotated[Path | None, typer.Option("--state", help="File the device's state is kept in.")]
_AT = Annotated[str | None, typer.Option("--at", help="Moment, e.g. 2026-01-05T09:00.")]
_UNTIL = Annotated[
    str | None, typer.Option("--until", help="Let time pass to this moment afterwards.")
]
_BLOCKS = Annotated[
    int | None,
    typer.Option("--gbt", min=1, max=60_000, help="Send longer answers in blocks of so much."),
]
_SEED = Annotated[int, typer.Option("--seed", help="Seed of keys that are missing.")]
_AS_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def answer(  # noqa: PLR0913 - one parameter an option
    files: _FILES,
    *,
    device: _DEVICE,
    keystore: _KEYSTORE,
    role: _ROLE = None,
    eui64: _EUI64 = None,
    party: _PARTY = None,
    joined: _JOINED = None,
    state: _STATE = None,
    at: _AT = None,
    until: _UNTIL = None,
    blocks: _BLOCKS = None,
    seed: _SEED = 1,
    as_json: _AS_JSON = False,
) -> None:
    """Let one emulated device answer commands; prints its responses and alerts."""
    found = [one for path in message_files(files) for one in read_file(path)]
    store = open_keystore(keystore)
    choices = _Choices(device, role, eui64, tuple(party or ()), tuple(joined or ()), seed, at)
    standing = _standing(found, store, choices)
    keys = keys_for(store, standing)
    one = AnsweringDevice(standing, keys.store)
    if state is not None and state.exists():
        _load(one, state)
    begin, end = _moment(at, "--at"), _moment(until, "--until")
    if begin is not None and end is not None and end < begin:
        raise UsageError(
            "--until lies before --at",
            where=f"--at {at}, --until {until}",
            cause="two moments the wrong way round",
            next_command=_HELP,
        )
    course = _play(one, found, begin, end)
    if state is not None:
        text = json.dumps(one.dump(), indent=1, sort_keys=True) + "\n"
        write_octets(state, text.encode())
    ring, acb = KeyRing(keys.store), standing.parties[RemoteParty.ACCESS_CONTROL_BROKER]
    printer = _Printer(Reader(ring, acb), blocks)
    if as_json:
        emit_json(printer.document(standing, keys, course))
    else:
        printer.show(standing, keys, course)
    if any(one.kind == "refused" for _, done in course.answered for one in done):
        raise typer.Exit(_EXIT_REFUSED)


def _play(
    one: AnsweringDevice, found: Sequence[Found], at: UtcMs | None, until: UtcMs | None
) -> _Course:
    course = _Course()
    try:
        if at is not None:
            course.before = one.pass_time(at)
        course.answered = [(item, one.answer(item.octets)) for item in found]
        if until is not None:
            course.later = one.pass_time(until)
    except IllegalEventError as error:
        raise UsageError(
            f"the device never comes to rest: {error}",
            where="--at, --until",
            cause="a moment very far away",
            next_command=_HELP,
        ) from error
    return course


def _standing(found: Sequence[Found], store: KeyStore, choices: _Choices) -> Standing:
    try:
        profile = load_profile(choices.device)
    except DataError as error:
        raise usage_error(error) from error
    kind = _role(choices.role) if choices.role else profile.device_type
    in_hub = kind is DeviceType.GPF and profile.device_type is DeviceType.CHF
    if kind not in emulated_roles() or (kind is not profile.device_type and not in_hub):
        raise UsageError(
            f"a {kind} cannot be emulated with the profile {profile.name} ({profile.device_type})",
            where="--device, --role",
            cause="--role is for the GPF of a hub alone",
            next_command="smetsbench profiles list",
        )
    messages = [one.octets for one in found]
    joined = _pairs(choices.joined, "--joined")
    return Standing(
        profile,
        kind,
        _eui64(choices.eui64, "--eui64") if choices.eui64 else addressed(messages),
        parties_of(store, messages, _pairs(choices.party, "--party")),
        {_eui64(one, "--joined"): _role(word) for one, word in joined},
        choices.seed,
        _moment(choices.at, "--at") or _START,
    )


def _role(word: str) -> DeviceType:
    try:
        return DeviceType(word.upper())
    except ValueError as error:
        kinds = ", ".join(kind.value for kind in emulated_roles())
        raise _wrong(f"no device type {word!r}", "--role, --joined", f"one of {kinds}") from error


def _pairs(texts: Sequence[str], option: str) -> list[tuple[str, str]]:
    pairs = [text.split("=", 1) for text in texts]
    if any(len(pair) != 2 for pair in pairs):
        raise _wrong("no pair", option, "written NAME=VALUE")
    return [(one, other) for one, other in pairs]


def _eui64(text: str, option: str) -> Eui64:
    try:
        return Eui64.parse(text)
    except ValueError as error:
        raise _wrong(str(error), option, "16 hex digits") from error


def _moment(text: str | None, option: str) -> UtcMs | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError as error:
        raise _wrong(f"no moment: {text!r}", option, "like 2026-01-05T09:00, UTC") from error
    return from_datetime(moment.replace(tzinfo=UTC))


def _wrong(what: str, where: str, cause: str) -> UsageError:
    return UsageError(what, where=where, cause=cause, next_command=_HELP)


def _load(one: AnsweringDevice, path: Path) -> None:
    try:
        state: Any = json.loads(read_octets(path, MAX_FILE_BYTES))
        one.load(state if isinstance(state, dict) else {})
    except (ValueError, IllegalEventError) as error:
        raise UsageError(
            f"the state cannot be used: {error}",
            where=str(path),
            cause="a state of another device, profile or seed, or another kind of file",
            next_command=f"smetsbench gbcs answer … --state {path}  (of the same device)",
        ) from error


# -- output ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Printer:
    """Prints what happened.

    Attributes:
        reader: Keys to show messages with.
        block_bytes: Longest message that is sent whole; longer ones go in blocks of so much.
    """

    reader: Reader
    block_bytes: int | None

    def document(self, standing: Standing, keys: Keys, course: _Course) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            "device": {
                "profile": standing.profile.name,
                "role": standing.role.value,
                "eui64": str(standing.eui64),
            },
            "parties": {role.name.lower(): str(one) for role, one in standing.parties.items()},
            "missing_keys": list(keys.missing),
            "before": [self._reaction(one, None) for one in course.before],
            "commands": [
                {
                    "source": item.source,
                    "octets": item.octets.hex(),
                    "reactions": [self._reaction(one, item.octets) for one in done],
                }
                for item, done in course.answered
            ],
            "later": [self._reaction(one, None) for one in course.later],
        }

    def _reaction(self, one: Reaction, command: bytes | None) -> dict[str, Any]:
        if not one.message:
            return {
                "kind": one.kind, "at": iso(one.at), "reason": one.reason, "detail": one.detail,
            }  # fmt: skip
        told: dict[str, Any] = {
            "kind": one.kind,
            "at": iso(one.at),
            "octets": one.message.hex(),
            "fields": view.to_json(self._fields(one, command)),
        }
        if blocks := self._blocks(one.message):
            told["blocks"] = [block.hex() for block in blocks]
        return told

    def _fields(self, one: Reaction, command: bytes | None) -> list[view.Field]:
        return fields_of(one.message, Reader(self.reader.ring, self.reader.acb, command))

    def _blocks(self, message: bytes) -> list[bytes]:
        """Return the blocks a message travels in; none for one that travels whole."""
        if self.block_bytes is None or len(message) <= self.block_bytes:
            return []
        settings = GbtSettings(block_bytes=self.block_bytes)
        cut = gbt.segment(message, envelope.decode(message).header, settings)
        return [gbt.encode(block) for block in cut]

    def show(self, standing: Standing, keys: Keys, course: _Course) -> None:
        """Print everything for people."""
        out = console()
        out.print(escape(f"{standing.role} {standing.eui64}, profile {standing.profile.name}"))
        for role, eui64 in standing.parties.items():
            out.print(escape(f"  knows {eui64} as {role.name.lower().replace('_', ' ')}"))
        for missing in keys.missing:
            out.print(escape(f"  missing: {missing}"))
        for one in course.before:
            self._show("before", one, None)
        for item, done in course.answered:
            out.print(escape(f"\n{item.source}"))
            for one in done:
                self._show("", one, item.octets)
            if not done:
                out.print("  nothing: the device does not answer this")
        for one in course.later:
            self._show("later", one, None)

    def _show(self, when: str, one: Reaction, command: bytes | None) -> None:
        out = console()
        title = f"{when} {one.kind}".strip()
        if not one.message:
            out.print(f"  {title}: {one.reason}: {one.detail}", markup=False)
            return
        out.print(f"  {title} at {iso(one.at)}", markup=False)
        for octets in self._blocks(one.message) or [one.message]:
            out.print(f"  {octets.hex()}", markup=False, soft_wrap=True)
        for line in view.lines(self._fields(one, command), 2):
            out.print(line, markup=False, soft_wrap=True)
