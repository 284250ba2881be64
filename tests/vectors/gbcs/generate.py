"""Makes our own GBCS messages: parties, keys and counters of our own, from one seed.

Run from the root of the repository to write the files beside this one::

    python -m tests.vectors.gbcs.generate
"""

from collections.abc import Iterator
from pathlib import Path

from emulator.codecs import der
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.access import AccessResponse, AccessResult, Operation
from emulator.codecs.gbcs import alerts, asn1, dates, dlms, metering
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.asn1 import ActivationCode, ActivationOutcome, ResultCode, TransferCode
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.gbz import GbzAlert, GbzComponent, GbzMessage
from emulator.codecs.gbcs.metering import ChangeSupply, SupplyStatus, SupplyStatusResponse
from emulator.codecs.gbcs.payload import PayloadValue, encode_payload
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode, Protection
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from emulator.crypto.pki import TestPki
from emulator.crypto.protection import KeyRing, encrypt_block, seal

HERE = Path(__file__).resolve().parent
AT = UtcMs(1_767_225_600_000)  # 2026-01-01T00:00:00Z
LATER = UtcMs(AT + 86_400_000)
IMAGE_HASH = bytes(range(32))
OLD, NEW = bytes.fromhex("00010203"), bytes.fromhex("00010204")

ACB = Eui64.parse("02-53-42-00-00-00-00-04")
SUPPLIER = Eui64.parse("02-53-42-00-00-01-00-00")
ESME = Eui64.parse("02-53-42-01-00-00-00-A0")
GSME = Eui64.parse("02-53-42-01-00-00-00-A1")
CHF = Eui64.parse("02-53-42-01-00-00-00-A2")
PPMID = Eui64.parse("02-53-42-01-00-00-00-A4")

C = MessageCode
_Draft = tuple[str, MessageCode, Cra, Eui64, Eui64, int, PayloadValue]


def new_store() -> KeyStore:
    """The keys of these parties; they exist nowhere else and guard nothing."""
    pki = TestPki.new(Chance(2026).stream("vectors/gbcs").octets, AT)
    store = KeyStore()
    for eui64, role in ((ACB, 4), (SUPPLIER, 2)):
        for entry in pki.organisation_entries(eui64, role):
            store.add(entry)
    for device in (ESME, GSME, CHF, PPMID):
        for entry in pki.device_entries(device):
            store.add(entry)
    return store


def _activation() -> Iterator[_Draft]:
    def command(name: str, counter: int, at: UtcMs | None) -> _Draft:
        value = asn1.ActivateFirmware(IMAGE_HASH, counter, at)
        return f"CS06_11.3_{name}", C.CS06, Cra.COMMAND, SUPPLIER, ESME, counter, value

    def response(name: str, counter: int, outcome: ActivationOutcome | None) -> _Draft:
        value = asn1.ActivateFirmwareResponse(outcome)
        return f"CS06_11.3_{name}", C.CS06, Cra.RESPONSE, ESME, SUPPLIER, counter, value

    def alert(name: str, code: AlertCode, counter: int, outcome: ActivationOutcome) -> _Draft:
        value = asn1.FutureDatedFirmwareAlert(code, LATER, 2001, outcome)
        return f"CS06_11.3_{name}", C.CS06_ALERT, Cra.ALERT, ESME, SUPPLIER, counter, value

    yield command("IMMEDIATE", 2000, None)
    for code in ActivationCode:
        version = NEW if code is ActivationCode.SUCCESS else OLD
        yield response(f"IMMEDIATE-{code}", 2000, ActivationOutcome(code, version))
    yield command("FUTURE-DATED", 2001, LATER)
    yield response("FUTURE-DATED", 2001, None)
    yield command("CANCELLATION", 2002, asn1.CANCEL_TIME)
    good = ActivationOutcome(ActivationCode.SUCCESS, NEW)
    bad = ActivationOutcome(ActivationCode.ACTIVATION_FAILURE, OLD)
    yield alert("8F66", AlertCode.FUTURE_DATED_SUCCESS, 7000, good)
    yield alert("8F67", AlertCode.FUTURE_DATED_FAILURE, 7001, bad)


