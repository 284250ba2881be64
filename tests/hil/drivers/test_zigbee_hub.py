"""The hub driver on bellows and zigpy as published, against the emulated dongle."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from pathlib import Path

import pytest

from emulator.codecs.zcl.key_establishment import KeySuite
from harness.errors import BenchError, UsageError
from harness.han_ports import Delivery, HanEventKind, HanFrame, Permit
from hil.drivers.zigbee_hub import DongleHub
from hil.zigbee.errors import DongleMissingError, DongleUnfitError
from hil.zigbee.hub_settings import Cbke, HubSettings
from hil.zigbee.settings import DongleSettings
from tests.emulator.ncp.home_given import BATTERY, CHF_ENDPOINT, ENDPOINT, METER, SLEEPER, a_plan
from tests.emulator.ncp.ncp_given import DONGLE
from tests.hil.drivers.hub_given import (
    CHF,
    CODE,
    METERING,
    Echo,
    ask,
    event,
    hub_on,
    join,
    read_register,
    secured,
    served,
    settings,
)

KEY = CODE.link_key()
soak = pytest.mark.soak
EVERY = [
    (13, "pty"),
    (14, "tcp://127.0.0.1:0"),
    pytest.param(8, "tcp://127.0.0.1:0", marks=soak),
    pytest.param(18, "pty", marks=soak),
    pytest.param(19, "tcp://127.0.0.1:0", marks=soak),
]


def play(scene: Awaitable[None], seconds: float = 60) -> None:
    """Run a scene to its end."""
    asyncio.run(asyncio.wait_for(scene, seconds))


@pytest.mark.parametrize(("version", "place"), EVERY)
def test_nodes_join_by_their_install_codes_and_talk_both_ways_at_any_length(
    version: int, place: str
) -> None:
    async def scene() -> None:
        long = bytes((0x01, 1, 0x42)) + bytes(range(256)) * 5
        plans = (
            a_plan(key=KEY, application=Echo()),
            a_plan(SLEEPER, key=KEY, capability=int(BATTERY)),
        )
        async with (
            served(*plans, version=version, place=place) as dongle,
            hub_on(dongle.address) as hub,
        ):
            assert hub.eui64 == DONGLE
            await join(hub, METER, SLEEPER, key=KEY)
            assert set(await hub.nodes()) == {METER, SLEEPER}
            assert (await ask(hub, METER, long)).octets == long
            short = await ask(hub, METER, b"\x01\x02\x43", acknowledged=False)
            assert (short.octets, short.peer_endpoint) == (b"\x01\x02\x43", ENDPOINT)
            answer = await ask(hub, SLEEPER, read_register())
            assert answer.octets[:3] == bytes((0x18, 1, 1))

    play(scene())


@pytest.mark.parametrize(
    ("version", "cbke", "suite"),
    [
        (13, "host", KeySuite.CBKE_283),
        (14, "ncp", KeySuite.CBKE_283),
        pytest.param(13, "ncp", KeySuite.CBKE_163, marks=soak),
        pytest.param(8, "host", KeySuite.CBKE_163, marks=soak),
        pytest.param(8, "ncp", KeySuite.CBKE_283, marks=soak),
        pytest.param(19, "host", KeySuite.CBKE_283, marks=soak),
    ],
)
def test_a_node_that_has_agreed_on_a_key_is_spoken_to_under_it(
    version: int, cbke: Cbke, suite: KeySuite
) -> None:
    async def scene() -> None:
        long = bytes((0x01, 1, 0x42)) + bytes(600)
        plan = secured(a_plan(key=KEY, application=Echo()), suite)
        async with (
            served(plan, version=version, image=cbke == "ncp") as dongle,
            hub_on(dongle.address, cbke) as hub,
        ):
            await join(hub, METER, key=KEY)
            await event(hub, HanEventKind.KEY_ESTABLISHED, METER)
            assert (await ask(hub, METER, long)).octets == long
            assert (await ask(hub, METER, b"\x01\x02\x43")).octets == b"\x01\x02\x43"
            assert "key_established" in dongle.kinds()
            assert "han_frame_discarded" not in dongle.kinds()

    play(scene())


@pytest.mark.parametrize(
    ("authority", "why"), [("other", "UNKNOWN_ISSUER"), ("impostor", "BAD_KEY_CONFIRM")]
)
def test_a_certificate_of_another_authority_gets_no_key(authority: str, why: str) -> None:
    async def scene() -> None:
        plan = secured(a_plan(key=KEY), authority=authority)
        async with served(plan) as dongle, hub_on(dongle.address, "host") as hub:
            await join(hub, METER, key=KEY)
            refused = await event(hub, HanEventKind.KEY_REFUSED, METER)
            assert why in refused.why

    play(scene())


def test_a_wrong_install_code_lets_nobody_in_and_a_stranger_is_sent_away() -> None:
    async def scene() -> None:
        plans = (a_plan(key=KEY), a_plan(SLEEPER, key=KEY))
        async with served(*plans) as dongle, hub_on(dongle.address) as hub:
            await hub.permit(Permit(METER, bytes(16)))
            assert await hub.received(3) is None
            assert await hub.nodes() == ()
            assert "han_key_not_understood" in dongle.kinds()
            refused = [n for n in dongle.notes if n.kind == "han_join_failed"]
            assert any("turned away" in str(note.fields) for note in refused)

    play(scene())


def test_a_node_without_an_install_code_joins_under_the_well_known_key_alone() -> None:
    async def scene() -> None:
        async with served(a_plan(), a_plan(SLEEPER)) as dongle, hub_on(dongle.address) as hub:
            await join(hub, METER)
            assert await hub.nodes() == (METER,)

    play(scene())


def test_leave_to_join_is_short_and_ends_with_the_driver() -> None:
    async def scene() -> None:
        async with served(a_plan(key=KEY)) as dongle:
            async with hub_on(dongle.address) as hub:
                with pytest.raises(UsageError, match="61 s"):
                    await hub.permit(Permit(METER, KEY, 61))
                await hub.permit(Permit(SLEEPER, KEY))
            ram = dongle.service._dongle.ncp.state.ram
            assert not ram.permit
            assert not ram.transient_keys

    play(scene())


def test_a_node_that_is_dismissed_is_gone() -> None:
    async def scene() -> None:
        async with served(a_plan(key=KEY)) as dongle, hub_on(dongle.address) as hub:
            await join(hub, METER, key=KEY)
            assert await hub.dismiss(METER) == Delivery(True)
            await event(hub, HanEventKind.LEFT, METER)
            assert await hub.nodes() == ()
            frame = HanFrame(METER, METERING, read_register(), ENDPOINT, CHF_ENDPOINT)
            assert await hub.send(frame) == Delivery(False, "no-such-node")
            assert await hub.dismiss(METER) == Delivery(False, "no-such-node")

    play(scene())


def test_a_network_is_resumed_and_not_formed_again(tmp_path: Path) -> None:
    state = tmp_path / "dongle.json"

    async def first() -> dict[str, object]:
        plan = secured(a_plan(key=KEY))
        async with served(plan, state=state) as dongle, hub_on(dongle.address, "host") as hub:
            await join(hub, METER, key=KEY)
            await event(hub, HanEventKind.KEY_ESTABLISHED, METER)
            return hub.dump()

    async def again(kept: dict[str, object]) -> None:
        plan = secured(a_plan(key=KEY))
        async with served(plan, state=state) as dongle:
            hub = await DongleHub.open(settings(dongle.address, "host"))
            try:
                hub.load(kept)
                network = await hub.form(20)
                assert (network.extended_pan_id, network.channel) == (DONGLE, 15)
                assert await hub.nodes() == (METER,)
                assert (await ask(hub, METER, read_register())).octets[1] == 1
            finally:
                await hub.close()

    play(again(asyncio.run(first())))


def test_a_dongle_that_keeps_another_network_is_refused_unless_its_owner_says_so(
    tmp_path: Path,
) -> None:
    state = tmp_path / "dongle.json"

    async def scene() -> None:
        async with served(state=state) as dongle:
            async with hub_on(dongle.address):
                ncp = dongle.service._dongle.ncp.state
            assert ncp.nv.network is not None
            foreign = replace(ncp.nv.network.parameters, extended_pan_id=METER)
            ncp.nv.network = replace(ncp.nv.network, parameters=foreign)
            hub = await DongleHub.open(settings(dongle.address))
            with pytest.raises(DongleUnfitError, match="not this hub's"):
                await hub.form(15)
            await hub.close()
            async with hub_on(dongle.address, replaces=True):
                assert ncp.nv.network.parameters.extended_pan_id == DONGLE

    play(scene())


def test_what_is_no_dongle_is_said_in_words(tmp_path: Path) -> None:
    async def scene() -> None:
        nowhere = HubSettings(DongleSettings(str(tmp_path / "nothing")), (CHF,))
        with pytest.raises(DongleMissingError, match="is not there"):
            await DongleHub.open(nowhere)
        closed = HubSettings(DongleSettings("tcp://127.0.0.1:9"), (CHF,))
        with pytest.raises(DongleMissingError, match="is not there"):
            await DongleHub.open(closed)
        async with served(version=8) as dongle:
            line = DongleSettings(dongle.address, versions=(13, 19))
            with pytest.raises(DongleUnfitError, match="speaks EZSP v8"):
                await DongleHub.open(HubSettings(line, (CHF,)))
        async with served() as dongle:
            hub = await DongleHub.open(settings(dongle.address, "ncp"))
            with pytest.raises(DongleUnfitError, match="establishes no keys by itself"):
                await hub.form(15)
            await hub.close()
            with pytest.raises(BenchError, match="closed"):
                await hub.nodes()

    play(scene())
