"""COSEM objects as the application process sees them: objects, who asks, rights, and the tree.

How an object acts on the world: it is handed a ``Moment`` and puts effects into ``at.outbox``
(``SetTimer``, ``CancelTimer``, ``Note``, ``CloseDlms``); it returns its value or result as usual.
The device performs them after the answer to the client, in the order told, so a ``CloseDlms`` never
swallows the answer of the request that caused it. Timers of an object are named with
``timer_name(word)``; when one expires the device calls that object's ``on_timer(word, at)``.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Final, Protocol

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.access import Selection, print_obis
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_ciphered import Protection
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import Data
from emulator.core.clock import UtcMs
from emulator.core.effects import (
    BrownOut,
    CancelTimer,
    CloseDlms,
    DlmsChannel,
    Effect,
    Note,
    SetTimer,
)
from emulator.core.errors import IllegalEventError
from emulator.core.values import quick
from emulator.crypto.dlms_keys import SecurityKeys
from emulator.devices.saved import Json, Saved

LOGICAL_NAME: Final = 1
_OUTBOX_KINDS: Final = (SetTimer, CancelTimer, Note, CloseDlms, BrownOut)


@quick
@dataclass(frozen=True, slots=True)
class Access:
    """What one association may do with attribute N and method N of an object.

    Attributes:
        read: GET of the attribute.
        write: SET of the attribute.
        invoke: ACTION on the method.
        protected: Whether GET and SET must come authenticated and encrypted, whatever the
            association asks for otherwise.
        guarded: The same of the ACTION.
    """

    read: bool = False
    write: bool = False
    invoke: bool = False
    protected: bool = False
    guarded: bool = False


@quick
@dataclass(frozen=True, slots=True)
class ClientView:
    """The client that asks, and its association, as an object may know them.

    Attributes:
        sap: Service access point of the client; 0 for the device itself (a timer, power).
        name: Name of the association: ``public``, ``reader``, ``installer``, ``management``.
        rights: Rights word: the column of the catalogue.
        server: Service access point of the logical device.
        context: Application context: 1 plain, 3 ciphered.
        mechanism: Authentication mechanism: 0, 1, 5 or 7.
        pending: Whether the client still has to prove itself (HLS).
        conformance: Negotiated services, 24 bits.
        client_pdu_bytes: Longest APDU the client takes; 0 is no limit.
        server_pdu_bytes: Longest APDU the device takes.
        protection: How the present request came.
        line: Name of the link the client is on; empty for the device itself.
    """

    sap: int
    name: str
    rights: str
    server: int = 1
    context: int = 1
    mechanism: int = 0
    pending: bool = False
    conformance: int = 0
    client_pdu_bytes: int = 0
    server_pdu_bytes: int = 0
    protection: Protection = Protection.NONE
    line: str = ""

    @property
    def channel(self) -> DlmsChannel:
        """The client's way to the device, for ``CloseDlms``."""
        return DlmsChannel(self.line, self.sap, self.server)


#: The device acting by itself: in ``on_timer`` and ``on_power``.
ITSELF: Final = ClientView(0, "device", "")


class SecurityView(Protocol):
    """The device's keys and secrets, as the objects of classes 15 and 64 handle them."""

    @property
    def keys(self) -> SecurityKeys:
        """The global keys in force."""
        ...

    @property
    def suite(self) -> int:
        """Security suite, 0 or 1."""
        ...

    @property
    def server_title(self) -> bytes:
        """The device's own system title, eight octets."""
        ...

    @property
    def client_title(self) -> bytes:
        """System title of the last client that proved itself, or the factory's, eight octets."""
        ...

    def replace_keys(self, keys: SecurityKeys) -> None:
        """Take ``keys`` into force once the present request is answered."""
        ...

    def secret(self, association: str) -> bytes | None:
        """Return the low-level secret of an association; None for none."""
        ...

    def replace_secret(self, association: str, secret: bytes) -> None:
        """Give an association another low-level secret, from its next AARQ on."""
        ...

    def received_counter(self) -> int:
        """Return the highest invocation counter accepted under the unicast key; 0 for none."""
        ...


class Session(Protocol):
    """The association of the present request, as the object of class 15 handles it."""

    def reply_to_hls(self, reply: bytes) -> bytes | None:
        """Check the client's reply to our challenge; return ours to its, or None if refused."""
        ...


class Outbox:
    """Effects that an object wants performed once the client has its answer."""

    def __init__(self) -> None:
        self._effects: list[Effect] = []

    def put(self, effect: Effect) -> None:
        """Add an effect.

        Raises:
            IllegalEventError: It is not one that a COSEM object may ask for.
        """
        if not isinstance(effect, _OUTBOX_KINDS):
            raise IllegalEventError(f"a COSEM object asked for {type(effect).__name__}")
        self._effects.append(effect)

    def take(self) -> list[Effect]:
        """Return the effects so far and forget them."""
        effects, self._effects = self._effects, []
        return effects


