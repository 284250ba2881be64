"""The models that are shipped: which there are, and that each value says where it comes from."""

import pytest

from device_profiles.evidence import EvidenceKind, leaves
from device_profiles.loader import load_profile, profile_names
from device_profiles.words import DeviceType, FirmwareSupport, SmetsVersion

#: Model -> type and generation, as firmware.md F-072 asks for them.
WANTED = {
    "gfi-esme": ("ESME", "SMETS2+"),
    "gfi-gsme": ("GSME", "SMETS2+"),
    "gfi-chf": ("CHF", "SMETS2+"),
    "gfi-ppmid": ("PPMID", "SMETS2+"),
    "edmi-ch-virtual-4g": ("CHF", "SMETS2+"),
    "toshiba-ch": ("CHF", "SMETS2+"),
    "wnc-ch": ("CHF", "SMETS2+"),
    "honeywell-as302p": ("ESME", "SMETS2+"),
    "aclara-sgm1415-b": ("ESME", "SMETS2+"),
    "flonidan-g4szv-2": ("GSME", "SMETS2+"),
    "chameleon-ihd6": ("PPMID", "SMETS2+"),
    "demo-s1-chf-ioc": ("CHF", "SMETS1"),
    "demo-s1-chf-mds": ("CHF", "SMETS1"),
    "demo-s1-chf-sec": ("CHF", "SMETS1"),
    "demo-s1-chf-foct": ("CHF", "SMETS1"),
    "demo-s1-chf-focl": ("CHF", "SMETS1"),
    "secure-liberty100": ("ESME", "SMETS1"),
    "secure-eg4v12": ("GSME", "SMETS1"),
    "flonidan-g4szv-1-s1": ("GSME", "SMETS1"),
    "lg-p450-pebble": ("PPMID", "SMETS1"),
    "secure-pipit500": ("PPMID", "SMETS1"),
    "demo-bilingual-ppmid": ("PPMID", "SMETS2+"),
}


@pytest.mark.parametrize("name", WANTED)
def test_the_catalogue_has_the_model(name: str) -> None:
    profile = load_profile(name)
    assert (profile.device_type, profile.identity.smets) == WANTED[name]


@pytest.mark.parametrize("name", profile_names())
def test_every_value_of_a_model_carries_a_mark(name: str) -> None:
    """What a profile holds and its evidence are one and the same set of paths."""
    profile = load_profile(name)
    held = profile.model_dump(
        mode="json", exclude={"evidence", "name", "device_type", "title"}, exclude_unset=True
    )
    unmarked = {
        path
        for path in leaves({key: value for key, value in held.items() if value is not None})
        if not any(path == mark or path.startswith(f"{mark}.") for mark in profile.evidence)
    }
    assert unmarked == set()


def test_named_makers_have_at_least_one_value_that_a_source_supports() -> None:
    for name in WANTED:
        if not name.startswith("demo-"):
            kinds = {mark.kind for mark in load_profile(name).evidence.values()}
            assert EvidenceKind.SOURCE in kinds, name


def test_one_model_is_of_both_generations_under_two_versions() -> None:
    profile = load_profile("demo-bilingual-ppmid")
    versions = {profile.nominal_version(smets) for smets in SmetsVersion}
    assert len(versions) == 2
    assert all(profile.is_of(smets) for smets in SmetsVersion)


def test_the_support_of_the_legacy_display_has_ended() -> None:
    legacy = load_profile("lg-p450-pebble").firmware
    assert legacy.firmware_support is FirmwareSupport.ENDED
    assert not legacy.is_supported
    assert load_profile("secure-pipit500").firmware.is_supported


def test_five_hubs_ask_for_five_layouts() -> None:
    hubs = [load_profile(name) for name in WANTED if name.startswith("demo-s1-chf-")]
    assert {hub.device_type for hub in hubs} == {DeviceType.CHF}
    assert len({hub.metadata.layout_id for hub in hubs if hub.metadata is not None}) == 5
