"""The hub's OTA server: every state with every event, and what it answers to odd requests."""

import itertools

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.zcl import foundation, ota
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl.ota import (
    ImageBlockRefusal,
    ImageBlockRequest,
    ImageBlockResponse,
    ImageBlockWait,
    ImagePageRequest,
    OtaStatus,
    QueryNextImageRefusal,
    QueryNextImageRequest,
    QueryNextImageResponse,
    QuerySpecificFileRequest,
    UpgradeEndRequest,
    UpgradeEndResponse,
)
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect, Note, SendZcl, SetTimer, ZclIndication
from emulator.core.errors import IllegalEventError
from emulator.core.ids import Eui64
from emulator.devices.chf.chf import Chf
from emulator.devices.chf.delivery import Delivery, Fit
from emulator.devices.chf.delivery_table import (
    OPEN,
    TRANSITIONS,
    DeliveryEvent,
    DeliveryState,
)
from emulator.devices.chf.image_store import StoredImage
from emulator.devices.chf.ota_server import OtaServer
from tests.emulator.devices.kit import CHF, ESME, GPF, PPMID, START, codes, image, powered

MAKER, TYPE, RUNNING, NEW = 0x121D, 0x0000, 0x0123ABCD, 0x0123ABCE
ESME_IMAGE = image(DeviceType.ESME)
END = UpgradeEndRequest(OtaStatus.SUCCESS, MAKER, TYPE, NEW)
BAD_END = UpgradeEndRequest(OtaStatus.INVALID_IMAGE, MAKER, TYPE, NEW)
QUERY = QueryNextImageRequest(MAKER, TYPE, RUNNING, 0x1111)
PAYLOADS = {
    DeliveryEvent.HELD: 1,
    DeliveryEvent.REPLACED: 1,
    DeliveryEvent.MATCHED: 5,
    DeliveryEvent.MISMATCHED: Fit.OTHER_HARDWARE,
    DeliveryEvent.ASKED: (ImageBlockRequest(MAKER, TYPE, NEW, 0, 44), 5),
    DeliveryEvent.ENDED_WELL: (END, 5),
    DeliveryEvent.ENDED_BADLY: (BAD_END, 5),
}


def hub(**changes: object) -> Chf:
    made = powered(DeviceType.CHF, None, **changes)
    assert isinstance(made, Chf)
    return made


def in_state(
    state: DeliveryState,
    target: Eui64 = ESME,
    kind: DeviceType = DeviceType.ESME,
    **changes: object,
) -> tuple[Chf, Delivery]:
    made = hub(**changes)
    octets = image(kind)
    delivery = made.server.delivery(target, kind)
    delivery.state = state
    if state in OPEN or state is DeliveryState.STAGING:
        made.store.held[1] = StoredImage.of(1, "r", octets, (target,))
        delivery.image_id = 1
    return made, delivery


def ask(made: Chf, request: object, source: Eui64 = ESME) -> list[Effect]:
    frame = ota.encode(request, 9)  # type: ignore[arg-type] # any request of the cluster
    return made.handle(DeviceEvent.ZCL, ZclIndication(source, CHF, ota.CLUSTER, frame), START)


def answers(effects: list[Effect]) -> list[object]:
    found: list[object] = []
    for effect in effects:
        if isinstance(effect, SendZcl):
            frame = zcl_frame.decode(effect.frame)
            assert effect.source == CHF
            found.append(ota.decode(frame) if frame.cluster_specific else foundation.decode(frame))
    return found


@pytest.mark.parametrize(("state", "event"), list(itertools.product(DeliveryState, DeliveryEvent)))
def test_every_event_in_every_state_does_what_the_table_says(
    state: DeliveryState, event: DeliveryEvent
) -> None:
    made, delivery = in_state(state)
    before = made.dump()
    if (state, event) in TRANSITIONS:
        made.server.handle(event, delivery, PAYLOADS.get(event), START)
        assert delivery.state is TRANSITIONS[state, event][1]
        return
    with pytest.raises(IllegalEventError):
        made.server.handle(event, delivery, PAYLOADS.get(event), START)
    assert made.dump() == before


def test_every_action_of_the_table_exists() -> None:
    assert all(callable(getattr(OtaServer, f"_{name}")) for name, _ in TRANSITIONS.values())


@pytest.mark.parametrize("state", list(DeliveryState))
def test_a_query_is_answered_in_every_state(state: DeliveryState) -> None:
    made, _ = in_state(state)
    [answer] = answers(ask(made, QUERY))
    offered = QueryNextImageResponse(MAKER, TYPE, NEW, len(ESME_IMAGE))
    assert answer == (
        offered if state in OPEN else QueryNextImageRefusal(OtaStatus.NO_IMAGE_AVAILABLE)
    )


