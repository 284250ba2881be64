import json

import pytest
import typer
from typer.testing import CliRunner

from harness.cli import utrn
from harness.cli.main import NOUNS
from harness.errors import UsageError
from tests.given import RTDS_KEYS, needs_rtds

pytestmark = needs_rtds
WHO = ("--keystore", str(RTDS_KEYS), "--from", "90B3D51F30010000", "--to", "00DB1234567890A1")
DIGITS = "73950067887105178605"


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    utrn.register(app)
    done = CliRunner().invoke(app, ["utrn", *arguments])
    if isinstance(done.exception, Exception):
        raise done.exception
    return done.exit_code, done.output


def test_the_noun_is_one_of_the_command_s() -> None:
    assert NOUNS["utrn"] == "harness.cli.utrn"


def test_a_token_is_made_as_the_given_one_was() -> None:
    made = ("make", *WHO, "--pence", "1250", "--counter", str(6 << 32))
    assert run(*made) == (0, f"{DIGITS}\n")
    code, out = run(*made, "--json")
    assert code == 0
    assert json.loads(out)["utrn"] == DIGITS


def test_the_given_token_is_checked_and_explained() -> None:
    code, out = run("check", DIGITS, *WHO)
    assert code == 0
    assert f"counter: {6 << 32}" in out
    assert "value: 1250 pence (£12.50)" in out
    code, out = run("explain", "7395 0067 8871 0517 8605", "--json")
    assert code == 0
    assert json.loads(out)["class"] == "pence"


@pytest.mark.parametrize(
    ("arguments", "verdict"),
    [
        (("check", DIGITS[:-1] + "6", *WHO), "wrong_check_digit"),
        (("check", DIGITS, *WHO[:-1], "00DB1234567890A0"), "not_authentic"),
        (("check", DIGITS, *WHO[:-1], "0102030405060708"), "no_key"),
        (("explain", "123"), "wrong_length"),
        (("explain", "1234567890123456789o"), "not_digits"),
    ],
)
def test_a_token_that_is_none_has_its_verdict_and_exit_code_1(
    arguments: tuple[str, ...], verdict: str
) -> None:
    code, out = run(*arguments)
    assert code == 1
    assert out.startswith(f"verdict: {verdict}\nwhy: ")


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (("make", *WHO, "--pence", "1250", "--counter", "7"), "--counter"),
        (("make", *WHO, "--pence", "1250", "--counter", str(1 << 64)), "--counter"),
        (("make", *WHO, "--pence", "8193", "--counter", "0"), "--pence"),
        (("make", *WHO, "--pence", "-1", "--counter", "0"), "--pence"),
        (("make", *WHO[:-1], "nobody", "--pence", "1", "--counter", "0"), "--from, --to"),
        (("make", *WHO[:-1], "0102030405060708", "--pence", "1", "--counter", "0"), "--keystore"),
    ],
)
def test_wrong_orders_are_refused_in_words(arguments: tuple[str, ...], where: str) -> None:
    with pytest.raises(UsageError) as refused:
        run(*arguments)
    assert refused.value.where == where
    assert refused.value.cause
