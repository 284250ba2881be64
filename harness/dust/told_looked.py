"""What there is to look at behind one answer: the device's objects, by its model's own table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Final

from device_profiles.dlms_catalogue import UNITS, CatalogueEntry
from device_profiles.dmves import Equivalent
from emulator.codecs.dlms.access import print_obis
from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor
from emulator.codecs.dlms.selective import CaptureObject, RangeSelection, selection_of
from emulator.core.clock import UtcMs
from harness.dlms.clock import clock_data
from harness.dust.told import (
    ABOUT,
    PROFILE_CLASS,
    REGISTER_CLASS,
    VALUE,
    Answer,
    Shown,
    reads_of,
    whole,
)
from harness.formats.duis import kinds
from harness.formats.duis.faults import DuisError

_CLOCK: Final = CaptureObject(8, bytes((0, 0, 1, 0, 0, 255)), 2)
_RATES: Final = range(1, 64)
#: COSEM unit -> its word.
WORDS: Final = {number: word for word, number in UNITS.items()}


@dataclass(frozen=True, slots=True)
class Looked:
    """What there is to look at.

    Attributes:
        answer: What was told.
        steps: Service -> what the device's model makes of it.
        objects: Objects of its model.
    """

    answer: Answer
    steps: Callable[[str], Equivalent] = field(repr=False)
    objects: Mapping[tuple[int, bytes], CatalogueEntry] = field(default_factory=dict, repr=False)

    def reads(self, class_id: int, service: str = "") -> tuple[Descriptor, ...]:
        """Return what the steps of a service (the answer's) read of a class."""
        return reads_of(self.steps(service or self.answer.service), class_id)

    def value(self, class_id: int, service: str = "") -> Descriptor | None:
        """Return the first value that they read of it."""
        return next((one for one in self.reads(class_id, service) if one.index == VALUE), None)

    @property
    def events(self) -> Descriptor | None:
        """The event log."""
        return self.value(PROFILE_CLASS, "6.13")

    @property
    def total(self) -> Descriptor | None:
        """The register of what was used."""
        return self.value(REGISTER_CLASS, "4.1.1")

    @property
    def profile(self) -> Descriptor | None:
        """The load profile."""
        return self.value(PROFILE_CLASS, "4.8.1")

    def rates(self) -> tuple[Descriptor, ...]:
        """Return the registers of the rates, as the model has them."""
        total = self.total
        if total is None:
            return ()
        names = (with_rate(total.obis, rate) for rate in _RATES)
        held = (name for name in names if (REGISTER_CLASS, name) in self.objects)
        return tuple(Descriptor(REGISTER_CLASS, name, VALUE) for name in held)

    def scaled(self) -> tuple[int, str]:
        """Return power of ten and unit of the total by the model's papers."""
        total = self.total
        entry = None if total is None else self.objects.get((total.class_id, total.obis))
        row = None if entry is None else entry.attributes.get(VALUE)
        return (0, "Wh") if row is None else (row.scaler, WORDS.get(row.unit, str(row.unit)))

    def entries(self, shown: Shown) -> list[tuple[UtcMs, int]]:
        """Return the entries of the event log: when, and which event."""
        return [] if self.events is None else shown.rows(self.events)


def with_rate(obis: bytes, rate: int) -> bytes:
    """Return the logical name of a register of one rate."""
    return bytes((*obis[:4], rate, *obis[5:]))


def rows_between(table: Descriptor, first: int, last: int) -> tuple[Attribute, ...]:
    """Return what reads the rows of a profile between two moments, with what its columns are."""
    span = RangeSelection(_CLOCK, clock_data(UtcMs(first)), clock_data(UtcMs(last)))
    return (
        Attribute(Descriptor(table.class_id, table.obis, ABOUT)),
        Attribute(table, selection_of(span)),
    )


def of_events(looked: Looked) -> tuple[Attribute, ...]:
    """Return what reads the event log."""
    return () if looked.events is None else whole((looked.events,))


def name_of(what: Descriptor) -> str:
    """Return an attribute as ``1-0:1.8.0.255``."""
    return print_obis(what.obis)


def decimal(text: str) -> Decimal | None:
    """Read a number that was told; None where it is none."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def plain(value: Decimal | None) -> str:
    """Print a number without an exponent."""
    return "nothing" if value is None else f"{value:f}"


def time_of(text: str | None) -> UtcMs | None:
    """Read a moment that was told; None where it is none."""
    try:
        return None if not text else kinds.DATE_TIME.read(text)
    except DuisError:
        return None
