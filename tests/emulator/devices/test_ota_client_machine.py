"""The OTA client: every state with every event, what it takes, and what never moves its offset."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_profiles.words import DeviceType, DowngradePolicy, ResumePolicy
from emulator.codecs.zcl import ota
from emulator.codecs.zcl.ota import (
    ImageBlockRefusal,
    ImageBlockResponse,
    ImageBlockWait,
    ImageNotify,
    OtaStatus,
    QueryNextImageRefusal,
    QueryNextImageResponse,
    UpgradeEndRequest,
    UpgradeEndResponse,
)
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect, Note, SendZcl, SetTimer, ZclIndication
from emulator.core.errors import IllegalEventError
from emulator.devices.firmware_device import FirmwareDevice
from emulator.devices.ota_client import OtaClient, Payload
from emulator.devices.ota_judge import Download
from emulator.devices.ota_settings import OtaSettings
from emulator.devices.ota_table import PEER_EVENTS, RESTING, TRANSITIONS, OtaEvent, OtaState
from emulator.devices.saved import Saved
from tests.emulator.devices.kit import CHF, ESME, powered, profile_of
from tests.sampling import examples

MAKER, TYPE, RUNNING, NEW = 0x121D, 0x0000, 0x0123ABCD, 0x0123ABCE
NOW = UtcMs(1_000_000)
SIZE = 100


def client(**changes: object) -> OtaClient:
    values = {f"firmware__{name}": value for name, value in changes.items()}
    profile = profile_of(DeviceType.ESME, **values)
    wanted = OtaSettings.from_profile(profile, obeys_upgrade_time=False)
    return OtaClient(wanted, lambda request: SendZcl(CHF, 0x19, ota.encode(request, 0)), RUNNING)


def block(offset: int, size: int = 20, **changes: int) -> ImageBlockResponse:
    names = {"manufacturer_code": MAKER, "image_type": TYPE, "file_version": NEW, **changes}
    return ImageBlockResponse(offset=offset, data=bytes(size), **names)


OFFER = QueryNextImageResponse(MAKER, TYPE, NEW, SIZE)
PAYLOADS: dict[OtaEvent, Payload] = {
    OtaEvent.NOTIFIED: ImageNotify(100, MAKER, TYPE, NEW),
    OtaEvent.OFFERED: OFFER,
    OtaEvent.NOT_OFFERED: QueryNextImageRefusal(OtaStatus.NO_IMAGE_AVAILABLE),
    OtaEvent.BLOCK: block(40),
    OtaEvent.LAST_BLOCK: block(40, 60),
    OtaEvent.BAD_BLOCK: block(99),
    OtaEvent.WAIT: ImageBlockWait(10, 70),
    OtaEvent.ABORTED: ImageBlockRefusal(OtaStatus.ABORT),
    OtaEvent.END_ANSWERED: UpgradeEndResponse(0xFFFF, 0xFFFF, 0xFFFFFFFF, 0, 0xFFFFFFFF),
}


def in_state(state: OtaState) -> OtaClient:
    made = client()
    made.state = state
    made.resting = state if state in RESTING else OtaState.IDLE
    if state not in RESTING:
        made.download = Download(NEW, SIZE, bytearray(40))
    return made


def downloading(**changes: object) -> OtaClient:
    made = client(**changes)
    made.handle(OtaEvent.NOTIFIED, PAYLOADS[OtaEvent.NOTIFIED], NOW)
    made.receive(OFFER, NOW)
    assert made.state is OtaState.DOWNLOADING
    return made


def kinds(effects: list[Effect]) -> list[str]:
    return [effect.kind for effect in effects if isinstance(effect, Note)]


@pytest.mark.parametrize(("state", "event"), list(itertools.product(OtaState, OtaEvent)))
def test_every_event_in_every_state_does_what_the_table_says(
    state: OtaState, event: OtaEvent
) -> None:
    made = in_state(state)
    before = made.dump()
    row = TRANSITIONS.get((state, event))
    if row is not None:
        made.handle(event, PAYLOADS.get(event), NOW)
        assert made.state is (row[1] or OtaState(str(before["resting"])))
    elif event in PEER_EVENTS:
        assert kinds(made.handle(event, PAYLOADS[event], NOW)) == ["ota_frame_ignored"]
        assert made.dump() == before
    else:
        with pytest.raises(IllegalEventError):
            made.handle(event, None, NOW)
        assert made.dump() == before


@pytest.mark.parametrize(("state", "event"), list(itertools.product(OtaState, OtaEvent)))
def test_a_dump_in_any_state_goes_on_the_same(state: OtaState, event: OtaEvent) -> None:
    if (state, event) not in TRANSITIONS:
        return
    made, copy = in_state(state), client()
    copy.load(Saved(made.dump()))
    payload = PAYLOADS.get(event)
    assert copy.handle(event, payload, NOW) == made.handle(event, payload, NOW)
    assert copy.dump() == made.dump()


def test_every_action_of_the_table_exists() -> None:
    assert all(callable(getattr(OtaClient, f"_{name}")) for name, _ in TRANSITIONS.values())


@pytest.mark.parametrize(
    "frame",
    [
        block(20),
        block(1),
        block(0, 45),
        block(0, 0),
        block(0, manufacturer_code=0x1063),
        block(0, image_type=5),
        block(0, file_version=RUNNING),
        ImageBlockRefusal(OtaStatus.MALFORMED_COMMAND),
    ],
    ids=["ahead", "crooked", "too-long", "empty", "maker", "type", "version", "malformed"],
)
def test_a_block_that_does_not_fit_moves_nothing(
    frame: ImageBlockResponse | ImageBlockRefusal,
) -> None:
    made = downloading()
    before = made.dump()
    assert kinds(made.receive(frame, NOW)) == ["ota_block_refused"]
    assert made.dump() == before


def test_a_block_past_the_end_moves_nothing_and_a_duplicate_neither() -> None:
    made = downloading()
    for offset in (0, 40):
        made.receive(block(offset, 40), NOW)
    before = made.dump()
    made.receive(block(80, 40), NOW)
    made.receive(block(40, 40), NOW)
    assert made.dump() == before
    made.receive(block(80, 20), NOW)
    assert made.state is OtaState.COMPLETE_UNVERIFIED


@pytest.mark.parametrize(
    ("offer", "why"),
    [
        (QueryNextImageResponse(0x1063, TYPE, NEW, SIZE), "other manufacturer"),
        (QueryNextImageResponse(MAKER, 5, NEW, SIZE), "other image type"),
        (QueryNextImageResponse(MAKER, TYPE, NEW, 99_999_999), "too large for this device"),
        (QueryNextImageResponse(MAKER, TYPE, NEW, 0), "too large for this device"),
        (QueryNextImageResponse(MAKER, TYPE, RUNNING, SIZE), "already running"),
    ],
)
def test_an_offer_that_is_not_for_the_client_is_refused(
    offer: QueryNextImageResponse, why: str
) -> None:
    made = client()
    made.handle(OtaEvent.NOTIFIED, None, NOW)
    effects = made.receive(offer, NOW)
    assert made.state is OtaState.IDLE
    assert next(dict(e.fields)["why"] for e in effects if isinstance(e, Note) and e.fields) == why


@pytest.mark.parametrize(
    ("policy", "state"),
    [
        (DowngradePolicy.ALLOW, OtaState.DOWNLOADING),
        (DowngradePolicy.REFUSE_AT_ACTIVATION, OtaState.DOWNLOADING),
        (DowngradePolicy.REFUSE_AT_QUERY, OtaState.IDLE),
    ],
)
def test_a_lower_version_is_taken_by_policy(policy: DowngradePolicy, state: OtaState) -> None:
    made = client(downgrade_policy=policy)
    made.handle(OtaEvent.NOTIFIED, None, NOW)
    made.receive(QueryNextImageResponse(MAKER, TYPE, RUNNING - 1, SIZE), NOW)
    assert made.state is state


@pytest.mark.parametrize(
    "notify", [ImageNotify(1, 0x1063), ImageNotify(1, MAKER, 9), ImageNotify(1, MAKER, 0, RUNNING)]
)
def test_a_notification_for_others_is_not_followed(notify: ImageNotify) -> None:
    made = client()
    assert kinds(made.receive(notify, NOW)) == ["ota_frame_refused"]
    assert made.state is OtaState.IDLE


@pytest.mark.parametrize(
    ("current", "asked", "wait_ms"), [(10, 70, 60_000), (0, 5, 5_000), (9, 3, 1_000)]
)
def test_wait_for_data_is_honoured(current: int, asked: int, wait_ms: int) -> None:
    made = downloading()
    effects = made.receive(ImageBlockWait(current, asked), NOW)
    assert [e.at - NOW for e in effects if isinstance(e, SetTimer)] == [wait_ms]
    assert not any(isinstance(e, SendZcl) for e in effects)
    asked_again = made.timer("ota.next", UtcMs(NOW + wait_ms))
    assert any(isinstance(e, SendZcl) for e in asked_again)
    assert made.state is OtaState.DOWNLOADING


def test_a_sleepy_client_keeps_a_wait_over_its_sleep() -> None:
    made = downloading()
    made.receive(ImageBlockWait(10, 70), NOW)
    made.handle(OtaEvent.SLEEP, None, NOW)
    effects = made.wake(UtcMs(NOW + 59_000))
    assert [e.at - NOW for e in effects if isinstance(e, SetTimer)] == [60_000]
    made.handle(OtaEvent.SLEEP, None, NOW)
    effects = made.wake(UtcMs(NOW + 61_000))
    assert any(isinstance(e, SendZcl) for e in effects)
    assert made.state is OtaState.DOWNLOADING


def test_an_unanswered_request_is_repeated_and_then_given_up() -> None:
    made = downloading(block_retries=2)
    for _ in range(2):
        effects = made.timer("ota.retry", NOW)
        assert any(isinstance(e, SendZcl) for e in effects)
    effects = made.timer("ota.retry", NOW)
    assert "ota_transfer_failed" in kinds(effects)
    assert made.state is OtaState.IDLE
    assert any(isinstance(e, SetTimer) and e.name == "ota.query" for e in effects)


@pytest.mark.parametrize("policy", list(ResumePolicy))
def test_after_a_power_loss_the_offset_is_kept_or_not_by_policy(policy: ResumePolicy) -> None:
    made = downloading(resume_policy=policy)
    made.receive(block(0), NOW)
    made.handle(OtaEvent.POWER_OFF, None, NOW)
    made.handle(OtaEvent.POWER_ON, None, NOW)
    made.timer("ota.query", NOW)
    made.receive(OFFER, NOW)
    assert made.offset == (20 if policy is ResumePolicy.RESUME_FROM_OFFSET else 0)


def test_another_image_is_not_joined_to_the_half_of_the_first() -> None:
    made = downloading()
    made.receive(block(0), NOW)
    made.handle(OtaEvent.POWER_OFF, None, NOW)
    made.timer("ota.query", NOW)
    made.receive(QueryNextImageResponse(MAKER, TYPE, NEW + 1, SIZE), NOW)
    assert made.offset == 0


def test_upgrade_end_is_repeated_until_it_is_answered() -> None:
    made = in_state(OtaState.COMPLETE_UNVERIFIED)
    made.handle(OtaEvent.VERIFIED, None, NOW)
    again = made.timer("ota.end", NOW)
    [frame] = [e.frame for e in again if isinstance(e, SendZcl)]
    assert frame[3:] == UpgradeEndRequest(OtaStatus.SUCCESS, MAKER, TYPE, NEW).encode()
    made.receive(UpgradeEndResponse(0xFFFF, 0xFFFF, 0xFFFFFFFF, 0, 0xFFFFFFFF), NOW)
    assert made.ending_version is None


def test_a_meter_is_never_activated_by_an_upgrade_time() -> None:
    made = in_state(OtaState.COMPLETE_UNVERIFIED)
    made.handle(OtaEvent.VERIFIED, None, NOW)
    effects = made.receive(UpgradeEndResponse(MAKER, TYPE, NEW, 100, 105), NOW)
    assert kinds(effects) == ["ota_upgrade_time_ignored"]
    assert made.upgrade_at is None


FRAMES = [
    ota.encode(OFFER, 1),
    ota.encode(block(0), 1),
    ota.encode(ImageBlockWait(10, 70), 1),
    ota.encode(ImageNotify(100, MAKER, TYPE, NEW), 1),
    ota.encode(UpgradeEndResponse(0xFFFF, 0xFFFF, 0xFFFFFFFF, 0, 0xFFFFFFFF), 1),
]


@settings(max_examples=examples(300), derandomize=True, deadline=None)
@given(frame=st.sampled_from(FRAMES), cut=st.integers(0, 40), tail=st.binary(max_size=4))
def test_a_cut_or_lengthened_frame_neither_raises_nor_moves_the_offset(
    frame: bytes, cut: int, tail: bytes
) -> None:
    damaged = frame[: max(len(frame) - cut, 0)] + tail
    if len(damaged) == len(frame):
        return  # the same length with other data is a block like any other: the signature tells
    esme = _downloading_esme()
    before = esme.ota.offset
    effects = esme.handle(DeviceEvent.ZCL, ZclIndication(CHF, ESME, ota.CLUSTER, damaged), NOW)
    assert effects is not None
    assert esme.ota.offset == before


def _downloading_esme() -> FirmwareDevice:
    esme = powered(DeviceType.ESME)
    assert isinstance(esme, FirmwareDevice)
    esme.ota.handle(OtaEvent.NOTIFIED, None, NOW)
    esme.ota.receive(OFFER, NOW)
    return esme


def test_frames_of_a_stranger_are_refused() -> None:
    esme = _downloading_esme()
    before = esme.dump()
    effects = esme.handle(DeviceEvent.ZCL, ZclIndication(ESME, ESME, ota.CLUSTER, FRAMES[1]), NOW)
    assert kinds(effects) == ["frame_refused"]
    assert esme.dump() == before
