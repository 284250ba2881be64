"""Stories that show a saboteur: each returns what can be seen from outside the device."""

from collections.abc import Callable
from hashlib import sha256

from device_profiles.words import DeviceType, DowngradePolicy, PathwayPolicy
from emulator.codecs.csp_transfer import Offer, Reason
from emulator.codecs.gbcs.asn1 import CANCEL_TIME
from emulator.codecs.zcl.ota import ImageBlockResponse, ImageBlockWait, QueryNextImageResponse
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Radio, SendZcl, SetTimer
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from emulator.crypto.prepayment_token import make_token
from emulator.crypto.protection import KeyRing
from emulator.devices.base import Device
from emulator.devices.esme.esme import Esme
from emulator.devices.firmware_device import FirmwareDevice
from emulator.devices.gsme.gsme import Gsme
from emulator.devices.ota_table import OtaEvent
from emulator.devices.ppmid.ppmid import Ppmid
from tests.emulator.devices.gas.gas_kit import TOP_UP_KEY, supplier_ring
from tests.emulator.devices.hub_kit import send, stage
from tests.emulator.devices.kit import (
    CHF,
    ESME,
    EUI64_OF,
    GSME,
    OTHER_SUPPLIER,
    PPMID,
    SUPPLIER,
    Bench,
    build,
    cs06,
    cs08,
    image,
    image_hash,
)

LOWER = bytes.fromhex("01000000")
LONG = bytes(range(256)) * 40
View = list[object]
Story = Callable[[type[Device]], View]


def target_of(cls: type[Device]) -> Eui64:
    return ESME if cls.device_type is DeviceType.CHF else EUI64_OF[cls.device_type]


def begin(cls: type[Device], **changes: object) -> Bench:
    """A bench with the device and its partner (a hub, or an ESME and a PPMID)."""
    device = build(cls.device_type, cls, **changes)
    if cls.device_type is DeviceType.CHF:
        others = [build(DeviceType.ESME), build(DeviceType.PPMID)]
    else:
        others = [build(DeviceType.CHF)]
    bench = Bench(device, *others)
    bench.power_on()
    bench.run(40)
    return bench


def view(bench: Bench, target: Eui64) -> View:
    """What can be seen from outside: messages on the WAN but for signatures, and the version."""
    device = bench.devices[target]
    assert isinstance(device, FirmwareDevice)
    found: View = [message[: -64 if message[0] == 0xDF else -12] for message in bench.wan]
    found += [device.slots.running, device.slots.pending is not None]
    if isinstance(device, Esme):
        found.append(device.switch)
    if isinstance(device, Gsme):
        found.append(device.valve)
    return found


def fed(cls: type[Device], **image_changes: object) -> Bench:
    bench = begin(cls)
    target = target_of(cls)
    octets = image(bench.devices[target].device_type, **image_changes)  # type: ignore[arg-type]
    stage(bench, octets, target)
    bench.run(4000)
    return bench


def activated(
    bench: Bench, target: Eui64, at: UtcMs | None = None, wanted: bytes | None = None
) -> None:
    bench.event(CHF, DeviceEvent.WAN, cs06(target, wanted or image_hash(), counter=7, at=at))
    bench.run(200)


def whole(cls: type[Device]) -> View:
    bench = fed(cls)
    activated(bench, target_of(cls))
    return view(bench, target_of(cls))


def bad_signature(cls: type[Device]) -> View:
    return view(fed(cls, signer=OTHER_SUPPLIER), target_of(cls))


def wrong_hash(cls: type[Device]) -> View:
    bench = fed(cls)
    activated(bench, target_of(cls), wanted=bytes(32))
    return view(bench, target_of(cls))


def no_image(cls: type[Device]) -> View:
    bench = begin(cls)
    activated(bench, target_of(cls))
    return view(bench, target_of(cls))


def other_image(cls: type[Device]) -> View:
    """An image that a careless hub served: straight to the device's own judgement."""
    bench = begin(cls)
    target = target_of(cls)
    device = bench.devices[target]
    assert isinstance(device, FirmwareDevice)
    octets = image(device.device_type, minimum_hardware=0x2000, maximum_hardware=0x2100)
    return [device.judge_image(octets).why]


def future(cls: type[Device]) -> View:
    bench = fed(cls)
    at = UtcMs(bench.now + 1_000_000)
    activated(bench, target_of(cls), at=at)
    early = view(bench, target_of(cls))
    bench.run(2000)
    return [early, view(bench, target_of(cls))]


def cancelled(cls: type[Device]) -> View:
    bench = fed(cls)
    target = target_of(cls)
    at = UtcMs(bench.now + 1_000_000)
    activated(bench, target, at=at)
    bench.event(CHF, DeviceEvent.WAN, cs06(target, image_hash(), counter=8, at=CANCEL_TIME))
    bench.run(2000)
    return view(bench, target)


