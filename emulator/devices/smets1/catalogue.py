"""Objects out of a catalogue: rows bound to what the meter does, rights by column, deviations."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from device_profiles.dlms import DeviationSection, DlmsSection
from device_profiles.dlms_catalogue import (
    Catalogue,
    CatalogueEntry,
    CatalogueRow,
    load_catalogue,
    refuse_row,
)
from device_profiles.errors import InconsistentDataError
from device_profiles.files import Folders
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.access import Selection
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult, GetResult
from emulator.codecs.dlms.axdr import Data
from emulator.codecs.dlms.selective import CaptureObject
from emulator.core.errors import MalformedFrameError
from emulator.devices.consumption import Kind
from emulator.devices.saved import Json, Saved
from emulator.devices.smets1 import (
    account_object,
    association_object,
    calendar,
    charge_object,
    clock,
    device_log_object,
    hdlc_object,
    hub_image_object,
    image_object,
    logs,
    profile_generic,
    registers,
    security_setup,
    switch,
)
from emulator.devices.smets1.binding import TAGS, Binding, data_of, fits, word_of
from emulator.devices.smets1.object_model import (
    LOGICAL_NAME,
    Access,
    CosemObject,
    Moment,
    ObjectTree,
)
from emulator.devices.smets1.rates import MAX_RATES

if TYPE_CHECKING:
    from emulator.devices.smets1.meter import Meter

#: A value that the row states and that may be written, where rights allow it.
STORED: Final = "stored"
#: The firmware version; it stands where the profile's ``firmware_obis`` says, too.
FIRMWARE: Final = "device.firmware"
#: Binding word -> what it does.
BINDINGS: Final[Mapping[str, Binding]] = MappingProxyType(
    {
        **account_object.BINDINGS,
        **association_object.BINDINGS,
        **calendar.BINDINGS,
        **charge_object.BINDINGS,
        **clock.BINDINGS,
        **device_log_object.BINDINGS,
        **hdlc_object.BINDINGS,
        **hub_image_object.BINDINGS,
        **image_object.BINDINGS,
        **logs.BINDINGS,
        **profile_generic.BINDINGS,
        **registers.BINDINGS,
        **security_setup.BINDINGS,
        **switch.BINDINGS,
        STORED: Binding(lambda _meter, row, _at: registers.constant(row)),
    }
)
_IMAGE_CLASS: Final = 18
_DENIED: Final = DataAccessResult.READ_WRITE_DENIED
_KINDS: Final = frozenset(kind.value for kind in Kind)
_LOGS: Final = frozenset({logs.EVENTS, logs.SECURITY})
_CAPTURED: Final = frozenset({"load", "billing"})
_CREDITS: Final = frozenset({"token", "emergency", "debt"})
_CHARGES: Final = frozenset({"energy", "standing", "debt1", "debt2", "debt3"})
#: Binding word, or its first part -> what the row's value may name.
_VALUES: Final[Mapping[str, frozenset[str]]] = {
    "energy": _KINDS,
    "power": _KINDS,
    "rate": frozenset(str(rate) for rate in range(1, MAX_RATES + 1)),
    "log.last": _LOGS,
    "profile.buffer": _CAPTURED | _LOGS,
    "profile.period": _CAPTURED | _LOGS,
    "profile.in-use": _CAPTURED | _LOGS,
    "profile.entries": _CAPTURED | _LOGS,
    "profile.reset": _CAPTURED | _LOGS,
    "profile.capture": _CAPTURED,
    "calendar.active": frozenset(calendar.PARTS),
    "calendar.passive": frozenset(calendar.PARTS),
    "limiter.limit": frozenset(switch.LIMITS),
    "credit": _CREDITS,
    "charge": _CHARGES,
}


class CatalogueObject(CosemObject):
    """One object of a catalogue.

    Attributes:
        members: Attribute rows by index, without the logical name.
        actions: Method rows by index.
        deviations: What the profile says otherwise: attribute -> value, result, or None for
            "the value, whatever the rights".
    """

    def __init__(self, meter: "Meter", entry: CatalogueEntry) -> None:
        super().__init__(entry.obis)
        self._meter = meter
        self.members = entry.attributes
        self.actions = entry.methods
        self.deviations: dict[int, Data | DataAccessResult | None] = {}
        self._stored: dict[int, Data] = {}

    def attributes(self) -> tuple[int, ...]:
        """Return the indexes of its attributes."""
        return tuple(sorted({LOGICAL_NAME, *self.members, *self.deviations}))

    def methods(self) -> tuple[int, ...]:
        """Return the indexes of its methods."""
        return tuple(sorted(self.actions))

    def read(self, index: int, selection: Selection | None, at: Moment) -> GetResult:
        """Return the value of an attribute, or why not."""
        deviating = self.deviations.get(index)
        if deviating is not None:
            return deviating
        row = self.members.get(index)
        if row is None:
            return super().read(index, selection, at)
        binding = BINDINGS[row.binding]
        if binding.selective is not None:
            value = binding.selective(self._meter, row, selection, at)
        elif selection is not None:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        elif index in self._stored:
            return self._stored[index]
        elif binding.read is None:
            return _DENIED
        else:
            value = binding.read(self._meter, row, at)
        return value if isinstance(value, GetResult) else data_of(row, binding, value)

    def write(self, index: int, value: Data, at: Moment) -> DataAccessResult:
        """Give an attribute another value, or say why not."""
        row = self.members.get(index)
        if row is None:
            return _DENIED
        if not fits(row.type, value):
            return DataAccessResult.TYPE_UNMATCHED
        if row.binding == STORED:
            self._stored[index] = value
            return DataAccessResult.SUCCESS
        write = BINDINGS[row.binding].write
        return _DENIED if write is None else write(self._meter, row, value, at)

    def invoke(self, index: int, parameters: Data | None, at: Moment) -> MethodOutcome:
        """Carry out a method, or say why not."""
        row = self.actions.get(index)
        invoke = None if row is None else BINDINGS[row.binding].invoke
        if row is None or invoke is None:
            return MethodOutcome(ActionResult.OBJECT_UNDEFINED)
        if row.type != "any" and (parameters is None or not fits(row.type, parameters)):
            return MethodOutcome(ActionResult.TYPE_UNMATCHED)
        return invoke(self._meter, row, parameters, at)

    def access(self, index: int, word: str) -> Access:
        """Return what a rights word may do with an attribute and with the method of its number."""
        attribute, method = self.members.get(index), self.actions.get(index)
        shown = "" if attribute is None else attribute.rights.get(word, "")
        called = "" if method is None else method.rights.get(word, "")
        open_ = index in self.deviations
        return Access(
            read=self._named(word) if index == LOGICAL_NAME else open_ or "r" in shown,
            write="w" in shown,
            invoke="x" in called,
            protected="!" in shown,
            guarded="!" in called,
        )

    def _named(self, word: str) -> bool:
        """Say whether a rights word may do anything here, and so read the logical name."""
        rows = [*self.members.values(), *self.actions.values()]
        return bool(self.deviations) or any(row.rights.get(word) for row in rows)

    def dump(self) -> dict[str, Json]:
        """Return the values that were written."""
        return {str(index): axdr.encode(data).hex() for index, data in self._stored.items()}

    def load(self, saved: Saved) -> None:
        """Take over dumped values."""
        self._stored = {
            index: axdr.decode(saved.octets(str(index)))
            for index, row in self.members.items()
            if row.binding == STORED and saved.has(str(index))
        }


@cache
def _class_of(class_id: int, version: int) -> type[CatalogueObject]:
    """Return the class of objects of one interface class."""
    return type(
        f"Class{class_id}V{version}",
        (CatalogueObject,),
        {"class_id": class_id, "version": version},
    )


def _access(item: CosemObject, index: int, word: str) -> Access:
    return item.access(index, word) if isinstance(item, CatalogueObject) else Access()


def build_tree(meter: "Meter", catalogue: Catalogue, section: DlmsSection) -> ObjectTree:
    """Return the objects of a catalogue with the profile's deviations.

    Raises:
        DataError: An association's rights have no column, a deviation holds no A-XDR or no result.
    """
    objects = {key: made(meter, placed) for key, made, placed in _layout_of(catalogue, section)}
    for deviation in section.deviation:
        _deviate(meter, objects, deviation, catalogue.name)
    return ObjectTree(objects.values(), _access)


Columns = dict[bytes, tuple[CaptureObject, ...]]
_Layout = tuple[tuple[tuple[int, bytes], type[CatalogueObject], CatalogueEntry], ...]
#: Catalogue and section, neither of which changes -> key, class and entry of each object, for all
#: devices of that model. Found by identity: kept with both, so that nothing else takes their place.
_LAYOUTS: Final[dict[tuple[int, int], tuple[Catalogue, DlmsSection, _Layout]]] = {}
_COLUMNS: Final[dict[tuple[int, int], Columns]] = {}
_MOST_LAYOUTS: Final = 64


def _layout_of(catalogue: Catalogue, section: DlmsSection) -> _Layout:
    key = id(catalogue), id(section)
    if key not in _LAYOUTS:
        if len(_LAYOUTS) >= _MOST_LAYOUTS:
            _LAYOUTS.clear()
            _COLUMNS.clear()
        _LAYOUTS[key] = (catalogue, section, _laid_out(catalogue, section))
    return _LAYOUTS[key][2]


def _laid_out(catalogue: Catalogue, section: DlmsSection) -> _Layout:
    for association in section.associations:
        if association.rights not in catalogue.rights:
            raise InconsistentDataError(
                f"association {association.name!r} has rights {association.rights!r}, the"
                f" catalogue has columns {', '.join(sorted(catalogue.rights))}",
                file=catalogue.name,
            )
    entries = (
        _placed(entry, section)
        for entry in catalogue.objects.values()
        if section.image is not None or entry.class_id != _IMAGE_CLASS
    )
    return tuple(
        ((one.class_id, one.obis), _class_of(one.class_id, one.version), one) for one in entries
    )


def load_bound(name: str, overlays: Folders = ()) -> Catalogue:
    """Load a catalogue, each row of which means something to its binding.

    Raises:
        DataError: It cannot be loaded, or a row does not say what its binding needs.
    """
    catalogue = load_catalogue(name, overlays, BINDINGS)
    for row in catalogue.rows:
        check_row(row)
    return catalogue


def check_row(row: CatalogueRow) -> None:
    """Check that a row says what its binding needs.

    Raises:
        DataError: It does not.
    """
    binding = BINDINGS[row.binding]
    if row.is_method != (binding.invoke is not None):
        raise refuse_row(row, "binding", f"{row.binding!r} is no {_kind(row)}")
    if binding.exponent and word_of(row.type)[0] not in TAGS:
        raise refuse_row(row, "type", f"{row.binding!r} is a number")
    known = _VALUES.get(row.binding, _VALUES.get(row.binding.partition(".")[0]))
    if known is not None and row.value not in known:
        raise refuse_row(row, "value", f"{row.value!r} is none of {', '.join(sorted(known))}")
    try:
        if row.binding in {"constant", STORED}:
            axdr.encode(_stated(row))
        elif row.binding == "profile.columns":
            profile_generic.parse_columns(row.value)
    except (ValueError, MalformedFrameError) as error:
        raise refuse_row(row, "value", str(error)) from error


def _kind(row: CatalogueRow) -> str:
    return "method" if row.is_method else "attribute"


def _stated(row: CatalogueRow) -> Data:
    value = registers.constant(row)
    return value if isinstance(value, Data) else data_of(row, BINDINGS[row.binding], value)


def shared_columns(tree: ObjectTree, catalogue: Catalogue, section: DlmsSection) -> Columns:
    """Return ``columns_of`` a tree that was just built of these two; found once for all homes."""
    key = id(catalogue), id(section)  # both are kept since the tree was built
    if key not in _COLUMNS:
        _COLUMNS[key] = columns_of(tree, catalogue)
    return _COLUMNS[key]


def columns_of(tree: ObjectTree, catalogue: Catalogue) -> Columns:
    """Return the columns of each profile, by logical name.

    Raises:
        DataError: A column is no attribute of the tree, or one whose past values nobody knows.
    """
    found: Columns = {}
    for row in catalogue.rows:
        if row.binding != "profile.columns":
            continue
        found[row.obis] = profile_generic.parse_columns(row.value)
        for column in found[row.obis]:
            item = tree.find(column.class_id, column.obis)
            member = (
                item.members.get(column.attribute) if isinstance(item, CatalogueObject) else None
            )
            known = member is not None and (
                BINDINGS[member.binding].historic or member.binding == "log.last"
            )
            if not known:
                raise refuse_row(row, "value", f"{column} is nothing that a profile can capture")
    return found


def obis_octets(text: str) -> bytes:
    """Return a logical name written as in a profile as six octets.

    Raises:
        ValueError: A value does not fit an octet.
    """
    return bytes(int(part) for part in text.replace("-", ".").replace(":", ".").split("."))


def _placed(entry: CatalogueEntry, section: DlmsSection) -> CatalogueEntry:
    """Return an object as the profile has it: firmware version in its place, methods by suite."""
    agrees = [index for index, row in entry.methods.items() if row.binding == security_setup.AGREE]
    if section.suite == 0 and agrees:
        methods = {index: row for index, row in entry.methods.items() if index not in agrees}
        return replace(entry, methods=methods)
    value = entry.attributes.get(2)
    if value is None or value.binding != FIRMWARE:
        return entry
    return replace(entry, obis=obis_octets(section.firmware_obis))


def _object(meter: "Meter", entry: CatalogueEntry) -> CatalogueObject:
    return _class_of(entry.class_id, entry.version)(meter, entry)


def _deviate(
    meter: "Meter",
    objects: dict[tuple[int, bytes], CatalogueObject],
    deviation: DeviationSection,
    where: str,
) -> None:
    key = (deviation.class_id, obis_octets(deviation.obis))
    if key not in objects:
        objects[key] = _object(meter, CatalogueEntry(*key, 0))
    try:
        objects[key].deviations[deviation.attribute] = _deviating(deviation)
    except (ValueError, MalformedFrameError) as error:
        raise InconsistentDataError(
            f"deviation of {deviation.class_id} / {deviation.obis} a{deviation.attribute}: {error}",
            file=where,
        ) from error


def _deviating(deviation: DeviationSection) -> Data | DataAccessResult | None:
    if deviation.value is not None:
        return axdr.decode(bytes.fromhex(deviation.value))
    if deviation.result is None:
        return None
    result = DataAccessResult(deviation.result)
    if result is DataAccessResult.SUCCESS:
        raise ValueError("a result without value is a refusal")
    return result
