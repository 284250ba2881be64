"""What a SMETS1 bench says of the inside of devices: ownership, memory, keys written, queues."""

import pytest

from emulator.codecs.dlms.apdu_parts import ActionResult, Descriptor
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.clock import UtcMs
from harness.benches.kept_memory import LEFT_OUT_ROW, kept
from harness.errors import BenchError
from harness.meter import Silence
from tests.harness.smets1.homes import (
    HOLDERS,
    LOG,
    SERIAL,
    bench,
    credentials,
    opens,
    play,
    read,
    rotate,
)

SMSO, S1SP, NEITHER = (True, False), (False, True), (False, False)


@pytest.mark.parametrize("role", HOLDERS)
def test_ownership_is_what_associations_with_both_parties_keys_show(role: str) -> None:
    made = bench()

    async def story() -> list[tuple[bool | None, bool | None]]:
        owners = [opens(made, role)]
        assert await rotate(made, role, "SMSO", "S1SP") is ActionResult.SUCCESS
        owners.append(opens(made, role))
        own, other = credentials(made, role, "S1SP"), credentials(made, role, "SMSO")
        port = made.meter(role, "wan@SMSO")
        assert (await port.associate(own)).accepted  # what the copy says, the device does
        assert not (await port.associate(other)).accepted
        assert await rotate(made, role, "SMSO", "SMSO") is None
        return owners

    assert play(story) == [SMSO, S1SP]


@pytest.mark.parametrize("role", HOLDERS)
def test_asking_who_can_operate_a_device_leaves_no_trace_on_it(role: str) -> None:
    made = bench()

    async def story() -> None:
        await rotate(made, role, "SMSO", "S1SP")
        made.take_observations()
        before = made.dump()
        for _number in range(3):
            assert opens(made, role) == S1SP
        assert made.dump() == before
        assert made.take_observations() == []

    play(story)


def test_a_copy_is_asked_whatever_the_device_does_just_now() -> None:
    made = bench()

    async def story() -> None:
        await made.clock.sleep_until(UtcMs(made.clock.now() + 60_000))
        await made.disturb("power-loss:after_s=0,off_s=0@esme")
        await made.disturb("mute@han")
        await made.clock.sleep_until(UtcMs(made.clock.now() + 1_000))
        assert opens(made, "ESME") == SMSO
        assert opens(made, "GSME") == SMSO

    play(story)


def test_a_memory_is_the_same_when_all_was_put_back_and_another_when_something_was_not() -> None:
    made = bench()

    async def story() -> None:
        before = {role: made.memory(role) for role in HOLDERS}
        for role in HOLDERS:
            await rotate(made, role, "SMSO", "S1SP")
        between = {role: made.memory(role) for role in HOLDERS}
        assert all(between[role] != before[role] for role in HOLDERS)
        await made.clock.sleep_until(UtcMs(made.clock.now() + 5 * 86_400_000))
        for role in HOLDERS:
            assert await read(made, role, SERIAL, "SMSO") is None
            port = made.meter(role, "wan@SMSO")
            assert (await port.associate(credentials(made, role, "S1SP"))).accepted
        for role in HOLDERS:
            await restored(role)
        assert {role: made.memory(role) for role in HOLDERS} == before

    async def restored(role: str) -> None:
        await made.hub_wan().change_sim("S1SP")
        if await made.hub_wan().sim_owner() == "S1SP":
            await made.hub_wan().notified("S1SP", UtcMs(made.clock.now() + 86_400_000))
        assert await rotate(made, role, "S1SP", "SMSO") is ActionResult.SUCCESS

    play(story)


def test_no_key_shows_in_a_memory_and_what_is_left_out_is_named() -> None:
    made = bench()
    keys = credentials(made, "ESME", "SMSO").keys
    assert keys is not None

    async def story() -> str:
        await rotate(made, "ESME", "SMSO", "S1SP")
        return str(made.memory("ESME"))

    told = play(story)
    other = credentials(made, "ESME", "S1SP").keys
    assert other is not None
    for key in (keys.unicast, keys.authentication, keys.master, other.unicast):
        assert key.hex() not in told
    kept = made.memory("ESME")
    assert kept is not None
    left_out = kept[LEFT_OUT_ROW]
    assert "security.counters" in left_out
    assert "meter.logs" in left_out


def test_secrets_stand_in_a_memory_as_digests_wherever_they_lie() -> None:
    state = {"server": {"security": {"keys": {"unicast": "aa"}, "counters": {"sent": {"x": 1}}}}}
    rows = kept(state)
    assert rows["server.security.keys.unicast"] not in {"aa", ""}
    assert kept({"server": {"security": {"keys": {"unicast": "ab"}}}}) != rows
    assert not [path for path in rows if "counters" in path and path != LEFT_OUT_ROW]


