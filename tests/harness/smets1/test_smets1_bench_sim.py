"""The SIM of a SMETS1 home on its bench: who reaches the hub, first contact, faults, memory."""

import pytest

from emulator.codecs.dlms import data_notification
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.benches.emulated_smets1 import EmulatedSmets1Bench
from harness.errors import BenchError, UsageError
from harness.meter import Silence
from harness.ports import Notice, SimAnswer
from tests.harness.smets1 import homes
from tests.harness.smets1.homes import DAY_MS, bench, credentials, play

WEEK_MS = 7 * DAY_MS
LEAN = homes.lean()


def lean(*faults: str, seed: int = 1) -> EmulatedSmets1Bench:
    """A bench of a home in which days cost nothing."""
    return bench(homes=[LEAN], faults=faults, seed=seed)


def test_a_head_end_reaches_the_hub_only_while_the_sim_is_on_its_network() -> None:
    made = lean()
    hub = made.hub_wan()

    async def story() -> list[tuple[bool, Silence | None]]:
        tried = []
        for way in ("wan@SMSO", "wan@S1SP"):
            answer = await made.meter("ESME", way).associate(credentials(made, "ESME", "SMSO"))
            tried.append((answer.accepted, answer.silence))
        assert (await hub.change_sim("S1SP")).done
        assert await hub.notified("S1SP", UtcMs(made.clock.now() + DAY_MS))
        for way in ("wan@SMSO", "wan@S1SP", "wan"):
            answer = await made.meter("ESME", way).associate(credentials(made, "ESME", "SMSO"))
            tried.append((answer.accepted, answer.silence))
        return tried

    nobody, somebody = (False, Silence.NO_ANSWER), (True, None)
    assert play(story) == [somebody, nobody, nobody, somebody, somebody]


def test_a_frame_for_a_hub_on_another_network_is_captured_as_lost() -> None:
    made = lean()

    async def story() -> None:
        await made.meter("ESME", "wan@S1SP").associate(credentials(made, "ESME", "SMSO"))

    play(story)
    frames = [frame for frame in made.take_frames() if frame.link == "wan-in"]
    assert frames
    assert all("not on the network of the S1SP (lost)" in frame.comment for frame in frames)
    assert all("stand-in" in frame.comment for frame in frames)


def test_first_contact_says_who_has_come_in_octets_that_are_captured() -> None:
    made = lean()
    hub = made.hub_wan()

    async def story() -> Notice | None:
        await hub.change_sim("S1SP")
        assert await hub.notified("SMSO", UtcMs(made.clock.now() + DAY_MS)) is None
        return await hub.notified("S1SP", UtcMs(made.clock.now() + DAY_MS))

    notice = play(story)
    assert notice is not None
    said = data_notification.decode(notice.octets)
    assert isinstance(said.body.value, tuple)
    assert [item.value for item in said.body.value] == [made.role("CHF").octets, b"10000001"]
    out = [one for one in made.take_frames() if one.link == "wan-out"]
    assert out[0].frame[8:] == notice.octets
    assert all(one.comment.startswith("stand-in") for one in out)
    kinds = {fact.kind for fact in made.take_observations()}
    assert {"sim_moved", "wan_attached", "first_contact"} <= kinds


