"""What was chosen for an emulated dongle, as values: the devices' clock, what is wrong in them."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from device_profiles.words import DeviceType, SmetsVersion
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.devices.defects import DEFECTS
from emulator.ncp.radio_frames import HeardPacket
from emulator.runtime.dongle_home import HubMode
from emulator.runtime.installation import Plan
from harness.cli.served_choices import moment_of, wall_clock
from harness.errors import UsageError
from harness.report.air_capture import AirCapture

#: Devices that a dongle is, where it is the hub's radio.
HUB_ROLES: Final = frozenset({DeviceType.CHF, DeviceType.GPF})


def shown_now(start: UtcMs, since: str | None, factor: float) -> UtcMs:
    """Return what the devices' clock shows now that showed ``start`` at a moment of the wall."""
    if since is None:
        return start
    passed_ms = max(0, wall_clock() - moment_of(since, "--since"))
    return UtcMs(start + round(passed_ms * factor))


def left_out(plan: Plan, roles: Collection[DeviceType]) -> Plan:
    """Return a home around a dongle without the devices of some types; nobody else joins for them.

    Raises:
        UsageError: The hub is one of them.
    """
    if HUB_ROLES & set(roles):
        raise UsageError(
            "no home is without its hub",
            where="--without",
            cause="a hub that stands elsewhere is --hub dongle",
            next_command="smetsbench dongle --help",
        )
    away = (Eui64.parse(one.eui64) for one in plan.installation.devices if one.role in roles)
    return replace(plan, elsewhere=plan.elsewhere | frozenset(away))


def defects_behind(
    devices: Collection[DeviceType], generation: SmetsVersion, names: Iterable[str]
) -> tuple[str, ...]:
    """Return those of the named defects that devices of these types can have."""
    smets1 = generation is SmetsVersion.SMETS1
    return tuple(
        name
        for name in names
        if (known := DEFECTS.get(name)) is not None
        and known.device_type in devices
        and known.smets1 is smets1
    )


def refuse_defects(plan: Plan, generation: SmetsVersion, hub: HubMode) -> None:
    """Refuse a defect that no device around the dongle can have.

    Raises:
        UsageError: There is one.
    """
    away = plan.elsewhere
    here = {one.role for one in plan.installation.devices if Eui64.parse(one.eui64) not in away}
    devices = here - HUB_ROLES if hub is HubMode.DONGLE else here
    able = defects_behind(devices, generation, plan.defects)
    unable = [name for name in plan.defects if name not in able]
    if unable:
        known = defects_behind(devices, generation, sorted(DEFECTS))
        raise UsageError(
            f"no device around this dongle can have the defect {unable[0]}",
            where="--defect",
            cause=f"there are: {', '.join(known) or 'none'}",
            next_command="smetsbench dongle --help",
        )


def recorder(path: Path) -> Callable[[HeardPacket, UtcMs], None]:
    """Return what writes packets of the air into a file.

    Raises:
        UsageError: The file cannot be written.
    """
    try:
        file = AirCapture(path)
    except OSError as error:
        raise UsageError(
            f"the capture cannot be written: {error.strerror}",
            where=f"--capture {path}",
            cause="a folder that is not there, or a file that may not be replaced",
        ) from error

    def write(packet: HeardPacket, at: UtcMs) -> None:
        file.write(1000 * at, packet.octets, packet.channel, packet.rssi, packet.lqi)

    return write
