"""An emulated ESME of ours joins an emulated hub through bellows and a dongle, and answers it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from device_profiles.words import DeviceType
from emulator.crypto.test_certificates import all_credentials
from emulator.ncp.identity import CBKE_LIBRARIES, Identity
from emulator.runtime.dongle_home import Joining, install_codes
from emulator.runtime.dongle_hub import CHANNEL, HubPlan, surround
from emulator.servers import listen
from emulator.servers.dongle_service import DonglePlan, DongleService
from harness.benches.emulated_outlet_bench import Behind, OutletBench, outlet_bench
from harness.run_options import RunOptions
from hil.dongle_parts import credentials_of, node_endpoint
from hil.drivers.zigbee_node import DongleNode
from hil.drivers.zigbee_node_settings import NodeSettings
from hil.zigbee.settings import DongleSettings
from tests.emulator.runtime.hub_home_given import SEED, START, a_plan, ask_version, device_of

CHF, ESME = device_of(DeviceType.CHF), device_of(DeviceType.ESME)
PATIENCE_S = 90
ANSWERS = "tunnel.transfer-data"


async def until(ready: Callable[[], bool]) -> None:
    """Look again and again, for as long as a loaded machine may need."""
    async with asyncio.timeout(PATIENCE_S):
        while not ready():  # noqa: ASYNC110 -- nobody tells when a world has come so far
            await asyncio.sleep(0.05)


def test_our_meter_joins_agrees_on_a_key_opens_its_tunnel_and_answers_a_command() -> None:
    home = HubPlan(replace(a_plan(), elsewhere=frozenset({ESME})), ESME, True, Joining())
    own = all_credentials(SEED, ESME)
    identity = Identity(ESME, 13, libraries=CBKE_LIBRARIES, credentials=own)
    place = listen.parse("tcp://127.0.0.1:0")
    plan = DonglePlan(identity, (), SEED, place, START, surround=surround(home))
    others = frozenset(one.role for one in a_plan().installation.devices) - {DeviceType.ESME}
    keys = {ESME: install_codes(SEED, [ESME])[ESME].link_key()}

    async def scene() -> None:
        service = DongleService(plan, lambda _at, _note: None)
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

            def opened() -> bool:
                seen.extend(one.kind for one in bench.take_observations())
                return "tunnel_opened" in seen

            await until(opened)
            before = int(bench.traffic().get("OUTSIDE", {}).get(ANSWERS, "0"))
            assert service.tell_home("gbcs", ask_version(ESME).hex())
            await until(lambda: int(bench.traffic()["OUTSIDE"].get(ANSWERS, "0")) > before)
        finally:
            await bench.close()
            await service.close()

    asyncio.run(asyncio.wait_for(scene(), 3 * PATIENCE_S))