def _versions() -> Iterator[_Draft]:
    for device, to in ((ESME, SUPPLIER), (CHF, ACB)):
        name, counter = ("ESME", 2010) if device == ESME else ("CHF", 2011)
        ask, tell = dlms.firmware_version_request(counter), dlms.firmware_version_response
        yield f"ECS52_11.2_{name}", C.ECS52, Cra.COMMAND, to, device, counter, ask
        told = tell(counter, OLD if device == ESME else None)
        yield f"ECS52_11.2_{name}", C.ECS52, Cra.RESPONSE, device, to, counter, told
    ask_gas, told_gas = metering.firmware_version_request(), metering.firmware_version_response(OLD)
    yield "GCS38_11.2_SUCCESS", C.GCS38, Cra.COMMAND, SUPPLIER, GSME, 2012, ask_gas
    yield "GCS38_11.2_SUCCESS", C.GCS38, Cra.RESPONSE, GSME, SUPPLIER, 2012, told_gas
    yield "CS08_11.2_SUCCESS", C.CS08, Cra.COMMAND, ACB, PPMID, 2013, asn1.ReadFirmwareVersion()
    for code, version in ((ResultCode.SUCCESS, NEW), (ResultCode.FAILURE, bytes(4))):
        told_ppmid = asn1.FirmwareVersionResponse(version, code)
        yield f"CS08_11.2_{code.name}", C.CS08, Cra.RESPONSE, PPMID, ACB, 2013, told_ppmid


def _receipts() -> Iterator[_Draft]:
    for code in (AlertCode.FIRMWARE_VERIFIED, AlertCode.FIRMWARE_VERIFICATION_FAILED):
        hexed = f"{code:04X}"
        esme = alerts.dlms_firmware_receipt(7010, code, AT, IMAGE_HASH)
        gsme = alerts.gbz_firmware_receipt(code, AT, IMAGE_HASH)
        yield f"FDRA-DLMS_NA_{hexed}", C.FDRA_DLMS, Cra.ALERT, ESME, SUPPLIER, 7010, esme
        yield f"FDRA-GBZ_NA_{hexed}", C.FDRA_GBZ, Cra.ALERT, GSME, SUPPLIER, 7011, gsme
    for transfer in TransferCode:
        ok = transfer is TransferCode.SUCCESS
        alert_code = AlertCode.FIRMWARE_TRANSFERRED if ok else AlertCode.FIRMWARE_TRANSFER_FAILED
        value = asn1.FirmwareTransferAlert(alert_code, AT, PPMID, NEW, transfer)
        yield f"CCS08_NA_{transfer}", C.CCS08, Cra.ALERT, CHF, ACB, 7012, value
    for result in ResultCode:
        activated = asn1.PpmidActivationAlert(AlertCode.PPMID_FIRMWARE_ACTIVATION, AT, NEW, result)
        yield f"CS09_NA_{result}", C.CS09, Cra.ALERT, PPMID, ACB, 7013, activated
    changed = AlertCode.FIRMWARE_VERSION_CHANGED
    plain = alerts.dlms_alert(7014, changed, AT)
    yield "GCA-DLMS_NA_8F43", C.GCA, Cra.ALERT, ESME, SUPPLIER, 7014, plain
    yield "GCA-GBZ_NA_8F43", C.GCA, Cra.ALERT, GSME, SUPPLIER, 7015, GbzAlert(changed, AT)


