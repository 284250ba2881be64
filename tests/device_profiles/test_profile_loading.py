"""Device profiles: the shipped ones, and every way in which a file can be wrong."""

from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

from device_profiles.errors import DataError, InconsistentDataError, UnknownNameError
from device_profiles.evidence import EvidenceKind
from device_profiles.loader import load_profile, profile_names
from device_profiles.words import DeviceType, ImageKind, PathwayPolicy, SmetsVersion

NAMES = profile_names()
GFI = {
    "gfi-esme": (DeviceType.ESME, "A0"),
    "gfi-gsme": (DeviceType.GSME, "A1"),
    "gfi-chf": (DeviceType.CHF, "A2"),
    "gfi-ppmid": (DeviceType.PPMID, "A4"),
    "gfi-hcalcs": (DeviceType.HCALCS, "A5"),
}


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_profile_loads_and_marks_every_value(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    content = profile.model_dump(exclude={"name", "device_type", "title", "evidence"})
    told = {
        f"{section}.{key}"
        for section, table in content.items()
        if table is not None
        for key, value in table.items()
        if value is not None
    }
    marked = {".".join(path.split(".")[:2]) for path in profile.evidence}
    assert told == marked


@pytest.mark.parametrize("name", NAMES)
def test_image_kind_follows_the_device_type(name: str) -> None:
    profile = load_profile(name)
    kinds = {
        DeviceType.PPMID: ImageKind.UNSIGNED,
        DeviceType.CHF: ImageKind.WAN_PROVIDER,
    }
    wanted = kinds.get(profile.device_type, ImageKind.SUPPLIER_SIGNED)
    assert profile.firmware.image_kind is wanted


@pytest.mark.parametrize(("name", "expected"), GFI.items())
def test_the_gfi_set_carries_what_the_vectors_show(
    name: str, expected: tuple[DeviceType, str]
) -> None:
    profile = load_profile(name)
    device_type, last = expected
    assert profile.device_type is device_type
    assert profile.identity.reference_eui64 == f"00-DB-12-34-56-78-90-{last}"
    assert profile.identity.firmware_version == "0123ABCD"
    assert profile.identity.version_octets == bytes.fromhex("0123abcd")
    assert profile.identity.manufacturer_hex == "121D"
    assert profile.identity.smets is SmetsVersion.SMETS2


def test_the_published_hub_has_its_published_identity() -> None:
    identity = load_profile("edmi-ch-virtual-4g").identity
    assert (identity.manufacturer_hex, identity.model_hex) == ("106C", "433100AC")
    assert identity.firmware_version == "00009001"


def test_at_least_sixteen_profiles_of_every_type_are_shipped() -> None:
    types = Counter(load_profile(name).device_type for name in NAMES)
    assert sum(types.values()) >= 16
    assert set(types) == {
        DeviceType.ESME,
        DeviceType.GSME,
        DeviceType.CHF,
        DeviceType.PPMID,
        DeviceType.HCALCS,
    }


def test_made_up_makers_claim_no_source_for_their_identity() -> None:
    for name in NAMES:
        if name.startswith("demo-"):
            marks = load_profile(name).evidence
            kinds = {mark.kind for path, mark in marks.items() if path.startswith("identity.")}
            assert kinds == {EvidenceKind.STAND_IN}


def test_no_two_shipped_models_are_the_same_device_with_the_same_firmware() -> None:
    seen = Counter(
        (p.device_type, one.manufacturer_code, one.model_hex, one.smets, one.firmware_version)
        for p in map(load_profile, NAMES)
        for one in [p.identity]
    )
    assert set(seen.values()) == {1}


def test_templates_are_neither_listed_nor_loaded() -> None:
    assert not any(name.startswith("template") for name in NAMES)
    with pytest.raises(UnknownNameError, match="template"):
        load_profile("template-esme")


def test_a_profile_cannot_be_changed() -> None:
    profile = load_profile("demo-esme")
    with pytest.raises(ValidationError, match="frozen"):
        profile.identity.model_id = 7


MINE = """
device_type = "ESME"
title = "mine"
extends = "demo-esme"
[identity]
model_id = 0x7777
[evidence]
"identity.model_id" = "source:a nameplate"
"""


def load_text(folder: Path, text: str) -> object:
    path = folder / "mine.toml"
    path.write_text(text, "utf-8")
    return load_profile(path)


def test_a_profile_of_ones_own_extends_another(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINE, "utf-8")
    profile = load_profile(tmp_path / "mine.toml")
    base = load_profile("demo-esme")
    assert profile.identity.model_id == 0x7777
    assert str(profile.evidence["identity.model_id"]) == "source:a nameplate"
    assert profile.firmware == base.firmware
    assert profile.evidence["identity.model_name"] == base.evidence["identity.model_name"]


@pytest.mark.parametrize(
    ("change", "code", "key"),
    [
        (('"identity.model_id" = "source:a nameplate"', ""), "unmarked-value", "identity.model_id"),
        (('"source:a nameplate"', '"sourced"'), "bad-mark", "evidence.identity.model_id"),
        (('"identity.model_id" =', '"identity.model" ='), "bad-mark", "evidence.identity.model"),
        (("0x7777", "0x1_0000"), "invalid-value", "identity.model_id"),
        (("0x7777", "-1"), "invalid-value", "identity.model_id"),
        (("0x7777", '"7777"'), "invalid-value", "identity.model_id"),
        (("0x7777", "true"), "invalid-value", "identity.model_id"),
        (('"ESME"', '"TOASTER"'), "invalid-value", "device_type"),
        (("[identity]", "[idendity]"), "invalid-value", "idendity"),
        (("[identity]", "colour = 1\n[identity]"), "invalid-value", "colour"),
        (("[identity]\nmodel_id = 0x7777", "identity = 3"), "invalid-value", "identity"),
        (('[evidence]\n"identity', 'evidence = 3\n[evidences]\n"identity'), "invalid-value", ""),
        (('"demo-esme"', '"no-such"'), "unknown-name", ""),
        (('"demo-esme"', "7"), "invalid-value", "extends"),
        (("title", "title = 3\nx"), "invalid-value", "x"),
        (("[identity]", "[identity"), "unreadable-file", ""),
    ],
)
def test_each_wrong_profile_has_its_own_error(
    tmp_path: Path, change: tuple[str, str], code: str, key: str
) -> None:
    assert change[0] in MINE
    with pytest.raises(DataError) as caught:
        load_text(tmp_path, MINE.replace(*change, 1))
    assert caught.value.code == code
    if key:
        assert caught.value.key == key
    assert caught.value.why


_HUB = (
    "[hub]\nimage_store_bytes = 9\nimage_slots = 1\ndevice_log_entries = 9\n"
    "historic_log_entries = 9\nppmid_ota = true\nccs08_targets = []"
)
_CODEC = (
    '[firmware.version_codec]\nkind = "mixed"\ntemplate = "{a}.{b}.{c}"\n'
    'codings = ["bcd", "bcd", "bcd", "bcd"]'
)
EXTRA = {
    "sleepy without windows": ("[radio]\nsleepy = true", "radio", "wake_period_s"),
    "windows without sleep": ("[radio]\nwake_period_s = 9", "radio", "sleepy devices"),
    "a hub's values in a meter": (
        _HUB,
        "hub",
        "a CHF, and no other device",
    ),
    "switch and valve": ("[supply]\nhas_valve = true", "supply", "not both"),
    "a codec without template": (
        '[firmware.version_codec]\nkind = "mixed"',
        "firmware",
        "template and codings",
    ),
    "a template with an octet missing": (
        _CODEC,
        "firmware",
        "exactly once",
    ),
    "a value in the place of a table": ("[firmware]\nversion_codec = 3", "firmware", "table"),
    "a table in the place of a value": ("[firmware.slots]\nx = 3", "firmware", "table"),
    "a version that is none": ('[identity]\nfirmware_version = "1.2"', "identity", "hex digits"),
    "an EUI-64 that is none": ('[identity]\nreference_eui64 = "00-DB"', "identity", "EUI-64"),
}


@pytest.mark.parametrize("name", EXTRA)
def test_values_that_do_not_go_together_are_refused(tmp_path: Path, name: str) -> None:
    table, section, why = EXTRA[name]
    text = f'device_type = "ESME"\ntitle = "t"\nextends = "demo-esme"\n{table}\n'
    with pytest.raises(DataError, match=why):
        load_text(tmp_path, f'{text}[evidence]\n"{section}" = "known"\n')


def test_a_chain_that_extends_itself_is_refused(tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    for name, base in (("a", "b"), ("b", "a")):
        text = f'device_type = "ESME"\ntitle = "t"\nextends = "{base}"\n'
        (models / f"{name}.toml").write_text(text, "utf-8")
    with pytest.raises(InconsistentDataError, match="a -> b -> a"):
        load_profile("a", (tmp_path,))


def test_an_unknown_name_offers_near_ones() -> None:
    with pytest.raises(UnknownNameError, match="did you mean demo-esme"):
        load_profile("demo-esm")


@pytest.mark.parametrize("path", ["/no/such/file.toml", "./nowhere"])
def test_a_missing_file_is_named(path: str) -> None:
    with pytest.raises(DataError, match="unreadable-file"):
        load_profile(path)


def test_octets_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(DataError, match="not UTF-8"):
        load_profile(tmp_path / "mine.toml")


def test_policies_of_the_strict_meter_differ() -> None:
    strict, plain = load_profile("demo-esme-strict"), load_profile("demo-esme")
    assert strict.firmware.pathway_policy is PathwayPolicy.REFUSE
    assert strict.firmware.downgrade_policy is not plain.firmware.downgrade_policy
    assert strict.firmware.resume_policy is not plain.firmware.resume_policy
