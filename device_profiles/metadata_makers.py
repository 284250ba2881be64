"""The hub makers at hand: each CHF profile's metadata layout, checked against the others'."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device_profiles.errors import UnknownNameError
from device_profiles.evidence import EvidenceKind, Mark
from device_profiles.files import Folders
from device_profiles.loader import load_profile, profile_names
from device_profiles.metadata_checks import LayoutError, LayoutFault, collide
from device_profiles.metadata_layout import NO_LAYOUT, STAND_IN_NOTE, MetadataLayout
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType

_WEAK: Final = {EvidenceKind.STAND_IN, EvidenceKind.INFERRED}


@dataclass(frozen=True, slots=True)
class HubMaker:
    """A hub model, and what its hubs ask for.

    Attributes:
        profile: Name of the hub's profile.
        manufacturer_code: Zigbee manufacturer code of the hub (u16).
        manufacturer_name: Its maker.
        layout: Its metadata layout.
        marks: Evidence marks of the layout by key path; none for a profile without the section.
    """

    profile: str
    manufacturer_code: int
    manufacturer_name: str
    layout: MetadataLayout
    marks: Mapping[str, Mark]

    @classmethod
    def of(cls, profile: DeviceProfile) -> "HubMaker":
        """Return what a hub's profile says."""
        return cls(
            profile.name,
            profile.identity.manufacturer_code,
            profile.identity.manufacturer_name,
            profile.metadata or NO_LAYOUT,
            {path: mark for path, mark in profile.evidence.items() if path.startswith("metadata.")},
        )

    @property
    def is_stand_in(self) -> bool:
        """Whether a value of the layout is made up or inferred."""
        return any(mark.kind in _WEAK for mark in self.marks.values())

    @property
    def note(self) -> str:
        """What must stand beside every mention of the layout (F-059); may be empty."""
        if self.is_stand_in:
            return STAND_IN_NOTE
        return ", ".join(sorted({str(mark) for mark in self.marks.values()}))


class HubMakers:
    """Hub makers by profile name, no two of whose layouts can be taken for each other."""

    def __init__(self, makers: Iterable[HubMaker]) -> None:
        self.by_profile: Final[Mapping[str, HubMaker]] = {one.profile: one for one in makers}
        self.layouts: Final[Mapping[str, HubMaker]] = self._by_layout()
        self._refuse_collisions()

    def _by_layout(self) -> dict[str, HubMaker]:
        found: dict[str, HubMaker] = {}
        for one in self.by_profile.values():
            other = found.setdefault(one.layout.layout_id, one)
            if other.layout != one.layout:
                why = f"{other.profile} has another layout of this name"
                raise LayoutError(LayoutFault.ID_CLASH, why, file=one.profile)
        return found

    def _refuse_collisions(self) -> None:
        asking = [one for one in self.layouts.values() if not one.layout.is_none]
        for number, one in enumerate(asking):
            for other in asking[:number]:
                if collide(one.layout, other.layout):
                    why = (
                        f"its constants do not tell {one.layout.layout_id} from"
                        f" {other.layout.layout_id} of {other.profile}"
                    )
                    raise LayoutError(LayoutFault.COLLISION, why, file=one.profile)

    def asking(self) -> list[HubMaker]:
        """Return one maker for each layout that asks for metadata, in the order of the profiles."""
        return [one for one in self.layouts.values() if not one.layout.is_none]

    def find(self, name: str) -> HubMaker:
        """Return a maker by profile name or layout, as people write either; ``none`` is L-NONE.

        Raises:
            UnknownNameError: There is none.
        """
        if name in self.by_profile:
            return self.by_profile[name]
        wanted = name.casefold()
        for layout_id, maker in self.layouts.items():
            if layout_id.casefold() in {wanted, f"l-{wanted}"}:
                return maker
        if wanted in {"none", NO_LAYOUT.layout_id.casefold()}:
            return HubMaker("none", 0, "", NO_LAYOUT, {})
        known = ", ".join(sorted({NO_LAYOUT.layout_id, *self.layouts}))
        raise UnknownNameError(f"no metadata layout of this name (known: {known})", file=name)


def load_makers(overlays: Folders = (), paths: Iterable[Path] = ()) -> HubMakers:
    """Load every hub profile, shipped and overlaid, and check their layouts against each other.

    Args:
        overlays: Folders whose values win, weakest first.
        paths: Files of further hub profiles.

    Raises:
        DataError: A profile cannot be used, or two layouts cannot be told apart.
    """
    profiles = [load_profile(name, overlays) for name in profile_names(overlays)]
    profiles += [load_profile(path, overlays) for path in paths]
    return HubMakers(
        HubMaker.of(profile) for profile in profiles if profile.device_type is DeviceType.CHF
    )
