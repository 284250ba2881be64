"""GBCS reads of the demo home's ESME, and what its answers say once decoded with the keys."""

from dataclasses import dataclass
from functools import cache

from device_profiles.words import DeviceType
from emulator.codecs.dlms import access, axdr
from emulator.codecs.dlms.access import AccessItem, AccessRequest, AccessResponse, Operation
from emulator.codecs.dlms.axdr import Data
from emulator.codecs.dlms.protected import (
    AttributeReference,
    ProtectedRequest,
    ProtectionParameters,
    request_data,
)
from emulator.codecs.gbcs.blocks import encrypted_blocks
from emulator.codecs.gbcs.dlms import firmware_version_request, invoke_id
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.payload import decode_payload, encode_payload
from emulator.codecs.gbcs.use_cases import MessageCode, Protection
from emulator.core.ids import Eui64
from emulator.crypto.protection import Accepted, KeyRing, decrypt_block, open_message, seal
from emulator.devices.esme.model.store import esme_objects
from emulator.runtime.installation import Emulation, build
from tests.emulator.runtime.hub_home_given import a_plan

OBJECTS = esme_objects()
IMPORT_REGISTERS = OBJECTS.named["import_registers"]


@cache
def home() -> Emulation:
    """The demo home, for its keys."""
    return build(a_plan())


def esme() -> Eui64:
    """Its electricity meter."""
    return home().roles[DeviceType.ESME]


def supplier() -> Eui64:
    """Who asks."""
    return home().parties.suppliers[0]


def version_request(counter: int) -> bytes:
    """ECS52: read the firmware version."""
    return _sealed(MessageCode.ECS52, counter, encode_payload(firmware_version_request(counter)))


def registers_request(counter: int) -> bytes:
    """ECS17b: read the energy import registers, which are encrypted in the answer."""
    guard = next(row for row in OBJECTS.rows if "ECS17b" in row.write)
    row = IMPORT_REGISTERS
    reference = AttributeReference(row.class_id, row.obis, row.index)
    parameters = ProtectionParameters(counter, supplier(), esme())
    data = request_data(ProtectedRequest((reference,), parameters))
    item = AccessItem(Operation.ACTION, guard.class_id, guard.obis, guard.index, data)
    request = AccessRequest(invoke_id(counter), (item,))
    return _sealed(MessageCode.ECS17B, counter, access.encode_request(request))


def _sealed(code: MessageCode, counter: int, payload: bytes) -> bytes:
    keys, acb = home().keys, home().parties.acb
    header = GroupingHeader(Cra.COMMAND, counter, supplier(), esme(), OtherInformation(int(code)))
    ring = KeyRing(keys.public().merged(keys.private(acb)))
    return seal(Envelope(header, payload), ring, protection=Protection.MAC, acb=acb)


@dataclass(frozen=True)
class Told:
    """An answer, opened.

    Attributes:
        use_case: What it answers.
        counter: Of the command.
        results: Result of each item.
        values: Decoded data of each item; encrypted ones deciphered.
    """

    use_case: str
    counter: int
    results: list[int]
    values: list[Data]


def opened(message: bytes) -> Told:
    """Check an answer with the supplier's keys, and decode it."""
    keys = home().keys
    ring = KeyRing(keys.public().merged(keys.private(supplier())))
    answer = open_message(message, ring, acb=home().parties.acb)
    assert isinstance(answer, Accepted), answer
    header = answer.envelope.header
    assert (header.originator, header.target) == (esme(), supplier())
    value = decode_payload(answer.row, header.cra, answer.envelope.payload)
    assert isinstance(value, AccessResponse)
    values = [one.data for one in value.results]
    for block in encrypted_blocks(value):
        plain = decrypt_block(block, header, ring)
        assert plain is not None
        values = [axdr.decode(plain)]
    return Told(answer.row.use_case, header.counter, [one.result for one in value.results], values)
