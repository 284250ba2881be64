"""Names for the parts of ASN.1 payloads that the codecs leave as DER trees."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from emulator.codecs.der import Tag
from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.gbcs.use_cases import MessageCode as C


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a SEQUENCE.

    Attributes:
        name: What it is.
        tag: The tag it must have to be this part; None takes any.
        parts: The parts inside it, in order; those that do not fit are passed over.
        each: For a SEQUENCE OF: what every element is.
    """

    name: str
    tag: int | None = None
    parts: tuple["Part", ...] = ()
    each: "Part | None" = None


def _context(number: int, *, constructed: bool = False) -> int:
    return 0x80 | (0x20 if constructed else 0) | number


_INT, _TIME, _NULL = int(Tag.INTEGER), int(Tag.GENERALIZED_TIME), int(Tag.NULL)
_SEQUENCE: Final = int(Tag.SEQUENCE)
_CELL: Final = (Part("remote party role"), Part("key usage"), Part("cell usage"))
_CERTIFICATE: Final = Part("certificate")
_LOG_ENTRY: Final = Part("entry", None, (Part("device"), Part("device type")))
_RESULT: Final = Part("result")
_FLOORS: Final = Part(
    "counters after",
    None,
    (
        Part("remote party role"),
        Part("floor"),
        Part("specialist floors", None, each=Part("floor", None, (Part("usage"), Part("floor")))),
    ),
)
_REPLACEMENT: Final = Part(
    "replacement",
    None,
    (
        Part("cell", None, _CELL),
        Part("status"),
        Part("old subject"),
        Part("old key identifier"),
        Part("new subject"),
        Part("new key identifier"),
    ),
)
_OUTCOME: Final = (
    Part("originator counter"),
    Part("mode"),
    Part("remote parties", None, each=_FLOORS),
    Part("replacements", None, each=_REPLACEMENT),
)
_CONTROL: Final = (
    Part("mode", _INT),
    Part("key", _context(0)),
    Part("validity checks", _context(1)),
    Part("cell", _context(2, constructed=True), _CELL),
    Part("originator counter", _context(3)),
    Part("counter floor", _context(4)),
    Part("specialist floors", _context(5, constructed=True)),
    Part("other changes", _context(6, constructed=True)),
)
_REPLACE: Final = Part(
    "update security credentials",
    None,
    (
        Part("control", None, _CONTROL),
        Part(
            "replacements",
            None,
            each=Part("replacement", None, (_CERTIFICATE, Part("cell", None, _CELL))),
        ),
        Part("certificates", None, each=_CERTIFICATE),
        Part("execution time", _TIME),
    ),
)
_REPLACED: Final = Part(
    "credentials update response",
    None,
    (Part("accepted", _NULL), Part("outcome", None, _OUTCOME)),
)
_REPLACED_ALERT: Final = Part(
    "credentials update alert",
    None,
    (Part("alert code"), Part("execution time"), Part("outcome", None, _OUTCOME)),
)
_CREDENTIAL: Final = Part(
    "key", None, (Part("usage"), Part("cell usage", _INT), Part("subject"), Part("key identifier"))
)
_PROVIDE: Final = Part(
    "provide security credentials",
    None,
    (Part("cell", None, _CELL), Part("roles", None, each=Part("role"))),
)
_PROVIDED: Final = Part(
    "security credentials",
    None,
    each=Part(
        "remote party",
        None,
        (
            Part("role"),
            Part("status"),
            Part("originator counter", _INT),
            Part("keys", _SEQUENCE, each=_CREDENTIAL),
        ),
    ),
)
_JOIN: Final = Part(
    "join",
    None,
    (Part("method and role"), Part("device"), Part("device type"), _CERTIFICATE),
)
_USAGE: Final = Part("request", None, (Part("key usage"),))
_DEVICE_LOG: Final = Part("device log", None, each=_LOG_ENTRY)

#: (message code, direction) -> the payload. Source: reference gbcs.md section 9.2.
LAYOUTS: Final[Mapping[tuple[int, Cra], Part]] = MappingProxyType(
    {
        **{(c, Cra.COMMAND): _JOIN for c in (C.CS03A1, C.CS03A2, C.CS03B, C.CS03C)},
        **{(c, Cra.RESPONSE): _RESULT for c in (C.CS03A1, C.CS03A2, C.CS03B, C.CS03C)},
        **{(c, Cra.COMMAND): Part("device") for c in (C.CS04AC, C.CS04B)},
        **{(c, Cra.RESPONSE): _RESULT for c in (C.CS04AC, C.CS04B, C.CS02D, C.GCS59)},
        **{(code, Cra.COMMAND): _PROVIDE for code in (C.CS02A, C.CS02F)},
        **{(code, Cra.RESPONSE): _PROVIDED for code in (C.CS02A, C.CS02F)},
        **{
            (code, cra): layout
            for code in C
            if code.name.startswith(("CS02B", "CS02G"))
            for cra, layout in (
                (Cra.COMMAND, _REPLACE),
                (Cra.RESPONSE, _REPLACED),
                (Cra.ALERT, _REPLACED_ALERT),
            )
        },
        (C.CS02C, Cra.COMMAND): _USAGE,
        (C.CS02C, Cra.RESPONSE): Part("certification request or result"),
        (C.CS02D, Cra.COMMAND): _CERTIFICATE,
        (C.CS02E, Cra.COMMAND): _USAGE,
        (C.CS02E, Cra.RESPONSE): Part("certificate or result"),
        (C.CS07, Cra.COMMAND): Part("read device join details"),
        (C.CS07, Cra.RESPONSE): Part("device join details", None, (_RESULT, _DEVICE_LOG)),
        (C.GCS28, Cra.COMMAND): Part("set clock", None, (Part("from"), Part("to"))),
        (C.GCS28, Cra.RESPONSE): Part("clock", None, (Part("time"), Part("status"))),
        (C.GCS59, Cra.COMMAND): _DEVICE_LOG,
        (C.GCS62, Cra.ALERT): Part(
            "device log backup", None, (Part("alert code"), Part("time"), _DEVICE_LOG)
        ),
    }
)
