"""Every row of the catalogue passes on sound devices, and fails under its saboteur."""

from pathlib import Path

import pytest

from emulator.codecs.gbcs import envelope
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.protection import KeyRing
from emulator.crypto.signature import verify
from emulator.devices.defects import DEFECTS as DEVICE_DEFECTS
from harness import gbcs_files
from harness.parties.defects import DEFECTS as PARTY_DEFECTS
from harness.parties.migration_defects import DEFECTS as MIGRATION_DEFECTS
from harness.report import pcapng
from harness.scenarios.catalogue import CATALOGUE
from harness.verdict import Verdict
from tests.scenarios.played import play, scenario

#: Rows of SMETS1 homes have tests of their own: test_smets1_firmware_rows.py.
OF_SMETS1 = {*(f"FM-{n}" for n in (*range(30, 45), *range(50, 56))), "FM-63", "FM-68"}
#: The migration pack has tests of its own, too: test_migration_rows.py.
ROWS = [row for row in CATALOGUE if not row.startswith(("MIG-", "PPMID-")) and row not in OF_SMETS1]
#: firmware.md, matrix 11.2 and 11.4, as far as this product has them.
WANTED = [*(f"FM-{n:02d}" for n in range(1, 24)), "FM-60", "FM-61", "FM-62", "FM-64", "FM-65"]
WANTED += ["FM-66", "FM-67"]


def test_the_catalogue_holds_the_rows_of_the_matrix() -> None:
    found = [row for row in CATALOGUE if row.startswith("FM-") and row not in OF_SMETS1]
    assert found == WANTED
    assert set(CATALOGUE) >= OF_SMETS1


@pytest.mark.parametrize("row", ROWS)
def test_a_row_says_what_it_claims(row: str) -> None:
    found = scenario(row)
    assert found.id == row
    assert found.clauses
    assert found.expected_events
    assert found.saboteur in {*DEVICE_DEFECTS, *PARTY_DEFECTS, *MIGRATION_DEFECTS}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("row", ROWS)
def test_a_row_passes_on_sound_devices(row: str, tmp_path: Path) -> None:
    _, result = play(row, tmp_path / "run")
    assert (result.verdict, result.reason) == (Verdict.PASS, result.reason)
    assert result.outcome in scenario(row).expectation.outcomes


@pytest.mark.timeout(120)
@pytest.mark.parametrize("row", ROWS)
def test_a_row_fails_under_its_saboteur(row: str, tmp_path: Path) -> None:
    _, result = play(row, tmp_path / "run", defects=(scenario(row).saboteur,))
    assert result.verdict is Verdict.FAIL, result.reason


#: Further defects a row must not miss: what its matrix line says besides its outcome.
ALSO = [
    ("FM-01", "esme-silent-about-new-version"),
    ("FM-01", "dsp-no-n60"),
    ("FM-01", "dsp-n60-before-held"),
    ("FM-02", "esme-silent-after-future-dated"),
    ("FM-03", "esme-drops-image-on-cancel"),
    ("FM-09", "chf-announces-before-held"),
    ("FM-20", "dsp-wrong-warning-list"),
    ("FM-23", "chf-no-ccs08"),
    ("FM-67", "chf-announces-before-held"),
]


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("row", "defect"), ALSO)
def test_a_row_misses_no_part_of_what_it_claims(row: str, defect: str, tmp_path: Path) -> None:
    _, result = play(row, tmp_path / "run", defects=(defect,))
    assert result.verdict is Verdict.FAIL, result.reason


@pytest.mark.parametrize("row", ROWS)
def test_a_row_claims_only_clauses_its_steps_show(row: str) -> None:
    found = scenario(row)
    assert {ref.id for ref in found.clauses} == {c for step in found.steps for c in step.clauses}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("row", ["FM-01", "FM-15", "FM-19"])
def test_the_same_seed_gives_the_same_octets_and_another_seed_others(
    row: str, tmp_path: Path
) -> None:
    one, _ = play(row, tmp_path / "one")
    again, _ = play(row, tmp_path / "again")
    other, _ = play(row, tmp_path / "other", seed=2)
    captured = [folder.file("capture").read_bytes() for folder in (one, again, other)]
    assert captured[0] == captured[1]
    assert captured[0] != captured[2]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", [2, 3, 77, 2**31])
def test_the_happy_path_does_not_depend_on_the_seed(seed: int, tmp_path: Path) -> None:
    _, result = play("FM-01", tmp_path / "run", seed=seed)
    assert result.verdict is Verdict.PASS, result.reason


def test_the_certificates_beside_a_run_prove_its_devices_signatures(tmp_path: Path) -> None:
    folder, _ = play("FM-01", tmp_path / "run")
    known = KeyStore.from_json(folder.file("certificates"))
    signed = [
        envelope.decode(seen.frame)
        for seen in pcapng.read(folder.file("capture"))
        if seen.link == "wan-out" and envelope.decode(seen.frame).signature
    ]
    assert len(signed) == 3
    for env in signed:
        point = known.find(env.header.originator, KeyUsage.DS)
        assert point is not None
        assert env.signature is not None
        assert verify(point.public_point, envelope.signed_part(env), env.signature)
    assert not any(entry.private_scalar for entry in known.entries())


def test_the_capture_of_a_run_verifies_with_the_certificates_beside_it(tmp_path: Path) -> None:
    folder, _ = play("FM-01", tmp_path / "run")
    known = KeyStore.from_json(folder.file("certificates"))
    tally = gbcs_files.verify([folder.file("capture")], KeyRing(known), gbcs_files.acb_of(known))
    assert (tally.messages, tally.signatures_present, tally.signatures_valid) == (6, 4, 4)
    assert (tally.macs_present, tally.macs_unverifiable) == (3, 3)
    assert not tally.failures