@pytest.mark.parametrize("state", list(DeliveryState))
def test_a_dumped_hub_goes_on_the_same_in_every_state(state: DeliveryState) -> None:
    made, _ = in_state(state)
    copy = hub()
    copy.load(made.dump())
    assert copy.dump() == made.dump()
    for request in (QUERY, ImageBlockRequest(MAKER, TYPE, NEW, 44, 44), END):
        assert ask(copy, request) == ask(made, request)
    assert copy.dump() == made.dump()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (ImageBlockRequest(0x1063, TYPE, NEW, 0, 44), OtaStatus.NO_IMAGE_AVAILABLE),
        (ImageBlockRequest(MAKER, 5, NEW, 0, 44), OtaStatus.NO_IMAGE_AVAILABLE),
        (ImageBlockRequest(MAKER, TYPE, RUNNING, 0, 44), OtaStatus.NO_IMAGE_AVAILABLE),
        (ImageBlockRequest(MAKER, TYPE, NEW, 10**6, 44), OtaStatus.MALFORMED_COMMAND),
        (ImageBlockRequest(MAKER, TYPE, NEW, len(ESME_IMAGE), 44), OtaStatus.MALFORMED_COMMAND),
        (ImageBlockRequest(MAKER, TYPE, NEW, 0, 0), OtaStatus.MALFORMED_COMMAND),
    ],
    ids=["maker", "type", "version", "far", "at-end", "nothing"],
)
def test_an_odd_block_request_is_refused_and_changes_no_offset(
    request_: ImageBlockRequest, status: OtaStatus
) -> None:
    made, delivery = in_state(DeliveryState.SERVING)
    assert answers(ask(made, request_)) == [ImageBlockRefusal(status)]
    assert (delivery.state, delivery.offset) == (DeliveryState.SERVING, 0)


def test_a_block_is_no_longer_than_the_hub_gives() -> None:
    made, _ = in_state(DeliveryState.SERVING)
    [answer] = answers(ask(made, ImageBlockRequest(MAKER, TYPE, NEW, 44, 255)))
    assert isinstance(answer, ImageBlockResponse)
    assert answer.data == ESME_IMAGE[44:88]


def test_a_request_without_an_image_is_aborted() -> None:
    made, _ = in_state(DeliveryState.DONE)
    request = ImageBlockRequest(MAKER, TYPE, NEW, 0, 44)
    assert answers(ask(made, request)) == [ImageBlockRefusal(OtaStatus.ABORT)]


def test_a_busy_hub_asks_clients_to_wait() -> None:
    made, _ = in_state(DeliveryState.SERVING)
    made.server.busy_until = UtcMs(START + 1)
    [answer] = answers(ask(made, ImageBlockRequest(MAKER, TYPE, NEW, 0, 44)))
    assert isinstance(answer, ImageBlockWait)
    assert answer.delay_s == made.profile.firmware.wait_for_data_s


def test_a_specific_file_is_never_there() -> None:
    made = hub()
    [answer] = answers(ask(made, QuerySpecificFileRequest(ESME, MAKER, TYPE, NEW, 2)))
    assert answer == ota.QuerySpecificFileRefusal(OtaStatus.NO_IMAGE_AVAILABLE)


def test_pages_are_served_block_after_block_where_the_profile_has_them() -> None:
    made, _ = in_state(DeliveryState.SERVING, firmware__page_support=True)
    request = ImagePageRequest(MAKER, TYPE, NEW, 0, 40, 100, 250)
    effects = ask(made, request)
    served = [*answers(effects)]
    while any(isinstance(e, SetTimer) and "page" in e.name for e in effects):
        [timer] = [e for e in effects if isinstance(e, SetTimer) and "page" in e.name]
        assert timer.at == START + 250
        effects = made.handle(DeviceEvent.TIMER, timer.name, START)
        served += answers(effects)
    blocks = [block for block in served if isinstance(block, ImageBlockResponse)]
    assert b"".join(block.data for block in blocks) == ESME_IMAGE[:100]
    assert [block.offset for block in blocks] == [0, 40, 80]


