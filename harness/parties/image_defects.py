"""Named defects of the parties around SMETS1 images: what an S1SP or the DSP can do wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from device_profiles.metadata_makers import load_makers
from harness.parties import s1sp_image
from harness.parties.s1sp_desk_firmware import MakeRules
from harness.parties.s1sp_desk_records import DeskRecord

#: A method or attribute of a party.
Right = Any


@dataclass(frozen=True, slots=True)
class ImageDefect:
    """One way in which images are dealt with wrongly.

    Attributes:
        sentence: Who does what wrong.
        wrong: Path from the parties of the time after migration (``desk.images.receipt``) -> what
            makes a wrong one of the right one.
    """

    sentence: str
    wrong: Mapping[str, Callable[[Right], Right]]


def _never(_right: Right) -> Right:
    return lambda *_all, **_named: None


def _says(value: object) -> Callable[[Right], Right]:
    return lambda _right: lambda *_all, **_named: value


def _of_another_maker(_right: Right) -> Right:
    """Make the metadata that the hubs of another maker ask for."""

    def metadata_for(image: s1sp_image.OfferedImage) -> bytes:
        asking = [one for one in load_makers().asking() if one.layout != image.hub.metadata]
        other = image.hub.model_copy(
            update={
                "metadata": asking[0].layout,
                "identity": image.hub.identity.model_copy(
                    update={"manufacturer_code": asking[0].manufacturer_code}
                ),
            }
        )
        return s1sp_image.metadata_of(replace(image, hub=other))

    return metadata_for


def _without_force(right: Right) -> Right:
    """Take the image for one that replaces none."""

    def opened(*args: Any) -> Any:
        image = right(*args)
        held = image.file.force_replace is not None
        return replace(image, file=replace(image.file, force_replace=0)) if held else image

    return opened


def _whatever_became_of_it(right: Right) -> Right:
    """Keep the hash of an image before anybody has verified it."""

    def keep(record: Any, image: Any, _row: Any, mode: Any) -> None:
        record.image_hash = s1sp_image.hash_of(image, mode)
        record.image_version = image.version
        record.image_file_version = image.file_version

    _ = right
    return keep


async def _at_once(*_all: Any) -> str:
    return ""


class _Transforming(MakeRules):
    """Tells the version of the CPL entry, whatever the cohort."""

    def told(self, record: DeskRecord, version: str) -> str:
        return (record.declared or version) if version else version


class _EveryMake(MakeRules):
    """Takes every PPMID for one of its own make."""

    def bars_reading(self, record: DeskRecord) -> bool:
        _ = record
        return False


def _rules_of(kind: type[MakeRules]) -> Callable[[Right], Right]:
    return lambda right: kind(right.ppmid)


def _checks_without(*names: str) -> Callable[[Right], Right]:
    def filtered(right: Right) -> Right:
        return MappingProxyType({name: one for name, one in right.items() if name not in names})

    return filtered


def _defect(sentence: str, **wrong: Callable[[Right], Right]) -> ImageDefect:
    paths = {name.replace("__", "."): one for name, one in wrong.items()}
    return ImageDefect(sentence, MappingProxyType(paths))


#: Every defect by name.
DEFECTS: Final[Mapping[str, ImageDefect]] = MappingProxyType(
    {
        "s1sp-skips-hash-comparison": _defect(
            "the S1SP has any image started, whatever hash 11.3 names",
            desk__images__hash_objection=_never,
        ),
        "s1sp-skips-signature": _defect(
            "the S1SP believes images that no supplier has authorised",
            desk__images__signature_trouble=_says(""),
        ),
        "s1sp-sends-another-makers-metadata": _defect(
            "the S1SP hands a hub the metadata that another maker's hubs ask for",
            desk__images__metadata_for=_of_another_maker,
        ),
        "s1sp-tells-no-outcome": _defect(
            "the S1SP tells nobody what became of an image", desk__images__receipt=_never
        ),
        "s1sp-drops-force-replace": _defect(
            "the S1SP does not tell the hub that an image replaces the one held",
            desk__images__opened=_without_force,
        ),
        "s1sp-keeps-what-was-not-verified": _defect(
            "the S1SP keeps the hash of an image that the device found wrong",
            desk__images__keep=_whatever_became_of_it,
        ),
        "s1sp-reads-nothing-back": _defect(
            "the S1SP says that a device runs its new version without looking",
            desk__images__not_started=lambda _right: _at_once,
        ),
        "s1sp-transforms-in-foc": _defect(
            "the S1SP tells the version of the CPL entry where it must pass on what a PPMID says",
            desk__make_rules=_rules_of(_Transforming),
        ),
        "s1sp-knows-every-make": _defect(
            "the S1SP updates and reads PPMIDs of makes it does not know",
            desk__make_rules=_rules_of(_EveryMake),
            desk__images__rules=_rules_of(_EveryMake),
        ),
        "dsp-lets-11.4-through": _defect(
            "the DSP passes 11.4 for SMETS1 devices on",
            dsp__checks=_checks_without("applicable", "hub"),
        ),
        "dsp-routes-by-association": _defect(
            "the DSP takes a bilingual PPMID for what its hub is, while its announcement counts",
            dsp__follows_hub=_says(True),
        ),
        "dsp-believes-every-version": _defect(
            "the DSP takes the executing version of a bilingual PPMID over into the inventory",
            dsp__keeps_version=_says(False),
        ),
        "dsp-lets-strangers-join": _defect(
            "the DSP has devices join that nobody pre-notified", dsp__not_announced=_never
        ),
        "dsp-tells-nothing-of-hubs": _defect(
            "the DSP tells no supplier that a SMETS1 hub is updated", dsp__tell_of_hub=_never
        ),
        "dsp-lets-any-supplier-activate": _defect(
            "the DSP passes 11.3 on, whoever may update the device",
            dsp__not_its_updater=_never,
        ),
    }
)
