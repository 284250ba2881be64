"""The versions of EZSP: octets to frames and back, by the table of each."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from emulator.codecs.ezsp.frames import (
    ASYNCHRONOUS_CALLBACK,
    NETWORK_INDEX,
    RESPONSE,
    EzspFrame,
    Frame,
    Framing,
    Header,
    callback,
    decode_header,
    encode_header,
    response,
)
from emulator.codecs.ezsp.kinds import KINDS, Kind, status_kind
from emulator.codecs.ezsp.layout import Layout, RefusedEzspError
from emulator.codecs.ezsp.statuses import Family, Status
from emulator.codecs.ezsp.structure_kinds import OCTETS, STRUCTURES
from emulator.codecs.ezsp.table_deltas import TABLES
from emulator.codecs.ezsp.tables import Row

#: Versions that are spoken.
VERSIONS: Final = tuple(sorted(TABLES))
#: From here on every status is an sl_Status.
_ALL_SL: Final = 14
_VERSION_ID: Final = 0x00
#: Octets of a header that are not the same in all frames of a name: sequence and control.
_OWN_OCTETS: Final = 2
#: Octets of the header of v8 and later, and the high octet of its control field.
_CURRENT_BYTES: Final = 5
_PRESENT: Final = 0x01
#: Control field of a callback.
_TOLD: Final = RESPONSE | ASYNCHRONOUS_CALLBACK


class EzspCodec:
    """Reads and writes the frames of one version.

    A value is the same in every version; what differs is where its fields stand, and how a status
    is numbered.

    Attributes:
        version: Of EZSP.
    """

    def __init__(self, version: int, rows: tuple[Row, ...]) -> None:
        """Take a version and its table."""
        self.version = version
        kinds = _kinds(version)
        self._ids: dict[Frame, int] = {}
        self._asked: dict[int, tuple[Frame, Layout]] = {}
        self._told: dict[int, tuple[Frame, Layout]] = {}
        self._requests: dict[Frame, Layout] = {}
        self._answers: dict[Frame, Layout] = {}
        self._heads: dict[Frame, bytes] = {}
        for row in rows:
            self._heads[row.name] = encode_header(Header(0, row.frame_id))[_OWN_OCTETS:]
            self._ids[row.name] = row.frame_id
            self._answers[row.name] = Layout(*row.answer, kinds)
            self._told[row.frame_id] = (row.name, self._answers[row.name])
            if row.request is not None:
                self._requests[row.name] = Layout(*row.request, kinds)
                self._asked[row.frame_id] = (row.name, self._requests[row.name])

    @property
    def frames(self) -> Mapping[Frame, int]:
        """The frames of this version and their numbers."""
        return self._ids

    def layout(self, name: Frame, *, answer: bool) -> Layout | None:
        """Return how a command, or its response or callback, stands on the wire; None: not here."""
        return (self._answers if answer else self._requests).get(name)

    def status_family(self, *, of_ezsp: bool) -> Family:
        """Return how statuses are numbered that were EmberStatus, or EzspStatus, up to v13."""
        if self.version >= _ALL_SL:
            return Family.SL
        return Family.EZSP if of_ezsp else Family.EMBER

    def decode(self, data: bytes) -> EzspFrame:
        """Read a frame of either direction; ``version`` also in the legacy forms.

        Raises:
            RefusedEzspError: Unknown frame id, a frame of the other direction only, parameters
                too short, too long or with a value that cannot be, a secured frame, or another
                frame than ``version`` in a legacy form; ``reason`` says which.
        """
        if len(data) >= _CURRENT_BYTES and data[2] == _PRESENT and not data[1] & RESPONSE:
            asked = self._asked.get(data[3] | data[4] << 8)
            if asked is not None:
                values = asked[1].decode(data, _CURRENT_BYTES)
                return EzspFrame(asked[0], values, data[0], data[1])
        header, at = decode_header(data)
        frame_id, control = header.frame_id, header.control
        if header.framing is not Framing.CURRENT and frame_id != _VERSION_ID:
            why = "only version may come in the legacy form"
            raise RefusedEzspError(data, why, Status.VERSION_NOT_SET, 2)
        found = (self._told if control & RESPONSE else self._asked).get(frame_id)
        if found is None:
            raise self._unknown(data, frame_id)
        name, layout = found
        values = layout.decode(data, at)
        return EzspFrame(name, values, header.sequence, control, header.framing)

    def _unknown(self, data: bytes, frame_id: int) -> RefusedEzspError:
        if frame_id in self._told:
            why = f"{self._told[frame_id][0].value} is no command"
            return RefusedEzspError(data, why, Status.WRONG_DIRECTION)
        why = f"v{self.version} has no frame {frame_id:#06x}"
        return RefusedEzspError(data, why, Status.INVALID_FRAME_ID)

    def encode_callback(self, name: Frame, values: Any, sequence: int) -> bytes:
        """Write a callback as ``encode`` does; ``sequence`` as for ``callback``.

        Raises:
            ValueError: As ``encode``.
        """
        layout = self._answers.get(name)
        if layout is None or type(values) is not layout.cls:
            return self.encode(callback(name, values, sequence))  # which says what is wrong
        return bytes((sequence, _TOLD)) + self._heads[name] + layout.encode(values)

    def encode_answer(self, command: EzspFrame, values: Any) -> bytes:
        """Write the ``response`` to a command as ``encode`` does.

        Raises:
            ValueError: As ``encode``.
        """
        layout = self._answers.get(command.name)
        current = command.framing is Framing.CURRENT and not command.control & NETWORK_INDEX
        if layout is None or type(values) is not layout.cls or not current:
            return self.encode(response(command, values))
        head = bytes((command.sequence, RESPONSE)) + self._heads[command.name]
        return head + layout.encode(values)

    def encode(self, frame: EzspFrame) -> bytes:
        """Write a frame.

        Raises:
            ValueError: This version has no such frame, the values are not of its class, or one
                does not fit its field.
        """
        table = self._answers if frame.control & RESPONSE else self._requests
        layout = table.get(frame.name)
        if layout is None:
            raise ValueError(f"ezsp: v{self.version} has no such {frame.name.value}")
        if type(frame.values) is not layout.cls:
            given = type(frame.values).__name__
            raise ValueError(f"ezsp.{frame.name.value}: {layout.cls.__name__} wanted, not {given}")
        if frame.framing is Framing.CURRENT:
            own = bytes((frame.sequence, frame.control))
            return own + self._heads[frame.name] + layout.encode(frame.values)
        header = Header(frame.sequence, self._ids[frame.name], frame.control, frame.framing)
        return encode_header(header) + layout.encode(frame.values)


def _kinds(version: int) -> Mapping[str, Kind]:
    """Return the kinds of a version: statuses of its families, and what never changes."""
    later = version >= _ALL_SL
    statuses: dict[str, Any] = {
        "st": status_kind(Family.SL if later else Family.EMBER),
        "ezst": status_kind(Family.SL if later else Family.EZSP),
        "sl": status_kind(Family.SL),
    }
    return {**KINDS, **STRUCTURES, **OCTETS, **statuses}


@cache
def codec_of(version: int) -> EzspCodec:
    """Return the codec of a version, made when first asked for.

    Raises:
        ValueError: The version is not spoken.
    """
    if version not in TABLES:
        spoken = ", ".join(f"v{known}" for known in VERSIONS)
        raise ValueError(f"EZSP v{version} is not spoken; known are {spoken}")
    return EzspCodec(version, TABLES[version])
