"""What a row knows beforehand: what clauses say, what the loaded data imply, and its images."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Final

from device_profiles.cohort import Cohort, CohortBilingual, CohortMetadata, load_cohort
from device_profiles.cpl import load_cpl
from device_profiles.files import Folders
from device_profiles.loader import load_profile
from device_profiles.metadata_layout import MetadataMode
from device_profiles.metadata_makers import HubMaker
from device_profiles.s1sr import ClauseDevice, FirmwareService, S1srClauses, load_s1sr
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType, ImageKind, SmetsVersion
from emulator.codecs import ota_file
from emulator.codecs.chf_metadata import MetadataTarget, codec_of
from emulator.codecs.chf_metadata_check import OfferedImage, examine
from emulator.codecs.ota_file import OtaImage
from firmware_images.image import Signing, Target, build
from firmware_images.recipe import made_up_scalar
from firmware_images.version import FirmwareVersion
from harness import firmware_matrix_images as images
from harness.firmware_cells import MatrixCell, MatrixHome, MatrixWorld, cell
from harness.firmware_matrix_images import ImageOrder, MatrixImage
from harness.firmware_matrix_world import DEFAULT_DAY, load_world
from harness.parties.firmware_defects import among
from harness.rules.firmware_implied import RULES
from harness.rules.s1sr_expectations import ClauseSays, expectation_for
from harness.run_options import RunOptions
from harness.scenarios.smets1_firmware.homes import Home

#: Octets of the Manufacturer Image of a row. Source: invented (small: each block is played).
CONTENT_BYTES: Final = 1_024
BARE: Final = "none"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which image a row makes.

    Attributes:
        layout: Hub profile whose metadata stand around it; empty: the home's own hub; ``none``:
            it is bare.
        oversize: Whether it is one octet larger than the hub's store.
        steps: By how much its version is higher than the device's.
    """

    layout: str = ""
    oversize: bool = False
    steps: int = 1


#: An image with the metadata of the home's own hub, one version higher than the device's.
RIGHT: Final = Wanted()


@dataclass(frozen=True, slots=True)
class Known:
    """The data in force in a run, and what of them the run's defects alter.

    Attributes:
        folders: Overlays, weakest first.
        defects: Names of the run's defects.
        mode: Where hubs find metadata.
        day: The day, UTC.
        cohort_data: Key paths of the cohort's data -> what a row takes instead.
    """

    folders: Folders = ()
    defects: tuple[str, ...] = ()
    mode: MetadataMode = MetadataMode.TACTICAL
    day: date = DEFAULT_DAY
    cohort_data: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        options: RunOptions,
        mode: MetadataMode = MetadataMode.TACTICAL,
        cohort_data: Mapping[str, object] | None = None,
    ) -> "Known":
        """Return what is known in a run."""
        defects = tuple(options.defects)
        return cls(options.data, defects, mode, cohort_data=cohort_data or {})

    def cohort(self, key: str) -> Cohort:
        """Return a cohort in the mode that is played."""
        cohort = in_mode(load_cohort(key, self.folders), self.mode)
        for path, value in self.cohort_data.items():
            section, _, leaf = path.partition(".")
            part = getattr(cohort, section).model_copy(update={leaf: value})
            cohort = cohort.model_copy(update={section: part})
        return cohort

    def clauses(self) -> S1srClauses:
        """Return the S1SR's effects in force."""
        found = load_s1sr(self.folders)
        off = {one.effect_off for one in among(self.defects)} - {""}
        left = {name: one for name, one in found.effects.items() if name not in off}
        return S1srClauses(left, found.annexes)

    def world(self, home: Home) -> MatrixWorld:
        """Return the data a cell of a home is made of."""
        found = _world(self.folders, home.cohort, home.hub_profile, self.day)
        off = {one.rule_off for one in among(self.defects)} - {""}
        rows = {one.row_off for one in among(self.defects)} - {""}
        return replace(
            found,
            homes=(self._home(home),),
            clauses=self.clauses(),
            decisions=tuple(one for one in found.decisions if one.id not in rows),
            rules={name: one for name, one in RULES.items() if name not in off},
        )

    def _home(self, home: Home) -> MatrixHome:
        hub = load_profile(home.hub_profile, self.folders)
        more = sum(one.more_bytes for one in among(self.defects))
        if more and hub.hub is not None:
            store = hub.hub.image_store_bytes + more
            section = hub.hub.model_copy(update={"image_store_bytes": store})
            hub = hub.model_copy(update={"hub": section})
        return MatrixHome(home.cohort, self.cohort(home.cohort), hub, self.folders)

    def cell(self, home: Home, role: DeviceType, wanted: Wanted) -> MatrixCell:
        """Return an image for a device of a home, with what clauses and data say of it."""
        world, profile = self.world(home), self.profile(home, role)
        of_smets1 = profile.is_of(SmetsVersion.SMETS1)
        smets = SmetsVersion.SMETS1 if of_smets1 else profile.identity.smets
        order = order_of(profile, smets, wanted.steps)
        layout = wanted.layout or home.hub_profile
        maker = world.makers.find("L-NONE") if layout == BARE else world.makers.by_profile[layout]
        if wanted.oversize:
            hub = load_profile(home.hub_profile, self.folders).hub
            store = 0 if hub is None else hub.image_store_bytes
            image = images.make_oversize(order, profile, maker, store)
        else:
            image = self._altered(images.make(order, profile, maker), order, profile, maker)
        return cell(world, image, world.homes[0], role.value, profile, self.mode)

    def profile(self, home: Home, role: DeviceType) -> DeviceProfile:
        """Return the model of a device of a home."""
        name = {
            DeviceType.ESME: home.esme,
            DeviceType.GSME: home.gsme,
            DeviceType.PPMID: home.ppmid,
        }.get(role, home.hub_profile)
        return load_profile(name, self.folders)

    def says(self, home: Home, role: DeviceType, service: FirmwareService) -> ClauseSays:
        """Return what the S1SR's clauses say of a request."""
        target, hub = self.profile(home, role), load_profile(home.hub_profile, self.folders)
        device = ClauseDevice(
            role,
            bilingual=target.bilingual is not None,
            third_party=target.identity.manufacturer_code != hub.identity.manufacturer_code,
            supported=target.firmware.is_supported,
        )
        return expectation_for(device, home.cohort, service, self.mode, self.day, self.clauses())

    def _altered(
        self, image: MatrixImage, order: ImageOrder, profile: DeviceProfile, maker: HubMaker
    ) -> MatrixImage:
        """Return an image with what the run's defects alter in its metadata."""
        for one in among(self.defects):
            if one.layout == maker.layout.layout_id:
                return with_wrong_field(image, order, profile, maker, one.field)
        return image


