"""What an S1SP says of a SMETS1 device: signed responses in the shapes of DUIS and MMC.

Source:
    DUIS 5.4 XSD (SMETS1SignedResponse, SMETS1ResponseType) and MMC 5.4 XSD (HeaderType,
    ResponsePayload, DeviceAlertMessageType, StatusSMETS1); checked by validating what is written.
"""

from dataclasses import dataclass
from typing import Final

from lxml import etree

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.formats.duis import document, kinds, signing, smets1_text
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.quick_writing import DECLARED, VERSION, UnusualError, made, plain
from harness.formats.duis.shape import SIGNATURE_NAMESPACE, canonical, line_of, local, tag
from harness.formats.duis.signature_form import Signed
from harness.formats.duis.signing import Signatories, XmlKey
from harness.formats.duis.smets1_contents import DeviceAlert, Node, Result, Smets1Status
from harness.formats.duis.smets1_lines import MOST_ERROR_CHARS, lines_of
from harness.formats.duis.xml_input import parse

MMC_NAMESPACE: Final = "http://www.dccinterface.co.uk/ResponseAndAlert"
_ROOT: Final = "SMETS1SignedResponse"
#: Names of MMC for what 8F1C and 8F72 carry.
_VERIFICATION: Final = "FirmwareVerificationDeviceAlert"
_IMAGE_HASH: Final = "ManufacturerImageHash"
_PREFIXES: Final = {"ra": MMC_NAMESPACE}
_DECLARED: Final = f' xmlns:ra="{MMC_NAMESPACE}"'
_SUCCESS: Final = "MessageSuccess"
_COUNTER: Final = kinds.whole_number(0, 2**64 - 1)
#: What a header has to have.
_NEEDED: Final = ("BusinessOriginatorID", "BusinessTargetID", "OriginatorCounter")


@quick
@dataclass(frozen=True, slots=True)
class Smets1Response:
    """One response or alert of a SMETS1 device, as its S1SP words it.

    Attributes:
        device: The device.
        target: Whom it is for: the service user, or the DCC's identifier.
        counter: Originator counter of the request it answers.
        body: What it says.
        service: Service reference, or None for an alert.
        variant: Service reference variant, or None for an alert.
        supplementary_party: The service user, where the DCC asked for it; else None.
        supplementary_counter: Its counter, likewise.
        at: When the device was asked, or None.
    """

    device: Eui64
    target: Eui64
    counter: int
    body: Result | DeviceAlert
    service: str | None = None
    variant: str | None = None
    supplementary_party: Eui64 | None = None
    supplementary_counter: int | None = None
    at: UtcMs | None = None


def write_signed(value: Smets1Response, key: XmlKey) -> bytes:
    """Write and sign a response; returns canonical octets, fit to be embedded.

    Raises:
        DuisError: A value lies outside the limits of the schema.
    """
    try:
        return _written(value, key)
    except UnusualError:
        return _write_as_tree(value, key)


def _written(value: Smets1Response, key: XmlKey) -> bytes:
    """Write and sign a response without a tree.

    Raises:
        UnusualError: It needs one.
    """
    lines = [f"<sr:{_ROOT}{DECLARED}{VERSION}><sr:SMETS1Response><sr:Header>"]
    lines += (f"<ra:{name}{_DECLARED}>{plain(text)}</ra:{name}>" for name, text in _header(value))
    lines.append("</sr:Header><sr:Body>")
    if not isinstance(value.body, Result):
        raise UnusualError
    lines += ("<sr:ResponseMessage>", *lines_of(value.body, _DECLARED), "</sr:ResponseMessage>")
    lines.append("</sr:Body></sr:SMETS1Response>")
    ended = f"</sr:{_ROOT}>"
    signed = "".join((*lines, ended)).encode("ascii")
    return made("".join((*lines, signing.canonical_signature_over(signed, key), ended)))


def _write_as_tree(value: Smets1Response, key: XmlKey) -> bytes:
    root = document.new(_ROOT)
    response = etree.SubElement(root, tag("SMETS1Response"), nsmap=_PREFIXES)
    header = etree.SubElement(response, tag("Header"))
    for name, text in _header(value):
        etree.SubElement(header, _ra(name)).text = text
    body = etree.SubElement(response, tag("Body"))
    if isinstance(value.body, Result):
        _write_result(etree.SubElement(body, tag("ResponseMessage")), value.body)
    else:
        _write_alert(etree.SubElement(body, tag("DeviceAlertMessage")), value.body)
    signing.sign(root, key)
    return canonical(root)


