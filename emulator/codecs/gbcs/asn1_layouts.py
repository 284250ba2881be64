"""Names and types for the parts of ASN.1 payloads that the codecs leave as DER trees.

Types of single values: what an integer stands for (``role``, ``device_type``, ``replace_mode``,
``join_method``, ``alert_code``), ``eui64``, ``usage`` (bits of a key usage), ``certificate`` (a
whole DER certificate), ``pkcs`` (a certificate or PKCS#10 request, or else a result).
"""

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
        type: Word of its type; empty: told by its tag.
    """

    name: str
    tag: int | None = None
    parts: tuple["Part", ...] = ()
    each: "Part | None" = None
    type: str = ""


def _context(number: int, *, constructed: bool = False) -> int:
    return 0x80 | (0x20 if constructed else 0) | number


_INT, _TIME, _NULL = int(Tag.INTEGER), int(Tag.GENERALIZED_TIME), int(Tag.NULL)
_SEQUENCE: Final = int(Tag.SEQUENCE)
_CELL: Final = (
    Part("remote_party_role", type="role"),
    Part("key_usage", type="usage"),
    Part("cell_usage"),
)
_CERTIFICATE: Final = Part("certificate", type="certificate")
_LOG_ENTRY: Final = Part(
    "entry", None, (Part("device", type="eui64"), Part("device_type", type="device_type"))
)
_SPECIALIST: Final = Part("floor", None, (Part("usage"), Part("floor")))
_OTHER_CHANGE: Final = Part(
    "change",
    None,
    (
        Part("remote_party_role", type="role"),
        Part("floor"),
        Part("specialist_floors", None, each=_SPECIALIST),
    ),
)
_FLOORS: Final = Part(
    "counters_after",
    None,
    (
        Part("remote_party_role", type="role"),
        Part("floor"),
        Part("specialist_floors", None, each=_SPECIALIST),
    ),
)
_RESULT: Final = Part("result", type="result")
_REPLACEMENT: Final = Part(
    "replacement",
    None,
    (
        Part("cell", None, _CELL),
        Part("status"),
        Part("old_subject", type="eui64"),
        Part("old_key_identifier", type="octets"),
        Part("new_subject", type="eui64"),
        Part("new_key_identifier", type="octets"),
    ),
)
_OUTCOME: Final = (
    Part("originator_counter"),
    Part("mode", type="replace_mode"),
    Part("remote_parties", None, each=_FLOORS),
    Part("replacements", None, each=_REPLACEMENT),
)
_CONTROL: Final = (
    Part("mode", _INT, type="replace_mode"),
    Part("key", _context(0)),
    Part("validity_checks", _context(1)),
    Part("cell", _context(2, constructed=True), _CELL),
    Part("originator_counter", _context(3)),
    Part("counter_floor", _context(4)),
    Part("specialist_floors", _context(5, constructed=True), each=_SPECIALIST),
    Part("other_changes", _context(6, constructed=True), each=_OTHER_CHANGE),
)
_REPLACE: Final = Part(
    "update_security_credentials",
    None,
    (
        Part("control", None, _CONTROL),
        Part(
            "replacements",
            None,
            each=Part("replacement", None, (_CERTIFICATE, Part("cell", None, _CELL))),
        ),
        Part("certificates", None, each=_CERTIFICATE),
        Part("execution_time", _TIME),
    ),
)
_REPLACED: Final = Part(
    "credentials_update_response",
    None,
    (Part("accepted", _NULL), Part("outcome", None, _OUTCOME)),
)
_REPLACED_ALERT: Final = Part(
    "credentials_update_alert",
    None,
    (
        Part("alert_code", type="alert_code"),
        Part("execution_time"),
        Part("outcome", None, _OUTCOME),
    ),
)
_CREDENTIAL: Final = Part(
    "key",
    None,
    (
        Part("usage", type="usage"),
        Part("cell_usage", _INT),
        Part("subject", type="eui64"),
        Part("key_identifier", type="octets"),
    ),
)
_PROVIDE: Final = Part(
    "provide_security_credentials",
    None,
    (Part("cell", None, _CELL), Part("roles", None, each=Part("role", type="role"))),
)
_PROVIDED: Final = Part(
    "security_credentials",
    None,
    each=Part(
        "remote_party",
        None,
        (
            Part("role", type="role"),
            Part("status"),
            Part("originator_counter", _INT),
            Part("keys", _SEQUENCE, each=_CREDENTIAL),
        ),
    ),
)
_JOIN: Final = Part(
    "join",
    None,
    (
        Part("method_and_role", type="join_method"),
        Part("device", type="eui64"),
        Part("device_type", type="device_type"),
        _CERTIFICATE,
    ),
)
_USAGE: Final = Part("request", None, (Part("key_usage", type="usage"),))
_DEVICE_LOG: Final = Part("device_log", None, each=_LOG_ENTRY)

#: (message code, direction) -> the payload. Source: reference gbcs.md section 9.2.
LAYOUTS: Final[Mapping[tuple[int, Cra], Part]] = MappingProxyType(
    {
        **{(c, Cra.COMMAND): _JOIN for c in (C.CS03A1, C.CS03A2, C.CS03B, C.CS03C)},
        **{(c, Cra.RESPONSE): _RESULT for c in (C.CS03A1, C.CS03A2, C.CS03B, C.CS03C)},
        **{(c, Cra.COMMAND): Part("device", type="eui64") for c in (C.CS04AC, C.CS04B)},
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
        (C.CS02C, Cra.RESPONSE): Part("certification_request_or_result", type="pkcs"),
        (C.CS02D, Cra.COMMAND): _CERTIFICATE,
        (C.CS02E, Cra.COMMAND): _USAGE,
        (C.CS02E, Cra.RESPONSE): Part("certificate_or_result", type="pkcs"),
        (C.CS07, Cra.COMMAND): Part("read_device_join_details"),
        (C.CS07, Cra.RESPONSE): Part("device_join_details", None, (_RESULT, _DEVICE_LOG)),
        (C.GCS28, Cra.COMMAND): Part("set_clock", None, (Part("from"), Part("to"))),
        (C.GCS28, Cra.RESPONSE): Part("clock", None, (Part("time"), Part("status"))),
        (C.GCS59, Cra.COMMAND): Part("restore_device_log", None, (_DEVICE_LOG,)),
        (C.GCS62, Cra.ALERT): Part(
            "device_log_backup",
            None,
            (Part("alert_code", type="alert_code"), Part("time"), _DEVICE_LOG),
        ),
    }
)
