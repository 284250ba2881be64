"""``smetsbench utrn``: the twenty digits of a prepayment top-up, made, checked and explained."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from emulator.core.ids import Eui64
from emulator.crypto import prepayment_token, utrn
from emulator.crypto.prepayment_token import TokenBits
from emulator.crypto.protection import KeyRing
from emulator.crypto.utrn import Authentic, TokenFault
from harness.cli.output import console, emit_json
from harness.errors import UsageError
from harness.keys import open_keystore

_EXIT_REFUSED: Final = 1
_LOW: Final = 0xFFFFFFFF
_WORDS: Final = {
    TokenFault.WRONG_LENGTH: "a UTRN has twenty digits",
    TokenFault.NOT_DIGITS: "there are other characters than digits in it",
    TokenFault.WRONG_CHECK_DIGIT: "the twentieth digit does not fit the others: mistyped",
    TokenFault.OUT_OF_RANGE: "the first nineteen digits are no token (number or class too high)",
    TokenFault.NO_KEY: "no prepayment key of the supplier with a private part, or no key of the"
    " meter, is held",
    TokenFault.NOT_AUTHENTIC: "no key of this supplier made it for this meter near that counter",
}

_KEYSTORE = Annotated[
    Path, typer.Option("--keystore", help="JSON key store, or folder of PEM or DER files.")
]
_FROM = Annotated[str, typer.Option("--from", help="EUI-64 of the supplier.")]
_TO = Annotated[str, typer.Option("--to", help="EUI-64 of the meter.")]
_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def register(app: typer.Typer) -> None:
    """Add ``utrn`` and its commands."""
    nouns = typer.Typer(help="UTRNs: the digits of a prepayment top-up.", no_args_is_help=True)
    nouns.command("make")(make)
    nouns.command("check")(check)
    nouns.command("explain")(explain)
    app.add_typer(nouns, name="utrn")


def make(  # noqa: PLR0913 - one parameter an option
    *,
    keystore: _KEYSTORE,
    supplier: _FROM,
    meter: _TO,
    pence: Annotated[int, typer.Option("--pence", help="Value; above 8191 whole pounds only.")],
    counter: Annotated[
        int, typer.Option("--counter", help="Originator counter; its low 32 bits are 0.")
    ],
    as_json: _JSON = False,
) -> None:
    """Make a token; prints the twenty digits."""
    if counter < 0 or counter & _LOW or counter >= 1 << 64:
        raise _usage(
            f"{counter} is no counter of a token",
            "--counter",
            "64 bits with the low 32 zero, e.g. 0x600000000 = 25769803776",
        )
    ring = KeyRing(open_keystore(keystore))
    try:
        digits = prepayment_token.make_token(counter, pence, _eui64(supplier), _eui64(meter), ring)
    except ValueError as error:
        raise _usage(str(error), "--pence", "0 to 8191 pence, or whole pounds to 8191") from error
    if digits is None:
        raise _usage(_WORDS[TokenFault.NO_KEY], "--keystore", "the supplier's prepayment KA key")
    if as_json:
        emit_json({"utrn": digits, "pence": pence, "counter": counter})
    else:
        console().print(digits)


def check(  # noqa: PLR0913 - one parameter an option
    digits: Annotated[str, typer.Argument(metavar="DIGITS", help="Twenty digits.")],
    *,
    keystore: _KEYSTORE,
    supplier: _FROM,
    meter: _TO,
    near: Annotated[
        int, typer.Option("--counter", help="Originator counter of its command, or one near it.")
    ] = 0,
    as_json: _JSON = False,
) -> None:
    """Say whether a token is this supplier's for this meter; exit code 1 when not."""
    ring = KeyRing(open_keystore(keystore))
    judged = utrn.judge(digits, _eui64(supplier), _eui64(meter), ring, near=near)
    if isinstance(judged, Authentic):
        rows = {"verdict": "authentic", "counter": str(judged.counter), **_rows(judged.bits)}
    else:
        rows = {"verdict": judged.value, "why": _WORDS[judged]}
    _print(rows, as_json=as_json)
    if not isinstance(judged, Authentic):
        raise typer.Exit(_EXIT_REFUSED)


def explain(
    digits: Annotated[str, typer.Argument(metavar="DIGITS", help="Twenty digits.")],
    as_json: _JSON = False,
) -> None:
    """Say what twenty digits mean, without any key."""
    read = utrn.read(digits)
    if isinstance(read, TokenFault):
        _print({"verdict": read.value, "why": _WORDS[read]}, as_json=as_json)
        raise typer.Exit(_EXIT_REFUSED)
    _print(_rows(read), as_json=as_json)


def _rows(bits: TokenBits) -> dict[str, str]:
    pence = bits.millipence // 1000
    return {
        "value": f"{pence} pence (£{pence // 100}.{pence % 100:02})",
        "class": "pounds" if bits.value_class else "pence",
        "counter, bits 32 to 41": str(bits.counter_low),
        "check (last 4 octets of the MAC)": bits.tag.hex(),
    }


def _print(rows: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        emit_json(rows)
        return
    for name, text in rows.items():
        console().print(escape(f"{name}: {text}"))


def _eui64(text: str) -> Eui64:
    try:
        return Eui64.parse(text)
    except ValueError as error:
        raise _usage(str(error), "--from, --to", "16 hex digits") from error


def _usage(what: str, where: str, cause: str) -> UsageError:
    return UsageError(what, where=where, cause=cause, next_command="smetsbench utrn --help")