def test_a_page_of_nothing_is_refused_and_a_busy_hub_starts_none() -> None:
    made, _ = in_state(DeliveryState.SERVING, firmware__page_support=True)
    [answer] = answers(ask(made, ImagePageRequest(MAKER, TYPE, NEW, 0, 40, 0, 250)))
    assert answer == ImageBlockRefusal(OtaStatus.MALFORMED_COMMAND)
    made.server.busy_until = UtcMs(START + 1)
    [answer] = answers(ask(made, ImagePageRequest(MAKER, TYPE, NEW, 0, 40, 100, 250)))
    assert isinstance(answer, ImageBlockWait)
    assert made.server.deliveries[ESME].page is None


def test_pages_are_refused_where_the_profile_has_none() -> None:
    made, _ = in_state(DeliveryState.SERVING)
    request = ImagePageRequest(MAKER, TYPE, NEW, 0, 40, 100, 250)
    [answer] = answers(ask(made, request))
    assert answer == foundation.DefaultResponse(4, OtaStatus.UNSUPPORTED_CLUSTER_COMMAND)


def test_only_a_ppmid_is_given_a_time_to_upgrade() -> None:
    made, _ = in_state(DeliveryState.SERVING)
    [answer] = answers(ask(made, END))
    assert answer == UpgradeEndResponse(0xFFFF, 0xFFFF, 0xFFFFFFFF, 0, 0xFFFFFFFF)
    made, _ = in_state(DeliveryState.SERVING, PPMID, DeviceType.PPMID)
    end = UpgradeEndRequest(OtaStatus.SUCCESS, MAKER, 0x84, NEW)
    [answer] = answers(ask(made, end, PPMID))
    assert isinstance(answer, UpgradeEndResponse)
    assert answer.upgrade_time_s - answer.current_time_s == 5


def test_a_repeated_upgrade_end_is_answered_again_and_told_once() -> None:
    made, _ = in_state(DeliveryState.SERVING, PPMID, DeviceType.PPMID)
    end = UpgradeEndRequest(OtaStatus.SUCCESS, MAKER, 0x84, NEW)
    first, second = ask(made, end, PPMID), ask(made, end, PPMID)
    assert len(codes(first)) == 1
    assert codes(second) == []
    assert answers(first) == answers(second)


def test_a_failed_download_gets_a_default_response_and_is_told() -> None:
    made, delivery = in_state(DeliveryState.SERVING, PPMID, DeviceType.PPMID)
    end = UpgradeEndRequest(OtaStatus.INVALID_IMAGE, MAKER, 0x84, NEW)
    effects = ask(made, end, PPMID)
    assert answers(effects) == [foundation.DefaultResponse(6, 0)]
    assert len(codes(effects)) == 1
    assert delivery.state is DeliveryState.ABORTED


def test_progress_is_told_ten_times_an_image() -> None:
    made, _ = in_state(DeliveryState.NOTIFIED)
    told = 0
    for offset in range(0, len(ESME_IMAGE), 44):
        effects = ask(made, ImageBlockRequest(MAKER, TYPE, NEW, offset, 44))
        told += sum(isinstance(e, Note) and e.kind == "ota_progress" for e in effects)
    assert 9 <= told <= 10


def test_a_stranger_is_not_served() -> None:
    made, _ = in_state(DeliveryState.SERVING)
    before = made.dump()
    stranger = Eui64(bytes(8))
    [note] = ask(made, QUERY, stranger)
    assert isinstance(note, Note)
    assert dict(note.fields)["reason"] == "stranger"
    assert made.dump() == before


@pytest.mark.parametrize("cut", [1, 3, 8])
def test_a_truncated_request_changes_nothing(cut: int) -> None:
    made, _ = in_state(DeliveryState.SERVING)
    frame = ota.encode(ImageBlockRequest(MAKER, TYPE, NEW, 0, 44), 9)[:-cut]
    before = {**made.dump(), "device_log": None}
    indication = ZclIndication(ESME, CHF, ota.CLUSTER, frame)
    [note] = made.handle(DeviceEvent.ZCL, indication, START)
    assert isinstance(note, Note)
    assert dict(note.fields)["reason"] == "malformed"
    assert {**made.dump(), "device_log": None} == before


def test_the_time_is_served_and_answers_come_from_whom_they_were_asked() -> None:
    made = hub()
    frame = foundation.encode(foundation.ReadAttributes((0, 1)), 3, server_to_client=False)
    [effect] = made.handle(DeviceEvent.ZCL, ZclIndication(ESME, CHF, 0x000A, frame), START)
    assert isinstance(effect, SendZcl)
    assert effect.source == CHF
    [effect] = made.handle(DeviceEvent.ZCL, ZclIndication(ESME, GPF, 0x0000, frame), START)
    assert isinstance(effect, SendZcl)
    assert effect.source == GPF
