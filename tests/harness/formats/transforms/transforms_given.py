"""Requests, pre-commands and devices of the given data, for the tests of transforms."""

import base64
import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from lxml import etree

from device_profiles.duis_services import load_duis_services
from device_profiles.words import DeviceType
from emulator.codecs import der
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.credentials import ReplaceCredentials
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode
from emulator.core.clock import from_datetime
from emulator.core.ids import Eui64
from harness.formats.duis import requests, shape
from harness.formats.duis.dcc_bodies import OtherBody
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import ServiceRequest
from harness.formats.duis.smets1_bodies import UpdateImportTariff
from harness.formats.duis.transforms.declared import Body, shape_of
from harness.formats.duis.transforms.outcome import Context, Device
from harness.formats.duis.transforms.tariff_bodies import GasTariff, UpdateTariff
from tests.given import DUIS_DIR, RTDS_DIR, RTDS_KEYS
from tests.harness.formats.duis_given import schema

FOLDER: Final = Path(__file__).parent
INVENTORY: Final = FOLDER / "inventory.csv"
#: Names of all pre-commands at hand, one a line.
PRE_COMMANDS: Final = FOLDER / "pre-commands.txt"
NOW: Final = from_datetime(datetime(2015, 1, 1, tzinfo=UTC))
SUPPLIER: Final = Eui64.parse("90-B3-D5-1F-30-01-00-00")
ESME: Final = Eui64.parse("00-DB-12-34-56-78-90-A0")
GSME: Final = Eui64.parse("00-DB-12-34-56-78-90-A1")
PPMID: Final = Eui64.parse("00-DB-12-34-56-78-90-98")
TARGETS: Final = {DeviceType.ESME: ESME, DeviceType.GSME: GSME}
#: Last octet of a device's identifier -> its type.
_TYPES: Final = {
    0xA0: DeviceType.ESME,
    0xA1: DeviceType.GSME,
    0xA2: DeviceType.CHF,
    0xA3: DeviceType.GPF,
    0xA4: DeviceType.PPMID,
    0xA5: DeviceType.HCALCS,
    0x93: DeviceType.ESME,
    0x98: DeviceType.PPMID,
    0x9A: DeviceType.HCALCS,
}


#: Pre-commands of no service request of DUIS 5.4, by the beginning of their names.
NO_SERVICE = {
    "ECS46c_6.14.2": "DUIS 5.4 has no service 6.14.2",
    "CS02gLoadControllerByLoadController": "a load controller's own, no service request",
}


@dataclass(frozen=True)
class Sample:
    """A row of the inventory.

    Attributes:
        name: Name of the sample without its ending.
        service: Service reference variant.
        variant: Command variant.
        pre_command: A pre-command of the same name is at hand.
        command: A command of the same name is at hand.
        use_case: Use case of the pre-command or command; empty without one.
    """

    name: str
    service: str
    variant: int
    pre_command: bool
    command: bool
    use_case: str


@cache
def vectors() -> dict[str, Path]:
    """Return the messages at hand by name."""
    return {path.stem.removesuffix("_GBCS"): path for path in RTDS_DIR.glob("RTDS-*/*/*.HEX")}


def vector(name: str) -> bytes:
    """Return a message at hand."""
    return bytes.fromhex(vectors()[name].read_text("ascii"))


def document(name: str) -> bytes:
    """Return a sample."""
    return (DUIS_DIR / "requests" / f"{name}_REQUEST_DUIS.XML").read_bytes()


def samples() -> list[Sample]:
    """Return the inventory as it follows from the data at hand."""
    found = []
    for path in sorted((DUIS_DIR / "requests").glob("*.XML")):
        name = path.name.removesuffix("_REQUEST_DUIS.XML")
        header = requests.peek(path.read_bytes())
        pre, command = f"{name}_PRECOMMAND", f"{name}_COMMAND"
        there = pre in vectors(), command in vectors()
        use_case = ""
        if any(there):
            code = envelope.decode(vector(pre if there[0] else command)).header.other.message_code
            use_case = MESSAGES[code].use_case
        variant = header.command_variant
        found.append(Sample(name, header.variant, variant, *there, use_case))
    return found


def rows() -> Iterator[dict[str, str]]:
    """Yield the rows of the inventory that is kept."""
    with INVENTORY.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def kept_pre_commands() -> list[str]:
    """Return the names of the pre-commands at hand, as they are kept."""
    return PRE_COMMANDS.read_text("utf-8").split()


