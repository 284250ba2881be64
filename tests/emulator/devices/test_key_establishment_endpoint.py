"""The key-establishment endpoint: two devices, their timers, attempts and memory."""

import json
from itertools import count

import pytest

from emulator.codecs.zcl import key_establishment as cluster
from emulator.codecs.zcl.key_establishment import (
    InitiateRequest,
    Terminate,
    TerminateStatus,
)
from emulator.core.chance import Stream
from emulator.core.effects import SendZcl
from emulator.core.errors import IllegalEventError
from emulator.crypto.cbke_session import BACK_OFF_S, MARGIN_S
from emulator.crypto.cbke_table import CbkeState
from emulator.devices.key_establishment import TIMERS
from tests.emulator.crypto.cbke_kit import HUB, METER
from tests.emulator.devices.key_home import SLOW, START, SUITE, Home, field


def test_a_meter_and_a_hub_agree_on_a_key() -> None:
    home = Home()
    home.begin(METER, HUB)
    home.run()
    assert home.agreed()
    assert len(home.frames) == 6
    assert home.kinds() == ["key_established", "key_established"]
    assert not home.timers
    sequences = [sent.frame[1] for sent in home.frames]
    assert sequences == [1, 1, 2, 2, 3, 3], "an answer repeats the number of its request"


def test_arithmetic_takes_the_time_the_settings_say_and_is_told_beforehand() -> None:
    home = Home(settings=SLOW)
    home.begin(METER, HUB)
    home.run()
    assert home.agreed()
    assert home.now == START + 2 * (4_500 + 9_000)
    first = home.commands()[0]
    assert isinstance(first, InitiateRequest)
    assert (first.ephemeral_time_s, first.confirm_time_s) == (5, 9)


def test_a_second_establishment_replaces_the_key() -> None:
    home = Home()
    home.begin(METER, HUB)
    home.run()
    older = home.ends[METER].link_keys[HUB]
    home.begin(METER, HUB)
    home.run()
    assert home.agreed()
    assert home.ends[METER].link_keys[HUB] != older


def test_no_note_and_no_frame_holds_a_key() -> None:
    home = Home()
    home.begin(METER, HUB)
    home.run()
    key = home.ends[METER].link_keys[HUB]
    assert key.hex() not in repr(home.notes)
    assert all(key not in sent.frame for sent in home.frames)
    assert key.hex() not in repr(home.ends[METER])


def test_the_attribute_tells_the_suites() -> None:
    (value,) = Home().ends[HUB].attributes().values()
    assert value.value == SUITE


# -- silence, attempts -------------------------------------------------------------------------


@pytest.mark.parametrize("lost", range(6))
def test_whatever_frame_is_lost_the_next_attempt_succeeds(lost: int) -> None:
    home = Home()
    numbers = count()
    home.pass_on = lambda sent: [] if next(numbers) == lost else [sent]
    home.begin(METER, HUB)
    home.run()
    assert home.agreed()
    ended = [note for note in home.notes if note.kind == "key_establishment_ended"]
    assert ended
    assert all(field(note, "status") is None for note in ended)
    assert home.now > START + 1000 * BACK_OFF_S


def test_an_initiator_gives_up_after_its_attempts() -> None:
    home = Home(settings=SLOW)
    home.pass_on = lambda _: []
    home.begin(METER, HUB)
    home.run()
    assert home.kinds() == ["ended", "ended", "given_up"]
    assert home.now == START + 1000 * (MARGIN_S + BACK_OFF_S + MARGIN_S)
    assert not home.ends[METER].link_keys
    home.pass_on = lambda sent: [sent]
    home.begin(METER, HUB)
    home.run()
    assert home.agreed()


def test_the_partners_waiting_time_is_kept() -> None:
    home = Home()
    told: list[int] = []

    def once(sent: SendZcl) -> list[SendZcl]:
        if told:
            return [sent]
        told.append(1)
        terminate = Terminate(TerminateStatus.NO_RESOURCES, 77, SUITE)
        home.say(HUB, METER, cluster.encode(terminate, 1, server_to_client=True))
        return []

    home.pass_on = once
    home.begin(METER, HUB)
    assert home.timers == {(METER, "cbke.retry"): START + 77_000} or home.kinds() == ["ended"]
    home.run()
    assert home.agreed()


def test_beginning_while_one_is_under_way_is_our_own_error() -> None:
    home = Home(settings=SLOW)
    home.begin(METER, HUB)
    with pytest.raises(IllegalEventError, match="under way"):
        home.begin(METER, HUB)


# -- power and memory --------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, 5, 10, 20])
def test_a_device_that_lost_power_forgets_the_exchange_and_keeps_its_keys(seconds: int) -> None:
    home = Home(settings=SLOW)
    home.begin(METER, HUB)
    home.run()
    older = dict(home.ends[METER].link_keys)
    home.begin(METER, HUB)
    home.run(seconds=seconds)
    home.perform(METER, home.ends[METER].lose_power())
    assert home.ends[METER].session is None
    assert home.ends[METER].link_keys == older
    assert not any(device == METER for device, _ in home.timers)
    home.begin(METER, HUB)
    home.run()
    assert home.agreed()


def test_no_secret_of_an_exchange_outlives_it() -> None:
    nothing = {"ephemeral": None, "agreement": None}
    for end in ("power", "silence"):
        home = Home(settings=SLOW)
        home.begin(METER, HUB)
        home.run(seconds=20)
        engines = [home.ends[device]._engines[SUITE] for device in (METER, HUB)]
        assert all(engine.dump() != nothing for engine in engines)
        home.pass_on = lambda _: []
        if end == "power":
            for device in (METER, HUB):
                home.perform(device, home.ends[device].lose_power())
        else:
            home.run(seconds=35)
        assert [engine.dump() for engine in engines] == [nothing] * 2


@pytest.mark.parametrize("seconds", [0, 5, 10, 20, 30])
def test_restored_devices_go_on_where_they_stood(seconds: int) -> None:
    whole, halved = Home(settings=SLOW), Home(settings=SLOW)
    for home in (whole, halved):
        home.begin(METER, HUB)
        home.run(seconds=seconds)
    for device in (METER, HUB):
        state = json.loads(json.dumps(halved.ends[device].dump()))
        halved.ends[device] = halved.endpoint(device, 1, SLOW)
        halved.ends[device].load(state)
        assert halved.ends[device].dump() == state
        # the streams of chance are the run's to restore: the same keys were drawn before
        whole_engine = whole.ends[device]._engines[SUITE]
        halved.ends[device]._engines[SUITE]._chance = Stream(
            1, str(device), whole_engine._chance.position
        )
    whole.run()
    halved.run()
    assert whole.agreed()
    assert halved.ends[METER].link_keys == whole.ends[METER].link_keys
    assert halved.ends[HUB].dump()["link_keys"] == whole.ends[HUB].dump()["link_keys"]


def test_a_timer_that_no_longer_matters_does_nothing() -> None:
    home = Home()
    for name in sorted(TIMERS):
        assert home.ends[HUB].on_timer(name, START) == []
    home.begin(METER, HUB)
    home.run()
    session = home.ends[METER].session
    assert session is not None
    assert session.state is CbkeState.ESTABLISHED
    for name in sorted(TIMERS):
        assert home.ends[METER].on_timer(name, home.now) == []
