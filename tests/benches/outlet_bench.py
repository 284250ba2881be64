"""A bench whose devices stand behind an emulated radio, all in virtual time; for tests."""

import asyncio

from device_profiles.words import DeviceType
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.crypto.install_code import draw
from emulator.runtime.virtual_time import VirtualTimeLoop
from harness.benches.emulated_han import EmulatedHanHub
from harness.benches.emulated_outlet_bench import Behind, OutletBench, outlet_bench
from harness.benches.emulated_plan import plan_of
from harness.run_options import RunOptions

_HUB = {DeviceType.CHF, DeviceType.GPF}


def new_event_loop() -> asyncio.AbstractEventLoop:
    return VirtualTimeLoop()


def link_keys(options: RunOptions) -> dict[Eui64, bytes]:
    """The keys of the install codes, drawn as a dongle draws them."""
    devices = (Eui64.parse(one.eui64) for one in plan_of(options).installation.devices)
    return {
        one: draw(Stream(options.seed, f"install-code/{one.hex}")).link_key() for one in devices
    }


def hub_of(options: RunOptions) -> EmulatedHanHub:
    """A coordinator's radio with the devices of a run around it."""
    return EmulatedHanHub(plan_of(options), link_keys(options))


async def open_bench(options: RunOptions) -> OutletBench:
    """The hub of a run here, its devices behind an emulated radio."""
    hub = hub_of(options)
    devices = plan_of(options).installation.devices
    roles = frozenset(one.role for one in devices if one.role not in _HUB)
    bench = outlet_bench(options, Behind(roles, link_keys={**link_keys(options)}), OutletBench)
    bench.begin()
    await bench.admit(hub, 15)
    return bench
