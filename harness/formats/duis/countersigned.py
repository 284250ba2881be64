"""A service request as the DSP hands it to an S1SP: countersigned, and told how it is asked.

A stand-in: the form is not public. What it holds is what the SEC says of it: the request as the
user sent it, and where GBCS would have them, Supplementary Remote Party ID and Counter.
"""

import re
from dataclasses import dataclass
from typing import Final

from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.formats.duis import kinds, signature_form, signing
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.quick_writing import DECLARATION, SIGNING
from harness.formats.duis.shape import SIGNATURE_NAMESPACE, local
from harness.formats.duis.signature_form import Signed
from harness.formats.duis.signing import Signatories, XmlKey
from harness.formats.duis.xml_input import parse

#: Deliberately no DCC name space.
NAMESPACE: Final = "urn:x-bench:countersigned-request:1"
STAND_IN: Final = " stand-in: no public text shows the form of a countersigned service request "
_ROOT: Final = "CountersignedServiceRequest"
_COUNTER: Final = kinds.whole_number(0, 2**64 - 1)
#: Element -> attribute and kind; the first four must be there.
_FIELDS: Final = (
    ("S1SPID", "s1sp", kinds.EUI),
    ("DeviceID", "device", kinds.EUI),
    ("OriginatorID", "originator", kinds.EUI),
    ("OriginatorCounter", "counter", _COUNTER),
    ("SupplementaryRemotePartyID", "supplementary_party", kinds.EUI),
    ("SupplementaryRemotePartyCounter", "supplementary_counter", _COUNTER),
    ("Request", "request", kinds.BASE64),
)
_OPTIONAL: Final = frozenset({"supplementary_party", "supplementary_counter"})


@quick
@dataclass(frozen=True, slots=True)
class Countersigned:
    """One request on its way to an S1SP.

    Attributes:
        s1sp: The S1SP it is for.
        device: The device.
        originator: Who asks the device: the user, or the DCC for a user the device does not know.
        counter: Originator counter under which the device's answer goes back.
        request: The service request as it came, octet for octet.
        supplementary_party: The user, where the DCC asks; else None.
        supplementary_counter: The user's counter, likewise.
    """

    s1sp: Eui64
    device: Eui64
    originator: Eui64
    counter: int
    request: bytes
    supplementary_party: Eui64 | None = None
    supplementary_counter: int | None = None


def write(value: Countersigned, key: XmlKey) -> bytes:
    """Write one, signed by the DSP.

    Raises:
        DuisError: A value cannot be written.
    """
    fields = []
    for element, attribute, kind in _FIELDS:
        one = getattr(value, attribute)
        if one is not None:
            fields.append(f"<cs:{element}>{kind.write(one)}</cs:{element}>")
    # Identifiers, numbers and base64: XML writes all of them as they stand.
    body = "".join(fields)
    mark = signing.signature_over(f"{_BEGUN}>{body}{_ENDED}".encode("ascii"), key)
    return f"{_BEFORE}{body}{mark}{_ENDED}".encode("ascii")


def read(data: bytes, signatories: Signatories, signer: Eui64) -> Countersigned:
    """Read one whose countersignature holds.

    Raises:
        DuisError: Named.
    """
    told = _told(data)
    if told is not None:
        found, mark = told
        signing.verify(data, signatories, signer, signed=True, tree=mark)
        return _made(found)
    root = parse(data)
    if root.tag != _tag(_ROOT):
        raise DuisError(DuisFault.WRONG_ROOT, f"the root is {root.tag}, not {_ROOT}")
    signature = f"{{{SIGNATURE_NAMESPACE}}}Signature"
    signing.verify(data, signatories, signer, signed=root.find(signature) is not None, tree=root)
    found = {}
    for child in root:
        if child.tag == signature:
            continue
        if child.tag != _tag(local(child)) or local(child) in found:
            raise DuisError(DuisFault.UNEXPECTED_ELEMENT, f"{child.tag} has no place here")
        found[local(child)] = child.text or ""
    return _made(found)


#: What a document written here is made of: no control, nothing that XML escapes.
_PLAIN: Final = bytes({*range(0x20, 0x7F), 0x0A} - {ord("&")})
_SMALL_BYTES: Final = 32 * 1024
_BEGUN: Final = f'<cs:{_ROOT} xmlns:cs="{NAMESPACE}"'
_ENDED: Final = f"</cs:{_ROOT}>"
_BEFORE: Final = f"{DECLARATION}<!--{STAND_IN}-->{_BEGUN}{SIGNING}>"
_NAMED: Final = re.compile(r"<cs:([A-Za-z][A-Za-z0-9]*)>")


def _told(data: bytes) -> tuple[dict[str, str], Signed] | None:
    """Read a document from its text, where that is to the letter of the form written here.

    None for every other one: the parser reads it, or says what is wrong with it.
    """
    if len(data) > _SMALL_BYTES or data.translate(None, _PLAIN):
        return None
    text = data.decode("ascii")
    if not text.startswith(_BEFORE) or not text.endswith(_ENDED):
        return None
    at, found = len(_BEFORE), dict[str, str]()
    while (field := _NAMED.match(text, at)) is not None:
        end, ended = text.find("<", field.end()), f"</cs:{field[1]}>"
        value = text[field.end() : end]
        if field[1] in found or ">" in value or not text.startswith(ended, end):
            return None
        found[field[1]], at = value, end + len(ended)
    body, texts = text[len(_BEFORE) : at], signature_form.texts_in(text[at : -len(_ENDED)])
    if texts is None:
        return None
    return found, Signed(texts, lambda: f"{_BEGUN}>{body}{_ENDED}".encode("ascii"))


def _made(found: dict[str, str]) -> Countersigned:
    unknown = set(found) - {element for element, _attribute, _kind in _FIELDS}
    if unknown:
        raise DuisError(DuisFault.UNEXPECTED_ELEMENT, f"{min(unknown)} has no place here")
    values = {}
    for element, attribute, kind in _FIELDS:
        if element in found:
            values[attribute] = kind.read(found[element])
        elif attribute not in _OPTIONAL:
            raise DuisError(DuisFault.MISSING_ELEMENT, f"expected {element}")
    return Countersigned(**values)


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