@pytest.mark.parametrize(
    ("seconds", "heard"), [(WEEK_MS // 1000 - 1, True), (WEEK_MS // 1000, False)]
)
def test_contact_at_the_last_second_of_seven_days_wins_and_at_seven_days_loses(
    seconds: int, heard: bool
) -> None:
    made = lean(f"late:s={seconds}@sim")
    hub = made.hub_wan()

    async def story() -> tuple[Notice | None, Notice | None, int]:
        began = made.clock.now()
        await hub.change_sim("S1SP")
        first = await hub.notified("S1SP", UtcMs(began + WEEK_MS))
        assert made.clock.now() - began <= WEEK_MS
        return first, await hub.notified("S1SP", UtcMs(began + WEEK_MS + 1000)), began

    first, later, began = play(story)
    assert (first is not None) is heard
    assert first is None or first.at == began + 1000 * seconds
    assert later is None or later.at == began + WEEK_MS  # it stays for the next call


def test_a_hub_that_is_muted_never_comes_and_comes_when_the_mute_ends() -> None:
    made = lean()
    hub = made.hub_wan()

    async def story() -> tuple[Notice | None, Notice | None]:
        await made.disturb("mute@sim")
        await hub.change_sim("S1SP")
        silent = await hub.notified("S1SP", UtcMs(made.clock.now() + 2 * DAY_MS))
        await made.disturb("clear@sim")
        return silent, await hub.notified("S1SP", UtcMs(made.clock.now() + DAY_MS))

    silent, heard = play(story)
    assert silent is None
    assert heard is not None


def test_a_hub_tells_again_until_its_new_head_end_speaks_to_it() -> None:
    made = lean("mute:n=1@wan-out")
    hub = made.hub_wan()

    async def story() -> list[Notice | None]:
        await hub.change_sim("S1SP")
        began = made.clock.now()
        notices = [await hub.notified("S1SP", UtcMs(began + DAY_MS)) for _number in range(2)]
        await made.meter("CHF", "wan@S1SP").associate(credentials(made, "CHF", "SMSO"))
        return [*notices, await hub.notified("S1SP", UtcMs(began + 3 * DAY_MS))]

    first, second, none = play(story)
    assert first is not None
    assert second is not None
    assert none is None
    assert first.octets != second.octets


def test_a_refused_move_is_an_answer_and_the_next_one_may_go() -> None:
    made = lean("refuse:times=1@sim")
    hub = made.hub_wan()

    async def story() -> list[SimAnswer | str]:
        return [
            await hub.change_sim("S1SP"),
            await hub.sim_owner(),
            await hub.change_sim("S1SP"),
            await hub.sim_owner(),
        ]

    refused, before, moved, after = play(story)
    assert isinstance(refused, SimAnswer)
    assert not refused.done
    assert refused.why
    assert (before, moved, after) == ("SMSO", SimAnswer(True), "S1SP")


@pytest.mark.parametrize("octet", [0, 7, 9, 20, 30, -1])
def test_a_notice_that_is_damaged_on_the_way_arrives_damaged_or_not_at_all(octet: int) -> None:
    def told(*faults: str) -> Notice | None:
        made = lean(*faults)
        hub = made.hub_wan()

        async def story() -> Notice | None:
            await hub.change_sim("S1SP")
            return await hub.notified("S1SP", UtcMs(made.clock.now() + DAY_MS // 5))

        return play(story)

    whole, damaged = told(), told(f"corrupt:octet={octet},bit=0,n=1@wan-out")
    assert whole is not None
    assert damaged is None or damaged.octets != whole.octets


@pytest.mark.parametrize("hours", [0, 1, 3, 4, 12])
def test_homes_that_are_dumped_and_restored_at_any_moment_go_on_with_the_same_octets(
    hours: int,
) -> None:
    one, other = bench(), bench()

    async def until_the_dump() -> bytes:
        await one.meter("GSME", "wan@SMSO").associate(credentials(one, "GSME", "SMSO"))
        await one.disturb("drop:times=1@wan-out")
        await one.hub_wan().change_sim("S1SP")
        await one.clock.sleep_until(UtcMs(one.clock.now() + hours * 3_600_000))
        return one.dump()

    async def from_there(which: str) -> tuple[object, ...]:
        made = one if which == "one" else other
        until = UtcMs(made.clock.now() + DAY_MS)
        notice = await made.hub_wan().notified("S1SP", until)
        answer = await made.meter("ESME", "wan@S1SP").associate(credentials(made, "ESME", "SMSO"))
        frames = [(frame.at_us, frame.link, frame.frame) for frame in made.take_frames()]
        return notice, answer, frames, made.dump()

    state = play(until_the_dump)
    other.restore(state)
    assert other.dump() == state
    assert play(lambda: from_there("one")) == play(lambda: from_there("other"))


def test_two_benches_of_one_seed_hear_the_hub_at_the_same_moment_and_of_another_seed_not() -> None:
    def moment(seed: int) -> UtcMs:
        made = lean(seed=seed)
        hub = made.hub_wan()

        async def story() -> Notice | None:
            await hub.change_sim("S1SP")
            return await hub.notified("S1SP", UtcMs(made.clock.now() + DAY_MS))

        notice = play(story)
        assert notice is not None
        return notice.at

    assert moment(5) == moment(5)
    assert moment(5) != moment(6)


def test_what_waited_for_a_hub_without_power_is_gone_when_its_sim_moves() -> None:
    def taken(*, moves: bool) -> bool:
        made = lean()

        async def story() -> bool:
            await made.clock.sleep_until(UtcMs(made.clock.now() + 1000))
            await made.disturb("power-loss:after_s=0,off_s=90@chf")
            await made.clock.sleep_until(UtcMs(made.clock.now() + 1000))
            await made.meter("CHF", "wan@SMSO").associate(credentials(made, "CHF", "SMSO"))
            if moves:
                await made.hub_wan().change_sim("S1SP")
            await made.clock.sleep_until(UtcMs(made.clock.now() + 120_000))
            facts = made.take_observations()
            assert "wan_message_waits" in {fact.kind for fact in facts}
            return "dlms_association" in {fact.kind for fact in facts}

        return play(story)

    assert taken(moves=False)
    assert not taken(moves=True)


def test_head_ends_that_present_themselves_alike_go_on_counting_from_each_other() -> None:
    made = lean()

    async def story() -> list[bool]:
        accepted = []
        for to in ("S1SP", "SMSO", "S1SP"):
            own = credentials(made, "ESME", "SMSO")
            accepted.append((await made.meter("ESME", "wan").associate(own)).accepted)
            await made.hub_wan().change_sim(to)
            await made.hub_wan().notified(to, UtcMs(made.clock.now() + DAY_MS))
        return accepted

    assert play(story) == [True, True, True]


def test_wrong_use_is_an_error_for_people() -> None:
    made = lean()

    async def story() -> None:
        with pytest.raises(UsageError, match="no mobile network"):
            await made.hub_wan().change_sim("DCO")
        with pytest.raises(UsageError, match="no mobile network"):
            await made.hub_wan().notified("DCC", made.clock.now())
        with pytest.raises(UsageError, match="means nothing"):
            await made.disturb("late@sim")
        with pytest.raises(UsageError, match="no link"):
            await made.disturb("clear@sky")

    play(story)
    with pytest.raises(BenchError, match="no SIM"):
        made.hub_wan("ESME")
    with pytest.raises(BenchError, match="no home"):
        made.hub_wan("CHF@ELSEWHERE")
    with pytest.raises(BenchError, match="no DLMS wan@DCO"):
        made.meter("ESME", "wan@DCO")
    assert made.role("CHF") == Eui64.parse("02-53-02-00-00-00-00-31")
