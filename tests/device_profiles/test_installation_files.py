"""Installation files: TOML and CSV, what belongs in them, and what is refused."""

from pathlib import Path

import pytest

from device_profiles.errors import DataError, UnknownNameError
from device_profiles.installation import (
    Installation,
    check_profiles,
    load,
    load_many,
    render_csv,
    render_toml,
    shipped_installations,
)
from device_profiles.loader import load_profile
from device_profiles.words import DeviceType, PaymentMode, SupplyShape

GOOD = """
ref = "home-1"
class = "Active"
shape = "electricity-only"
csp = "North"
[[device]]
role = "CHF"
profile = "demo-chf"
eui64 = "02:53:02:00:00:00:00:09"
supplier = "0253420000010000"
status = "Commissioned"
[[device]]
role = "ESME"
profile = "demo-esme"
eui64 = "02-53-01-00-00-00-00-09"
mpxn = "9900000000024"
supplier = "02-53-42-00-00-01-00-00"
payment_mode = "Credit"
status = "Commissioned"
cpl_entry = "SYN-DEMO-ESME-01000000"
install_code = "made-up:9"
"""
GAS = """
[[device]]
role = "GSME"
profile = "demo-gsme"
eui64 = "02-53-00-00-00-00-00-09"
supplier = "02-53-42-00-00-03-00-00"
payment_mode = "Credit"
status = "Commissioned"
[[device]]
role = "GPF"
profile = "demo-chf"
eui64 = "02-53-03-00-00-00-00-09"
supplier = "02-53-42-00-00-01-00-00"
status = "Commissioned"
"""


def load_text(folder: Path, text: str, name: str = "home.toml") -> Installation:
    path = folder / name
    path.write_text(text, "utf-8")
    return load(path)


@pytest.mark.parametrize("name", shipped_installations())
def test_every_shipped_installation_loads_with_its_profiles(name: str) -> None:
    installation = load(name)
    check_profiles(installation)
    assert installation.ref == name
    roles = {device.role for device in installation.devices}
    expected = set(DeviceType) - {DeviceType.IHD, DeviceType.CAD}
    if name == "smets1":
        expected -= {DeviceType.PPMID, DeviceType.HCALCS}  # no SMETS1 one is emulated yet
    assert roles == expected


def test_the_gfi_home_has_the_identifiers_of_its_profiles() -> None:
    for device in load("gfi").devices:
        reference = load_profile(device.profile).identity.reference_eui64
        if device.role is DeviceType.GPF:
            assert device.eui64 == "00-DB-12-34-56-78-90-A3"
        else:
            assert device.eui64 == reference
        assert device.supplier == "90-B3-D5-1F-30-01-00-00"


def test_a_file_reads_into_one_printed_form(tmp_path: Path) -> None:
    installation = load_text(tmp_path, GOOD)
    (hub,), (meter,) = installation.of(DeviceType.CHF), installation.of(DeviceType.ESME)
    assert hub.eui64 == "02-53-02-00-00-00-00-09"
    assert hub.supplier == meter.supplier == "02-53-42-00-00-01-00-00"
    assert meter.payment_mode is PaymentMode.CREDIT
    assert installation.cohort is None


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (('ref = "home-1"', ""), "ref"),
        (('"Active"', '"Asleep"'), "class"),
        (('"North"', '"Northern"'), "csp"),
        (('"electricity-only"', '"dual-fuel"'), ""),
        (('"electricity-only"', '"hub-only"'), ""),
        (('"electricity-only"', '"village"'), "shape"),
        (("02:53:02:00:00:00:00:09", "02:53:02"), "device.0.eui64"),
        (("02:53:02:00:00:00:00:09", "02-53-01-00-00-00-00-09"), ""),
        (('"CHF"', '"HUB"'), "device.0.role"),
        (('role = "CHF"', 'role = "PPMID"'), ""),
        (('payment_mode = "Credit"\n', ""), "device.1"),
        (('"Credit"', '"Barter"'), "device.1.payment_mode"),
        (('"9900000000024"', '"99000000024"'), "device.1"),
        (('"9900000000024"', '"99-1"'), "device.1.mpxn"),
        (('"made-up:9"', '"83FED3407A939723A5C639B26916D505C3B5"'), "device.1.install_code"),
        (('"made-up:9"', '"83-FE-D3-40-7A-93-97-23 A5C639B26916D505"'), "device.1.install_code"),
        (("class =", "colour = 1\nclass ="), "colour"),
        (("[[device]]", "[device]"), None),
        (('"demo-chf"', '"demo-chf"\nmpxn = "9900000000024"'), "device.0"),
    ],
)
def test_each_wrong_value_is_named_with_its_key(
    tmp_path: Path, change: tuple[str, str], key: str | None
) -> None:
    assert change[0] in GOOD
    with pytest.raises(DataError) as caught:
        load_text(tmp_path, GOOD.replace(*change, 1))
    if key is None:
        assert caught.value.code == "unreadable-file"
    else:
        assert (caught.value.code, caught.value.key) == ("invalid-value", key)


