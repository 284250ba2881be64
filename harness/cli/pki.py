"""``smetsbench pki``: make a test PKI, hand out public keys, convert key stores."""

import enum
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from emulator.core.chance import Chance
from emulator.core.clock import UtcMs, from_datetime
from emulator.core.ids import Eui64
from emulator.crypto import certificate as certificates
from emulator.crypto.hashes import skid
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.pki import TestPki
from harness.cli.output import console, emit_json
from harness.door.trust import DCC, DSP_ROLE, PARTICIPANT, USER_ROLES, user_entries
from harness.errors import UsageError
from harness.files import refuse_same
from harness.keys import open_keystore
from harness.words import counted

SUPPLIER = 0x02
#: Role and EUI-64 of the parties made when none are named. The EUI-64s are locally administered:
#: no live party or device can have them.
PARTIES = (
    (0x01, "02-53-42-00-00-00-00-01"),  # recovery
    (0x04, "02-53-42-00-00-00-00-04"),  # access control broker
    (0x05, "02-53-42-00-00-00-00-05"),  # transitional change of supplier
    (0x06, "02-53-42-00-00-00-00-06"),  # WAN provider
    (SUPPLIER, "02-53-42-00-00-01-00-00"),
    (SUPPLIER, "02-53-42-00-00-03-00-00"),
    (0x03, "02-53-42-00-00-02-00-00"),  # network operator
    (0x08, "02-53-42-00-00-01-00-08"),  # load controller
)
DEVICES = tuple(f"02-53-42-01-00-00-00-A{digit}" for digit in "012345")

_OUT = Annotated[Path, typer.Option(help="Folder to write, or a file that ends in .json.")]
_JSON = Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")]
_FORCE = Annotated[bool, typer.Option("--force", help="Write where something is already.")]
_SOURCE = Annotated[Path, typer.Argument(help="JSON key store, or folder of PEM or DER files.")]


class Side(enum.StrEnum):
    """Whose keys a part of a trust folder holds."""

    PARTICIPANT = PARTICIPANT
    DCC = DCC


#: Roles that an XML-signing certificate of a side bears.
_ROLES: Final = {Side.PARTICIPANT: USER_ROLES, Side.DCC: frozenset({DSP_ROLE})}
_SIDE = Annotated[
    Side | None,
    typer.Option("--for", help="Exchange trust with a run: the part of this side."),
]


def register(app: typer.Typer) -> None:
    """Add ``pki`` and its commands."""
    pki = typer.Typer(help="Test keys and certificates.", no_args_is_help=True)
    pki.command("new")(new)
    pki.command("export")(export)
    pki.command("import")(import_)
    app.add_typer(pki, name="pki")


def new(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    out: _OUT,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same keys.")] = 1,
    at: Annotated[str, typer.Option(help="Begin of validity, ISO 8601.")] = "2026-01-01T00:00:00Z",
    party: Annotated[
        list[str] | None, typer.Option(help="ROLE:EUI64, role as two hex digits; repeatable.")
    ] = None,
    device: Annotated[list[str] | None, typer.Option(help="EUI64; repeatable.")] = None,
    user: Annotated[
        list[str] | None,
        typer.Option(help="EUI64 of a service user (a supplier that signs DUIS); repeatable."),
    ] = None,
    as_json: _JSON = False,
    force: _FORCE = False,
) -> None:
    """Make authorities, and keys with certificates for parties, service users and devices."""
    start = _moment(at)
    parties = [_party(text) for text in party or ()]
    devices = [_eui64(text) for text in device or ()]
    users = [_eui64(text) for text in user or ()]
    if not party and not device and not user:
        parties = [(role, Eui64.parse(eui64)) for role, eui64 in PARTIES]
        devices = [Eui64.parse(eui64) for eui64 in DEVICES]
    _refuse_twice([eui64 for _role, eui64 in parties] + devices + users)
    try:
        pki = TestPki.new(Chance(seed).stream("pki").octets, start)
    except OverflowError as error:
        raise _bad_moment(at, "certificates from then on would end after the year 9999") from error
    entries = [entry for role, eui64 in parties for entry in _party_entries(pki, role, eui64)]
    entries += [entry for eui64 in users for entry in user_entries(pki, eui64)]
    entries += [entry for eui64 in devices for entry in pki.device_entries(eui64)]
    write(KeyStore(entries), out, force=force)
    if out.suffix != ".json":
        pki.write_authorities(out / "authorities")
    _show(out, entries, as_json=as_json, seed=seed)


def export(
    source: _SOURCE,
    out: _OUT,
    side: _SIDE = None,
    as_json: _JSON = False,
    force: _FORCE = False,
) -> None:
    """Write the public part of a key store, to hand to others.

    With --for, SOURCE may be a trust folder: the part of that side is written.
    """
    store = open_keystore(part_of(source, side)).public()
    _check_side(store, source, side)
    refuse_same(out, source)
    _refuse_private(out)
    write(store, out, force=force)
    _show(out, store.entries(), as_json=as_json)


def import_(
    source: _SOURCE,
    out: _OUT,
    side: _SIDE = None,
    as_json: _JSON = False,
    force: _FORCE = False,
) -> None:
    """Read a key store and write it in the other form, private keys included (mode 0600).

    With --for, what another side handed over is put into a trust folder: its public part alone.
    """
    store = open_keystore(source)
    _check_side(store, source, side)
    if side is not None:
        store, out = store.public(), out / side.value
        _refuse_private(out)
    refuse_same(out, source)
    write(store, out, force=force)
    _show(out, store.entries(), as_json=as_json)


