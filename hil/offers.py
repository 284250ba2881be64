"""What a bench file's bench offers to scenarios, said without opening anything."""

from collections.abc import Iterable, Sequence
from typing import Final

from device_profiles.words import DeviceType
from harness.bench_offer import Lack
from hil.bench_file import LoadedBench
from hil.endpoints import EndpointKind

_METERS: Final = (DeviceType.ESME, DeviceType.GSME)
#: Needs that only devices which are programs can meet -> why not here.
_EMULATED_ONLY: Final = {
    "meter-wan": "the emulated bench; a hub over a dongle comes with a later issue",
    "observations": "the emulated bench: nobody can look inside a device over its line",
    "virtual-time": "the emulated bench: real and loopback devices take their time",
}
_NOT_HERE: Final = "the emulated bench"
#: Needs that loopback devices meet too.
_OWN_PROGRAMS: Final = "noise"


def words_of(loaded: LoadedBench) -> frozenset[str]:
    """Return the needs beyond device types that the bench meets: ``power``, ``noise``."""
    lines = loaded.of(EndpointKind.LOOPBACK, EndpointKind.SERIAL, EndpointKind.REPLAY)
    children = loaded.of(EndpointKind.LOOPBACK)
    all_ours = bool(lines) and len(lines) == len(children)
    relay = loaded.content.power is not None
    words = {"power": all_ours or (relay and bool(lines)), "noise": all_ours}
    return frozenset(word for word, met in words.items() if met)


def home_words(loaded: LoadedBench) -> frozenset[str]:
    """Return the needs beyond device types that a bench with an emulated home meets.

    With a real device in it, time jumps for the others alone; a scenario cannot tell.
    """
    power = frozenset() if loaded.of(EndpointKind.SERIAL) else {"power", "noise"}
    return words_of(loaded) | power | {"virtual-time", "meter-wan"}


def unmet(loaded: LoadedBench, needs: Iterable[str]) -> dict[str, str]:
    """Return which needs beyond devices a bench with an emulated home does not meet, and why."""
    offered = home_words(loaded) | set(DeviceType.__members__) | {"observations"}
    return {
        need: "a relay in [power], or a loopback endpoint" if need == "power" else _NOT_HERE
        for need in sorted(needs)
        if need not in offered
    }


def lacking(loaded: LoadedBench, needs: Iterable[str], devices: Sequence[str]) -> list[Lack]:
    """Return what a bench lacks for a scenario, in the order of its needs.

    Args:
        loaded: The bench file.
        needs: What the scenario needs.
        devices: Its device types, the first one foremost.
    """
    if loaded.is_emulated:
        return []
    return [Lack(need, why) for need in sorted(needs) if (why := _why_not(loaded, need, devices))]


def _why_not(loaded: LoadedBench, need: str, devices: Sequence[str]) -> str:
    """Return what would unlock a need; empty where it is met."""
    if need in DeviceType.__members__:
        return _device(loaded, DeviceType(need))
    if need == "meter-line":
        return _device(loaded, DeviceType(devices[0])) if devices else ""
    if need in words_of(loaded):
        return ""
    if need == "power":
        return "a relay in [power], or a loopback endpoint"
    if need == _OWN_PROGRAMS:
        return "a loopback endpoint: a real line makes its own noise, and none to order"
    return _EMULATED_ONLY.get(need, "the emulated bench")


def _device(loaded: LoadedBench, role: DeviceType) -> str:
    if role not in _METERS:
        return f"the emulated bench: a {role} has no DLMS line of its own"
    section = loaded.content.roles.get(role)
    if section is None:
        return f"[roles.{role}] in the bench file"
    if section.where.kind is EndpointKind.SERIAL and section.eui64 is None:
        return f"roles.{role}.eui64 (smetsbench bench probe {loaded.path} reads it)"
    return ""
