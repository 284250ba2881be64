"""``firmware build --layout``, ``inspect``, ``convert`` and ``strip``."""

from pathlib import Path
from typing import Any

import pytest

from device_profiles.metadata_layout import STAND_IN_NOTE
from device_profiles.words import ImageKind
from emulator.codecs import ota_file
from emulator.crypto.keystore import KeyStore
from firmware_images.image import verify
from firmware_images.recipe import TEST_SIGNER, made_up_scalar
from harness.cli import firmware
from harness.errors import UsageError
from tests.emulator.codecs.metadata_given import sixth_maker
from tests.firmware_images.forge import key
from tests.harness.cli.command_line import run, run_json

LAYOUTS = ("L-IOC-1", "L-MDS-1", "L-SEC-1", "L-FOC-T1", "L-FOC-L1")


def command(*arguments: object) -> tuple[int, str]:
    return run(firmware.register, "firmware", *map(str, arguments))


def figures(*arguments: object) -> Any:
    return run_json(firmware.register, "firmware", *map(str, arguments))


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    path = tmp_path / "bare.zigbee"
    command("build", "demo-ppmid-2", "--out", path)
    return path


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    path = tmp_path / "signed.zigbee"
    command("build", "demo-esme-2", "--layout", "L-SEC-1", "--out", path)
    return path


def test_there_and_back_through_every_layout_gives_the_same_file(
    bare: Path, tmp_path: Path
) -> None:
    here, profile = bare, ("--profile", "demo-ppmid")
    hashes = set()
    for number, layout in enumerate(LAYOUTS):
        there = tmp_path / f"{number}.zigbee"
        found = figures("convert", here, "--to-layout", layout, *profile, "--out", there)
        assert (found["to_layout"], found["note"]) == (layout, STAND_IN_NOTE)
        assert found["cpl_hash_changes"]
        assert "CPL entry" in found["warning"]
        hashes |= {found["manufacturer_image_hash_before"], found["manufacturer_image_hash_after"]}
        here = there
    last = tmp_path / "last.zigbee"
    found = figures("strip", here, "--kind", "unsigned", "--out", last)
    assert (found["from_layout"], found["to_layout"]) == (LAYOUTS[-1], "L-NONE")
    assert found["manufacturer_image_hash_after"] in hashes
    assert len(hashes) == 6
    assert last.read_bytes() == bare.read_bytes()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_build_with_a_layout_is_build_and_convert(bare: Path, tmp_path: Path, layout: str) -> None:
    built, converted = tmp_path / "a", tmp_path / "b"
    found = figures("build", "demo-ppmid-2", "--layout", layout, "--out", built)
    assert (found["layout"], found["note"]) == (layout, STAND_IN_NOTE)
    command("convert", bare, "--to-layout", layout, "--profile", "demo-ppmid", "--out", converted)
    assert built.read_bytes() == converted.read_bytes()


def test_a_signed_image_is_signed_anew(signed: Path, tmp_path: Path) -> None:
    keys = KeyStore([key(TEST_SIGNER, made_up_scalar())])
    out = tmp_path / "out.zigbee"
    found = figures("strip", signed, "--profile", "demo-esme", "--out", out)
    assert "made-up supplier" in found["signed_with"]
    for path in (signed, out):
        image = ota_file.decode(path.read_bytes(), ImageKind.SUPPLIER_SIGNED)
        assert verify(image, keys) == "ok"


def test_inspect_names_every_field_with_unit_and_place(signed: Path) -> None:
    found = figures("inspect", signed, "--kind", "supplier-signed")["metadata"]
    assert (found["layout"], found["status"], found["note"]) == (
        "L-SEC-1",
        "recognised",
        STAND_IN_NOTE,
    )
    fields = {one["name"]: one for one in found["fields"]}
    assert list(fields) == [
        "program_name",
        "metrology_id",
        "image_len",
        "crc16x25",
        "flags",
        "pad",
        "magic",
    ]
    assert fields["image_len"]["value"] == found["bare_image_bytes"] == 8192
    assert fields["image_len"]["unit"] == "octets"
    assert (fields["magic"]["offset"], fields["magic"]["value"]) == (60, "SECU")
    code, text = command("inspect", signed)
    assert code == 0
    assert "metadata: L-SEC-1 recognised, stand-in layout (real layout not public)" in text
    assert "octet  16 image_len: 8192 (octets), image.length" in text


