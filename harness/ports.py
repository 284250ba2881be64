"""The device seam: what a bench offers, whether its devices are emulated or real."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor
from emulator.codecs.dlms.axdr import Data
from emulator.core.clock import UtcMs
from emulator.core.effects import Value
from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.meter import (
    ActionAnswer,
    Association,
    Credentials,
    GetAnswer,
    SetAnswer,
    SignOnReport,
    Unanswered,
)


class Clock(Protocol):
    """The time of a bench: virtual where devices are emulated, real elsewhere."""

    def now(self) -> UtcMs:
        """Return the present moment."""
        ...

    async def sleep_until(self, at: UtcMs) -> None:
        """Wait until ``at``; returns at once when it has passed."""
        ...


@dataclass(frozen=True, slots=True)
class StageOrder:
    """What the CSP tells the hub with an image (stand-in: the real transfer is not public).

    Attributes:
        request_id: The update request it belongs to, for the delivery status.
        image: The OTA Upgrade Image, header included.
        targets: Devices of this HAN that are to have it.
    """

    request_id: str
    image: bytes
    targets: tuple[Eui64, ...]


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """How a staging ended.

    Attributes:
        delivered: True when the hub says it holds all of the image (N60), False otherwise (N61).
        reason: Outcome word: ``held``, or why not: ``too-large``, ``store-full``, ``busy``,
            ``transfer-failed``, ``metadata-mismatch``, ``malformed``.
        at: When it ended.
    """

    delivered: bool
    reason: str
    at: UtcMs


class Hub(Protocol):
    """A communications hub seen from its WAN side."""

    @property
    def eui64(self) -> Eui64:
        """Identifier of the CHF."""
        ...

    async def send(self, message: bytes) -> None:
        """Hand one GBCS message to the hub, for itself or for a device behind it."""
        ...

    async def received(self, until: UtcMs) -> bytes | None:
        """Return the next GBCS message from the hub, in order; None once ``until`` has passed."""
        ...

    async def stage(self, order: StageOrder) -> StageOutcome:
        """Transfer a firmware image to the hub and return when it is held, refused or failed."""
        ...

    async def has_taken(self, message: bytes) -> bool | None:
        """Say whether the hub already took this very message; None when it cannot tell.

        Used on resume, to settle a write whose intent is journalled and whose outcome is not.
        """
        ...


class MeterPort(Protocol):
    """One DLMS meter, on a line or behind its hub; one association at a time.

    A refusal is an answer (see ``harness.meter``); only a broken bench raises ``BenchError``.
    """

    async def sign_on(self, *, read_out: bool = False) -> SignOnReport:
        """Say the IEC 62056-21 sign-on; ask for the mode C read-out where wanted."""
        ...

    async def associate(self, credentials: Credentials) -> Association:
        """Open the link where it is closed, and associate; ends what association there was."""
        ...

    async def get(self, attributes: Sequence[Attribute]) -> GetAnswer:
        """Read one attribute, or several with one GET-with-list."""
        ...

    async def set(self, writes: Sequence[tuple[Attribute, Data]]) -> SetAnswer:
        """Write one attribute, or several with one SET-with-list."""
        ...

    async def action(self, method: Descriptor, parameters: Data | None = None) -> ActionAnswer:
        """Invoke one method."""
        ...

    async def exchange(self, apdu: bytes) -> bytes | Unanswered:
        """Send an APDU as it stands, past the association's protection; returns the answer's."""
        ...

    async def release(self) -> None:
        """End the association and the link; nothing happens where there is none."""
        ...

    async def has_taken(
        self, writes: Sequence[tuple[Attribute, Data]], method: Descriptor | None
    ) -> bool | None:
        """Say whether a write of which the journal knows no outcome happened; None: cannot tell."""
        ...


@dataclass(frozen=True, slots=True)
class SimAnswer:
    """What an order to move a SIM came to.

    Attributes:
        done: Whether the SIM is the new owner's now.
        why: Where it is not: one sentence.
    """

    done: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a SMETS1 hub sent to a head end unasked.

    Attributes:
        at: When it arrived.
        octets: The DLMS APDU (a data notification), without its wrapper.
    """

    at: UtcMs
    octets: bytes


class HubWan(Protocol):
    """The WAN side of a SMETS1 hub as its network knows it (stand-in: no real way is public).

    Whose network carries its SIM decides which head end can reach the hub and whom it calls.
    Parties are named ``SMSO`` and ``S1SP``.
    """

    async def sim_owner(self) -> str:
        """Return the party whose network carries the SIM."""
        ...

    async def change_sim(self, to: str) -> SimAnswer:
        """Have the SIM moved to another party's network; the hub attaches there by itself."""
        ...

    async def notified(self, party: str, until: UtcMs) -> Notice | None:
        """Return the next notice of the hub to that party's head end; None at ``until``.

        A notice that arrives exactly at ``until`` is too late and stays for the next call.
        """
        ...


@dataclass(frozen=True, slots=True)
class KeypadAnswer:
    """What a meter made of a top-up code that was entered at its keypad.

    Attributes:
        taken: Whether the credit was added.
        why: Where it was not: ``not_authentic``, ``duplicate``, ``too_old``, ``wrong_format``, or
            ``dark`` for a meter without power.
    """

    taken: bool
    why: str = ""


