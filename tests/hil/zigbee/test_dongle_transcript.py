"""The line of a dongle on file: octet for octet, without keys; and the dongle played from it."""

import asyncio
from pathlib import Path

import pytest

from harness.dlms_view.line import Way
from harness.han_ports import HanEventKind, HanFrame
from hil.zigbee import transcript
from hil.zigbee.replay_place import ReplayedDongleEndpoint
from hil.zigbee.transcript import DongleTranscript
from tests.emulator.ncp.home_given import METER, a_plan
from tests.hil.drivers.hub_given import CODE, Echo, ask, event, hub_on, join, secured, served

LONG = bytes((0x01, 1, 0x42)) + bytes(range(256)) * 2


async def _session(address: str, tap: DongleTranscript | None) -> list[object]:
    """Form, let a meter join, agree on a key, send a long message; return what was heard."""
    async with hub_on(address, "host", tap=tap) as hub:
        network = await hub.form(15)
        await join(hub, METER, key=CODE.link_key())
        await event(hub, HanEventKind.KEY_ESTABLISHED, METER)
        answer = await ask(hub, METER, LONG)
        assert isinstance(answer, HanFrame)
        return [network, *await hub.nodes(), answer.octets]


@pytest.mark.parametrize("version", [13, pytest.param(14, marks=pytest.mark.soak)])
def test_a_recorded_dongle_says_offline_what_it_said_and_no_key_is_on_file(
    version: int, tmp_path: Path
) -> None:
    path = tmp_path / "dongle.pcapng"

    async def record() -> tuple[list[object], list[bytes]]:
        tap = DongleTranscript(path)
        plan = secured(a_plan(key=CODE.link_key(), application=Echo()))
        async with served(plan, version=version) as dongle:
            heard = await _session(dongle.address, tap)
            state = dongle.service._dongle.ncp.state
            assert state.nv.security is not None
            secrets = [state.nv.security.network_key, CODE.link_key()]
            secrets += [key for _partner, key in state.nv.link_keys.values()]
        about = tap.finish()
        assert about.complete
        assert len(about.sha256) == 64
        assert about.ezsp == version
        return heard, secrets

    def replay() -> tuple[list[object], list[object]]:
        endpoint = ReplayedDongleEndpoint(path)
        try:
            heard = asyncio.run(asyncio.wait_for(_session(endpoint.start(), None), 60))
        finally:
            endpoint.stop()
        return heard, [*endpoint.dongle.differences]

    heard, secrets = asyncio.run(asyncio.wait_for(record(), 60))
    assert path.stat().st_mode & 0o777 == 0o600
    chunks = transcript.read(path)
    assert {chunk.way for chunk in chunks} == set(Way)
    frames = [transcript.data_frame(chunk.octets) for chunk in chunks]
    for secret in secrets:
        assert not any(frame is not None and secret in frame.payload for frame in frames)
    again, unknown = replay()
    assert again == heard
    assert unknown == []
