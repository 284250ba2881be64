"""The device log of a SMETS1 hub and the displays that join by it: every state, every event."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_profiles.loader import load_profile
from emulator.codecs.dlms import han_log, wrapper
from emulator.codecs.dlms.han_log import Join, LogRow, Word, encode_join
from emulator.codecs.dlms.wrapper import WrapperFrame
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect, Note, SendGbcs, ZclIndication
from emulator.core.errors import IllegalEventError
from emulator.core.ids import Eui64
from emulator.devices.defects import apply
from emulator.devices.saved import Saved
from emulator.devices.smets1.device_log import DeviceLog
from emulator.devices.smets1.display import Smets1Display

HUB, PPMID, OTHER, GSME = (Eui64(bytes(7) + bytes([n])) for n in (1, 4, 5, 3))
NOW = UtcMs(0)
PROFILE = load_profile("demo-s1-ppmid")


def hello(device: Eui64 = PPMID, maker: int = 1) -> bytes:
    return encode_join(Join(Word.HELLO, device, maker, b"10000001"))


def said(log: DeviceLog) -> list[tuple[str, Eui64]]:
    return [
        (order.word.name.lower(), order.eui64)
        for order in log.take_orders()
        if isinstance(order, Join)
    ]


EVENTS: dict[str, Callable[[DeviceLog], Any]] = {
    "add": lambda log: log.add(PPMID, "PPMID"),
    "remove": lambda log: log.remove(PPMID),
    "unjoin": lambda log: log.unjoin(PPMID),
    "open": lambda log: log.open(on=True),
    "close": lambda log: log.open(on=False),
    "hello": lambda log: log.hello(hello()),
}
PATHS: dict[str, tuple[str, ...]] = {
    "unknown": (),
    "unknown, open": ("open",),
    "logged": ("add",),
    "invited": ("add", "open"),
    "joined": ("add", "open", "hello", "close"),
}
#: Event -> what the hub says then, in the order of ``PATHS``.
TABLE: dict[str, tuple[list[str], ...]] = {
    "add": ([], ["invite"], [], ["invite"], []),
    "remove": ([], [], ["leave"], ["leave"], ["leave"]),
    "unjoin": ([], [], ["leave"], ["leave"], ["leave"]),
    "open": ([], [], ["invite"], ["invite"], []),
    "close": ([], [], [], [], []),
    "hello": (["leave"], ["leave"], ["leave"], ["welcome"], ["welcome"]),
}


def log_in(state: str) -> DeviceLog:
    log = DeviceLog(2)
    for event in PATHS[state]:
        EVENTS[event](log)
    log.take_orders()
    return log


@pytest.mark.parametrize(("state", "event"), [*itertools.product(PATHS, EVENTS)])
def test_a_log_says_in_every_state_to_every_event_what_the_table_says(
    state: str, event: str
) -> None:
    log = log_in(state)
    EVENTS[event](log)
    assert [word for word, _device in said(log)] == TABLE[event][list(PATHS).index(state)]


@given(st.lists(st.sampled_from(sorted(EVENTS)), max_size=12), st.integers(0, 12))
def test_a_log_that_is_dumped_and_loaded_at_any_moment_goes_on_alike(
    events: list[str], cut: int
) -> None:
    one, other = DeviceLog(2), DeviceLog(2)
    for number, event in enumerate(events):
        if number == cut:
            fresh = DeviceLog(2)
            fresh.load(Saved(other.dump()))
            other = fresh
        EVENTS[event](one)
        EVENTS[event](other)
        assert one.take_orders() == other.take_orders()
    assert one.dump() == other.dump()


def test_a_full_log_takes_no_further_device_and_keeps_those_it_has() -> None:
    log = DeviceLog(1)
    assert log.add(GSME, "GSME")
    assert not log.add(PPMID, "PPMID")
    assert log.add(GSME, "GSME")
    assert [*log.entries] == [GSME]


def test_a_joined_display_has_told_its_firmware_where_the_hub_reads_its_maker() -> None:
    reads, reads_not = DeviceLog(2, [1, 7]), DeviceLog(2, [7])
    for log in (reads, reads_not):
        log.add(PPMID, "PPMID")
        log.open(on=True)
        log.hello(hello(maker=1))
    assert reads.entries[PPMID] == LogRow(PPMID, "PPMID", joined=True, firmware=b"10000001")
    assert reads_not.entries[PPMID] == LogRow(PPMID, "PPMID", joined=True)


def test_a_broken_hello_is_noted_and_changes_nothing() -> None:
    log = log_in("invited")
    log.hello(hello()[:-1])
    orders = log.take_orders()
    assert [order.kind for order in orders if isinstance(order, Note)] == ["malformed_frame"]
    assert not log.entries[PPMID].joined
    log.hello(encode_join(Join(Word.WELCOME, PPMID)))
    assert said(log) == []


# -- the display ---------------------------------------------------------------------------------


def display() -> Smets1Display:
    return Smets1Display(PPMID, PROFILE, HUB)


def frame(join: Join) -> bytes:
    return wrapper.encode(WrapperFrame(han_log.JOIN_PORT, han_log.JOIN_PORT, encode_join(join)))


def answers(effects: list[Effect]) -> list[Join]:
    return [
        han_log.decode_join(wrapper.decode(effect.message).apdu)
        for effect in effects
        if isinstance(effect, SendGbcs) and effect.to == HUB
    ]


@pytest.mark.parametrize(
    ("word", "device", "joined_before", "says", "joined"),
    [
        (Word.INVITE, PPMID, False, ["HELLO"], False),
        (Word.INVITE, OTHER, False, [], False),
        (Word.WELCOME, PPMID, False, [], True),
        (Word.WELCOME, OTHER, False, [], False),
        (Word.LEAVE, PPMID, True, [], False),
        (Word.LEAVE, OTHER, True, [], True),
        (Word.HELLO, PPMID, True, [], True),
        (Word.INVITE, PPMID, True, ["HELLO"], True),
    ],
)
def test_a_display_joins_and_leaves_as_the_hub_says(
    word: Word, device: Eui64, joined_before: bool, says: list[str], joined: bool
) -> None:
    device_ = display()
    device_.joined = joined_before
    effects = device_.handle(DeviceEvent.GBCS, frame(Join(word, device)), NOW)
    assert [join.word.name for join in answers(effects)] == says
    assert device_.joined is joined


def test_a_display_that_has_not_joined_asks_when_it_gets_power_and_tells_its_firmware() -> None:
    asked = answers(display().handle(DeviceEvent.POWER_ON, None, NOW))
    code = PROFILE.identity.manufacturer_code
    assert asked == [Join(Word.HELLO, PPMID, code, PROFILE.identity.firmware_version.encode())]
    joined = display()
    joined.install(joined=True)
    assert answers(joined.handle(DeviceEvent.POWER_ON, None, NOW)) == []


def test_a_display_takes_no_harm_from_octets_it_cannot_read() -> None:
    device = display()
    effects = device.handle(DeviceEvent.GBCS, b"\x00\x01garbage", NOW)
    assert [effect.kind for effect in effects if isinstance(effect, Note)] == ["malformed_frame"]
    zcl = ZclIndication(HUB, PPMID, 0x19, b"")
    assert device.handle(DeviceEvent.ZCL, zcl, NOW)
    assert device.handle(DeviceEvent.TIMER, "none of ours", NOW) == []
    with pytest.raises(IllegalEventError):
        device.handle(DeviceEvent.WAN, b"", NOW)


def test_a_display_remembers_that_it_has_joined_and_shows_that_it_has_no_credentials() -> None:
    device, other = display(), display()
    device.joined = True
    other.load(device.dump())
    assert other.joined
    assert other.rows()["joined"] == "yes"
    assert other.rows()["head-end credentials"] == "none"


def test_a_display_can_run_another_version_than_its_model_says() -> None:
    wrong = apply(Smets1Display, "s1-ppmid-other-firmware")(PPMID, PROFILE, HUB)
    assert wrong.firmware_text() != display().firmware_text()
