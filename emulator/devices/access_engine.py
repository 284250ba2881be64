"""DLMS access-requests carried out item by item on a model of COSEM objects."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from emulator.codecs.dlms.access import (
    HARDWARE_FAULT,
    OTHER_REASON,
    AccessItem,
    AccessRequest,
    AccessResponse,
    AccessResult,
    Operation,
)
from emulator.codecs.dlms.axdr import Data
from emulator.codecs.gbcs.envelope import GroupingHeader
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect
from emulator.core.errors import MalformedFrameError


class AccessFailedError(Exception):
    """An item cannot be carried out; caught by the engine, never seen outside."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What the items, or components, of one command share.

    Attributes:
        use_case: Use case of the command.
        code: Its message code.
        header: Its grouping header.
        now: The present moment.
        protect: Encrypts the plain text of a sensitive answer for whoever asked.
        effects: What comes after the response; each adds to it.
    """

    use_case: str
    code: int
    header: GroupingHeader
    now: UtcMs
    protect: Callable[[bytes], bytes]
    effects: list[Effect] = field(default_factory=list, kw_only=True)


class ObjectModel(Protocol):
    """What answers items."""

    def access(self, item: AccessItem, turn: Turn) -> Data:
        """Carry one item out and return what it answers; NULL for a set.

        Raises:
            AccessFailedError: It cannot be carried out.
        """


def carry_out(request: AccessRequest, model: ObjectModel, turn: Turn) -> AccessResponse:
    """Carry out a request in order; what was done before a failure stays done.

    The first item that fails answers "hardware fault", every one after it "other reason".

    Source:
        reference gbcs.md section 7 (126 of 126 failing responses of RTDS 4.5.0).
    """
    results: list[AccessResult] = []
    failed = False
    for item in request.items:
        operation = Operation.GET if item.operation is Operation.GET_SELECTED else item.operation
        if failed:
            results.append(AccessResult(operation, OTHER_REASON))
            continue
        try:
            results.append(AccessResult(operation, data=model.access(item, turn)))
        except (AccessFailedError, MalformedFrameError):
            results.append(AccessResult(operation, HARDWARE_FAULT))
            failed = True
    return AccessResponse(request.invoke_id, tuple(results))