def _valve() -> Iterator[_Draft]:
    moment = to_zigbee_seconds(AT)
    for code, name, status in (
        (C.GCS32, "GCS32_7.2", SupplyStatus.OFF),
        (C.GCS39, "GCS39_7.3", SupplyStatus.OFF_ARMED),
    ):
        command = metering.change_supply(ChangeSupply(0, moment, 0, 0, status, 1))
        answer = metering.supply_status_response(SupplyStatusResponse(0, moment, 0, status))
        refusal = metering.default_response(metering.CHANGE_SUPPLY)
        yield f"{name}_SUCCESS", code, Cra.COMMAND, SUPPLIER, GSME, 2020, command
        yield f"{name}_SUCCESS", code, Cra.RESPONSE, GSME, SUPPLIER, 2020, answer
        yield f"{name}_ERROR", code, Cra.RESPONSE, GSME, SUPPLIER, 2020, refusal
    ask = metering.valve_status_request()
    told = metering.valve_status_response(metering.ValveStatus(3000, SupplyStatus.ON))
    yield "GCS33_7.4_SUCCESS", C.GCS33, Cra.COMMAND, SUPPLIER, GSME, 2021, ask
    yield "GCS33_7.4_SUCCESS", C.GCS33, Cra.RESPONSE, GSME, SUPPLIER, 2021, told


def _header(cra: Cra, counter: int, one: Eui64, other: Eui64, code: int) -> GroupingHeader:
    row = MESSAGES[code]
    dated = cra is Cra.RESPONSE and row.response_date_time
    date_time = dates.encode_date_time(AT) if dated else b""
    return GroupingHeader(cra, counter, one, other, OtherInformation(code), date_time)


def _sensitive(ring: KeyRing) -> Iterator[_Draft]:
    """Responses with encrypted blocks, one in DLMS and one of two in GBZ."""
    secret = axdr.encode(axdr.structure(axdr.uint16(1234), axdr.octets(b"secret")))
    header = _header(Cra.RESPONSE, 2030, ESME, SUPPLIER, C.ECS66)
    block = encrypt_block(secret, header, ring)
    answer = AccessResult(Operation.ACTION, data=axdr.structure(axdr.octets(block)))
    response = AccessResponse(dlms.invoke_id(2030), (answer,))
    yield "ECS66_4.17_ENCRYPTED", C.ECS66, Cra.RESPONSE, ESME, SUPPLIER, 2030, response
    header = _header(Cra.RESPONSE, 2031, GSME, SUPPLIER, C.GCS14)
    blocks = [encrypt_block(secret + bytes((n,)), header, ring) for n in range(2)]
    parts = [GbzComponent(0x0705, 0x19, n, 0x06, b, n) for n, b in enumerate(blocks)]
    plain = GbzComponent(0x0705, 0x08, 2, 0x0B, b"\x07\x8b", from_time=AT)
    message = GbzMessage((*parts, plain))
    yield "GCS14_4.3_ENCRYPTED", C.GCS14, Cra.RESPONSE, GSME, SUPPLIER, 2031, message


def _trees() -> Iterator[_Draft]:
    """ASN.1 without a type of its own, with a length the RTDS way and one the DER way."""
    for counter, form in ((2040, der.LengthForm.SHORTEST), (2041, der.LengthForm.RTDS)):
        entry = der.sequence(der.octet_string(ESME.octets), der.integer(1))
        tree = der.decode(der.encode(der.sequence(*[entry] * 9), form))
        yield f"GCS59_8.12.2_{form.name}", C.GCS59, Cra.COMMAND, SUPPLIER, CHF, counter, tree


def made(store: KeyStore) -> Iterator[tuple[str, bytes]]:
    """Yield file name and octets of every message; signed commands as pre-commands too."""
    ring = KeyRing(store)
    groups = (_activation(), _versions(), _receipts(), _valve(), _sensitive(ring), _trees())
    for name, code, cra, one, other, counter, value in (d for group in groups for d in group):
        env = Envelope(_header(cra, counter, one, other, code), encode_payload(value))
        row = MESSAGES[code]
        sets = {Cra.COMMAND: row.command, Cra.RESPONSE: row.response, Cra.ALERT: row.alert}[cra]
        message = seal(env, ring, protection=sets[0], acb=ACB)
        yield f"{name}_{cra.name}.hex", message
        if cra is Cra.COMMAND and sets[0] & Protection.SIGNATURE:
            bare = seal(env, ring, protection=Protection.NONE, acb=ACB)
            yield f"{name}_PRECOMMAND.hex", bare


def write() -> None:
    """Write every message beside this file."""
    for name, message in made(new_store()):
        (HERE / name).write_text(message.hex() + "\n", "ascii")


if __name__ == "__main__":
    write()