def bad_boot(cls: type[Device]) -> View:
    bench = begin(cls)
    target = target_of(cls)
    device = bench.devices[target]
    assert isinstance(device, FirmwareDevice)
    device.inject("self-test-fails")
    stage(bench, image(device.device_type), target)
    bench.run(4000)
    if device.device_type is not DeviceType.PPMID:
        activated(bench, target)
    return view(bench, target)


def power_loss_at_activation(cls: type[Device]) -> View:
    bench = fed(cls)
    target = target_of(cls)
    bench.event(CHF, DeviceEvent.WAN, cs06(target, image_hash()))
    bench.event(target, DeviceEvent.POWER_OFF)
    bench.event(target, DeviceEvent.POWER_ON)
    bench.run(2000)
    return view(bench, target)


def power_loss_at_download(cls: type[Device]) -> View:
    bench = begin(cls, firmware__resume_policy="resume-from-offset")
    target = target_of(cls)
    device = bench.devices[target]
    assert isinstance(device, FirmwareDevice)
    stage(bench, image(device.device_type, content=LONG), target)
    bench.run(2000, until="ota_state")
    while not device.ota.offset > 2000:
        bench.run(1)
    bench.event(target, DeviceEvent.POWER_OFF)
    kept = device.ota.offset
    bench.event(target, DeviceEvent.POWER_ON)
    bench.run(9000)
    return [kept, *view(bench, target)]


def downgrade_refused(cls: type[Device]) -> View:
    bench = begin(cls, firmware__downgrade_policy=DowngradePolicy.REFUSE_AT_QUERY)
    target = target_of(cls)
    stage(bench, image(cls.device_type, version=LOWER), target)
    bench.run(4000)
    return view(bench, target)


def downgrade_allowed(cls: type[Device]) -> View:
    bench = fed(cls, version=LOWER)
    if cls.device_type is not DeviceType.PPMID:
        activated(bench, target_of(cls))
    return view(bench, target_of(cls))


def off_pathway(cls: type[Device]) -> View:
    bench = begin(cls, firmware__pathway_policy=PathwayPolicy.REFUSE)
    target = target_of(cls)
    device = bench.devices[target]
    assert isinstance(device, FirmwareDevice)
    device.know_pathway(bytes.fromhex("0123abce"), frozenset({LOWER}))
    stage(bench, image(device.device_type), target)
    bench.run(4000)
    activated(bench, target)
    return view(bench, target)


def twice_the_same_command(cls: type[Device]) -> View:
    bench = begin(cls)
    target = target_of(cls)
    message = cs08(target) if cls.device_type is DeviceType.PPMID else cs06(target, image_hash())
    bench.event(CHF, DeviceEvent.WAN, message)
    bench.event(CHF, DeviceEvent.WAN, message)
    return view(bench, target)


def the_same_token_twice(cls: type[Device]) -> View:
    meter, ppmid = build(DeviceType.GSME, cls), build(DeviceType.PPMID)
    assert isinstance(ppmid, Ppmid)
    ppmid.know_meters(ESME, GSME)
    meter.take_ring(KeyRing(meter.ring.keystore.merged(KeyStore([TOP_UP_KEY.public()]))))
    digits = make_token(3 << 32, 500, SUPPLIER, GSME, supplier_ring())
    assert digits is not None
    bench = Bench(build(DeviceType.CHF), meter, ppmid)
    bench.power_on()
    shown: View = []
    for _ in range(2):
        bench.perform(PPMID, ppmid.top_up(digits, gas=True))
        shown.append(ppmid.rows()["gas top-up"])
    return shown


def version_read(cls: type[Device]) -> View:
    device = build(cls.device_type, cls)
    assert isinstance(device, FirmwareDevice)
    return [device.reported_version()]


def frames_in_a_mess(cls: type[Device]) -> View:
    """The first block twice, then the last."""

    device = build(cls.device_type, cls)
    assert isinstance(device, FirmwareDevice)
    settings = device.ota.settings
    names = (settings.manufacturer_code, settings.image_type, 7)
    device.ota.handle(OtaEvent.NOTIFIED, None, UtcMs(0))
    device.ota.receive(QueryNextImageResponse(*names, 100), UtcMs(0))
    for offset in (0, 0, 60):
        device.ota.receive(ImageBlockResponse(*names, offset, bytes(20)), UtcMs(0))
    return [device.ota.offset]


def told_to_wait(cls: type[Device]) -> View:

    device = build(cls.device_type, cls)
    assert isinstance(device, FirmwareDevice)
    settings = device.ota.settings
    names = (settings.manufacturer_code, settings.image_type, 7)
    device.ota.handle(OtaEvent.NOTIFIED, None, UtcMs(0))
    device.ota.receive(QueryNextImageResponse(*names, 100), UtcMs(0))
    effects = device.ota.receive(ImageBlockWait(10, 70), UtcMs(0))
    return [e.at for e in effects if isinstance(e, SetTimer)]


