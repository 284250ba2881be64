"""An emulated ESME of ours joins an emulated hub through bellows and a dongle, and answers it.

Its answers travel as fragments to the hub and come out on the hub's WAN; there the supplier opens
and reads them.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.crypto.test_certificates import all_credentials
from emulator.ncp.identity import CBKE_LIBRARIES, Identity
from emulator.runtime.dongle_home import Joining, install_codes
from emulator.runtime.dongle_hub import CHANNEL, HubPlan, surround
from emulator.runtime.hub_in_air import WAN_OUT
from emulator.servers import listen
from emulator.servers.dongle_service import DonglePlan, DongleService
from harness.benches.emulated_outlet_bench import Behind, OutletBench, outlet_bench
from harness.run_options import RunOptions
from hil.dongle_parts import credentials_of, node_endpoint
from hil.drivers.zigbee_node import DongleNode
from hil.drivers.zigbee_node_settings import NodeSettings
from hil.zigbee.settings import DongleSettings
from tests.emulator.runtime.hub_home_given import SEED, START, a_plan, device_of
from tests.hil.tunnelled_reads import opened, registers_request, version_request

CHF, ESME = device_of(DeviceType.CHF), device_of(DeviceType.ESME)
PATIENCE_S = 90
VERSIONS = [13, *(pytest.param(version, marks=pytest.mark.soak) for version in (8, 14, 18, 19))]


async def until(ready: Callable[[], bool]) -> None:
    """Look again and again, for as long as a loaded machine may need."""
    async with asyncio.timeout(PATIENCE_S):
        while not ready():  # noqa: ASYNC110 -- nobody tells when a world has come so far
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("version", VERSIONS)
def test_our_meter_joins_agrees_on_a_key_opens_its_tunnel_and_answers_reads(version: int) -> None:
    home = HubPlan(replace(a_plan(), elsewhere=frozenset({ESME})), ESME, True, Joining())
    own = all_credentials(SEED, ESME)
    identity = Identity(ESME, version, libraries=CBKE_LIBRARIES, credentials=own)
    place = listen.parse("tcp://127.0.0.1:0")
    plan = DonglePlan(identity, (), SEED, place, START, surround=surround(home))
    others = frozenset(one.role for one in a_plan().installation.devices) - {DeviceType.ESME}
    keys = {ESME: install_codes(SEED, [ESME])[ESME].link_key()}

    answers: list[bytes] = []

    def told(_at: UtcMs, note: Note) -> None:
        if note.kind == WAN_OUT:
            answers.append(bytes.fromhex(str(dict(note.fields)["octets"])))

    async def scene() -> None:
        service = DongleService(plan, told)
        behind = Behind(others, "loopback", "dongle", link_keys={**keys})
        bench = outlet_bench(RunOptions(seed=SEED, world="SMETS2+"), behind, OutletBench)
        settings = NodeSettings(
            DongleSettings(await service.open()),
            frozenset({CHF}),
            (node_endpoint(bench.profiles[ESME]),),
            cbke="host",
            credentials=lambda eui64: credentials_of(SEED, eui64),
        )
        try:
            network = await bench.join(await DongleNode.open(settings), [CHANNEL])
            assert network.extended_pan_id == CHF
            seen: list[str] = []

            def has_tunnel() -> bool:
                seen.extend(one.kind for one in bench.take_observations())
                return "tunnel_opened" in seen

            await until(has_tunnel)
            assert service.tell_home("gbcs", version_request(1_000).hex())
            await until(lambda: len(answers) == 1)
            assert service.tell_home("gbcs", registers_request(1_001).hex())
            await until(lambda: len(answers) == 2)
        finally:
            await bench.close()
            await service.close()

    asyncio.run(asyncio.wait_for(scene(), 3 * PATIENCE_S))
    one, other = map(opened, answers)
    assert (one.use_case, one.counter, one.results) == ("ECS52", 1_000, [0])
    assert one.values[0].value == b"\x01\0\0\0"
    assert (other.use_case, other.counter, other.results) == ("ECS17b", 1_001, [0])
