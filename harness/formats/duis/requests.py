"""Service requests: reading and writing."""

import enum
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from lxml import etree

from device_profiles.duis_services import DuisService, load_duis_services
from emulator.core.values import quick
from harness.formats.duis import bodies, dcc_bodies, document, kinds, shape, signing
from harness.formats.duis.bodies import RequestBody, ServiceReference
from harness.formats.duis.dcc_bodies import OtherBody
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.quick_reading import DocumentReader
from harness.formats.duis.quick_writing import DocumentWriter
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.shape import Field, Shape
from harness.formats.duis.signature_form import Signed
from harness.formats.duis.signing import Signatories, XmlKey
from harness.formats.duis.xml_input import parse


class Origin(enum.StrEnum):
    """How far a document's sender is proven."""

    VERIFIED = "verified"
    LOCAL = "unsigned, local"


@quick
@dataclass(frozen=True, slots=True)
class RequestHeader:
    """The header of a service request.

    Attributes:
        request_id: Who asks, of whom, counter.
        command_variant: 1 to 8.
        service: Service reference.
        variant: Service reference variant.
        first_in_sequence: For sequenced requests, or None.
        preceding: The request this one waits for, or None.
    """

    request_id: RequestId
    command_variant: int
    service: str
    variant: str
    first_in_sequence: bool | None = None
    preceding: RequestId | None = None


@quick
@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """One service request.

    Attributes:
        header: Its header.
        body: What it asks for.
        origin: Whether its XML signature was verified.
    """

    header: RequestHeader
    body: RequestBody
    origin: Origin = Origin.LOCAL

    @property
    def request_id(self) -> RequestId:
        """Identifier of the request."""
        return self.header.request_id


_REFERENCES: Final = frozenset(one.reference for one in ServiceReference)
_VARIANTS: Final = frozenset(ServiceReference)
_SERVICE: Final = kinds.text("ServiceReference", 1, 10)
_HEADER: Final = Shape(
    RequestHeader,
    (
        Field("RequestID", "request_id", kinds.REQUEST_ID),
        Field("FirstInSequence", "first_in_sequence", kinds.BOOLEAN, optional=True),
        Field("PrecedingServiceRequestID", "preceding", kinds.REQUEST_ID, optional=True),
        Field("CommandVariant", "command_variant", kinds.whole_number(1, 9)),
        Field("ServiceReference", "service", _SERVICE),
        Field("ServiceReferenceVariant", "variant", _SERVICE),
    ),
)


def request(body: RequestBody, request_id: RequestId, variant: int | None = None) -> ServiceRequest:
    """Return a request with the header that belongs to its body.

    Args:
        body: What to ask for.
        request_id: Its identifier.
        variant: Command variant; the lowest one the service allows where None.
    """
    if isinstance(body, OtherBody):
        row = load_duis_services()[body.service]
        one = variant or min(row.variants)
        return ServiceRequest(RequestHeader(request_id, one, row.reference, row.service), body)
    services, variants = bodies.SERVICES[type(body)]
    service = min(services)
    header = RequestHeader(request_id, variant or min(variants), service.reference, str(service))
    return ServiceRequest(header, body)


def read_request(data: bytes, signatories: Signatories | None = None) -> ServiceRequest:
    """Read one service request.

    Args:
        data: The document.
        signatories: XML-signing certificates by originator. With them the signature must verify;
            without them the request is marked ``unsigned, local`` whatever signature it carries.

    Raises:
        DuisError: Named, with the line.
    """
    known = _READ.get(data)
    root = None
    if known is None:
        known = _quick_content(data)
        if known is None:
            root = parse(data)
            known = (*_content(root), None)
        if len(data) <= _SMALL_BYTES:
            if len(_READ) >= _MOST_READ:
                _READ.pop(next(iter(_READ), b""), None)  # another thread may have taken it
            _READ[data] = known
    header, value, signed, mark = known
    origin = Origin.LOCAL
    if signatories is not None:
        originator = header.request_id.originator
        tree = mark if root is None else root
        signing.verify(data, signatories, originator, signed=signed, tree=tree)
        origin = Origin.VERIFIED
    return ServiceRequest(header, value, origin)


#: What the last short documents say, oldest first: each desk on a request's way reads it again.
_READ: Final[dict[bytes, tuple[RequestHeader, RequestBody, bool, Signed | None]]] = {}
_MOST_READ: Final = 64
_SMALL_BYTES: Final = 32 * 1024