# -- power over a key write ----------------------------------------------------------------------


@pytest.mark.parametrize("role", HOLDERS)
@pytest.mark.parametrize(("effect", "owner"), [("taken", S1SP), ("lost", SMSO)])
def test_a_power_cut_over_a_key_write_leaves_the_one_owner_or_the_other(
    role: str, effect: str, owner: tuple[bool, bool]
) -> None:
    made = bench()

    async def story() -> ActionResult | None:
        await made.disturb(f"key-write-cut:effect={effect},off_s=30@{role.lower()}")
        answer = await rotate(made, role, "SMSO", "S1SP")
        assert opens(made, role) == owner
        await made.clock.sleep_until(UtcMs(made.clock.now() + 60_000))
        party = "S1SP" if effect == "taken" else "SMSO"
        again = await made.meter(role, "wan@SMSO").associate(credentials(made, role, party))
        assert again.accepted
        return answer

    assert play(story) is None
    kinds = [fact.kind for fact in made.take_observations()]
    assert "key_write_cut" in kinds


def test_a_cut_of_a_key_write_strikes_once_and_survives_a_dump() -> None:
    made, other = bench(faults=["key-write-cut@esme"]), bench(faults=["key-write-cut@esme"])

    async def begin() -> bytes:
        await made.clock.sleep_until(UtcMs(made.clock.now() + 5_000))
        return made.dump()

    async def story() -> list[ActionResult | None]:
        first = await rotate(other, "ESME", "SMSO", "S1SP")
        await other.clock.sleep_until(UtcMs(other.clock.now() + 120_000))
        return [first, await rotate(other, "ESME", "SMSO", "S1SP")]

    other.restore(play(begin))
    assert play(story) == [None, ActionResult.SUCCESS]


# -- the gas meter's queue, the device log -------------------------------------------------------


def test_a_request_that_outlives_the_queue_of_the_hub_is_never_carried_out() -> None:
    made = bench()

    async def story() -> None:
        await made.clock.sleep_until(UtcMs(made.clock.now() + 60_000))
        await made.disturb("mute:to=chf@han")  # the meter wakes and asks, and is not heard
        answer = await made.meter("GSME").associate(credentials(made, "GSME", "SMSO"))
        assert answer.silence is Silence.NO_ANSWER
        await made.clock.sleep_until(UtcMs(made.clock.now() + 3 * 3_600_000))
        await made.disturb("clear@han")
        await made.clock.sleep_until(UtcMs(made.clock.now() + 3_600_000))

    play(story)
    facts = made.take_observations()
    of_meter = {fact.kind for fact in facts if fact.device == made.role("GSME")}
    of_hub = {fact.kind for fact in facts if fact.device == made.role("CHF")}
    assert "dlms_association" not in of_meter
    assert "tunnel_message_expired" in of_hub


def test_a_device_that_is_taken_out_of_the_log_cannot_be_reached_until_it_is_back() -> None:
    made = bench()

    async def story() -> list[object]:
        log = await read(made, "CHF", LOG)
        assert log is not None
        assert isinstance(log.value, tuple)
        row = log.value[0].value
        assert isinstance(row, tuple)
        port = made.meter("CHF")
        await port.associate(credentials(made, "CHF", "SMSO"))
        entry = Data(Tag.STRUCTURE, (row[0], row[1]))
        seen: list[object] = [await port.action(method(2), row[0])]
        seen.append((await made.meter("ESME").associate(credentials(made, "ESME", "SMSO"))).silence)
        seen.append(await port.action(method(1), entry))
        seen.append(
            (await made.meter("ESME").associate(credentials(made, "ESME", "SMSO"))).accepted
        )
        return seen

    removed, silence, added, reached = play(story)
    assert (getattr(removed, "result", None), getattr(added, "result", None)) == (0, 0)
    assert (silence, reached) == (Silence.NO_ANSWER, True)


def method(index: int) -> Descriptor:
    return Descriptor(LOG.descriptor.class_id, LOG.descriptor.obis, index)


def test_roles_without_a_server_or_a_home_are_errors_for_people() -> None:
    made = bench()
    for ask in (made.memory, made.role):
        with pytest.raises(BenchError, match="no PPMID"):
            ask("PPMID")
    with pytest.raises(BenchError, match="no home 'X'"):
        opens(made, "ESME@X")
