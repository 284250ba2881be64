"""Devices of an installation as rows of the CPL, where the file names no row."""

from device_profiles.cpl import load_cpl
from device_profiles.installation import load
from device_profiles.installed_models import installed_models
from device_profiles.words import DeviceType, SmetsVersion


def test_a_bilingual_ppmid_goes_by_its_smets1_entry_in_a_combination() -> None:
    home = load("demo")
    display = next(one for one in home.devices if one.role is DeviceType.PPMID)
    bilingual = display.model_copy(update={"profile": "demo-bilingual-ppmid", "cpl_entry": None})
    (found,) = installed_models(home.model_copy(update={"devices": (bilingual,)}), load_cpl())
    assert found.entry is not None
    assert found.entry.smets is SmetsVersion.SMETS1
    assert not found.why
