"""What to read off a meter, and what its answers say: pure functions for scenarios and commands.

The first half builds attributes to ask for; the second reads answers. An answer that is none, or
in which the meter refuses a value, comes back as ``Refused``: a value, in words.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from emulator.codecs.dlms.apdu_parts import Attribute, DataAccessResult, Descriptor
from emulator.codecs.dlms.axdr import Data
from emulator.core.errors import MalformedFrameError
from emulator.crypto.dlms_key_transfer import NewKey, transfer_parameters
from emulator.crypto.dlms_keys import KeyId, SecurityKeys
from harness.dlms import obis, words
from harness.dlms.clock import ClockReading, clock_of
from harness.dlms.image import Call
from harness.dlms.object_list import ObjectView, objects_of
from harness.dlms.profile import Column, Row, columns_of, rows_of
from harness.dlms.values import (
    NamedField,
    Quantity,
    Unit,
    integer_of,
    quantity_of,
    text_of,
    unit_of,
)
from harness.dlms_view import names
from harness.dlms_view import values as view
from harness.meter import GetAnswer, Unanswered

__all__ = [
    "ClockReading",
    "Column",
    "NamedField",
    "ObjectView",
    "Quantity",
    "Refused",
    "Row",
    "Unit",
    "clock",
    "columns",
    "fields",
    "identity",
    "key_transfer",
    "moment",
    "number",
    "objects",
    "profile_shape",
    "quantities",
    "quantity",
    "rate_registers",
    "read",
    "register",
    "registers",
    "rows",
    "texts",
    "units",
    "units_of_columns",
    "values",
    "with_keys",
]

T = TypeVar("T")
_REGISTER: Final = 3
_DEMAND: Final = 4
_PROFILE: Final = 7
_FIRST_RATE, _LAST_RATE = 1, 48


@dataclass(frozen=True, slots=True)
class Refused:
    """No value.

    Attributes:
        why: One sentence: what the meter refused, or what came instead of an answer.
        result: The meter's result for the value, where it gave one.
        unanswered: Where no answer came: what came to be.
    """

    why: str
    result: DataAccessResult | None = None
    unanswered: Unanswered | None = None


# -- what to ask for -------------------------------------------------------------------------------


def register(name: str, class_id: int = _REGISTER) -> tuple[Attribute, Attribute]:
    """Return value and scaler_unit of a register; read the answer with ``quantity``.

    Raises:
        ValueError: ``name`` is no logical name.
    """
    return obis.attribute(class_id, name, 2), obis.attribute(class_id, name, 3)


def registers(names_: Sequence[str]) -> tuple[Attribute, ...]:
    """Return value and scaler_unit of several registers; read the answer with ``quantities``.

    Raises:
        ValueError: One is no logical name.
    """
    return tuple(attribute for name in names_ for attribute in register(name))


def rate_registers(count: int = _LAST_RATE) -> tuple[str, ...]:
    """Return the logical names of the import registers of the first ``count`` rates."""
    return tuple(f"1-0:1.8.{rate}" for rate in range(_FIRST_RATE, count + 1))


def clock() -> tuple[Attribute, Attribute]:
    """Return time and zone of the clock; read the answer with ``moment``."""
    return obis.CLOCK_TIME, obis.CLOCK_ZONE


def identity() -> tuple[Attribute, ...]:
    """Return name, serial number, EUI-64 and firmware version; read with ``texts``."""
    return (
        obis.LOGICAL_DEVICE_NAME,
        obis.SERIAL_NUMBER,
        obis.DEVICE_EUI64,
        obis.FIRMWARE_VERSION,
    )


def profile_shape(name: str) -> tuple[Attribute, Attribute, Attribute]:
    """Return capture objects, capture period and entries in use of a profile.

    Raises:
        ValueError: ``name`` is no logical name.
    """
    captures, period = obis.attribute(_PROFILE, name, 3), obis.attribute(_PROFILE, name, 4)
    return captures, period, obis.attribute(_PROFILE, name, 7)


def units_of_columns(columns: Sequence[Column]) -> tuple[Attribute, ...]:
    """Return the scaler_unit attributes that the columns of a profile need, each once."""
    holders = [column.unit_attribute for column in columns]
    return tuple(dict.fromkeys(holder for holder in holders if holder is not None))


def key_transfer(master: bytes, keys: Mapping[KeyId, bytes]) -> Call:
    """Return the call that gives a meter new keys, wrapped under its master key (16 octets each).

    Raises:
        ValueError: A key has not 16 octets.
    """
    new = [NewKey(key_id, key) for key_id, key in keys.items()]
    return Call(obis.KEY_TRANSFER, transfer_parameters(master, new))


def with_keys(keys: SecurityKeys, new: Mapping[KeyId, bytes]) -> SecurityKeys:
    """Return the keys a client holds once a meter has taken ``new``.

    Raises:
        ValueError: A key has not 16 octets.
    """
    for key_id, key in new.items():
        keys = keys.with_key(key_id, key)
    return keys


# -- what answers say ------------------------------------------------------------------------------


def values(answer: GetAnswer) -> tuple[Data, ...] | Refused:
    """Return the values of an answer, or why the first that is missing is missing."""
    if isinstance(answer, Unanswered):
        return Refused(f"{answer.why}: {answer.detail}", unanswered=answer)
    found: list[Data] = []
    for number, result in enumerate(answer, 1):
        if isinstance(result, DataAccessResult):
            return Refused(f"value {number}: {words.of_result(result)}", result)
        found.append(result)
    return tuple(found)


def read(answer: GetAnswer, interpret: Callable[[tuple[Data, ...]], T]) -> T | Refused:
    """Return what ``interpret`` makes of an answer's values; a wrong shape is ``Refused`` too."""
    found = values(answer)
    if isinstance(found, Refused):
        return found
    try:
        return interpret(found)
    except MalformedFrameError as error:
        return Refused(f"the meter's value has not the shape its class demands: {error.why}")


