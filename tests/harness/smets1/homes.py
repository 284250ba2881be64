"""SMETS1 homes for tests of their bench: installations, both parties' keys, a rotation."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from device_profiles.installation import Installation, InstalledDevice, load
from device_profiles.words import DeviceStatus, DeviceType, SupplyShape
from emulator.codecs.dlms.apdu_parts import ActionResult, Attribute, Descriptor
from emulator.codecs.dlms.axdr import Data
from emulator.core.chance import Stream
from emulator.crypto.dlms_key_transfer import NewKey, transfer_parameters
from emulator.crypto.dlms_keys import KeyId, SecurityKeys
from emulator.runtime.virtual_time import VirtualTimeLoop
from harness.benches.emulated_smets1 import EmulatedSmets1Bench, open_bench
from harness.journalled import JournalledBench
from harness.meter import Credentials
from harness.ports import Bench
from harness.run_options import RunOptions

HOLDERS = ("CHF", "ESME", "GSME")
DAY_MS = 86_400_000
LOG = Attribute(Descriptor(104, bytes((0, 0, 35, 3, 0, 255)), 4))
FIRMWARE = Attribute(Descriptor(1, bytes((1, 0, 0, 2, 0, 255)), 2))
SERIAL = Attribute(Descriptor(1, bytes((0, 0, 96, 1, 0, 255)), 2))
EUI64 = Attribute(Descriptor(1, bytes((0, 0, 96, 1, 1, 255)), 2))
CLOCK = Attribute(Descriptor(8, bytes((0, 0, 1, 0, 0, 255)), 2))
TRANSFER = Descriptor(64, bytes((0, 0, 43, 0, 0, 255)), 2)
AnyBench = Bench | JournalledBench
_T = TypeVar("_T")


def home(ref: str = "", *, displays: Sequence[str] = ()) -> Installation:
    """The shipped SMETS1 home, under another ref and other EUI-64s, with displays."""
    found = load("smets1")
    if ref:
        tail = f"{sum(ref.encode()) % 256:02X}"
        devices = tuple(
            device.model_copy(update={"eui64": f"{device.eui64[:-2]}{tail}"})
            for device in found.devices
        )
        found = found.model_copy(update={"ref": ref, "devices": devices})
    more = tuple(_display(found, eui64) for eui64 in displays)
    return found.model_copy(update={"devices": (*found.devices, *more)})


def lean() -> Installation:
    """A home without gas: nothing in it happens by itself, so that days cost nothing."""
    found = load("smets1")
    kept = tuple(one for one in found.devices if one.role not in {DeviceType.GSME, DeviceType.GPF})
    return found.model_copy(
        update={"ref": "lean", "devices": kept, "shape": SupplyShape.ELECTRICITY_ONLY}
    )


def _display(found: Installation, eui64: str) -> InstalledDevice:
    return InstalledDevice(
        role=DeviceType.PPMID,
        profile="demo-s1-ppmid",
        eui64=eui64,
        supplier=found.devices[0].supplier,
        status=DeviceStatus.COMMISSIONED,
    )


def bench(
    *defects: str,
    homes: Sequence[Installation] = (),
    faults: Sequence[str] = (),
    seed: int = 1,
) -> EmulatedSmets1Bench:
    """Open a bench of SMETS1 homes; without any, of the shipped one."""
    settings = {"installation": "smets1", "homes": tuple(homes), "defects": defects}
    return open_bench(
        RunOptions(seed=seed, world="SMETS1", faults=tuple(faults), settings=settings)
    )


def play(story: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    """Play a story in virtual time."""
    loop = VirtualTimeLoop()
    try:
        return loop.run_until_complete(story())
    finally:
        loop.close()


def credentials(of: AnyBench, role: str, party: str) -> Credentials:
    """How a party's head end presents itself: the SMSO with the factory's keys."""
    own = of.credentials(role, "management")
    if party == "SMSO" or own.keys is None:
        return own
    draw = Stream(7, f"s1sp/{of.role(role).hex}")
    keys = replace(own.keys, unicast=draw.octets(16), authentication=draw.octets(16))
    return replace(own, keys=keys, title=b"S1SPHEAD")


async def rotate(
    of: AnyBench, role: str, party: str, to: str, way: str = ""
) -> ActionResult | None:
    """Have a party's head end give a device another party's keys; None: nobody answered."""
    port, own, new = (
        of.meter(role, way or f"wan@{party}"),
        *(credentials(of, role, one) for one in (party, to)),
    )
    assert own.keys is not None
    assert new.keys is not None
    if not (await port.associate(own)).accepted:
        return None
    answer = await port.action(TRANSFER, transfer(own.keys.master, new.keys))
    await port.release()
    return getattr(answer, "result", None)


def opens(of: EmulatedSmets1Bench, role: str) -> tuple[bool | None, bool | None]:
    """Whether the SMSO, and whether the S1SP, can operate a device; None: it cannot be asked."""
    return (
        of.opens_to(role, credentials(of, role, "SMSO")),
        of.opens_to(role, credentials(of, role, "S1SP")),
    )


async def read(of: AnyBench, role: str, what: Attribute, party: str = "SMSO") -> Data | None:
    """Read one attribute as a party; None where nobody answers."""
    port = of.meter(role, f"wan@{party}")
    if not (await port.associate(credentials(of, role, party))).accepted:
        return None
    answer = await port.get([what])
    await port.release()
    return answer[0] if isinstance(answer, tuple) and isinstance(answer[0], Data) else None


def transfer(master: bytes, new: SecurityKeys) -> Data:
    """The parameters of a key transfer."""
    keys = [
        NewKey(KeyId.UNICAST, new.unicast),
        NewKey(KeyId.AUTHENTICATION, new.authentication),
    ]
    return transfer_parameters(master, keys)