def test_inspect_shows_what_is_wrong_with_damaged_metadata(bare: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    command("convert", bare, "--to-layout", "ioc-1", "--profile", "demo-ppmid", "--out", made)
    octets = bytearray(made.read_bytes())
    octets[60 + 18] ^= 1
    made.write_bytes(octets)
    code, text = command("inspect", made, "--kind", "unsigned")
    assert code == 0
    assert "L-IOC-1 damaged" in text
    assert "WRONG: header-mismatch" in text
    found = figures("inspect", made, "--kind", "unsigned")["metadata"]
    assert [one["field"] for one in found["objections"]] == ["fw"]
    with pytest.raises(UsageError, match="is not clear: L-IOC-1, damaged"):
        command("strip", made, "--kind", "unsigned", "--out", tmp_path / "x")


def test_a_free_field_is_set_and_shown(bare: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    to = ("--to-layout", "L-SEC-1", "--kind", "unsigned", "--out", made)
    command("convert", bare, *to, "--set", "flags=0x1F", "--set", "program_name=P4X2G06")
    found = figures("inspect", made, "--kind", "unsigned")["metadata"]["fields"]
    values = {one["name"]: one["value"] for one in found}
    assert (values["flags"], values["program_name"]) == (0x1F, "P4X2G06")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--to-layout", "L-MOON", "--kind", "unsigned"], "no metadata layout of this name"),
        (["--to-layout", "L-IOC-1"], "nobody says of which kind"),
        (["--to-layout", "L-IOC-1", "--kind", "unsigned"], "nobody said which device"),
        (["--to-layout", "L-IOC-1", "--kind", "unsigned", "--profile", "demo-esme"], "says"),
        (["--to-layout", "L-IOC-1", "--profile", "gfi-ppmid"], "the image is for manufacturer"),
        (["--to-layout", "none", "--kind", "unsigned", "--from-layout", "ioc-1"], "no sound L-IOC"),
        (
            ["--to-layout", "L-SEC-1", "--kind", "unsigned", "--set", "magic=1"],
            "leaves it not free",
        ),
        (["--to-layout", "L-SEC-1", "--kind", "unsigned", "--set", "flags=x"], "holds a number"),
        (["--to-layout", "L-SEC-1", "--kind", "unsigned", "--set", "flags=256"], "does not fit"),
    ],
)
def test_what_cannot_be_converted_is_refused_with_the_reason(
    bare: Path, tmp_path: Path, arguments: list[str], why: str
) -> None:
    out = tmp_path / "out"
    with pytest.raises(UsageError, match=why):
        command("convert", bare, *arguments, "--out", out)
    assert not out.exists()


def test_an_image_is_neither_wrapped_twice_nor_written_over_itself(
    signed: Path, tmp_path: Path
) -> None:
    profile = ("--profile", "demo-esme")
    again = ("--from-layout", "none", "--to-layout", "ioc-1")
    with pytest.raises(UsageError, match="it is not bare: it carries L-SEC-1"):
        command("convert", signed, *again, *profile, "--out", tmp_path / "x")
    with pytest.raises(UsageError, match="would replace what it is made from"):
        command("strip", signed, *profile, "--out", signed)


def test_an_overlays_layout_is_converted_to_without_code(bare: Path, tmp_path: Path) -> None:
    folder = sixth_maker(tmp_path / "own")
    made, out = tmp_path / "made", tmp_path / "out"
    data = ("--data", folder)
    found = figures(
        "convert", bare, "--to-layout", "L-SIX-1", "--kind", "unsigned", "--out", made, *data
    )
    assert found["note"].startswith("user:")
    assert not found["cpl_hash_changes"]  # its hash is over the image alone
    assert found["warning"] == ""
    shown = figures("inspect", made, "--kind", "unsigned", *data)["metadata"]
    assert (shown["layout"], shown["status"]) == ("L-SIX-1", "recognised")
    assert figures("inspect", made, "--kind", "unsigned")["metadata"]["layout"] == "L-NONE"
    command("strip", made, "--kind", "unsigned", "--out", out, *data)
    assert out.read_bytes() == bare.read_bytes()


def test_build_refuses_a_value_for_a_field_that_is_not_free(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="leaves it not free"):
        command(
            "build", "demo-ppmid-2", "--layout", "L-IOC-1", "--set", "fw=1", "--out", tmp_path / "x"
        )
