"""Builds an emulated meter on a line out of the choices of a run."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from device_profiles.dlms import DlmsSection
from device_profiles.loader import load_profile, profile_names
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.fault_schedule import FaultSchedule
from emulator.core.faults import FaultError, parse
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import FactoryKeys, factory_keys, made_up_eui64
from emulator.devices.defects import of_smets1
from emulator.devices.smets1 import registry
from emulator.devices.smets1.device import Smets1Device
from emulator.runtime.line_world import LineWorld
from emulator.servers.line_parts import Framing as LineFraming
from emulator.servers.meter_line import MeterLine
from harness import installed
from harness.benches.emulated_plan import DEFAULT_START, refuse_unknown_defects
from harness.benches.refusals import fault_error
from harness.data_files import reading_data
from harness.dlms import from_profile
from harness.dlms.settings import Framing, LineSettings
from harness.errors import UsageError
from harness.run_options import RunOptions

#: Model of the meter where none is named.
DEFAULT_PROFILE: Final = "smets1"
#: Name the device knows its line by.
_LINE: Final = "optical"


@dataclass(frozen=True, slots=True)
class MeterPlan:
    """What to emulate.

    Attributes:
        profile: Model of the meter, by name or path; it must have a ``[dlms]`` section.
        eui64: Its identifier; None makes one up from seed and model, as ``emulate`` does.
        seed: Seed of every octet of chance, and of the factory's keys.
        faults: Faults as given with ``--fault``.
        defects: Names of device defects.
        overlays: Overlay folders for device profiles, the strongest last.
        framing: How the line speaks; None takes what the model's port has.
        start_at: First moment of the bench.
    """

    profile: str = DEFAULT_PROFILE
    eui64: Eui64 | None = None
    seed: int = 1
    faults: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    overlays: tuple[Path, ...] = ()
    framing: Framing | None = None
    start_at: UtcMs = DEFAULT_START


@dataclass(frozen=True, slots=True)
class Meter:
    """A built meter on its line, started and not moved.

    Attributes:
        world: Device and line.
        device: The device.
        profile: Its model.
        section: The model's ``[dlms]`` section.
        keys: What it left the factory with.
        settings: How it is spoken to.
        draw: Chance of its client.
        spare: Makes another device of the same making, which is off and on no line.
    """

    world: LineWorld
    device: Smets1Device
    profile: DeviceProfile
    section: DlmsSection
    keys: FactoryKeys = field(repr=False)
    settings: LineSettings
    draw: Callable[[int], bytes] = field(repr=False)
    spare: Callable[[], Smets1Device] = field(repr=False)


def plan_of(options: RunOptions) -> MeterPlan:
    """Return the plan of a run: the ESME of the user's installation, else the scenario's model.

    A scenario says with its settings ``profile`` and ``framing`` what it plays on.

    Raises:
        UsageError: The installation cannot be used or has no meter with a line.
    """
    settings = options.settings
    word = settings.get("framing")
    framing = None if word is None else Framing(word)
    models = settings.get("profiles", {})  # of a bench file, by device type
    profile = str(models.get("ESME") or settings.get("profile", DEFAULT_PROFILE))
    told = settings.get("eui64s", {}).get("ESME")
    eui64 = None if told is None else Eui64.parse(told)
    if options.installation is not None:
        profile, eui64 = _installed(options)
    return MeterPlan(
        profile,
        eui64,
        options.seed,
        options.faults,
        options.defects,
        installed.overlays(options),
        framing,
    )


def _installed(options: RunOptions) -> tuple[str, Eui64]:
    home = installed.chosen(options)
    for item in home.of(DeviceType.ESME):
        with reading_data():
            if load_profile(item.profile, options.data).dlms is not None:
                return item.profile, Eui64.parse(item.eui64)
    raise UsageError(
        "the installation has no electricity meter with a serial line",
        where=str(options.installation),
        cause="its ESMEs are SMETS2+ models, without a [dlms] section",
        next_command="smetsbench profiles",
    )


def build(plan: MeterPlan) -> Meter:
    """Build a meter and its line, and switch it on.

    Raises:
        UsageError: The model, its catalogue, a fault or a defect cannot be used.
    """
    refuse_unknown_defects(plan.defects)
    with reading_data():
        profile = load_profile(plan.profile, plan.overlays)
    section = profile.dlms
    if section is None:
        raise _no_line(profile, plan)
    eui64 = plan.eui64 or made_up_eui64(plan.seed, profile.name)
    keys = factory_keys(plan.seed, eui64)
    chance = Chance(plan.seed)
    framing = plan.framing or from_profile.default_framing(section)
    schedule = _schedule(plan.faults, chance)
    make = partial(
        registry.build,
        profile.device_type,
        eui64,
        profile,
        plan.seed,
        plan.start_at,
        keys,
        overlays=plan.overlays,
        defects=of_smets1(profile.device_type, plan.defects),
    )
    with reading_data():
        device = make()
    line = MeterLine(device, _LINE, framing=LineFraming(framing.value))
    world = LineWorld(device, line, schedule, chance, plan.start_at)
    world.start()
    draw = chance.stream(f"client/{profile.device_type.value}").octets
    settings = from_profile.line_settings(section, framing)
    return Meter(world, device, profile, section, keys, settings, draw, make)


def _schedule(faults: tuple[str, ...], chance: Chance) -> FaultSchedule:
    try:
        return FaultSchedule([parse(text) for text in faults], chance)
    except FaultError as error:
        raise fault_error(error, "--fault") from error


def _no_line(profile: DeviceProfile, plan: MeterPlan) -> UsageError:
    with reading_data():
        lined = [
            name
            for name in profile_names(plan.overlays)
            if load_profile(name, plan.overlays).dlms is not None
        ]
    return UsageError(
        f"profile {profile.name} has no [dlms] section: it says nothing of a serial line",
        where="setting profile",
        cause=f"a SMETS2+ model; with such a section: {', '.join(lined) or 'none'}",
        next_command="smetsbench profiles",
    )
