"""What the handlers of an NCP share: memory, surroundings, and callbacks that are due."""

import heapq
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import Counter, IncomingType
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import ApsFrame
from emulator.codecs.ezsp.values import StatusOnly
from emulator.codecs.ezsp.values_messages import IncomingMessage
from emulator.core.chance import Stream
from emulator.core.values import quick
from emulator.ncp.air import Air
from emulator.ncp.identity import Identity
from emulator.ncp.join_table import JoinStage
from emulator.ncp.memory import NonVolatile, capability_of
from emulator.ncp.radio_frames import Announcement, Attachment
from emulator.ncp.traffic import Traffic
from emulator.ncp.volatile import Volatile

#: Carries out a command: the values of the answer.
Handler: TypeAlias = "Callable[[NcpState, Any], Any]"
_Handler = TypeVar("_Handler", bound="Callable[[NcpState, Any], Any]")


@quick
@dataclass(frozen=True, slots=True)
class Due:
    """A callback and what goes with it.

    Attributes:
        name: Which callback.
        values: Its parameters.
        at: When, in milliseconds.
    """

    name: Frame
    values: Any
    at: int


class NcpState:
    """One dongle's state.

    Attributes:
        identity: What it is.
        air: What it hears.
        chance: Where its random numbers come from.
        nv: What survives a reset.
        ram: What does not.
        traffic: Messages on their way.
        now: The time of the command that is being carried out, in milliseconds.
    """

    def __init__(self, identity: Identity, air: Air, chance: Stream) -> None:
        """Take what the dongle is and where it stands."""
        self.identity = identity
        self.air = air
        self.chance = chance
        self.nv = NonVolatile()
        self.ram = Volatile()
        self.traffic = Traffic()
        self.now = 0
        self._alarms: dict[Hashable, tuple[int, Callable[[NcpState], None]]] = {}
        self._due: list[tuple[int, int, Due]] = []
        self._count = 0

    def later(self, name: Frame, values: Any, delay_ms: int = 0) -> None:
        """Let a callback follow the answer, or come ``delay_ms`` after it."""
        due = Due(name, values, self.now + delay_ms)
        self._count += 1
        heapq.heappush(self._due, (due.at, self._count, due))

    def hear_itself(self, kind: IncomingType, described: ApsFrame, message: bytes) -> None:
        """Tell the host of a message that comes from its own NCP."""
        told = IncomingMessage(
            kind,
            described,
            self.short,
            0xFF,
            0,
            message,
            sender_eui64=self.identity.eui64,
            timestamp=self.now & 0xFFFFFFFF,
        )
        self.later(Frame.INCOMING_MESSAGE_HANDLER, told)

    def alarm(self, key: Hashable, delay_ms: int, act: "Callable[[NcpState], None]") -> None:
        """Let something be done in ``delay_ms``; replaces an alarm of that key."""
        self._alarms[key] = (self.now + delay_ms, act)

    def stop_alarm(self, key: Hashable) -> None:
        """Forget an alarm, if it is set."""
        self._alarms.pop(key, None)

    def ring(self) -> bool:
        """Do what is due now; say whether there was anything."""
        if not self._alarms:
            return False
        now = self.now
        due = [key for key, (at, _act) in self._alarms.items() if at <= now]
        for key in due:
            found = self._alarms.pop(key, None)
            if found is not None:
                found[1](self)
        return bool(due)

    def count(self, counter: Counter, more: int = 1) -> None:
        """Move an event counter on."""
        self.ram.counters[counter] += more

    @property
    def short(self) -> int:
        """The NCP's short address; 0xFFFE while it is on no network."""
        stored = self.nv.network
        return stored.node_id if self.ram.joined and stored is not None else 0xFFFE

    @property
    def is_node(self) -> bool:
        """The NCP is, or tries to be, a node of somebody else's network."""
        return self.ram.stage is not JoinStage.OUT

    @property
    def is_free(self) -> bool:
        """The radio is nobody's: no network, no attempt at one, no library that has it."""
        return not (self.ram.joined or self.is_node or self.ram.library is not None)

    def show_network(self) -> None:
        """Let the nodes around see the network as it is now, or the NCP's place in another's."""
        stored, security = self.nv.network, self.nv.security
        self.air.attach(self._place(), self.now)
        shown = self.ram.joined
        if self.is_node:  # a router, while others may join through it
            shown = self.ram.stage is JoinStage.UP and self.ram.permit
        if not shown or stored is None or security is None:
            self.air.announce(None, self.now)
            return
        parameters = stored.parameters
        network = Announcement(
            parameters.extended_pan_id,
            parameters.pan_id,
            parameters.channel,
            self.ram.permit,
            security.trust_center if self.is_node else self.identity.eui64,
            security.network_key,
            stored.node_id,
        )
        self.air.announce(network, self.now)

    def _place(self) -> Attachment | None:
        stored, security = self.nv.network, self.nv.security
        if self.ram.stage is not JoinStage.UP or stored is None or security is None:
            return None
        parameters = stored.parameters
        return Attachment(
            parameters.extended_pan_id,
            parameters.pan_id,
            parameters.channel,
            self.identity.eui64,
            stored.node_id,
            capability_of(stored.node_type),
            security.network_key,
            stored.parent,
        )

    def start_anew(self) -> None:
        """Forget what a reset forgets."""
        self.ram = Volatile()
        self.air.listen(None, self.now)
        self.drop_traffic()
        self.forget()
        self.show_network()

    def drop_traffic(self) -> None:
        """Drop what is on its way, and every alarm: the network is gone."""
        self.traffic = Traffic(self.traffic.aps_counter)
        self._alarms.clear()

    def tell_status(self, status: Status, delay_ms: int = 0) -> None:
        """Let ``stackStatusHandler`` follow."""
        self.later(Frame.STACK_STATUS_HANDLER, StatusOnly(status), delay_ms)

    def forget(self, *names: Frame) -> None:
        """Drop callbacks of these names that are not due yet; no name: all callbacks."""
        left = [item for item in self._due if names and item[2].name not in names]
        self._due = left
        heapq.heapify(self._due)

    def next_due(self) -> int | None:
        """Return when the next callback or alarm is due."""
        first = self._due[0][0] if self._due else None
        for at, _act in self._alarms.values():
            if first is None or at < first:
                first = at
        return first

    def take_due(self, now: int) -> list[Due]:
        """Return and drop what is due, in order."""
        taken: list[Due] = []
        waiting = self._due
        while waiting and waiting[0][0] <= now:
            taken.append(heapq.heappop(waiting)[2])
        return taken

    def waiting(self) -> list[Due]:
        """Return what is not due yet, in order."""
        return [item[2] for item in sorted(self._due, key=lambda item: item[:2])]


class HandlerTable:
    """Commands and the functions that carry them out."""

    def __init__(self) -> None:
        self.rows: dict[Frame, Handler] = {}

    def handles(self, *names: Frame) -> Callable[[_Handler], _Handler]:
        """Let a function carry out these commands.

        Raises:
            ValueError: One of them has a function already.
        """

        def enter(function: _Handler) -> _Handler:
            for name in names:
                if name in self.rows:
                    raise ValueError(f"{name.value} is handled twice")
                self.rows[name] = function
            return function

        return enter