def in_mode(cohort: Cohort, mode: MetadataMode) -> Cohort:
    """Return a cohort whose hubs find metadata, and whose bilingual devices are, in one mode."""
    change = {"metadata": CohortMetadata(mode=mode), "bilingual": CohortBilingual(mode=mode)}
    return cohort.model_copy(update=change)


@cache
def _world(folders: Folders, cohort: str, hub: str, day: date) -> MatrixWorld:
    return load_world(folders, load_cpl(folders), day, cohorts=(cohort,), hub=hub)


def order_of(profile: DeviceProfile, smets: SmetsVersion, steps: int = 1) -> ImageOrder:
    """Return the order of an image whose version is some steps higher than the device's."""
    version = FirmwareVersion.from_number(profile.identity.version_number + steps).cpl()
    nominal = int(profile.nominal_version(smets), 16) if profile.is_of(smets) else 0
    listed = FirmwareVersion.from_number(nominal + steps).cpl() if nominal else version
    return ImageOrder(f"{profile.name} {version}", version, listed, CONTENT_BYTES)


def with_wrong_field(
    image: MatrixImage, order: ImageOrder, profile: DeviceProfile, maker: HubMaker, field: str
) -> MatrixImage:
    """Return an image in whose metadata the last octet of one field is another."""
    codec = codec_of(maker)
    target = MetadataTarget.of(profile)
    offered = OfferedImage(image.file.header, image.file.manufacturer_image, target)
    found = examine(codec, MetadataMode.TACTICAL, offered)
    if found.block is None:
        return image
    octets = bytearray(found.block.octets)
    for one in found.block.fields:
        if one.field.name == field:
            octets[one.offset + len(one.octets) - 1] ^= 1
    content = codec.join(bytes(octets), found.image)
    file = _rebuilt(profile, order, content)
    size = len(ota_file.encode(file))
    facts = images.facts_of(order, file, size, maker.layout.layout_id, found.image)
    return MatrixImage(file, ota_file.encode(file), facts)


def _rebuilt(profile: DeviceProfile, order: ImageOrder, content: bytes) -> OtaImage:
    signed = profile.firmware.image_kind is ImageKind.SUPPLIER_SIGNED
    signing = Signing(made_up_scalar()) if signed else None
    version = FirmwareVersion.from_cpl(order.version)
    return build(Target.of(profile), version, content, title="smetsbench row", signing=signing)