def part_of(source: Path, side: Side | None) -> Path:
    """Return the part of a trust folder, or the key store itself."""
    part = source if side is None else source / side.value
    return part if part.is_dir() else source


def _check_side(store: KeyStore, source: Path, side: Side | None) -> None:
    """Refuse keys in which no XML-signing certificate bears the role of a side.

    Raises:
        UsageError: None does.
    """
    if side is None:
        return
    found = {
        certificates.read(one.certificate).role
        for one in store.entries()
        if one.usage is KeyUsage.XML and one.certificate is not None
    }
    if found.isdisjoint(_ROLES[side]):
        wanted = " or ".join(map(str, sorted(_ROLES[side])))
        told = ", ".join(str(role) for role in sorted(role or 0 for role in found)) or "none"
        raise UsageError(
            f"no XML-signing certificate of role {wanted} is there (found: {told})",
            where=str(source),
            cause="keys of the other side, or of devices alone",
            next_command="smetsbench pki new --user 02-53-42-00-00-01-00-00 --out KEYS",
        )


def write(store: KeyStore, out: Path, *, force: bool) -> None:
    """Write a key store: a JSON file where ``out`` ends in ``.json``, else a folder.

    Raises:
        UsageError: Something is there already and ``force`` is not given, or it cannot be written.
    """
    as_file = out.suffix == ".json"
    try:
        taken = out.exists() if as_file else out.is_file() or (out.is_dir() and any(out.iterdir()))
    except OSError as error:
        raise _unwritable(out, error) from error
    if taken and not force:
        raise UsageError(
            f"{out} is not empty",
            where=str(out),
            cause="keys of two key stores must not get mixed",
            next_command="name another --out, or add --force",
        )
    try:
        if as_file:
            out.parent.mkdir(parents=True, exist_ok=True)
            store.to_json(out)
        else:
            store.to_folder(out)
    except OSError as error:
        raise _unwritable(out, error) from error


def _unwritable(out: Path, error: OSError) -> UsageError:
    return UsageError(
        f"{out} cannot be written: {error.strerror}",
        where=str(out),
        cause="something else in its place, a folder that is not yours, or a full disk",
        next_command="smetsbench pki new --out NEW-FOLDER",
    )


def _refuse_private(out: Path) -> None:
    """Refuse to write public keys beside private ones, to be handed out with them.

    Raises:
        UsageError: The folder holds a private key.
    """
    if out.is_dir() and any(out.glob("*.key")):
        raise UsageError(
            f"{out} holds private keys, and what export writes is for others",
            where=str(out),
            cause="the folder of a key store that is yours",
            next_command="smetsbench pki export SOURCE --out NEW-FOLDER",
        )


def _refuse_twice(owners: Sequence[Eui64]) -> None:
    for owner in owners:
        if owners.count(owner) > 1:
            raise UsageError(
                f"{owner} stands more than once",
                where="--party and --device",
                cause="a key store holds one key of each use for one EUI-64",
                next_command="smetsbench pki new --help",
            )


def _party_entries(pki: TestPki, role: int, eui64: Eui64) -> list[KeyEntry]:
    entries = list(pki.organisation_entries(eui64, role))
    if role == SUPPLIER:
        entries.append(pki.organisation_entry(eui64, role, KeyUsage.KA, prepayment=True))
        entries.append(pki.xml_signing_entry(eui64, role, f"smetsbench {eui64}"))
    return entries


def _party(text: str) -> tuple[int, Eui64]:
    role, colon, eui64 = text.partition(":")
    try:
        number = int(role, 16)
    except ValueError:
        number = -1
    if not colon or not 0 <= number <= 0xFF:
        raise UsageError(
            f"not a party: {text!r} (write it like 02:02-53-42-00-00-01-00-00)",
            where="--party",
            cause="two hex digits of role, a colon, an EUI-64",
            next_command="smetsbench pki new --help",
        )
    return number, _eui64(eui64)


def _eui64(text: str) -> Eui64:
    try:
        return Eui64.parse(text)
    except ValueError as error:
        raise UsageError(
            str(error),
            where="--party or --device",
            cause="a typing error",
            next_command="smetsbench pki new --help",
        ) from error


def _moment(text: str) -> UtcMs:
    try:
        return from_datetime(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise _bad_moment(text, "no date and time with its offset from UTC") from error


def _bad_moment(text: str, cause: str) -> UsageError:
    return UsageError(
        f"not a moment to begin at: {text!r} (write it like 2026-01-01T00:00:00Z)",
        where="--at",
        cause=cause,
        next_command="smetsbench pki new --help",
    )


def _show(
    out: Path, entries: Sequence[KeyEntry], *, as_json: bool, seed: int | None = None
) -> None:
    """Say what was written; private keys are counted, never shown."""
    rows: list[dict[str, object]] = [
        {
            "eui64": str(entry.eui64),
            "usage": entry.usage.value,
            "prepayment": entry.prepayment,
            "private": entry.private_scalar is not None,
            "certificate": entry.certificate is not None,
            "key_identifier": skid(entry.public_point).hex(),
        }
        for entry in entries
    ]
    if as_json:
        emit_json({"out": str(out), "seed": seed, "keys": rows})
        return
    table = Table("party or device", "use", "private", "certificate", "key identifier", box=None)
    for row in rows:
        use = f"{row['usage']} prepayment" if row["prepayment"] else str(row["usage"])
        marks = ["yes" if row[key] else "-" for key in ("private", "certificate")]
        table.add_row(str(row["eui64"]), use, *marks, str(row["key_identifier"]))
    console().print(table)
    private = sum(bool(row["private"]) for row in rows)
    console().print(f"{counted(len(rows), 'key')}, {private} of them private, written to {out}")