def quantity(answer: GetAnswer) -> Quantity | Refused:
    """Return the value of a ``register`` with its unit."""
    return read(answer, lambda found: quantity_of(_nth(found, 0), unit_of(_nth(found, 1))))


def quantities(answer: GetAnswer) -> tuple[Quantity, ...] | Refused:
    """Return the values of several ``registers`` with their units."""

    def pairs(found: tuple[Data, ...]) -> tuple[Quantity, ...]:
        both = zip(found[::2], found[1::2], strict=True)
        return tuple(quantity_of(value, unit_of(unit)) for value, unit in both)

    return read(answer, pairs)


def moment(answer: GetAnswer) -> ClockReading | Refused:
    """Return what a ``clock`` says."""
    return read(answer, lambda found: clock_of(_nth(found, 0), integer_of(_nth(found, 1))))


def texts(answer: GetAnswer) -> tuple[str, ...] | Refused:
    """Return strings as text, or in hex where they are none."""
    return read(answer, lambda found: tuple(text_of(data) for data in found))


def number(answer: GetAnswer) -> int | Refused:
    """Return one integer."""
    return read(answer, lambda found: integer_of(_nth(found, 0)))


def objects(answer: GetAnswer) -> tuple[ObjectView, ...] | Refused:
    """Return the objects of an association view (``obis.OBJECT_LIST``)."""
    return read(answer, lambda found: objects_of(_nth(found, 0)))


def units(holders: Sequence[Attribute], answer: GetAnswer) -> dict[Descriptor, Unit] | Refused:
    """Return what ``units_of_columns`` asked for, by the attribute that holds it."""

    def paired(found: tuple[Data, ...]) -> dict[Descriptor, Unit]:
        both = zip(holders, found, strict=True)
        return {holder.descriptor: unit_of(data) for holder, data in both}

    return read(answer, paired)


def columns(
    answer: GetAnswer, known: Mapping[Descriptor, Unit] | None = None
) -> tuple[Column, ...] | Refused:
    """Return the columns of a profile out of ``profile_shape`` (its first value)."""
    return read(answer, lambda found: columns_of(_nth(found, 0), known))


def rows(
    answer: GetAnswer, of: Sequence[Column], *, period_s: int = 0, zone_min: int = 0
) -> tuple[Row, ...] | Refused:
    """Return the rows of a buffer; see ``profile.rows_of``."""
    return read(
        answer,
        lambda found: rows_of(_nth(found, 0), of, period_s=period_s, zone_min=zone_min),
    )


def fields(asked: Sequence[Attribute], answer: GetAnswer) -> tuple[NamedField, ...]:
    """Return an answer as named fields, refusals included; registers come with their units."""
    if isinstance(answer, Unanswered):
        return (NamedField("no answer", f"{answer.why}: {answer.detail}"),)
    told = []
    scales = _scales(asked, answer)
    for attribute, result in zip(asked, answer, strict=True):
        name = names.target_text(attribute.descriptor)
        unit = scales.get(attribute.descriptor)
        if isinstance(result, DataAccessResult):
            told.append(NamedField(name, words.of_result(result)))
        elif unit is not None and isinstance(result.value, int):
            told.append(NamedField(name, Quantity(result.value, unit).decimal, unit.symbol))
        else:
            told.append(NamedField(name, view.line_of(result)))
    return tuple(told)


def _scales(
    asked: Sequence[Attribute], results: tuple[Data | DataAccessResult, ...]
) -> dict[Descriptor, Unit]:
    """Return, by value attribute, the units that the same answer holds."""
    found = {}
    for attribute, result in zip(asked, results, strict=True):
        one = attribute.descriptor
        holds_unit = one.class_id in {_REGISTER, _DEMAND} and one.index == 3
        if not holds_unit or not isinstance(result, Data):
            continue
        try:
            found[Descriptor(one.class_id, one.obis, 2)] = unit_of(result)
        except MalformedFrameError:
            continue  # the field itself shows what came
    return found


def _nth(found: tuple[Data, ...], place: int) -> Data:
    if place >= len(found):
        raise MalformedFrameError("dlms.reading", b"", f"{len(found)} values, {place + 1} are due")
    return found[place]