@quick
@dataclass(frozen=True, slots=True)
class Moment:
    """When, and for whom, an object is asked.

    Attributes:
        now: The present moment.
        client: Who asks; ``ITSELF`` for the device.
        outbox: Where effects go.
        security: Keys and secrets; None in trees that have none (tests of single objects).
        session: The association of the request; None for the device itself.
    """

    now: UtcMs
    client: ClientView = ITSELF
    outbox: Outbox = field(default_factory=Outbox)
    security: SecurityView | None = None
    session: Session | None = None


class CosemObject:
    """One instance of an interface class.

    A subclass answers for its own attributes and methods; ``read`` here knows the logical name
    alone. The server has checked existence and rights before it calls ``read``, ``write`` or
    ``invoke``; shape and range of values are the object's business, and a refusal is returned.

    Attributes:
        class_id: Interface class.
        version: Version of the class.
        obis: Logical name, six octets.
    """

    class_id: ClassVar[int]
    version: ClassVar[int] = 0

    def __init__(self, obis: bytes) -> None:
        if len(obis) != 6:
            raise ValueError(f"a logical name has six octets, not {len(obis)}")
        self.obis = obis

    @property
    def name(self) -> str:
        """Class and logical name, ``3/1-0:1.8.0.255``: names the object in dumps and timers."""
        return f"{self.class_id}/{print_obis(self.obis)}"

    def attributes(self) -> tuple[int, ...]:
        """Return the indexes of its attributes, rising; 1 is always there."""
        return (LOGICAL_NAME,)

    def methods(self) -> tuple[int, ...]:
        """Return the indexes of its methods, rising."""
        return ()

    def read(
        self,
        index: int,
        selection: Selection | None,
        at: Moment,  # noqa: ARG002 - what the subclasses read does depend on it
    ) -> Data | DataAccessResult:
        """Return the value of an attribute, or why not."""
        if index != LOGICAL_NAME:
            return DataAccessResult.OBJECT_UNDEFINED
        if selection is not None:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        return axdr.octets(self.obis)

    def write(
        self,
        index: int,  # noqa: ARG002 - nothing can be written here, a subclass says what can
        value: Data,  # noqa: ARG002
        at: Moment,  # noqa: ARG002
    ) -> DataAccessResult:
        """Give an attribute another value, or say why not."""
        return DataAccessResult.READ_WRITE_DENIED

    def invoke(
        self,
        index: int,  # noqa: ARG002 - there is no method here, a subclass says which there are
        parameters: Data | None,  # noqa: ARG002
        at: Moment,  # noqa: ARG002
    ) -> MethodOutcome:
        """Carry out a method; NULL parameters of a list request come as None."""
        return MethodOutcome(ActionResult.OBJECT_UNDEFINED)

    def timer_name(self, word: str) -> str:
        """Return the name of this object's timer ``word``, for ``SetTimer`` and ``CancelTimer``."""
        return f"{self.name}/{word}"

    def on_timer(self, word: str, at: Moment) -> None:
        """Take one of its timers."""

    def on_power(self, *, on: bool, at: Moment) -> None:
        """Learn that power came or went; what it holds is non-volatile unless it says otherwise."""

    def dump(self) -> dict[str, Json]:
        """Return its state as JSON values; nothing for an object without state of its own."""
        return {}

    def load(self, saved: Saved) -> None:
        """Take over a state that ``dump`` gave."""


#: (object, attribute or method index, rights word) -> what that association may do there.
Rights = Callable[[CosemObject, int, str], Access]


class ObjectTree:
    """The objects of one logical device, by class and logical name, with everyone's rights."""

    def __init__(self, objects: Iterable[CosemObject], rights: Rights) -> None:
        self._objects: dict[tuple[int, bytes], CosemObject] = {}
        self._names: dict[str, CosemObject] | None = None
        self._rights = rights
        for item in objects:
            key = (item.class_id, item.obis)
            if key in self._objects:
                raise ValueError(f"two objects are {item.name}")
            self._objects[key] = item
        self._logical_names = {obis for _, obis in self._objects}

    def find(self, class_id: int, obis: bytes) -> CosemObject | DataAccessResult:
        """Return an object, or why there is none: undefined, or there under another class."""
        found = self._objects.get((class_id, obis))
        if found is not None:
            return found
        if obis in self._logical_names:
            return DataAccessResult.OBJECT_CLASS_INCONSISTENT
        return DataAccessResult.OBJECT_UNDEFINED

    def named(self, name: str) -> CosemObject | None:
        """Return the object of that ``CosemObject.name``, or None."""
        if self._names is None:  # few devices are ever asked
            self._names = {item.name: item for item in self.objects()}
        return self._names.get(name)

    def rights(self, item: CosemObject, index: int, word: str) -> Access:
        """Return what the associations with that rights word may do there."""
        return self._rights(item, index, word)

    def objects(self) -> Iterator[CosemObject]:
        """Return the objects in the order in which they were given."""
        return iter(self._objects.values())

    def dump(self) -> dict[str, Json]:
        """Return the state of every object that has one, by name."""
        states = {item.name: item.dump() for item in self.objects()}
        return {name: state for name, state in states.items() if state}

    def load(self, saved: Saved) -> None:
        """Take over a dumped state; objects it does not name stay as they are."""
        for item in self.objects():
            if saved.has(item.name):
                item.load(saved.part(item.name))
