"""Runs on a user's home: no identifier of it in any text that a run leaves, unless asked for."""

import re
from pathlib import Path

import pytest

from device_profiles.installation import Installation, render_csv, render_toml
from harness.new_installations import Order, generate
from harness.report.privacy import Veil
from harness.run_options import RunOptions
from harness.runner import start

REPORTS = ("report.html", "run.json", "junit.xml", "events.jsonl")
(HOME,) = generate(Order(count=1, seed=5))


def identifiers(home: Installation) -> tuple[set[str], set[str]]:
    """EUI-64s, printed with dashes, and MPxNs of a home."""
    eui64s = {device.eui64 for device in home.devices} | {
        device.supplier for device in home.devices if device.supplier
    }
    return eui64s, {device.mpxn for device in home.devices if device.mpxn}


def spellings(eui64: str) -> set[str]:
    """Every way to write an EUI-64, in either order of octets."""
    octets = bytes.fromhex(eui64.replace("-", ""))
    return {
        case(order.hex(separator) if separator else order.hex())
        for order in (octets, octets[::-1])
        for separator in ("-", ":", " ", "")
        for case in (str.lower, str.upper)
    }


def leaked(out: Path) -> set[tuple[str, str]]:
    """Which identifier of the home stands in which report."""
    eui64s, mpxns = identifiers(HOME)
    forms = {form for eui64 in eui64s for form in spellings(eui64)} | mpxns
    texts = {name: (out / name).read_text("utf-8") for name in REPORTS}
    return {(name, form) for name, text in texts.items() for form in forms if form in text}


@pytest.mark.parametrize("scenario", ["FM-01", "FM-09"])
@pytest.mark.parametrize("suffix", ["toml", "csv"])
def test_no_identifier_of_a_users_home_is_in_any_report(
    scenario: str, suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"home.{suffix}"
    path.write_text((render_toml if suffix == "toml" else render_csv)([HOME]), "utf-8")
    out = tmp_path / "run"
    start([scenario], RunOptions(installation=path), out=out)
    assert leaked(out) == set()
    assert "EE-EE-EE-EE-EE-EE-EE-" in (out / "events.jsonl").read_text("utf-8")


def test_with_identifiers_they_are_there(tmp_path: Path) -> None:
    path, out = tmp_path / "home.toml", tmp_path / "run"
    path.write_text(render_toml([HOME]), "utf-8")
    start(["FM-09"], RunOptions(installation=path, with_identifiers=True), out=out)
    esme = next(device.eui64 for device in HOME.devices if device.role == "ESME")
    assert {"report.html", "run.json"} <= {name for name, form in leaked(out) if form == esme}
    assert "events.jsonl" in {name for name, _ in leaked(out)}


@pytest.mark.parametrize("eui64", sorted(identifiers(HOME)[0]))
def test_every_spelling_of_a_known_identifier_is_replaced_in_its_own_spelling(eui64: str) -> None:
    veil = Veil()
    veil.learn_eui64(bytes.fromhex(eui64.replace("-", "")))
    for form in spellings(eui64):
        for around in ("{}", "{}:{}:1000", "<ID>{}</ID>", "x{}-"):
            text = around.format(form, form)
            veiled = veil.text(text)
            assert form not in veiled
            assert re.sub("[0-9a-fA-F]", "", veiled) == re.sub("[0-9a-fA-F]", "", text)
            assert veil.octets(text.encode()) == veiled.encode()


def test_both_ends_of_a_request_id_are_recognised_although_nobody_named_them() -> None:
    veiled = Veil().text("02-53-42-00-00-01-00-00:02-53-01-EE-86-00-00-01:1001")
    assert veiled == "EE-EE-EE-EE-EE-EE-EE-01:EE-EE-EE-EE-EE-EE-EE-02:1001"


def test_supply_numbers_are_recognised_in_tables_and_in_texts() -> None:
    veil = Veil()
    veil.learn_table("role,mpxn,eui64\nESME,9910620000019,\nPPMID,,\n")
    assert veil.text("meter 9910620000019") == "meter 0000000000001"
    assert veil.octets(b"<ImportMPxN>9962000001</ImportMPxN>") == (
        b"<ImportMPxN>0000000002</ImportMPxN>"
    )
