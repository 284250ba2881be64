"""What crosses the port of a DLMS meter: requests and answers as values, refusals included."""

import enum
from dataclasses import dataclass, field

from emulator.codecs.dlms.acse import Mechanism
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_ciphered import Form
from emulator.codecs.dlms.apdu_parts import DataAccessResult, GetResult
from emulator.codecs.dlms.initiate import Conformance
from emulator.core.values import quick
from emulator.crypto.dlms_keys import SecurityKeys


@quick
@dataclass(frozen=True, slots=True)
class Credentials:
    """How a client presents itself to a meter. Secrets never show in ``repr``.

    Attributes:
        name: What people call this client: ``public``, ``reader``, ``installer``, ``management``,
            or a party's name.
        client: Its service access point (HDLC upper address, wrapper port).
        mechanism: How it proves who it is.
        secret: The low-level secret; for ``Mechanism.LLS`` alone.
        keys: Global keys; where it ciphers or proves itself by GMAC.
        title: Its system title, 8 octets; where it has keys.
        suite: Security suite, 0 or 1.
        form: How its ciphered APDUs travel; ``Form.PLAIN`` where it does not cipher.
        server: Service access point of the logical device it wants.
        max_pdu_bytes: Longest APDU it takes.
        lies: Whether it spoils its answer to the meter's challenge, to see that it is refused.
    """

    name: str
    client: int
    mechanism: Mechanism = Mechanism.NONE
    secret: bytes | None = field(default=None, repr=False)
    keys: SecurityKeys | None = field(default=None, repr=False)
    title: bytes = b""
    suite: int = 0
    form: Form = Form.PLAIN
    server: int = 1
    max_pdu_bytes: int = 1024
    lies: bool = False


class Silence(enum.StrEnum):
    """Why a request has no answer of the service it asked for."""

    NO_ANSWER = "no-answer"  # nothing came, repeats included
    LINK_LOST = "link-lost"  # the meter, or the line, dropped the link
    NOT_ASSOCIATED = "not-associated"  # nobody is associated on this port
    EXCEPTION = "exception"  # the meter answered with an exception response
    BROKEN = "broken"  # the answer does not follow the format, or answers something else
    NOT_AUTHENTIC = "not-authentic"  # the answer's protection does not hold
    ABORTED = "aborted"  # a block transfer ended in the middle


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request that got no answer of its service.

    Attributes:
        why: The kind of silence.
        detail: One sentence for people.
        octets: The last APDU of the meter, where there was one.
    """

    why: Silence
    detail: str = ""
    octets: bytes = b""


@dataclass(frozen=True, slots=True)
class SignOnReport:
    """What an IEC 62056-21 opening came to.

    Attributes:
        answered: Whether a meter identified itself.
        manufacturer: Its FLAG letters, three; empty without answer.
        baud: Speed it proposes, in bits a second; 0 without answer.
        mode: Protocol mode it offers (``A`` to ``E``); empty without answer.
        name: Its identification text.
        read_out: Its mode C data block, where one was asked for and came.
        causes: Where nothing answered: what may be the cause, most likely first.
    """

    answered: bool
    manufacturer: str = ""
    baud: int = 0
    mode: str = ""
    name: str = ""
    read_out: str | None = None
    causes: tuple[str, ...] = ()


@quick
@dataclass(frozen=True, slots=True)
class Association:
    """What an association request came to.

    Attributes:
        accepted: Whether the association stands (HLS passes included).
        result: The AARE's result number; -1 when there was no AARE.
        diagnostic: The AARE's diagnostic number; -1 when there was no AARE.
        server_title: The meter's system title, or empty.
        conformance: Services agreed.
        max_pdu_bytes: Longest APDU the meter takes.
        why: Where it does not stand: one sentence.
        silence: Where no AARE came: what kind of silence.
        before_stands: Where it was refused: whether the association from before stands on.
    """

    accepted: bool
    result: int = -1
    diagnostic: int = -1
    server_title: bytes = b""
    conformance: Conformance = field(default_factory=lambda: Conformance(0))
    max_pdu_bytes: int = 0
    why: str = ""
    silence: Silence | None = None
    before_stands: bool = False


#: One result for each attribute asked for, in order: data, or the meter's refusal of that one.
GetAnswer = tuple[GetResult, ...] | Unanswered
SetAnswer = tuple[DataAccessResult, ...] | Unanswered
ActionAnswer = MethodOutcome | Unanswered