@cache
def agreement_certificates() -> dict[str, bytes]:
    """Return key-agreement certificates of the key store by identifier."""
    entries = json.loads(RTDS_KEYS.read_text("ascii")) if RTDS_KEYS.is_file() else []
    return {
        entry["eui64"]: base64.b64decode(entry["certificate"])
        for entry in entries
        if entry["usage"] == "KA" and entry.get("certificate") and not entry.get("prepayment")
    }


def context(
    *, twin: bool = False, later: bool = False, certificate: bytes | None = None
) -> Context:
    """Return what is known of the given devices."""
    devices = {}
    for last, device_type in _TYPES.items():
        eui = Eui64(ESME.octets[:-1] + bytes((last,)))
        known = agreement_certificates().get(eui.octets.hex())
        devices[eui] = Device(device_type, twin, later, certificate or known)
    return Context(devices, NOW)


def context_of(name: str, certificate: bytes | None = None) -> Context:
    """Return what is known when a sample or vector of that name is asked for."""
    return context(twin="TWIN" in name or "ECS01c" in name, certificate=certificate)


# -- the certificates of a vector in its request -------------------------------------------------

_PLACES: Final = (
    "DigitalSigningCertificate",
    "KeyAgreementCertificate",
    "KeyAgreementTopUpCertificate",
)


def with_certificates_of(vector_octets: bytes, request: bytes) -> bytes:
    """Return a 6.15.1 or its like with the certificates of a command instead of its own."""
    payload = der.decode(envelope.decode(vector_octets).payload)
    said = ReplaceCredentials.read(payload)
    root = etree.fromstring(request)
    found = [root.find(f".//{{*}}{place}") for place in _PLACES]
    places = [element for element in found if element is not None]
    for element, replacement in zip(places, said.replacements, strict=True):
        element.text = base64.b64encode(replacement.certificate).decode()
    path = root.findall(".//{*}CertificationPathCertificates/{*}Certificate")
    for element, issuer in zip(path, said.issuers, strict=True):
        element.text = base64.b64encode(issuer).decode()
    return etree.tostring(root)


def certificate_in(vector_octets: bytes) -> bytes:
    """Return the certificate that a CS03C carries."""
    node = der.decode(envelope.decode(vector_octets).payload)
    return der.encode(node.content[-1])  # type: ignore[arg-type] # a SEQUENCE


# -- requests that are made ----------------------------------------------------------------------


def asked(service: str, body: Any, identity: RequestId) -> ServiceRequest:
    """Return a critical request as it comes out of its document."""
    return requests.read_request(written(service, body, identity))


def written(service: str, body: Any, identity: RequestId) -> bytes:
    """Return a critical request as a document."""
    if isinstance(body, UpdateTariff):
        body = _as_it_travels(body)
    elif isinstance(body, Body):
        row = load_duis_services()[service]
        body = OtherBody(service, row.body, _octets(row.body, body), None)
    return requests.write_request(requests.request(body, identity, 4))


def _as_it_travels(body: UpdateTariff) -> UpdateImportTariff:
    if isinstance(body.tariff, GasTariff):
        part = {"gas": _octets("GasTariffElements", body.tariff)}
    else:
        part = {"electricity": _octets("ElecTariffElements", body.tariff)}
    return UpdateImportTariff(
        prices=_octets("PriceElements", body.prices), execution_time=body.execution_time, **part
    )


def _octets(name: str, body: Body) -> bytes:
    element = etree.Element(shape.tag(name), nsmap={"sr": shape.NAMESPACE})
    kind: Any = type(body)
    shape.fill(element, shape_of(kind), body)
    return shape.canonical(element)


def identity_of(octets: bytes) -> RequestId:
    """Return the request identifier that a pre-command answers."""
    header = envelope.decode(octets).header
    return RequestId(header.originator, header.target, header.counter)


def renumbered(request: bytes, counter: int) -> ServiceRequest:
    """Return a sample with another originator counter."""
    read = requests.read_request(request)
    identity = replace(read.header.request_id, counter=counter)
    return replace(read, header=replace(read.header, request_id=identity))


def code_of(octets: bytes) -> MessageCode:
    """Return the message code of a message."""
    return MessageCode(envelope.decode(octets).header.other.message_code)


def complaint(request: bytes) -> str:
    """Return what the schema objects to in a document."""
    schema().validate(etree.fromstring(request))
    return str(schema().error_log)
