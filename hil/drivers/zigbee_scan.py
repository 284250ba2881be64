"""Scans of a dongle: energy by channel, and networks by the beacons they answer with."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import bellows.types as bt

from harness.errors import HarnessError, UsageError
from harness.han_ports import HanNetwork
from hil.zigbee.errors import FOREIGN, DongleError, refused, translation_of
from hil.zigbee.ezsp import DongleEzsp, eui64_of
from hil.zigbee_observation.census import CHANNELS, most_energy, strongest

#: A channel is listened to for 15.36 ms times (2 to this power, and one): 138 ms.
DURATION: Final = 3
_SLOT_S: Final = 0.01536
#: What a scan may take beyond its listening before the dongle counts as silent, seconds.
_SLACK_S: Final = 10.0


async def energy(
    ezsp: DongleEzsp, channels: Sequence[int], duration: int = DURATION
) -> dict[int, int]:
    """Measure the most energy on each channel; transmits nothing.

    Args:
        ezsp: The dongle; called in its thread.
        channels: 11 to 26.
        duration: Exponent of the time on each channel.

    Returns:
        Channel and dBm.

    Raises:
        DongleError: The dongle refuses, or is lost.
        UsageError: A channel is none.
    """
    rows = await _scan(ezsp, bt.EzspNetworkScanType.ENERGY_SCAN, channels, duration)
    return most_energy((int(channel), int(dbm)) for channel, dbm in rows)


async def networks(
    ezsp: DongleEzsp, channels: Sequence[int], duration: int = DURATION
) -> tuple[HanNetwork, ...]:
    """Send a beacon request on each channel and take the beacons.

    Arguments and errors as in `energy`.
    """
    rows = await _scan(ezsp, bt.EzspNetworkScanType.ACTIVE_SCAN, channels, duration)
    return strongest(_network(*row) for row in rows)


async def _scan(
    ezsp: DongleEzsp, kind: bt.EzspNetworkScanType, channels: Sequence[int], duration: int
) -> list[list[Any]]:
    wanted = sorted(set(channels))
    if not wanted or any(channel not in CHANNELS for channel in wanted):
        raise UsageError(
            "there is no such channel",
            where="channels",
            cause="Zigbee has the channels 11 to 26",
            next_command="smetsbench bench observe --channel 15",
        )
    mask = bt.Channels.from_channel_list(wanted)
    listening_s = len(wanted) * _SLOT_S * ((1 << duration) + 1)
    path = ezsp.settings.path
    try:
        async with asyncio.timeout(listening_s + _SLACK_S):
            rows: list[list[Any]] = await ezsp.startScan(kind, mask, duration)
    except HarnessError:
        raise
    except FOREIGN as error:
        raise translation_of(path, error) from error
    except Exception as error:  # bellows raises nothing narrower where a scan is refused
        raise _refusal(path, error) from error
    return rows


def _refusal(path: str, error: Exception) -> DongleError:
    """Return our error for the bare exception with the answer that was not OK."""
    answer = error.args[0] if error.args else None
    statuses = [one for one in answer if hasattr(one, "name")] if isinstance(answer, list) else []
    return refused(path, "startScan", statuses[0] if statuses else error)


def _network(found: Any, lqi: int, rssi: int) -> HanNetwork:
    return HanNetwork(
        eui64_of(found.extendedPanId),
        int(found.panId),
        int(found.channel),
        bool(found.allowingJoin),
        int(lqi),
        int(rssi),
    )
