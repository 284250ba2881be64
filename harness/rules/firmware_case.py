"""One question to the implying engine, its answer, and the values the answer rests on."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from device_profiles.cohort import Cohort
from device_profiles.cpl import CplEntry
from device_profiles.evidence import EvidenceKind, Mark
from device_profiles.metadata_layout import NO_LAYOUT, MetadataMode
from device_profiles.schema import DeviceProfile
from device_profiles.words import ImageHashScope, SmetsVersion
from harness.rules.bilingual import BilingualRuling
from harness.verdict import ExpectationKind

#: Mark of what is made up on the way.
STAND_IN: Final = Mark(EvidenceKind.STAND_IN)
_ORDER: Final = tuple(EvidenceKind)


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known of an image file.

    Attributes:
        name: What it is called.
        layout_id: Layout whose metadata stand around its Manufacturer Image; ``L-NONE`` for none,
            empty where metadata are damaged or of no known layout.
        manufacturer_code: Of its OTA header.
        image_type: Of its OTA header.
        version: File version of its OTA header, 8 hex digits.
        listed_version: Version under which the Central Products List has it, 8 hex digits.
        hardware: Lowest and highest hardware version, or None where the header says none.
        size_bytes: Octets of the whole file.
        content_hash: SHA-256 over what stands between OTA header and trailer.
        bare_hash: SHA-256 over the Manufacturer Image without metadata.
        mark: Where the image comes from.
    """

    name: str
    layout_id: str
    manufacturer_code: int
    image_type: int
    version: str
    listed_version: str
    hardware: tuple[int, int] | None
    size_bytes: int
    content_hash: bytes
    bare_hash: bytes
    mark: Mark = STAND_IN


@dataclass(frozen=True, slots=True)
class BasisItem:
    """One value that an implication rests on.

    Attributes:
        item: File and key, e.g. ``demo-s1-chf-ioc hub.image_store_bytes``.
        value: The value, for a reader.
        mark: Its evidence mark.
    """

    item: str
    value: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class ImpliedCase:
    """One question.

    Attributes:
        image: The image.
        hub: Profile of the hub.
        target: Profile of the device it is for; the hub's own for the hub itself.
        cohort: The cohort, or None in a SMETS2+ home.
        mode: Where the hub finds metadata.
        day: The day, UTC.
        cpl: Row of the list for the image's version, or None: one with its hash is assumed.
        ruling: What the decision table says of a PPMID there, or None for other devices.
        activation_hash: Hash that 11.3 names; None: the right one.
    """

    image: ImageFacts
    hub: DeviceProfile
    target: DeviceProfile
    cohort: Cohort | None
    mode: MetadataMode
    day: date
    cpl: CplEntry | None = None
    ruling: BilingualRuling | None = None
    activation_hash: bytes | None = None

    @property
    def hash(self) -> bytes:
        """The Manufacturer Image Hash: over the metadata too where the hub's layout has it so."""
        layout = self.hub.metadata or NO_LAYOUT
        bare = self.mode is MetadataMode.ENDURING or layout.hash_scope is ImageHashScope.IMAGE
        return self.image.bare_hash if bare else self.image.content_hash

    @property
    def is_smets1(self) -> bool:
        """Whether the hub is of SMETS1."""
        return self.hub.identity.smets is SmetsVersion.SMETS1


@dataclass(frozen=True, slots=True)
class Implied:
    """What the data imply.

    Attributes:
        kind: ``exact``, ``one_of`` or ``uncertain``.
        outcomes: Outcome words.
        reason: Why, in a word or two.
        rule: Rule that decided.
        basis: Values it rests on, in the order they were asked.
    """

    kind: ExpectationKind
    outcomes: frozenset[str]
    reason: str
    rule: str
    basis: tuple[BasisItem, ...]

    @property
    def word(self) -> str:
        """One word for tables: the outcome, ``uncertain``, or the words of a choice."""
        if self.kind is ExpectationKind.UNCERTAIN:
            return "uncertain"
        return " or ".join(sorted(self.outcomes))

    def agrees(self, observed: str) -> bool:
        """Say whether an observation is one of the outcomes; a hang or broken frame is none."""
        return observed in self.outcomes


@dataclass(slots=True)
class Basis:
    """Collects the values that rules ask for."""

    items: dict[str, BasisItem] = field(default_factory=dict)

    def profile(self, profile: DeviceProfile, path: str, value: object) -> None:
        """Note a value of a profile; one the file leaves to its default is no input."""
        mark = profile.evidence.get(path)
        if mark is not None:
            self.note(f"{profile.name} {path}", value, mark)

    def layout(self, profile: DeviceProfile) -> None:
        """Note a hub's metadata layout, with the weakest mark of its values."""
        marks = [mark for path, mark in profile.evidence.items() if path.startswith("metadata.")]
        layout = profile.metadata or NO_LAYOUT
        if marks:
            weakest = max(marks, key=lambda mark: _ORDER.index(mark.kind))
            self.note(f"{profile.name} metadata", layout.layout_id, weakest)

    def cohort(self, cohort: Cohort, path: str, value: object) -> None:
        """Note a value of a cohort."""
        mark = cohort.mark(path)
        if mark is not None:
            self.note(f"cohort {cohort.key} {path}", value, mark)

    def note(self, item: str, value: object, mark: Mark) -> None:
        """Note a value once."""
        self.items.setdefault(item, BasisItem(item, str(value), mark))
