"""What a GBCS message does to a device, as a table over the service requests that lead to it."""

from typing import Final

from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.use_cases import MESSAGES
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from hil.verbs import STRICTEST, Verb

#: Titles of use cases that change nothing begin so. Source: the table of ``use_cases``.
_READING: Final = ("Read ", "Provide ")
#: Use cases that change who may speak to a device, whichever request leads to them.
_CREDENTIALS: Final = ("CS02",)
#: Service requests, by the beginning of their number, and how grave what they lead to is.
#: Source: DUIS groups of service requests; which verb each counts as is invented, and errs on the
#: strict side as that of DLMS accesses does: what the supply hangs on counts as SUPPLY.
_BY_REQUEST: Final = (
    ("11.3", Verb.FIRMWARE),
    ("7.", Verb.SUPPLY),
    ("1.5", Verb.SUPPLY),
    ("1.6", Verb.SUPPLY),
    ("2.", Verb.SUPPLY),
    ("6.4", Verb.SUPPLY),
    ("6.7", Verb.SUPPLY),
    ("6.25", Verb.SUPPLY),
    ("6.11", Verb.CLOCK),
    ("8.1.1", Verb.CLOCK),
    ("6.15", Verb.KEYS),
    ("6.17", Verb.KEYS),
    ("6.21", Verb.KEYS),
    ("6.23", Verb.KEYS),
    ("8.", Verb.KEYS),
    ("1.", Verb.WRITE),
    ("3.", Verb.WRITE),
    ("6.", Verb.WRITE),
    ("9.", Verb.WRITE),
    ("14.", Verb.WRITE),
)


def verb_of_message(octets: bytes) -> tuple[Verb, Eui64 | None]:
    """Return what a GBCS message does, and to whom; ``STRICTEST`` where nobody can tell."""
    try:
        header = envelope.decode(octets).header
    except MalformedFrameError:
        return STRICTEST, None
    return verb_of_code(header.other.message_code), header.target


def verb_of_code(code: int) -> Verb:
    """Return what messages of a code do; ``STRICTEST`` where the table does not know them."""
    row = MESSAGES.get(code)
    if row is None:
        return STRICTEST
    if row.title.startswith(_READING):
        return Verb.READ
    if row.use_case.startswith(_CREDENTIALS):
        return Verb.KEYS
    found = {_of_request(number) for number in row.srvs}
    return max(found, key=list(Verb).index) if found else STRICTEST


def _of_request(number: str) -> Verb:
    fitting = (verb for begin, verb in _BY_REQUEST if _begins(number, begin))
    return next(fitting, STRICTEST)


def _begins(number: str, begin: str) -> bool:
    """Say whether a request is of a group (``8.``) or is one, or a variant of it (``6.4``)."""
    return number.startswith(begin) if begin.endswith(".") else f"{number}.".startswith(f"{begin}.")