class Power(Protocol):
    """The mains of the devices on a bench."""

    async def cycle(self, device: Eui64, off_s: float) -> None:
        """Take power from a device for ``off_s`` seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Observation:
    """A fact a bench can see inside a device: the audit trail.

    Attributes:
        at: When.
        device: Which device.
        kind: A word such as ``ota_state`` (table in docs/architecture.md).
        fields: Names and values.
    """

    at: UtcMs
    device: Eui64
    kind: str
    fields: tuple[tuple[str, Value], ...]


@quick
@dataclass(frozen=True, slots=True)
class CapturedFrame:
    """One frame on a link of the bench, as it crossed.

    Attributes:
        at_us: Microseconds since 1970.
        link: ``han``, ``wan-in`` (towards the hub), ``wan-out``, ``csp-in``, ``csp-out``,
            ``line-in`` (towards the meter), ``line-out``.
        frame: The octets: MAC frame with FCS on ``han``, GBCS message (or, for SMETS1, DLMS
            wrapper frame) on ``wan-*``; on ``line-*`` what was sent in one go.
        comment: For the packet comment: stand-ins, faults that touched it; may be empty.
    """

    at_us: int
    link: str
    frame: bytes
    comment: str = ""


@runtime_checkable
class Listening(Protocol):
    """A bench that hears everything on its links."""

    def traffic(self) -> Mapping[str, Mapping[str, str]]:
        """Return how many frames of each kind went to each role so far: role -> kind -> number."""
        ...


@runtime_checkable
class RestsFaults(Protocol):
    """A bench that can ask devices past the faults of their radio: nobody looks into them."""

    def rest_faults(self, *, on: bool) -> None:
        """Let everything pass by radio, or have the faults strike again; they stay in force."""
        ...


class Bench(Protocol):
    """One installation to run scenarios against."""

    kind: str
    clock: Clock
    hub: Hub
    power: Power

    def meter(self, role: str, way: str = "line") -> MeterPort:
        """Return the DLMS port of the bench's device of that role.

        Args:
            role: Device type, e.g. ``ESME``.
            way: ``line`` (optical head, TCP); ``wan`` (through the SMETS1 hub, by whichever network
                its SIM is on); ``wan@SMSO`` or ``wan@S1SP`` (through that party's network only).

        Raises:
            BenchError: The bench has no such device, or no such way to it.
        """
        ...

    def hub_wan(self, role: str = "CHF") -> HubWan:
        """Return the WAN side of a SMETS1 hub.

        Args:
            role: ``CHF``, or ``CHF@REF`` for the hub of another home of the bench.

        Raises:
            BenchError: The bench has no such hub, or cannot move SIMs.
        """
        ...

    def opens_to(self, role: str, credentials: Credentials) -> bool | None:
        """Say whether a device would associate with these credentials, leaving no trace on it.

        An HLS-GMAC association in octets with a copy of the device; None where the bench cannot
        (a real one): then ask through ``meter``.

        Raises:
            BenchError: The bench has no such device.
        """
        ...

    def memory(self, role: str) -> Mapping[str, str] | None:
        """Return what a device remembers, without what moves by itself; None for a real device.

        Path -> value; keys and secrets as digests. A row ``(left out)`` names what is not there:
        invocation counters, logs, clock, consumption and what follows from it. Two memories are
        equal when nothing of the device was changed in between, or all of it was put back.

        Raises:
            BenchError: The bench has no such device.
        """
        ...

    async def disturb(self, order: str) -> None:
        """Put one more fault into force from now on, in the notation of ``--fault``.

        ``clear@LINK`` ends what was put into force on that link.

        Raises:
            UsageError: The order means nothing.
            BenchError: The bench's links cannot be disturbed.
        """
        ...

    async def key_in(self, role: str, digits: str) -> KeypadAnswer:
        """Enter a top-up code at a meter's own keypad, as its customer does.

        Raises:
            BenchError: The bench has no such meter, it has no keypad, or nobody stands at it.
        """
        ...

    def credentials(self, role: str, name: str) -> Credentials:
        """Return how a client of that name presents itself to that device.

        Raises:
            BenchError: The bench knows none.
        """
        ...

    def role(self, device_type: str) -> Eui64:
        """Return the EUI-64 of the bench's device of that type (``ESME``, ``GSME`` …).

        Raises:
            BenchError: The bench has none.
        """
        ...

    def take_observations(self) -> Sequence[Observation] | None:
        """Return the facts seen since the last call; None where the bench cannot look inside."""
        ...

    def take_frames(self) -> Sequence[CapturedFrame]:
        """Return the frames captured since the last call, in order."""
        ...

    def describe(self) -> Mapping[str, Mapping[str, str]]:
        """Return each device's state for a reader: device -> name -> value."""
        ...

    def dump(self) -> bytes | None:
        """Return the state of all emulated devices and links, or None for a real bench."""
        ...

    def restore(self, state: bytes) -> None:
        """Put emulated devices, links, clock and chance back to a dumped state."""
        ...

    async def close(self) -> None:
        """Stop everything the bench started."""
        ...
