"""Cells of the firmware matrix: image, hub, device, cohort, mode, each with its prediction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from device_profiles.bilingual_table import BilingualDecision, Listed, NotifiedAs
from device_profiles.cohort import Cohort
from device_profiles.cpl import Cpl, CplEntry
from device_profiles.evidence import Mark
from device_profiles.files import Folders
from device_profiles.matrix_axes import THE_HUB, MatrixAxes, MatrixTarget
from device_profiles.metadata_layout import NO_LAYOUT, MetadataMode
from device_profiles.metadata_makers import HubMaker, HubMakers
from device_profiles.s1sr import ClauseDevice, FirmwareService, S1srClauses
from device_profiles.schema import DeviceProfile
from device_profiles.words import CplStatus, DeviceType, ImageHashScope, SmetsVersion
from harness.firmware_matrix_images import ImageOrder, MatrixImage, make, make_oversize
from harness.rules.bilingual import BilingualCase, BilingualRuling, judge, listing_of
from harness.rules.firmware_case import Implied, ImpliedCase
from harness.rules.firmware_implied import Rule, imply
from harness.rules.s1sr_expectations import ClauseSays, expectation_for

#: Says in the identifier of a CPL row that the list has none and one is assumed.
ASSUMED: Final = "ASSUMED"


@dataclass(frozen=True, slots=True)
class MatrixHome:
    """A kind of home.

    Attributes:
        name: Cohort key, or what SMETS2+ homes are called.
        cohort: The cohort, or None in a SMETS2+ home.
        hub: Profile of its hub.
        folders: Overlays that its profiles come from, weakest first; for who plays a cell.
    """

    name: str
    cohort: Cohort | None
    hub: DeviceProfile
    folders: Folders = ()

    @property
    def smets(self) -> SmetsVersion:
        """Generation of the home."""
        return self.hub.identity.smets


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One cell.

    Attributes:
        image: The image.
        home: The home: cohort and hub.
        target_name: What the device is called.
        target: Profile of the device; the hub's own for the hub itself.
        mode: Where the hub finds metadata, and what bilingual devices are taken for.
        case: What the implying engine was asked.
        cpl: Row the DCC has for the image: the list's own, or one assumed with its hash.
        clause_says: What the S1SR's clauses say.
        implied: What the data imply.
    """

    image: MatrixImage
    home: MatrixHome
    target_name: str
    target: DeviceProfile
    mode: MetadataMode
    case: ImpliedCase
    cpl: CplEntry
    clause_says: ClauseSays
    implied: Implied


@dataclass(frozen=True, slots=True)
class MatrixWorld:
    """The data a matrix is made of.

    Attributes:
        axes: Devices and SMETS2+ hubs.
        homes: Kinds of homes.
        profiles: Profiles of the axes' devices, by name.
        makers: Hub makers.
        cpl: The Central Products List in force.
        clauses: Effects of the S1SR's clauses.
        decisions: Decision table of bilingual PPMIDs.
        day: The day, UTC.
        rules: Rules of the implying engine; None for all of them.
    """

    axes: MatrixAxes
    homes: tuple[MatrixHome, ...]
    profiles: Mapping[str, DeviceProfile]
    makers: HubMakers
    cpl: Cpl
    clauses: S1srClauses
    decisions: tuple[BilingualDecision, ...]
    day: date
    rules: Mapping[str, Rule] | None = None

    def target_of(self, target: MatrixTarget, home: MatrixHome) -> DeviceProfile:
        """Return the profile of a device in a home."""
        return home.hub if target.profile == THE_HUB else self.profiles[target.profile]

    def layouts(self) -> list[HubMaker]:
        """Return a maker for every layout that a home's hub asks for, then the one for none."""
        makers = [self.makers.by_profile[home.hub.name] for home in self.homes]
        found = {one.layout.layout_id: one for one in makers if not one.layout.is_none}
        return [*found.values(), self.makers.find(NO_LAYOUT.layout_id)]


@dataclass(slots=True)
class _Press:
    """Makes each image once."""

    made: dict[tuple[object, ...], MatrixImage] = field(default_factory=dict)

    def make(self, order: ImageOrder, target: DeviceProfile, maker: HubMaker) -> MatrixImage:
        key = (order, target.name, maker.layout.layout_id, maker.manufacturer_code)
        if key not in self.made:
            self.made[key] = make(order, target, maker)
        return self.made[key]

    def oversize(
        self, order: ImageOrder, target: DeviceProfile, maker: HubMaker, store_bytes: int
    ) -> MatrixImage:
        key = (order, target.name, maker.layout.layout_id, maker.manufacturer_code, store_bytes)
        if key not in self.made:
            self.made[key] = make_oversize(order, target, maker, store_bytes)
        return self.made[key]


def default_cells(world: MatrixWorld, modes: Sequence[MetadataMode]) -> Iterator[MatrixCell]:
    """Yield the cells of the made-up images.

    Tactical: every layout and the bare image; enduring: the bare image. In each home besides: one
    that its hub would take but for one octet.
    """
    press = _Press()
    for home in world.homes:
        for target in world.axes.targets:
            profile = world.target_of(target, home)
            if not _belongs(profile, target, home):
                continue
            for mode in modes:
                for image in _images(world, press, home, target, profile, mode):
                    yield cell(world, image, home, target.id, profile, mode)


