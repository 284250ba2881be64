"""Devices, keys, images and messages for the tests of the devices; all of it is made up."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache

from device_profiles.loader import load_profile
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType, ImageKind
from emulator.codecs import ota_file
from emulator.codecs.gbcs.asn1 import ActivateFirmware, ReadFirmwareVersion
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode
from emulator.codecs.ota_file import OtaHeader, OtaImage
from emulator.core.clock import UtcMs, from_datetime
from emulator.core.effects import (
    DeviceEvent,
    Effect,
    Note,
    SendGbcs,
    SendWan,
    SendZcl,
    SetTimer,
    ZclIndication,
)
from emulator.core.ids import Eui64
from emulator.crypto import signature
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.protection import Accepted, KeyRing, open_message, seal
from emulator.devices.base import Device, Network
from emulator.devices.registry import CLASSES

START = from_datetime(datetime(2024, 6, 1, 12, 0, 0, tzinfo=UTC))
ESME = Eui64.parse("00-DB-12-34-56-78-90-A0")
GSME = Eui64.parse("00-DB-12-34-56-78-90-A1")
CHF = Eui64.parse("00-DB-12-34-56-78-90-A2")
GPF = Eui64.parse("00-DB-12-34-56-78-90-A3")
PPMID = Eui64.parse("00-DB-12-34-56-78-90-A4")
HCALCS = Eui64.parse("00-DB-12-34-56-78-90-A5")
ACB = Eui64.parse("90-B3-D5-1F-30-00-00-02")
WAN_PROVIDER = Eui64.parse("90-B3-D5-1F-30-00-00-07")
SUPPLIER = Eui64.parse("90-B3-D5-1F-30-01-00-00")
NETWORK_OPERATOR = Eui64.parse("90-B3-D5-1F-30-02-00-00")
OTHER_SUPPLIER = Eui64.parse("90-B3-D5-1F-30-03-00-00")
HAN = {
    ESME: DeviceType.ESME,
    GSME: DeviceType.GSME,
    PPMID: DeviceType.PPMID,
    HCALCS: DeviceType.HCALCS,
}
EUI64_OF = {device_type: eui64 for eui64, device_type in HAN.items()} | {DeviceType.CHF: CHF}
PARTIES = (ACB, WAN_PROVIDER, SUPPLIER, NETWORK_OPERATOR, OTHER_SUPPLIER)
NETWORK = Network(
    CHF, GPF, ACB, WAN_PROVIDER,
    suppliers=dict.fromkeys((*HAN, CHF, GPF), SUPPLIER),
    network_operators=dict.fromkeys((ESME, GSME, GPF), NETWORK_OPERATOR),
)  # fmt: skip
OLD_VERSION = bytes.fromhex("0123abcd")
NEW_VERSION = bytes.fromhex("0123abce")


def key(owner: Eui64, usage: KeyUsage) -> KeyEntry:
    digest = hashlib.sha256(owner.octets + usage.value.encode()).digest()
    scalar = 1 + int.from_bytes(digest, "big") % (signature.ORDER - 1)
    return KeyEntry(owner, usage, False, signature.point_of(scalar), scalar)


@cache
def all_keys() -> KeyStore:
    owners = (*PARTIES, *HAN, CHF, GPF)
    return KeyStore(key(owner, usage) for owner in owners for usage in (KeyUsage.DS, KeyUsage.KA))


@cache
def ring_of(*owners: Eui64) -> KeyRing:
    """Public keys of everybody, private ones of ``owners``."""
    own = [entry for entry in all_keys().entries() if entry.eui64 in owners]
    return KeyRing(all_keys().public().merged(KeyStore(own)))


def everyone() -> KeyRing:
    return ring_of(*PARTIES, *HAN, CHF, GPF)


@cache
def profile_of(device_type: DeviceType, **changes: object) -> DeviceProfile:
    """The gfi profile of that type with some values changed: ``firmware__activation_s=0``.

    Long messages go whole here, unless a test says otherwise: nobody acknowledges blocks.
    """
    profile = load_profile(f"gfi-{device_type.value.lower()}")
    for name, value in {"limits__gbt_block_bytes": None, **changes}.items():
        section, _, field = name.partition("__")
        part = getattr(profile, section).model_copy(update={field: value})
        profile = profile.model_copy(update={section: part})
    return profile


def build(device_type: DeviceType, cls: type[Device] | None = None, **changes: object) -> Device:
    """A device that is off."""
    eui64 = EUI64_OF[device_type]
    owners = (CHF, GPF) if device_type is DeviceType.CHF else (eui64,)
    made = (cls or CLASSES[device_type])(
        eui64, profile_of(device_type, **changes), ring_of(*owners), NETWORK
    )
    commission = getattr(made, "commission", None)
    if commission is not None:
        commission(HAN)
    return made


def powered(device_type: DeviceType, cls: type[Device] | None = None, **changes: object) -> Device:
    """A device that is on."""
    device = build(device_type, cls, **changes)
    device.handle(DeviceEvent.POWER_ON, None, START)
    return device


# -- messages ------------------------------------------------------------------------------------


def command(  # noqa: PLR0913 - a message has that many parts
    code: MessageCode,
    target: Eui64,
    payload: bytes,
    *,
    counter: int = 1000,
    originator: Eui64 = SUPPLIER,
    supplementary: Eui64 | None = None,
) -> bytes:
    """A command with every protection its code demands."""
    other = OtherInformation(int(code))
    if supplementary is not None:
        other = OtherInformation(int(code), supplementary, counter)
    header = GroupingHeader(Cra.COMMAND, counter, originator, target, other)
    protection = MESSAGES[int(code)].command[0]
    return seal(Envelope(header, payload), everyone(), protection=protection, acb=ACB)


def cs06(
    target: Eui64, image_hash: bytes, *, counter: int = 1000, at: UtcMs | None = None
) -> bytes:
    payload = ActivateFirmware(image_hash, counter, at).encode()
    return command(MessageCode.CS06, target, payload, counter=counter)


def cs08(target: Eui64, *, counter: int = 1000) -> bytes:
    return command(
        MessageCode.CS08,
        target,
        ReadFirmwareVersion().encode(),
        counter=counter,
        originator=ACB,
        supplementary=SUPPLIER,
    )


def messages(effects: Iterable[Effect]) -> list[bytes]:
    return [e.message for e in effects if isinstance(e, SendGbcs | SendWan)]


def opened(effects: Iterable[Effect]) -> list[Accepted]:
    """The messages sent, each of which must be acceptable to whom it is for."""
    found = []
    for message in messages(effects):
        result = open_message(message, everyone(), acb=ACB)
        assert isinstance(result, Accepted), result
        found.append(result)
    return found


def codes(effects: Iterable[Effect]) -> list[int]:
    return [item.envelope.header.other.message_code for item in opened(effects)]


def notes(effects: Iterable[Effect], kind: str) -> list[dict[str, object]]:
    return [dict(e.fields) for e in effects if isinstance(e, Note) and e.kind == kind]


def refusal(effects: Iterable[Effect]) -> str:
    """The reason of the one refusal, which is all that happened."""
    listed = list(effects)
    assert len(listed) == 1, listed
    return str(notes(listed, "message_refused")[0]["reason"])


# -- images --------------------------------------------------------------------------------------


def image(
    device_type: DeviceType,
    *,
    version: bytes = NEW_VERSION,
    content: bytes = b"made-up firmware " * 20,
    signer: Eui64 = SUPPLIER,
    force_replace: int = 0,
    **header_changes: int,
) -> bytes:
    """An image for that device type, whole and right unless told otherwise."""
    profile = profile_of(device_type)
    kind = profile.firmware.image_kind
    fields: dict[str, int] = {
        "manufacturer_code": profile.identity.manufacturer_code,
        "image_type": profile.firmware.image_type,
        "minimum_hardware": 0x1111,
        "maximum_hardware": 0x1211,
        **header_changes,
    }
    plain = OtaHeader(
        file_version=int.from_bytes(version, "big"),
        header_string=b"test".ljust(32),
        total_image_size=0,
        **fields,  # type: ignore[arg-type] # all of these fields are numbers
    )
    size = ota_file.size_of(kind, plain, content)
    values = {name: getattr(plain, name) for name in plain.__slots__}
    header = OtaHeader(**values | {"total_image_size": size})
    if kind is not ImageKind.SUPPLIER_SIGNED:
        return ota_file.encode(OtaImage(kind, header, content))
    scalar = key(signer, KeyUsage.DS).private_scalar
    assert scalar is not None
    signed = signature.sign(scalar, content)
    return ota_file.encode(OtaImage(kind, header, content, force_replace, signed))


def image_hash(content: bytes = b"made-up firmware " * 20) -> bytes:
    return hashlib.sha256(content).digest()


# -- a small world: the devices' frames reach each other at once, timers in order ----------------


class Bench:
    """Devices side by side; frames arrive at once, timers run in order. No radio, no faults."""

    def __init__(self, *devices: Device, now: UtcMs = START) -> None:
        self.devices = {device.eui64: device for device in devices}
        self.now = now
        self.timers: dict[tuple[Eui64, str], UtcMs] = {}
        self.wan: list[bytes] = []
        self.csp: list[bytes] = []
        self.log: list[tuple[Eui64, Effect]] = []
        self.lose_next_blocks = 0

    def event(self, eui64: Eui64, event: DeviceEvent, payload: object = None) -> None:
        device = self.devices[eui64]
        self.perform(eui64, device.handle(event, payload, self.now))  # type: ignore[arg-type]

    def power_on(self) -> None:
        for eui64 in self.devices:
            self.event(eui64, DeviceEvent.POWER_ON)

    def perform(self, eui64: Eui64, effects: list[Effect]) -> None:
        for effect in effects:
            self.log.append((eui64, effect))
            match effect:
                case SendZcl():
                    self._zcl(eui64, effect)
                case SendGbcs():
                    self.event(effect.to, DeviceEvent.GBCS, effect.message)
                case SendWan():
                    self.wan.append(effect.message)
                case SetTimer():
                    self.timers[eui64, effect.name] = effect.at
                case Note():
                    continue
                case _ if hasattr(effect, "name"):
                    self.timers.pop((eui64, effect.name), None)
                case _ if hasattr(effect, "frame"):
                    self.csp.append(effect.frame)

    def _zcl(self, source: Eui64, effect: SendZcl) -> None:
        if self.lose_next_blocks and effect.cluster == 0x0019:
            self.lose_next_blocks -= 1
            return
        node = CHF if effect.to == GPF else effect.to
        if node not in self.devices:
            return
        indication = ZclIndication(effect.source or source, effect.to, effect.cluster, effect.frame)
        self.event(node, DeviceEvent.ZCL, indication)

    def run(self, seconds: float, until: str | None = None) -> None:
        """Run timers for that long, or until a note of a kind has been seen."""
        end = UtcMs(self.now + round(seconds * 1000))
        while True:
            due = [(at, key) for key, at in self.timers.items() if at <= end]
            if not due or (until is not None and self.seen(until)):
                break
            at, key = min(due, key=lambda item: item[0])
            del self.timers[key]
            self.now = max(self.now, at)
            self.event(key[0], DeviceEvent.TIMER, key[1])
        if until is None:
            self.now = end

    def seen(self, kind: str) -> list[dict[str, object]]:
        return notes((effect for _, effect in self.log), kind)

    def wan_codes(self) -> list[int]:
        found = []
        for message in self.wan:
            result = open_message(message, everyone(), acb=ACB)
            assert isinstance(result, Accepted), result
            found.append(result.envelope.header.other.message_code)
        return found