def low_battery(cls: type[Device]) -> View:
    bench = begin(cls)
    gsme = bench.devices[GSME]
    assert isinstance(gsme, Gsme)
    gsme.inject("battery-low")
    stage(bench, image(DeviceType.GSME), GSME)
    bench.run(4000)
    return view(bench, GSME)


def sleeping(cls: type[Device]) -> View:
    bench = begin(cls)
    bench.run(7200)
    return [effect.awake for _, effect in bench.log if isinstance(effect, Radio)]


def ppmid_update(cls: type[Device]) -> View:
    if cls.device_type is not DeviceType.CHF:
        return view(fed(cls), PPMID)
    bench = begin(cls)
    stage(bench, image(DeviceType.PPMID), PPMID)
    bench.run(600)
    return view(bench, PPMID)


def wrong_hardware(cls: type[Device]) -> View:
    return view(fed(cls, minimum_hardware=0x2000, maximum_hardware=0x2100), ESME)


def oversize(cls: type[Device]) -> View:
    bench = begin(cls, hub__image_store_bytes=1000)
    first = stage(bench, image(DeviceType.ESME, content=bytes(2000)), ESME, number=1)
    second = stage(bench, image(DeviceType.ESME), ESME, number=2)
    return [first, second]


def held(cls: type[Device]) -> View:
    bench = begin(cls)
    reason = stage(bench, image(DeviceType.ESME), ESME)
    bench.run(600)
    return [reason, view(bench, ESME)]


def offered_only(cls: type[Device]) -> View:

    bench = begin(cls)
    octets = image(DeviceType.ESME)
    before = sum(isinstance(effect, SendZcl) for _, effect in bench.log)
    send(bench, Offer(1, "r", len(octets), sha256(octets).digest(), (ESME,)))
    return [sum(isinstance(effect, SendZcl) for _, effect in bench.log) - before]


def replacing(force: int) -> Story:
    def story(cls: type[Device]) -> View:
        bench = begin(cls)
        bench.event(ESME, DeviceEvent.POWER_OFF)
        stage(bench, image(DeviceType.ESME), ESME, number=1)
        octets = image(DeviceType.ESME, version=LOWER, force_replace=force)
        return [stage(bench, octets, ESME, number=2)]

    return story


def no_secmp0007(cls: type[Device]) -> View:
    bench = begin(cls, hub__ppmid_ota=False)
    return [stage(bench, image(DeviceType.PPMID), PPMID)]


def own_update(cls: type[Device]) -> View:
    bench = begin(cls)
    assert stage(bench, image(DeviceType.CHF), CHF) is Reason.HELD
    bench.run(600)
    return [len(bench.wan), bench.devices[CHF].rows()["firmware version"],
            bench.devices[CHF].rows()["device log"]]  # fmt: skip


STORIES: dict[str, Story] = {
    "silent-after-verify": whole,
    "accepts-bad-signature": bad_signature,
    "accepts-damaged-image": other_image,
    "ignores-hash": wrong_hash,
    "success-without-image": no_image,
    "keeps-old-version": whole,
    "claims-success": no_image,
    "silent-about-new-version": whole,
    "answers-future-dated-at-once": future,
    "silent-after-future-dated": future,
    "forgets-schedule": future,
    "forgets-cancel": cancelled,
    "drops-image-on-cancel": cancelled,
    "no-rollback": bad_boot,
    "loses-activation-on-power-loss": power_loss_at_activation,
    "accepts-downgrade": downgrade_refused,
    "refuses-downgrade": downgrade_allowed,
    "ignores-pathway": off_pathway,
    "ota-restarts-always": power_loss_at_download,
    "stays-silent-after-power-loss": power_loss_at_download,
    "takes-any-block": frames_in_a_mess,
    "ignores-wait": told_to_wait,
    "accepts-replayed-commands": twice_the_same_command,
    "reports-wrong-version": version_read,
    "download-ignores-battery": low_battery,
    "valve-moves-on-download": whole,
    "awake-outside-window": sleeping,
    "forgets-tokens": the_same_token_twice,
    "ignores-notification-flag": whole,
    "switch-opens-on-activation": whole,
    "no-cs09": ppmid_update,
    "lies-activation": bad_boot,
    "ignores-upgrade-time": ppmid_update,
    "serves-wrong-hardware": wrong_hardware,
    "ignores-store-limit": oversize,
    "oversize-blocks-others": oversize,
    "no-ccs08": ppmid_update,
    "tells-held-before-held": held,
    "announces-before-held": offered_only,
    "ignores-force-replace": replacing(1),
    "always-replaces": replacing(0),
    "serves-ppmid-without-secmp0007": no_secmp0007,
    "damages-a-block": whole,
    "own-update-forgets-devices": own_update,
    "keeps-own-old-version": own_update,
    "silent-about-own-version": own_update,
}