def test_an_install_code_is_never_repeated_in_the_error(tmp_path: Path) -> None:
    code = "83FED3407A939723A5C639B26916D505C3B5"
    with pytest.raises(DataError) as caught:
        load_text(tmp_path, GOOD.replace("made-up:9", code))
    assert code not in str(caught.value)


def test_the_shape_must_fit_the_suppliers(tmp_path: Path) -> None:
    both = GOOD + GAS
    split = load_text(tmp_path, both.replace("electricity-only", "split-supply"))
    assert split.shape is SupplyShape.SPLIT_SUPPLY
    with pytest.raises(DataError, match="two make it split-supply"):
        load_text(tmp_path, both.replace("electricity-only", "dual-fuel"))
    one = both.replace("-00-00-03-00-00", "-00-00-01-00-00")
    dual = load_text(tmp_path, one.replace("electricity-only", "dual-fuel"))
    assert dual.shape is SupplyShape.DUAL_FUEL
    with pytest.raises(DataError, match="needs two suppliers"):
        load_text(tmp_path, one.replace("electricity-only", "split-supply"))


def test_a_gas_meter_needs_its_mirror_and_a_home_has_one_hub(tmp_path: Path) -> None:
    both = (GOOD + GAS).replace("electricity-only", "split-supply")
    with pytest.raises(DataError, match="GPF to mirror"):
        load_text(tmp_path, both.replace('"GPF"', '"PPMID"'))
    with pytest.raises(DataError, match="more than one CHF"):
        load_text(tmp_path, both.replace('"GPF"', '"CHF"'))
    with pytest.raises(DataError, match="no CHF"):
        load_text(tmp_path, GOOD.replace('"CHF"', '"GPF"'))


def test_toml_and_csv_carry_the_same(tmp_path: Path) -> None:
    made = [load("demo"), load("gfi")]
    for name, text in (("i.toml", render_toml(made)), ("i.csv", render_csv(made))):
        (tmp_path / name).write_text(text, "utf-8")
        assert load_many(tmp_path / name) == tuple(made)
    one = tmp_path / "one.toml"
    one.write_text(render_toml(made[:1]), "utf-8")
    assert load(one) == made[0]


def test_odd_characters_survive_toml(tmp_path: Path) -> None:
    odd = load("demo").model_copy(update={"ref": 'a "b" \\ \x01 ü'})
    path = tmp_path / "odd.toml"
    path.write_text(render_toml([odd]), "utf-8")
    assert load(path) == odd


def test_a_file_of_several_is_not_one(tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    path.write_text(render_csv([load("demo"), load("gfi")]), "utf-8")
    with pytest.raises(DataError, match="2 installations where one is wanted"):
        load(path)


def test_two_homes_share_no_device_and_no_ref(tmp_path: Path) -> None:
    demo = load("demo")
    path = tmp_path / "two.toml"
    path.write_text(render_toml([demo, demo.model_copy(update={"ref": "other"})]), "utf-8")
    with pytest.raises(DataError, match="also in demo"):
        load_many(path)
    path.write_text(render_toml([demo, demo]), "utf-8")
    with pytest.raises(DataError, match="ref stands twice"):
        load_many(path)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("ref,", "reference,"), "unknown column"),
        (("\n", ",x\n"), "unknown column"),
        (("demo,,Active,dual-fuel,North,GPF", "demo,,Active,dual-fuel,South,GPF"), "differ"),
        (("demo,,Active,dual-fuel,North,GPF", "demo,dual-fuel,North,GPF"), "fewer cells"),
    ],
)
def test_each_wrong_csv_has_its_own_error(
    tmp_path: Path, change: tuple[str, str], why: str
) -> None:
    text = render_csv([load("demo")])
    assert change[0] in text
    with pytest.raises(DataError, match=why):
        load_text(tmp_path, text.replace(*change, 1), "home.csv")


def test_an_empty_csv_is_no_installation(tmp_path: Path) -> None:
    head = render_csv([load("demo")]).split("\n", 1)[0] + "\n"
    for text in ("", head):
        with pytest.raises(DataError, match="holds no device"):
            load_text(tmp_path, text, "home.csv")


def test_a_list_beside_other_keys_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing else"):
        load_text(tmp_path, 'ref = "x"\n[[installation]]\nref = "y"\n')


def test_a_profile_of_another_type_is_refused(tmp_path: Path) -> None:
    wrong = load_text(tmp_path, GOOD.replace('"demo-esme"', '"demo-ppmid"'))
    with pytest.raises(DataError, match="is of a PPMID"):
        check_profiles(wrong)
    missing = load_text(tmp_path, GOOD.replace('"demo-esme"', '"no-such"'))
    with pytest.raises(UnknownNameError):
        check_profiles(missing)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="demo, gfi"):
        load("nowhere")
    with pytest.raises(DataError, match="unreadable-file"):
        load("/no/such/home.toml")
