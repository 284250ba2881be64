"""Several SMETS1 homes on one bench, their displays, and orders for one of them."""

import pytest

from device_profiles.loader import load_profile
from emulator.codecs.dlms import han_log
from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.han_log import LogRow
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.benches.emulated_smets1 import EmulatedSmets1Bench
from harness.errors import BenchError, UsageError
from tests.harness.smets1 import homes
from tests.harness.smets1.homes import DAY_MS, LOG, bench, credentials, opens, play, read, rotate

OWN, THIRD = "02-53-04-00-00-00-00-31", "02-53-04-00-00-00-00-32"
REFS = ("A-1", "B-2", "C-3")
THREE = tuple(homes.home(ref) for ref in REFS)


def test_homes_stand_beside_each_other_and_plain_roles_are_the_first_one_s() -> None:
    made = bench(homes=THREE)
    assert made.role("ESME") == made.role("ESME@A-1") == Eui64.parse(THREE[0].devices[2].eui64)
    assert len({made.role(f"ESME@{ref}") for ref in REFS}) == 3

    async def story() -> None:
        await rotate(made, "ESME@B-2", "SMSO", "S1SP")

    play(story)
    assert opens(made, "ESME@B-2") == (False, True)
    assert [opens(made, f"ESME@{ref}") for ref in ("A-1", "C-3")] == [(True, False)] * 2
    assert len(made.describe()) == 9


def test_homes_share_one_clock_and_have_sims_and_chance_of_their_own() -> None:
    made = bench(homes=THREE)

    async def story() -> list[UtcMs]:
        for ref in REFS:
            await made.hub_wan(f"CHF@{ref}").change_sim("S1SP")
        until = UtcMs(made.clock.now() + DAY_MS)
        notices = [await made.hub_wan(f"CHF@{ref}").notified("S1SP", until) for ref in REFS]
        return [notice.at for notice in notices if notice is not None]

    moments = play(story)
    assert len(set(moments)) == 3


def test_a_fault_can_be_for_one_home_alone() -> None:
    made = bench(homes=THREE, faults=["mute:home=B-2@wan"])

    async def story() -> list[bool]:
        reached = []
        for _round in range(2):
            for ref in REFS:
                own = credentials(made, f"ESME@{ref}", "SMSO")
                answer = await made.meter(f"ESME@{ref}", "wan").associate(own)
                reached.append(answer.accepted)
            await made.disturb("clear@wan")
            await made.disturb("mute:home=C-3,role=esme@wan")
        return reached

    assert play(story) == [True, False, True, True, True, False]


def test_homes_are_dumped_and_restored_together() -> None:
    one, other = bench(homes=THREE), bench(homes=THREE)

    async def before() -> bytes:
        await rotate(one, "GSME@C-3", "SMSO", "S1SP")
        await one.hub_wan("CHF@B-2").change_sim("S1SP")
        await one.disturb("mute:home=A-1@han")
        return one.dump()

    async def after(made: EmulatedSmets1Bench) -> tuple[object, ...]:
        until = UtcMs(made.clock.now() + DAY_MS // 4)
        notice = await made.hub_wan("CHF@B-2").notified("S1SP", until)
        port = made.meter("ESME@A-1", "wan")
        answer = await port.associate(credentials(made, "ESME@A-1", "SMSO"))
        frames = [(one.at_us, one.link, one.frame) for one in made.take_frames()]
        return notice, answer.silence, frames, made.dump()

    state = play(before)
    other.restore(state)
    assert play(lambda: after(one)) == play(lambda: after(other))
    with pytest.raises(BenchError, match="cannot be used"):
        bench(homes=THREE[:2]).restore(state)


def test_frames_and_facts_of_all_homes_come_in_order_of_time() -> None:
    made = bench(homes=THREE)

    async def story() -> None:
        for ref in reversed(REFS):
            own = credentials(made, f"ESME@{ref}", "SMSO")
            await made.meter(f"ESME@{ref}", "wan").associate(own)

    play(story)
    frames = [frame.at_us for frame in made.take_frames()]
    facts = [fact.at for fact in made.take_observations()]
    assert frames == sorted(frames)
    assert facts == sorted(facts)


def test_the_power_of_every_home_can_be_cut() -> None:
    made = bench(homes=THREE)

    async def story() -> None:
        await made.clock.sleep_until(UtcMs(made.clock.now() + 5_000))
        await made.power.cycle(made.role("ESME@C-3"), 5)
        with pytest.raises(BenchError, match="no device"):
            await made.power.cycle(Eui64(bytes(8)), 5)

    play(story)
    cut = [fact.device for fact in made.take_observations() if ("on", False) in fact.fields]
    assert cut == [made.role("ESME@C-3")]


def test_a_device_in_two_homes_or_a_ref_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="refs of their own"):
        bench(homes=(THREE[0], THREE[0]))
    other = THREE[0].model_copy(update={"ref": "Z-9"})
    with pytest.raises(UsageError, match="two of the homes"):
        bench(homes=(THREE[0], other))


