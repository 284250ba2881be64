"""Long transfers of one association: what is being dealt out, and what is being gathered."""

from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from emulator.codecs.common import MAX_LENGTH
from emulator.codecs.dlms import apdu_action, apdu_set
from emulator.codecs.dlms.apdu_action import ActionFirstBlockRequest, ActionListFirstBlockRequest
from emulator.codecs.dlms.apdu_blocks import BlockCollector, BlockFault, BlockSender
from emulator.codecs.dlms.apdu_parts import DataBlock
from emulator.codecs.dlms.apdu_set import SetFirstBlockRequest, SetListFirstBlockRequest
from emulator.codecs.dlms.dumped import Dumped, DumpedStateError
from emulator.core.errors import MalformedFrameError
from emulator.devices.saved import Json

#: Longest value a client may send in blocks. Source: invented; an octet-string cannot be longer.
MAX_GATHERED_BYTES: Final = MAX_LENGTH
_NO_BLOCK: Final = DataBlock(False, 0, b"")
_NAMES: Final = frozenset({"reading", "returning", "writing", "invoking"})
_GATHERING: Final = frozenset({"opening", "gathered"})

SetOpening = SetFirstBlockRequest | SetListFirstBlockRequest
ActionOpening = ActionFirstBlockRequest | ActionListFirstBlockRequest
Opening = TypeVar("Opening", SetOpening, ActionOpening)


@dataclass(frozen=True, slots=True)
class Gathering(Generic[Opening]):
    """A value that comes in blocks.

    Attributes:
        opening: The request with its first block, which says what the value is for.
        collector: What has come.
    """

    opening: Opening
    collector: BlockCollector


@dataclass(slots=True)
class Transfers:
    """At most one long transfer of each service and direction; a new request replaces the old.

    Attributes:
        reading: Answer to a GET.
        returning: Answer to an ACTION.
        writing: Value of a SET.
        invoking: Argument of an ACTION.

    Source:
        inferred: one transfer a service and direction; the standard allows one for each invoke id.
    """

    reading: BlockSender | None = None
    returning: BlockSender | None = None
    writing: Gathering[SetOpening] | None = None
    invoking: Gathering[ActionOpening] | None = None

    def dump(self) -> dict[str, Json]:
        """Return what is under way as JSON values; None for what is not."""
        return {
            "reading": None if self.reading is None else self.reading.dump(),
            "returning": None if self.returning is None else self.returning.dump(),
            "writing": None if self.writing is None else _dump_writing(self.writing),
            "invoking": None if self.invoking is None else _dump_invoking(self.invoking),
        }

    @classmethod
    def loaded(cls, state: object, path: str = "transfers") -> "Transfers":
        """Return the transfers of a ``dump``.

        Raises:
            IllegalEventError: A value is missing or wrong.
        """
        dumped = Dumped(state, path, _NAMES)
        transfers = cls(_sender(dumped, "reading"), _sender(dumped, "returning"))
        try:
            if dumped.raw("writing") is not None:
                transfers.writing = _loaded_writing(dumped.part("writing", _GATHERING))
            if dumped.raw("invoking") is not None:
                transfers.invoking = _loaded_invoking(dumped.part("invoking", _GATHERING))
        except MalformedFrameError as error:
            raise DumpedStateError(path, error.why) from None
        return transfers


def next_block(
    sender: BlockSender | None, acknowledged: int, room: int
) -> tuple[BlockSender | None, DataBlock | BlockFault]:
    """Return the next block of a transfer, or why none comes, and the transfer if it goes on."""
    if sender is None:
        return None, BlockFault.NOT_IN_PROGRESS
    block = sender.next(acknowledged, room)
    return sender if sender.in_progress else None, block


def _dump_writing(gathering: Gathering[SetOpening]) -> dict[str, Json]:
    opening = replace(gathering.opening, block=_NO_BLOCK)
    return _dump_gathering(apdu_set.encode_request(opening), gathering.collector)


def _dump_invoking(gathering: Gathering[ActionOpening]) -> dict[str, Json]:
    opening = replace(gathering.opening, block=_NO_BLOCK)
    return _dump_gathering(apdu_action.encode_request(opening), gathering.collector)


def _dump_gathering(opening: bytes, collector: BlockCollector) -> dict[str, Json]:
    return {"opening": opening.hex(), "gathered": collector.dump()}


def _sender(dumped: Dumped, name: str) -> BlockSender | None:
    state = dumped.raw(name)
    return None if state is None else BlockSender.loaded(state, f"{dumped.path}.{name}")


def _collector(dumped: Dumped) -> BlockCollector:
    collector = BlockCollector(MAX_GATHERED_BYTES)
    collector.load(dumped.raw("gathered"), f"{dumped.path}.gathered")
    return collector


def _loaded_writing(dumped: Dumped) -> Gathering[SetOpening]:
    opening = apdu_set.decode_request(dumped.octets("opening"))
    if not isinstance(opening, SetFirstBlockRequest | SetListFirstBlockRequest):
        dumped.refuse("opening", "no SET request with its first block")
    return Gathering(opening, _collector(dumped))


def _loaded_invoking(dumped: Dumped) -> Gathering[ActionOpening]:
    opening = apdu_action.decode_request(dumped.octets("opening"))
    if not isinstance(opening, ActionFirstBlockRequest | ActionListFirstBlockRequest):
        dumped.refuse("opening", "no ACTION request with its first block")
    return Gathering(opening, _collector(dumped))
