"""Every saboteur changes what can be seen from outside the device, in a story made for it."""

import pytest

from device_profiles.words import SupplyState
from emulator.devices.defects import DEFECTS, apply
from emulator.devices.esme.esme import Esme
from emulator.devices.registry import CLASSES
from tests.emulator.devices.saboteur_stories import STORIES, whole

#: Saboteurs on the HAN; those of SMETS1 meters have tests of their own.
ON_THE_HAN = sorted(name for name, defect in DEFECTS.items() if not defect.smets1)


@pytest.mark.parametrize("name", ON_THE_HAN)
def test_a_saboteur_shows(name: str) -> None:
    defect = DEFECTS[name]
    story = STORIES[name.partition("-")[2]]
    right = CLASSES[defect.device_type]
    wrong = apply(right, [name])
    assert issubclass(wrong, right)
    assert story(wrong) != story(right)


@pytest.mark.parametrize("name", sorted(DEFECTS))
def test_a_saboteur_says_in_one_sentence_what_it_does(name: str) -> None:
    sentence = DEFECTS[name].sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    generation = "s1-" if DEFECTS[name].smets1 else ""
    assert name.startswith(f"{generation}{DEFECTS[name].device_type.value.lower()}-")


def test_defects_add_up() -> None:
    names = ["esme-silent-after-verify", "esme-switch-opens-on-activation"]
    seen = whole(apply(Esme, names))
    assert seen != whole(apply(Esme, names[:1])) != whole(Esme)
    assert SupplyState.OFF in seen


def test_an_unknown_or_foreign_defect_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no device defect 'esme-flies'"):
        apply(Esme, ["esme-flies"])
    with pytest.raises(ValueError, match="belongs to a SMETS1 ESME"):
        apply(Esme, "s1-esme-any-password")
    with pytest.raises(ValueError, match="belongs to a GSME"):
        apply(Esme, "gsme-awake-outside-window")