def _belongs(profile: DeviceProfile, target: MatrixTarget, home: MatrixHome) -> bool:
    """Say whether a device can stand in a home at all; a SMETS2+ hub is its WAN provider's."""
    if target.profile == THE_HUB:
        return home.smets is SmetsVersion.SMETS1
    return profile.is_of(home.smets)


def _images(  # noqa: PLR0913, PLR0917 -- the axes of a cell
    world: MatrixWorld,
    press: _Press,
    home: MatrixHome,
    target: MatrixTarget,
    profile: DeviceProfile,
    mode: MetadataMode,
) -> Iterator[MatrixImage]:
    order = order_of(target, profile, home)
    own = world.makers.by_profile[home.hub.name]
    bare = world.makers.find(NO_LAYOUT.layout_id)
    tactical = mode is MetadataMode.TACTICAL and not own.layout.is_none
    for maker in world.layouts() if tactical else [bare]:
        yield press.make(order, profile, maker)
    if home.hub.hub is not None:
        store = home.hub.hub.image_store_bytes
        yield press.oversize(order, profile, own if tactical else bare, store)


def order_of(target: MatrixTarget, profile: DeviceProfile, home: MatrixHome) -> ImageOrder:
    """Return the image a row of the axes asks for."""
    listed = target.listed_version if home.smets is SmetsVersion.SMETS1 else target.version
    name = f"{profile.name} {target.version}"
    return ImageOrder(
        name, target.version, listed, target.content_bytes, Mark.parse(target.evidence)
    )


def cell(  # noqa: PLR0913, PLR0917 -- the axes of a cell
    world: MatrixWorld,
    image: MatrixImage,
    home: MatrixHome,
    target_name: str,
    target: DeviceProfile,
    mode: MetadataMode,
) -> MatrixCell:
    """Return one cell with its predictions."""
    listed = _listed(world.cpl, image, home, target)
    case = ImpliedCase(
        image.facts,
        home.hub,
        target,
        home.cohort,
        mode,
        world.day,
        listed,
        _ruling(world, home, target, mode),
    )
    says = expectation_for(
        _as_clauses_see(target, home),
        home.name,
        FirmwareService.UPDATE,
        mode,
        world.day,
        world.clauses,
    )
    row = listed if listed is not None else _assumed(case, home)
    implied = imply(case, world.rules)
    return MatrixCell(image, home, target_name, target, mode, case, row, says, implied)


def _as_clauses_see(target: DeviceProfile, home: MatrixHome) -> ClauseDevice:
    maker = home.hub.identity.manufacturer_code
    return ClauseDevice(
        target.device_type,
        bilingual=target.bilingual is not None,
        third_party=target.identity.manufacturer_code != maker,
        supported=target.firmware.is_supported,
    )


def _ruling(
    world: MatrixWorld, home: MatrixHome, target: DeviceProfile, mode: MetadataMode
) -> BilingualRuling | None:
    """Return what the decision table says of a PPMID announced as what its home is."""
    if target.device_type is not DeviceType.PPMID:
        return None
    both = target.bilingual is not None
    own = Listed.BOTH if both else Listed(target.identity.smets.value)
    listing = listing_of(world.cpl, target.identity) or own
    case = BilingualCase(mode, listing, NotifiedAs(home.smets.value), home.smets)
    ppmid = None if home.cohort is None else home.cohort.ppmid
    return judge(case, ppmid, world.decisions)


def _listed(
    cpl: Cpl, image: MatrixImage, home: MatrixHome, target: DeviceProfile
) -> CplEntry | None:
    identity = target.identity
    return cpl.resolve(
        manufacturer=identity.manufacturer_hex,
        model=identity.model_hex,
        device_type=target.device_type,
        firmware_version=image.facts.listed_version,
        smets=home.smets,
    ).entry


def _assumed(case: ImpliedCase, home: MatrixHome) -> CplEntry:
    """Return the row that a supplier would have had listed for this very image."""
    identity = case.target.identity
    bare = case.hash == case.image.bare_hash
    return CplEntry(
        cpl_entry_id=f"{ASSUMED}-{case.target.name}-{case.image.listed_version}"[:40],
        device_type=case.target.device_type,
        smets=home.smets,
        manufacturer_name=identity.manufacturer_name,
        manufacturer_id=identity.manufacturer_hex,
        model_id=f"{identity.model_id:04X}",
        hardware_version=f"{identity.hardware_version:04X}",
        firmware_version=case.image.listed_version,
        manufacturer_image_hash=case.hash.hex(),
        image_hash_scope=ImageHashScope.IMAGE if bare else ImageHashScope.METADATA_AND_IMAGE,
        status=CplStatus.ACTIVE,
        effective_from=case.day,
        evidence="stand-in",
    )


def of_image(
    world: MatrixWorld,
    image: MatrixImage,
    target_name: str,
    target: DeviceProfile,
    modes: Sequence[MetadataMode],
) -> Iterator[MatrixCell]:
    """Yield the cells of one image of the user's, in every home its device can stand in."""
    for home in world.homes:
        if target.is_of(home.smets):
            for mode in modes:
                yield cell(world, image, home, target_name, target, mode)
