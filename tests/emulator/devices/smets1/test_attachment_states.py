"""How a SMETS1 hub comes onto a network: every state with every event, memory at any moment."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_profiles.dlms import WanSection
from emulator.codecs.dlms import data_notification
from emulator.core.clock import UtcMs
from emulator.core.effects import CancelTimer, Effect, Note, SeekNetwork, SendWan, SetTimer
from emulator.core.ids import Eui64
from emulator.devices.saved import Saved
from emulator.devices.smets1.attachment import (
    CONTACT_TIMER,
    SEEK_TIMER,
    Attachment,
    first_contact,
)

NOW = UtcMs(1_000_000)
SETTINGS = WanSection(
    attach_least_s=60, attach_most_s=120, retry_s=600, contact_repeat_s=900, queue_limit_s=60
)
CONTACT = SendWan(b"who has come")


def tell() -> Effect:
    return CONTACT


Happening = Callable[[Attachment], list[Effect]]
EVENTS: dict[str, Happening] = {
    "power on": lambda hub: hub.power_on(NOW),
    "power off": lambda hub: hub.power_off(),
    "on the SMSO's": lambda hub: hub.network("SMSO", NOW, tell),
    "on the S1SP's": lambda hub: hub.network("S1SP", NOW, tell),
    "network gone": lambda hub: hub.network("", NOW, tell),
    "time to seek": lambda hub: hub.on_timer(SEEK_TIMER, NOW, tell),
    "time to tell": lambda hub: hub.on_timer(CONTACT_TIMER, NOW, tell),
    "spoken to": lambda hub: hub.heard(),
}
#: State -> events that lead there.
PATHS: dict[str, tuple[str, ...]] = {
    "off": (),
    "seeking": ("power on",),
    "at home": ("power on", "on the SMSO's"),
    "telling": ("power on", "on the SMSO's", "network gone", "on the S1SP's"),
    "known": ("power on", "on the SMSO's", "network gone", "on the S1SP's", "spoken to"),
}


def hub_in(state: str) -> Attachment:
    hub = Attachment(SETTINGS, "SMSO")
    for event in PATHS[state]:
        EVENTS[event](hub)
    return hub


def words(effects: list[Effect]) -> list[str]:
    """The effects in words: ``seek`` for an attempt, ``tell`` for a first contact."""
    named: list[str] = []
    for effect in effects:
        match effect:
            case SeekNetwork():
                named.append("seek")
            case SendWan():
                named.append("tell")
            case SetTimer():
                named.append(f"+{effect.name}")
            case CancelTimer():
                named.append(f"-{effect.name}")
            case Note():
                continue
    return named


_SEEKS = [f"+{SEEK_TIMER}", "seek"]
_TELLS = [f"-{SEEK_TIMER}", "tell", f"+{CONTACT_TIMER}"]
_LOST = [f"-{CONTACT_TIMER}", *_SEEKS]
_HERE = [f"-{SEEK_TIMER}"]
#: Event -> what each state does with it, in the order of ``PATHS``.
TABLE: dict[str, tuple[list[str], ...]] = {
    "power on": (_SEEKS, _SEEKS, _SEEKS, _SEEKS, _SEEKS),
    "power off": ([], [], [], [], []),
    "on the SMSO's": (_HERE, _HERE, [], _TELLS, _TELLS),
    "on the S1SP's": (_TELLS, _TELLS, _TELLS, [], []),
    "network gone": ([], [], _LOST, _LOST, _LOST),
    "time to seek": (_SEEKS, _SEEKS, [], [], []),
    "time to tell": ([], [], [], ["tell", f"+{CONTACT_TIMER}"], []),
    "spoken to": ([], [], [], [f"-{CONTACT_TIMER}"], []),
}


@pytest.mark.parametrize(("state", "event"), [*itertools.product(PATHS, EVENTS)])
def test_every_state_does_with_every_event_what_the_table_says(state: str, event: str) -> None:
    wanted = TABLE[event][list(PATHS).index(state)]
    assert words(EVENTS[event](hub_in(state))) == wanted


@given(st.lists(st.sampled_from(sorted(EVENTS)), max_size=12), st.integers(0, 12))
def test_a_hub_that_is_dumped_and_loaded_at_any_moment_goes_on_alike(
    events: list[str], cut: int
) -> None:
    one, other = Attachment(SETTINGS, "SMSO"), Attachment(SETTINGS, "SMSO")
    for number, event in enumerate(events):
        if number == cut:
            fresh = Attachment(SETTINGS, "SMSO")
            fresh.load(Saved(other.dump()))
            other = fresh
        assert EVENTS[event](one) == EVENTS[event](other)
    assert one.dump() == other.dump()


@given(st.lists(st.sampled_from(sorted(EVENTS)), max_size=14))
def test_a_hub_tells_only_networks_that_are_new_to_it_and_never_one_that_spoke(
    events: list[str],
) -> None:
    hub = Attachment(SETTINGS, "SMSO")
    party, spoken = "SMSO", True
    for event in events:
        told = CONTACT in EVENTS[event](hub)
        if hub.party != party:
            party, spoken = hub.party, False
        assert not (told and spoken)
        assert hub.attached or not told
        spoken = spoken or event == "spoken to"


def test_a_hub_without_a_network_section_seeks_once_and_sets_no_timer() -> None:
    hub = Attachment(None, "")
    assert hub.power_on(NOW) == [SeekNetwork()]
    assert hub.network("", NOW, tell) == []


def test_the_first_contact_says_who_has_come_and_what_it_runs() -> None:
    eui64 = Eui64.parse("02-53-02-00-00-00-00-31")
    said = data_notification.decode(first_contact(eui64, "10000001", 1, bytes(12)))
    assert said.invoke_id == 1
    assert said.date_time == bytes(12)
    assert isinstance(said.body.value, tuple)
    parts = [item.value for item in said.body.value]
    assert parts == [eui64.octets, b"10000001"]


def test_notifications_are_counted_and_their_number_never_leaves_its_24_bits() -> None:
    eui64 = Eui64.parse("02-53-02-00-00-00-00-31")
    said = data_notification.decode(first_contact(eui64, "10000001", (1 << 24) + 5, b""))
    assert said.invoke_id == 5