def read_signed(
    data: bytes, signatories: Signatories | None = None, signer: Eui64 | None = None
) -> Smets1Response:
    """Read a signed response.

    Args:
        data: The document.
        signatories: XML-signing certificates; with them (and ``signer``) the signature must hold.
        signer: The S1SP that must have signed it.

    Raises:
        DuisError: Named.
    """
    known = _READ.get(data)
    if known is not None:
        _verify(data, signatories, signer, signed=True, tree=None)
        return known
    signed, text = True, smets1_text.read(data, Node)
    said = None if text is None else _said(text)
    if text is not None and said is not None:
        _verify(data, signatories, signer, signed=True, tree=text.mark)
    else:
        root = parse(data)
        _expect(root, _ROOT, tag(_ROOT))
        signed = root.find(f"{{{SIGNATURE_NAMESPACE}}}Signature") is not None
        _verify(data, signatories, signer, signed=signed, tree=root)
        said = _read(root)
    if signed and len(data) <= _SMALL_BYTES:
        if len(_READ) >= _MOST_READ:
            _READ.pop(next(iter(_READ), b""), None)  # another thread may have taken it
        _READ[data] = said
    return said


#: What the last short documents with a signature say, oldest first: DSP and service user both read
#: them.
_READ: Final[dict[bytes, Smets1Response]] = {}
_MOST_READ: Final = 64
_SMALL_BYTES: Final = 32 * 1024


def _verify(
    data: bytes,
    signatories: Signatories | None,
    signer: Eui64 | None,
    *,
    signed: bool,
    tree: etree._Element | Signed | None,
) -> None:
    if signatories is None:
        return
    if signer is None:
        raise DuisError(DuisFault.BAD_SIGNATURE, "nobody is named who must have signed it")
    signing.verify(data, signatories, signer, signed=signed, tree=tree)


def _read(root: etree._Element) -> Smets1Response:
    response = _child(root, tag("SMETS1Response"))
    texts = {local(one): one.text or "" for one in _child(response, tag("Header"))}
    body = _child(response, tag("Body"))
    first = next(iter(body), None)
    if first is None:
        raise _missing("ResponseMessage", body)
    content = _read_result(first) if local(first) == "ResponseMessage" else _read_alert(first)
    for name in _NEEDED:
        if name not in texts:
            raise _missing(name, response)
    return _made(texts, content)


def _said(text: smets1_text.Said) -> Smets1Response | None:
    """Return what a canonical text says; None where the parser's way refuses it."""
    answer = text.answer
    if any(name not in text.header for name in _NEEDED):
        return None
    try:
        return _made(text.header, Result(answer.name, text.success, answer.children))
    except DuisError:
        return None


def _header(value: Smets1Response) -> list[tuple[str, str]]:
    rows: list[tuple[str, str | None]] = [
        ("BusinessOriginatorID", str(value.device)),
        ("BusinessTargetID", str(value.target)),
        ("OriginatorCounter", str(value.counter)),
        ("SupplementaryRemotePartyID", _optional(value.supplementary_party)),
        ("SupplementaryRemotePartyCounter", _optional(value.supplementary_counter)),
        ("ServiceReference", value.service),
        ("ServiceReferenceVariant", value.variant),
        ("Timestamp", None if value.at is None else kinds.DATE_TIME.write(value.at)),
    ]
    return [(name, text) for name, text in rows if text is not None]


def _optional(value: Eui64 | int | None) -> str | None:
    return None if value is None else str(value)


def _write_result(parent: etree._Element, result: Result) -> None:
    data = etree.SubElement(parent, _ra("SMETSData"))
    element = etree.SubElement(data, _ra(result.element))
    element.set(_SUCCESS, kinds.BOOLEAN.write(result.success))
    for node in result.values:
        _write_node(element, node)
    if result.statuses:
        debug = etree.SubElement(etree.SubElement(parent, _ra("DebugInfo")), _ra("SMETS1Debug"))
        for status in result.statuses:
            row = etree.SubElement(debug, _ra("SMETS1Response"))
            row.set("ResponseCode", str(status.code))
            row.set("Position", str(status.position))
            etree.SubElement(row, _ra("Error")).text = _short(status.error)


def _short(text: str) -> str:
    if len(text) > MOST_ERROR_CHARS:
        raise DuisError(DuisFault.BAD_LENGTH, f"a text of at most {MOST_ERROR_CHARS} characters")
    return text


