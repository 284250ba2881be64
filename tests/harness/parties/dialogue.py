"""What tests of the DSP say and hear, over and over."""

import asyncio

from device_profiles.words import DeviceType
from emulator.codecs.dlms import access
from emulator.codecs.gbcs import alerts as gbcs_alerts
from emulator.codecs.gbcs import asn1, dlms, gbz
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.asn1 import (
    TransferCode,
)
from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.gbcs.payload import PayloadValue
from emulator.codecs.gbcs.use_cases import MessageCode, Protection
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.formats.duis.alerts import (
    DccAlert,
)
from harness.formats.duis.requests import ServiceRequest
from harness.formats.duis.responses import DccAlertMessage
from harness.parties.dsp_messages import Routed
from harness.parties.received import Kind, Received
from harness.parties.supplier import Supplier
from tests.harness.parties.party_world import (
    ACB,
    AT,
    CHF,
    GSME,
    PPMID,
    SUPPLIER,
    World,
    image,
)

SIGNED, MACED = Protection.SIGNATURE, Protection.MAC
NEW, OLD = bytes.fromhex("01000001"), bytes.fromhex("01000000")
IMAGE = image(DeviceType.ESME)
WHEN = UtcMs(AT + 86_400_000)


def send(world: World, asked: ServiceRequest) -> bytes:
    """Ask, sign where needed, and return the command that reached the hub."""
    got = world.supplier.take(world.dsp.submit(world.supplier.send(asked), SUPPLIER))
    if got.kind is Kind.PRE_COMMAND:
        signed = world.supplier.sign(got)
        assert isinstance(signed, ServiceRequest)
        got = world.supplier.take(world.dsp.submit(world.supplier.send(signed), SUPPLIER))
    assert got.kind is Kind.ACKNOWLEDGEMENT
    asyncio.run(world.dsp.carry_out(world.hub))
    return world.hub.got[-1]


def hear(world: World, message: bytes) -> Routed:
    world.hub.says.append(message)
    routed = asyncio.run(world.dsp.route(world.hub, UtcMs(AT + 1000)))
    assert routed is not None
    return routed


def dcc_alert(user: Supplier) -> tuple[str, DccAlert]:
    body = user.inbox[-1].response.body
    assert isinstance(body, DccAlertMessage)
    return body.code, body.alert


def last(world: World) -> Received:
    return world.supplier.inbox[-1]


def ecs52(counter: int, version: bytes) -> bytes:
    return access.encode_response(dlms.firmware_version_response(counter, version))


def receipt(world: World, device: Eui64, code: AlertCode, image_hash: bytes = bytes(32)) -> bytes:
    if device == GSME:
        value: PayloadValue = gbcs_alerts.gbz_firmware_receipt(code, AT, image_hash)
        message_code = MessageCode.FDRA_GBZ
        payload = gbz.encode_alert(value)  # type: ignore[arg-type]  # the type just made
    else:
        dlms_alert = gbcs_alerts.dlms_firmware_receipt(2000, code, AT, image_hash)
        message_code = MessageCode.FDRA_DLMS
        payload = gbcs_alerts.encode_dlms_alert(dlms_alert)
    return world.device_says(
        device, SUPPLIER, Cra.ALERT, message_code, 2000, payload, protection=SIGNED
    )


def transfer(world: World, code: TransferCode, device: Eui64 = PPMID) -> bytes:
    good = code is TransferCode.SUCCESS
    alert = AlertCode.FIRMWARE_TRANSFERRED if good else AlertCode.FIRMWARE_TRANSFER_FAILED
    payload = asn1.FirmwareTransferAlert(alert, AT, device, NEW, code).encode()
    return world.device_says(
        CHF, ACB, Cra.ALERT, MessageCode.CCS08, 3000, payload, protection=SIGNED
    )