# -- displays ------------------------------------------------------------------------------------


def rows(made: EmulatedSmets1Bench) -> dict[str, LogRow]:
    data = play(lambda: read(made, "CHF", LOG))
    assert data is not None
    return {str(row.eui64): row for row in han_log.decode_log(data)}


async def ordered(made: EmulatedSmets1Bench, index: int, data: Data) -> None:
    """Invoke a method of the device log as the SMSO, and let the HAN come to rest."""
    port = made.meter("CHF", "wan@SMSO")
    await port.associate(credentials(made, "CHF", "SMSO"))
    log = LOG.descriptor
    if index:
        answer = await port.action(Descriptor(log.class_id, log.obis, index), data)
        assert getattr(answer, "result", None) == 0
    else:
        joining = Attribute(Descriptor(log.class_id, log.obis, 2))
        assert await port.set([(joining, data)]) == (0,)
    await port.release()
    await made.clock.sleep_until(UtcMs(made.clock.now() + 60_000))


def joined(made: EmulatedSmets1Bench, eui64: str) -> str:
    return made.describe()[f"PPMID {eui64}"]["joined"]


def test_displays_of_a_home_have_joined_and_the_hub_tells_their_firmware() -> None:
    made = bench(homes=[homes.home(displays=[OWN, THIRD])])
    version = load_profile("demo-s1-ppmid").identity.firmware_version.encode()
    told = rows(made)
    for eui64 in (OWN, THIRD):
        assert told[eui64] == LogRow(Eui64.parse(eui64), "PPMID", joined=True, firmware=version)
        assert joined(made, eui64) == "yes"
    assert str(made.role("PPMID")) == OWN


def test_a_display_leaves_with_its_row_and_joins_again_when_it_is_added_and_the_han_opens() -> None:
    made = bench(homes=[homes.home(displays=[OWN])])
    display = Eui64.parse(OWN)
    octets = Data(Tag.OCTETS, display.octets)
    steps = [
        (lambda: ordered(made, 2, octets), "no"),
        (lambda: ordered(made, 1, han_log.encode_entry(display, "PPMID")), "no"),
        (lambda: ordered(made, 0, Data(Tag.BOOLEAN, 1)), "yes"),
        (lambda: ordered(made, 12, octets), "no"),
    ]
    for step, wanted in steps:
        play(step)
        assert joined(made, OWN) == wanted
    told = [dict(fact.fields) for fact in made.take_observations() if fact.kind == "han_joined"]
    assert [one["joined"] for one in told] == [False, True, False]
    assert not rows(made)[OWN].joined
    han = [frame for frame in made.take_frames() if frame.link == "han"]
    assert han  # all of it crossed the HAN in octets


def test_a_display_without_a_row_asks_in_vain_when_it_gets_power() -> None:
    made = bench("s1-chf-log-lacks-ppmid", homes=[homes.home(displays=[OWN])])

    async def story() -> None:
        await made.clock.sleep_until(UtcMs(made.clock.now() + 60_000))

    play(story)
    assert joined(made, OWN) == "no"
    changes = [dict(fact.fields) for fact in made.take_observations() if fact.kind == "device_log"]
    assert {"device": OWN, "change": "refused"} in changes


def test_a_display_holds_no_credentials_of_any_head_end() -> None:
    made = bench(homes=[homes.home(displays=[OWN])])
    for ask in (lambda: made.meter("PPMID"), lambda: made.credentials("PPMID", "management")):
        with pytest.raises(BenchError, match="no DLMS server"):
            ask()
    kept = made.memory("PPMID")
    assert kept is not None
    assert kept["joined"] == "True"
