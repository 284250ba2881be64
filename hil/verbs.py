"""What an access to a meter does to it, as a table: who must have agreed before it is sent."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from emulator.codecs.dlms import apdu
from emulator.codecs.dlms.access import print_obis
from emulator.codecs.dlms.acse import AssociationRequest
from emulator.codecs.dlms.acse_release import ReleaseRequest
from emulator.codecs.dlms.apdu_action import (
    ActionFirstBlockRequest,
    ActionListFirstBlockRequest,
    ActionListRequest,
    ActionNextRequest,
    ActionRequest,
)
from emulator.codecs.dlms.apdu_get import GetListRequest, GetNextRequest, GetRequest
from emulator.codecs.dlms.apdu_parts import Descriptor
from emulator.codecs.dlms.apdu_set import (
    SetFirstBlockRequest,
    SetListFirstBlockRequest,
    SetListRequest,
    SetRequest,
)
from emulator.core.errors import EmulatorError


class Verb(enum.StrEnum):
    """How much an access changes, mildest first."""

    READ = "READ"  # changes nothing; always allowed
    WRITE = "WRITE"  # changes something that can be put back
    CLOCK = "CLOCK"  # moves the meter's time, and with it what it logs and charges
    SUPPLY = "SUPPLY"  # may switch somebody's electricity off or on
    KEYS = "KEYS"  # changes who may talk to the meter
    FIRMWARE = "FIRMWARE"  # changes what the meter is


class Service(enum.StrEnum):
    """The DLMS service that carries an access."""

    GET = "get"
    SET = "set"
    ACTION = "action"


#: What an access that no row knows counts as: the verb whose mistake can hurt somebody.
STRICTEST: Final = Verb.SUPPLY
#: Verbs that a person confirms one by one, word for word.
CONFIRMED: Final = frozenset({Verb.SUPPLY, Verb.KEYS, Verb.FIRMWARE})


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table; the first row that fits an access says its verb.

    Attributes:
        services: Services it is about.
        class_id: Interface class.
        verb: What such an access does.
        indexes: Attributes or methods it is about; empty for all.
        obis: Logical name as people write it; empty for all.
    """

    services: frozenset[Service]
    class_id: int
    verb: Verb
    indexes: frozenset[int] = frozenset()
    obis: str = ""

    def fits(self, service: Service, target: Descriptor) -> bool:
        """Say whether an access is one of this row."""
        return (
            service in self.services
            and target.class_id == self.class_id
            and (not self.indexes or target.index in self.indexes)
            and (not self.obis or print_obis(target.obis) == self.obis)
        )


_SET: Final = frozenset({Service.SET})
_ACTION: Final = frozenset({Service.ACTION})
_BOTH: Final = frozenset({Service.SET, Service.ACTION})

#: Requests that change nothing whatever they say.
_HARMLESS: Final = (AssociationRequest, ReleaseRequest, GetNextRequest, ActionNextRequest)

#: Every write that is known, by interface class. What is not here counts as ``STRICTEST``.
#: Source: duties of the interface classes as serial-dlms.md section 8 uses them; which verb each
#: one counts as is invented, and errs on the strict side.
ROWS: Final[tuple[Row, ...]] = (
    # 1 Data: any maker may put anything behind it, so only the message to the consumer is known
    Row(_SET, 1, Verb.WRITE, frozenset({2}), "0-2:96.13.1.255"),
    # 3, 4, 5 registers: reset; 7 profile: reset, capture
    Row(_ACTION, 3, Verb.WRITE, frozenset({1})),
    Row(_ACTION, 4, Verb.WRITE, frozenset({1})),
    Row(_ACTION, 5, Verb.WRITE, frozenset({1})),
    Row(_ACTION, 7, Verb.WRITE, frozenset({1, 2})),
    Row(_BOTH, 8, Verb.CLOCK),
    # 9 scripts, 10 schedules, 21 thresholds and 22 single actions can move the supply switch
    Row(_BOTH, 9, Verb.SUPPLY),
    Row(_BOTH, 10, Verb.SUPPLY),
    Row(_BOTH, 21, Verb.SUPPLY),
    Row(_BOTH, 22, Verb.SUPPLY),
    # 11 special days, 20 activity calendar: the tariff
    Row(_BOTH, 11, Verb.WRITE),
    Row(_BOTH, 20, Verb.WRITE),
    # 15 association: method 1 answers the meter's challenge and changes nothing
    Row(_ACTION, 15, Verb.READ, frozenset({1})),
    Row(_BOTH, 15, Verb.KEYS),
    Row(_BOTH, 18, Verb.FIRMWARE),
    Row(_BOTH, 64, Verb.KEYS),
    Row(_BOTH, 70, Verb.SUPPLY),
    Row(_BOTH, 71, Verb.SUPPLY),
    # 111, 112: mode and balances, on which the supply hangs; 113 charges; 115 top-up
    Row(_BOTH, 111, Verb.SUPPLY),
    Row(_BOTH, 112, Verb.SUPPLY),
    Row(_BOTH, 113, Verb.WRITE),
    Row(_ACTION, 115, Verb.WRITE, frozenset({1})),
    Row(_BOTH, 115, Verb.SUPPLY),
)


@dataclass(frozen=True, slots=True)
class Access:
    """One access that a request asks for.

    Attributes:
        verb: What it does.
        target: Attribute or method; None where the request does not say, or nobody can tell.
        service: Its service; None where nobody can tell.
    """

    verb: Verb
    target: Descriptor | None = None
    service: Service | None = None


def verb_of(service: Service, target: Descriptor) -> Verb:
    """Return what an access does; ``STRICTEST`` where no row knows it."""
    if service is Service.GET:
        return Verb.READ
    return next((row.verb for row in ROWS if row.fits(service, target)), STRICTEST)


def accesses_of(octets: bytes) -> Sequence[Access]:
    """Return what an APDU that is to be sent as it stands asks for.

    Associations, releases, reads, and continuations of reads change nothing. What is ciphered,
    not known, or cannot be read counts as ``STRICTEST``, without a target: it is for the meter
    alone to understand.
    """
    try:
        request = apdu.decode(octets)
    except EmulatorError:
        return (Access(STRICTEST),)
    if isinstance(request, _HARMLESS):
        return (Access(Verb.READ),)
    if isinstance(request, GetRequest):
        return _each(Service.GET, [request.attribute.descriptor])
    if isinstance(request, GetListRequest):
        return _each(Service.GET, [item.descriptor for item in request.attributes])
    return _writes(request)


def _writes(request: apdu.Apdu) -> Sequence[Access]:
    if isinstance(request, SetRequest | SetFirstBlockRequest):
        return _each(Service.SET, [request.attribute.descriptor])
    if isinstance(request, SetListRequest | SetListFirstBlockRequest):
        return _each(Service.SET, [item.descriptor for item in request.attributes])
    if isinstance(request, ActionRequest | ActionFirstBlockRequest):
        return _each(Service.ACTION, [request.method])
    if isinstance(request, ActionListRequest | ActionListFirstBlockRequest):
        return _each(Service.ACTION, list(request.methods))
    return (Access(STRICTEST),)  # a later block of a write among them: an earlier APDU named it


def _each(service: Service, targets: Sequence[Descriptor]) -> Sequence[Access]:
    return tuple(Access(verb_of(service, target), target, service) for target in targets)
