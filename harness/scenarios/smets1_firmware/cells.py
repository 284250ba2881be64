"""Plays one cell of the firmware matrix on emulated devices: what is really observed.

Nothing of what clauses say or data imply is looked at: the word comes from what devices and
parties did.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from device_profiles.words import DeviceType
from emulator.core.chance import Chance
from emulator.core.errors import MalformedFrameError
from harness.benches.emulated import new_event_loop
from harness.benches.emulated_smets1 import open_homes
from harness.firmware_cells import MatrixCell
from harness.firmware_matrix_images import signed_anew
from harness.parties.import_supplier import EIS, GIS
from harness.run_options import RunOptions
from harness.scenarios.smets1_firmware import cells_smets2 as smets2
from harness.scenarios.smets1_firmware.attempt import NOTHING_TOLD, ImageFile, Trial
from harness.scenarios.smets1_firmware.data import in_mode
from harness.scenarios.smets1_firmware.homes import Home
from harness.scenarios.smets1_firmware.market import Opening, Smets1Market

HANG: Final = "HANG"
BROKEN_FRAME: Final = "BROKEN_FRAME"
#: What numbers of devices are made of in every cell.
_ROW: Final = "FM-000"
#: Seconds of the loop's virtual time after which a cell hangs.
_PATIENCE_S: Final = 60 * 86_400.0


def observe(cell: MatrixCell, seed: int) -> str:
    """Play a cell and return its outcome word; ``HANG``, ``BROKEN_FRAME`` where it comes to none.

    Args:
        cell: The cell.
        seed: Seed of every octet of chance.
    """
    play = _in_smets1 if cell.home.cohort is not None else smets2.play
    return _within(play, cell, seed)


def _within(play: Callable[[MatrixCell, int], Awaitable[str]], cell: MatrixCell, seed: int) -> str:
    async def patiently() -> str:
        async with asyncio.timeout(_PATIENCE_S):
            return await play(cell, seed)

    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            word = runner.run(patiently())
    except MalformedFrameError:
        return BROKEN_FRAME
    except TimeoutError:
        return HANG
    return HANG if word == NOTHING_TOLD else word


async def _in_smets1(cell: MatrixCell, seed: int) -> str:
    """Open a home of the cohort around the device, bring the image, look at the device."""
    role, cohort = cell.target.device_type, cell.home.cohort
    if cohort is None:
        raise ValueError("no SMETS1 home")
    home = _home(cell, role)
    folders = cell.home.folders
    installation = home.installation(_ROW, folders)
    options = RunOptions(
        seed=seed, data=tuple(folders), settings={"metadata_mode": cell.mode.value}
    )
    bench = open_homes((installation,), options)
    opening = Opening(
        bench,
        bench.clock,
        Chance(seed),
        in_mode(cohort, cell.mode),
        (installation,),
        folders,
    )
    market = Smets1Market(opening)
    await market.take_over()
    market.list_version(cell.cpl)
    user = market.supplier(GIS if role is DeviceType.GSME else EIS)
    facts = cell.image.facts
    octets = signed_anew(cell.image, market.signing_scalar(user.eui64))
    file = ImageFile(octets, facts.listed_version, facts.version, cell.case.hash)
    return (await Trial(market, role).whole(file, user)).word


def _home(cell: MatrixCell, role: DeviceType) -> Home:
    """Return a home with the device under test, and with what else it needs."""
    home = Home(cohort=cell.home.name, hub=cell.home.hub.name, ppmid="", gsme="", split=False)
    if role is DeviceType.PPMID:
        return replace(home, ppmid=cell.target.name)
    if role is DeviceType.GSME:
        return replace(home, gsme=cell.target.name, split=True)
    if role is DeviceType.ESME:
        return replace(home, esme=cell.target.name)
    return home