def _quick_content(data: bytes) -> tuple[RequestHeader, RequestBody, bool, Signed | None] | None:
    """Return what a document of the usual form says, whether it is signed, and the signature.

    None for any other one, and for one that is refused: the parser's way says why.
    """
    read = _READER.read(data)
    if read is None:
        return None
    header, value = read.values
    services, variants = bodies.SERVICES[type(value)]
    named = any(header.variant == one and header.service == one.reference for one in services)
    if not named or header.command_variant not in variants:
        return None
    return header, value, read.mark is not None, read.mark


def _content(root: etree._Element) -> tuple[RequestHeader, RequestBody, bool]:
    """Return what a document says, and whether a signature follows."""
    head, body, signed = document.parts(root, "Request")
    header: RequestHeader = shape.read(_HEADER, head)
    row = None if header.variant in _VARIANTS else load_duis_services().get(header.variant)
    if row is not None:
        value: RequestBody = _passed_by(header, row, head, body)
        return header, value, signed
    _refuse_unknown_service(header, head)
    value = shape.read(bodies.REQUEST_BODY, body)
    _check_service(header, value, head)
    return header, value, signed


def _passed_by(
    header: RequestHeader, row: DuisService, head: etree._Element, body: etree._Element
) -> OtherBody:
    """Read a request of a service whose body is not read here."""
    if header.service != row.reference:
        raise DuisError(
            DuisFault.WRONG_SERVICE_REFERENCE,
            f"variant {row.service} is of service {row.reference}, not {header.service}",
            line=shape.line_of(head),
            where="Header",
        )
    _check_variant(header, row.body, row.variants, shape.line_of(head))
    return dcc_bodies.read_other(row, body)


def peek(data: bytes) -> RequestHeader:
    """Read the header of a request alone, to answer one whose body is refused.

    Raises:
        DuisError: Named, with the line.
    """
    head, _body, _signed = document.parts(parse(data), "Request")
    header: RequestHeader = shape.read(_HEADER, head)
    return header


def write_request(value: ServiceRequest, key: XmlKey | None = None) -> bytes:
    """Write one service request, signed where a key is given.

    Raises:
        DuisError: A value lies outside the limits of the schema.
    """
    written = None
    if not isinstance(value.body, OtherBody):
        _check_service(value.header, value.body, None)
        written = _WRITER.write((value.header, value.body), key)
    return _write_as_tree(value, key) if written is None else written


_PARTS: Final = (("Header", _HEADER), ("Body", bodies.REQUEST_BODY))
_READER: Final = DocumentReader("Request", _PARTS)
_WRITER: Final = DocumentWriter("Request", _PARTS)


def _write_as_tree(value: ServiceRequest, key: XmlKey | None) -> bytes:
    root = document.new("Request")
    if isinstance(value.body, OtherBody):
        shape.write(root, "Header", _HEADER, value.header)
        etree.SubElement(root, shape.tag("Body")).append(parse(value.body.octets))
    else:
        shape.write(root, "Header", _HEADER, value.header)
        shape.write(root, "Body", bodies.REQUEST_BODY, value.body)
    etree.indent(root)
    if key is not None:
        signing.sign(root, key)
    return document.octets(root)


def _refuse_unknown_service(header: RequestHeader, element: etree._Element) -> None:
    if header.service not in _REFERENCES or header.variant not in _VARIANTS:
        raise DuisError(
            DuisFault.UNSUPPORTED_SERVICE,
            f"service {header.variant} is not among {', '.join(ServiceReference)}",
            line=shape.line_of(element),
            where="ServiceReference",
        )


def _check_service(
    header: RequestHeader, body: RequestBody, element: etree._Element | None
) -> None:
    services, variants = bodies.SERVICES[type(body)]
    line = 0 if element is None else shape.line_of(element)
    named = {(one.reference, str(one)) for one in services}
    if (header.service, header.variant) not in named:
        raise DuisError(
            DuisFault.WRONG_SERVICE_REFERENCE,
            f"{type(body).__name__} is not service {header.service}/{header.variant}",
            line=line,
            where="Header",
        )
    _check_variant(header, type(body).__name__, variants, line)


def _check_variant(header: RequestHeader, what: str, variants: Collection[int], line: int) -> None:
    if header.command_variant not in variants:
        allowed = ", ".join(map(str, sorted(variants)))
        raise DuisError(
            DuisFault.WRONG_COMMAND_VARIANT,
            f"{what} travels as command variant {allowed}, not {header.command_variant}",
            line=line,
            where="CommandVariant",
        )
