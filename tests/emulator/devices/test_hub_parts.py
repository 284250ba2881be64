"""Device log, image store and the mirror with its flags."""

from device_profiles.words import DeviceType
from emulator.codecs.csp_transfer import Offer, Reason
from emulator.codecs.zcl import foundation, metering
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl.metering import FunctionalFlag, MirrorReportAttributeResponse
from emulator.core.effects import DeviceEvent, SendZcl, ZclIndication
from emulator.core.ids import Eui64
from emulator.devices.chf.chf import Chf
from emulator.devices.chf.device_log import DeviceLog, DeviceLogEntry
from emulator.devices.chf.image_store import ImageStore
from emulator.devices.gsme.gsme import Gsme
from emulator.devices.saved import Saved
from tests.emulator.devices.kit import ESME, GPF, GSME, START, image, powered


def numbered(number: int) -> Eui64:
    return Eui64(number.to_bytes(8, "big"))


def test_a_full_device_log_takes_no_more_and_removed_devices_are_remembered() -> None:
    log = DeviceLog(2, 15)
    entries = [DeviceLogEntry(numbered(n), DeviceType.ESME) for n in range(20)]
    assert [log.add(entry) for entry in entries[:3]] == [True, True, False]
    for entry in entries:
        log.entries.clear()
        log.add(entry)
        assert log.remove(entry.eui64)
    assert len(log.historic) == 15
    assert log.historic[0].eui64 == numbered(5)
    assert not log.remove(numbered(19))
    log.add(entries[19])
    assert entries[19] not in log.historic
    copy = DeviceLog(2, 15)
    copy.load(Saved(log.dump()))
    assert (copy.entries, copy.historic) == (log.entries, log.historic)


def offer(number: int, size: int) -> Offer:
    return Offer(number, "r", size, bytes(32), (ESME,))


def test_the_store_has_a_limit_of_octets_and_of_slots() -> None:
    store = ImageStore(1000, 2)
    none: frozenset[int] = frozenset()
    assert store.admit(offer(1, 1001), none) is Reason.TOO_LARGE
    assert store.admit(offer(1, 1000), none) is Reason.ACCEPTED
    store.begin(offer(1, 600), (ESME,), START)
    assert store.admit(offer(2, 401), none) is Reason.STORE_FULL
    assert store.admit(offer(2, 400), none) is Reason.ACCEPTED
    store.begin(offer(2, 100), (ESME,), START)
    assert store.admit(offer(3, 1), none) is Reason.STORE_FULL


def test_what_may_be_replaced_and_what_is_refused_take_no_room() -> None:
    octets = image(DeviceType.ESME)
    store = ImageStore(len(octets) + 10, 1)
    store.begin(offer(1, len(octets)), (ESME,), START)
    store.incoming[1].take(0, octets)
    store.finish(1, (ESME,))
    assert store.admit(offer(2, 10), frozenset()) is Reason.STORE_FULL
    assert store.admit(offer(2, len(octets)), frozenset({1})) is Reason.ACCEPTED
    store.held.clear()
    store.begin(offer(3, 10**6), (ESME,), START, Reason.TOO_LARGE)
    assert store.admit(offer(4, 100), frozenset()) is Reason.ACCEPTED


def test_the_mirror_keeps_what_the_meter_reports_and_answers_with_the_flags() -> None:
    hub, gsme = powered(DeviceType.CHF), powered(DeviceType.GSME)
    assert isinstance(hub, Chf)
    assert isinstance(gsme, Gsme)
    hub.gpf.set_flag(FunctionalFlag.NEW_OTA_FIRMWARE, on=True)
    report = ZclIndication(GSME, GPF, metering.CLUSTER, gsme.report().frame)
    [answer] = hub.handle(DeviceEvent.ZCL, report, START)
    assert isinstance(answer, SendZcl)
    assert (answer.to, answer.source) == (GSME, GPF)
    command = metering.decode(zcl_frame.decode(answer.frame))
    assert isinstance(command, MirrorReportAttributeResponse)
    assert command.flags == (1, 0, 0, 0, 0)
    assert hub.gpf.rows()["mirrored version"] == "0123ABCD"
    copy = powered(DeviceType.CHF)
    copy.load(hub.dump())
    assert copy.dump() == hub.dump()
    effects = gsme.handle(
        DeviceEvent.ZCL, ZclIndication(GPF, GSME, metering.CLUSTER, answer.frame), START
    )
    assert gsme.ota.state.value == "QUERIED"
    assert effects


def test_flags_from_elsewhere_than_the_gpf_are_refused() -> None:
    gsme = powered(DeviceType.GSME)
    flags = metering.encode(
        MirrorReportAttributeResponse(metering.NotificationScheme.FUNCTIONAL_ONLY, (1,)), 1
    )
    before = gsme.dump()
    gsme.handle(DeviceEvent.ZCL, ZclIndication(ESME, GSME, metering.CLUSTER, flags), START)
    assert gsme.dump() == before


def test_a_device_serves_its_basic_and_ota_attributes() -> None:
    esme = powered(DeviceType.ESME)
    for cluster, wanted, missing in (
        (0x0000, (3, 4, 5, 0x11), 0x77),
        (0x0019, (0, 1, 2, 6, 7, 8), 9),
    ):
        read = foundation.ReadAttributes((*wanted, missing))
        frame = foundation.encode(read, 1, server_to_client=False)
        [answer] = esme.handle(DeviceEvent.ZCL, ZclIndication(GSME, ESME, cluster, frame), START)
        assert isinstance(answer, SendZcl)
        found = foundation.decode(zcl_frame.decode(answer.frame))
        assert isinstance(found, foundation.ReadAttributesResponse)
        assert [reading.status for reading in found.readings] == [*(0 for _ in wanted), 0x86]