def _write_node(parent: etree._Element, node: Node) -> None:
    element = etree.SubElement(parent, _ra(node.name))
    for name, value in node.attributes:
        element.set(name, value)
    if node.text:
        element.text = node.text
    for child in node.children:
        _write_node(element, child)


def _write_alert(parent: etree._Element, alert: DeviceAlert) -> None:
    content = etree.SubElement(parent, _ra("DeviceAlertContent"))
    if alert.code is not None:
        etree.SubElement(content, _ra("GBCSHexAlertCode")).text = f"{alert.code:04X}"
    etree.SubElement(content, _ra("AlertDescription")).text = _short(alert.description)
    etree.SubElement(content, _ra("Timestamp")).text = kinds.DATE_TIME.write(alert.at)
    if alert.image_hash:
        payload = etree.SubElement(content, _ra("Payload"))
        verified = etree.SubElement(payload, _ra(_VERIFICATION))
        etree.SubElement(verified, _ra(_IMAGE_HASH)).text = alert.image_hash.hex().upper()


# --- reading -----------------------------------------------------------------------------------


def _read_result(parent: etree._Element) -> Result:
    data = _child(parent, _ra("SMETSData"))
    element = next(iter(data), None)
    if element is None:
        raise _missing("an element of SMETSData", data)
    success = kinds.BOOLEAN.read(element.get(_SUCCESS) or "")
    statuses = tuple(
        Smets1Status(
            kinds.whole_number(-(2**31), 2**31).read(row.get("ResponseCode") or ""),
            _child(row, _ra("Error")).text or "",
            kinds.whole_number(1, 2**31).read(row.get("Position") or ""),
        )
        for row in parent.iter(_ra("SMETS1Response"))
    )
    return Result(local(element), success, tuple(_node(one) for one in element), statuses)


def _node(element: etree._Element) -> Node:
    children = tuple(_node(one) for one in element)
    attributes = tuple((str(name), str(value)) for name, value in element.attrib.items())
    return Node(local(element), "" if children else element.text or "", children, attributes)


def _read_alert(parent: etree._Element) -> DeviceAlert:
    content = _child(parent, _ra("DeviceAlertContent"))
    texts = {local(one): one.text or "" for one in content}
    code = texts.get("GBCSHexAlertCode")
    return DeviceAlert(
        None if code is None else kinds.ALERT_CODE.read(code),
        texts.get("AlertDescription", ""),
        kinds.DATE_TIME.read(texts.get("Timestamp", "")),
        _image_hash(content),
    )


def _image_hash(content: etree._Element) -> bytes:
    found = content.find(f"{_ra('Payload')}/{_ra(_VERIFICATION)}/{_ra(_IMAGE_HASH)}")
    text = "" if found is None else found.text or ""
    try:
        return bytes.fromhex(text)
    except ValueError:
        why = f"{_IMAGE_HASH} is not hexadecimal"
        raise DuisError(DuisFault.BAD_HEX, why, line=line_of(content)) from None


def _made(texts: dict[str, str], body: Result | DeviceAlert) -> Smets1Response:
    party, own = (
        texts.get("SupplementaryRemotePartyID"),
        texts.get("SupplementaryRemotePartyCounter"),
    )
    at = texts.get("Timestamp")
    return Smets1Response(
        kinds.EUI.read(texts["BusinessOriginatorID"]),
        kinds.EUI.read(texts["BusinessTargetID"]),
        _COUNTER.read(texts["OriginatorCounter"]),
        body,
        texts.get("ServiceReference"),
        texts.get("ServiceReferenceVariant"),
        None if party is None else kinds.EUI.read(party),
        None if own is None else _COUNTER.read(own),
        None if at is None else kinds.DATE_TIME.read(at),
    )


def _child(parent: etree._Element, name: str) -> etree._Element:
    found = parent.find(name)
    if found is None:
        raise _missing(name.rpartition("}")[2], parent)
    return found


def _missing(name: str, parent: etree._Element) -> DuisError:
    return DuisError(
        DuisFault.MISSING_ELEMENT, f"expected {name}", line=line_of(parent), where=local(parent)
    )


def _expect(root: etree._Element, name: str, qualified: str) -> None:
    if root.tag != qualified:
        raise DuisError(DuisFault.WRONG_ROOT, f"the root is {root.tag}, not {name}")
    if root.get("schemaVersion") != document.SCHEMA_VERSION:
        raise DuisError(DuisFault.SCHEMA_VERSION, f"schemaVersion {root.get('schemaVersion')!r}")


def _ra(name: str) -> str:
    return f"{{{MMC_NAMESPACE}}}{name}"
