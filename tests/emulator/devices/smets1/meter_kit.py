"""Whole SMETS1 meters out of shipped profiles, and a client whose time moves."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from device_profiles.loader import load_profile
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.codecs import ota_file
from emulator.codecs.dlms import axdr, date_time
from emulator.codecs.dlms.apdu_parts import ActionResult, Descriptor
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.selective import CaptureObject
from emulator.codecs.ota_file import OtaHeader
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, DlmsIndication, Effect, SendDlms
from emulator.devices.smets1 import registry
from emulator.devices.smets1.catalogue import obis_octets
from emulator.devices.smets1.esme import Smets1Esme
from emulator.devices.smets1.object_model import ClientView, Moment, Outbox
from tests.emulator.devices.smets1.server_kit import EUI64, MANAGER, NOW, SEED, Client

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MONTH_MS = 31 * DAY_MS
CLOCK_COLUMN = CaptureObject(8, bytes((0, 0, 1, 0, 0, 255)), 2)
IMPORT = CaptureObject(3, bytes((1, 0, 1, 8, 0, 255)), 2)
NEW_VERSION = 0x10000002


@cache
def profile(name: str) -> DeviceProfile:
    return load_profile(name)


def changed(name: str, **changes: Any) -> DeviceProfile:
    """A profile with some values of its [dlms] section changed; ``image__x`` for [dlms.image]."""
    found = profile(name)
    assert found.dlms is not None
    section = found.dlms.model_dump()
    for key, value in changes.items():
        table, _, inner = key.rpartition("__")
        (section[table] if table else section)[inner or key] = value
    dlms = type(found.dlms).model_validate(section, strict=False)
    return found.model_copy(update={"dlms": dlms})


def made(
    name: str | DeviceProfile = "smets1", defects: Iterable[str] = (), *, now: UtcMs = NOW
) -> Smets1Esme:
    """A meter that is off."""
    model = profile(name) if isinstance(name, str) else name
    device = registry.build(DeviceType.ESME, EUI64, model, SEED, now, defects=defects)
    assert isinstance(device, Smets1Esme)
    return device


def meter(
    name: str | DeviceProfile = "smets1", defects: Iterable[str] = (), *, now: UtcMs = NOW
) -> Smets1Esme:
    """A meter with power."""
    device = made(name, defects, now=now)
    device.handle(DeviceEvent.POWER_ON, None, now)
    return device


@dataclass
class Person(Client):
    """A client at a moment that moves; timers that come due before it asks run first."""

    now: UtcMs = NOW

    def send(self, apdu: bytes) -> bytes | None:
        pass_time(self.meter, self.now)
        event = DlmsIndication(self.channel, apdu)
        self.effects = self.meter.handle(DeviceEvent.DLMS, event, self.now)
        sent = [item for item in self.effects if isinstance(item, SendDlms)]
        assert len(sent) <= 1
        return sent[0].apdu if sent else None

    def wait(self, milliseconds: int) -> list[Effect]:
        self.now = UtcMs(self.now + milliseconds)
        return pass_time(self.meter, self.now)

    def value(self, where: Descriptor) -> Any:
        """The plain value of an attribute that must be there."""
        found = self.get(where)
        assert isinstance(found, Data), found
        return found.value


def pass_time(device: Any, until: UtcMs) -> list[Effect]:
    """Run the timers of a device that come due."""
    effects: list[Effect] = []
    while due := [(at, name) for name, at in device.timers.items() if at <= until]:
        at, name = min(due)
        effects += device.handle(DeviceEvent.TIMER, name, at)
    return effects


def manager(device: Smets1Esme, *, now: UtcMs = NOW) -> Person:
    """The management client, associated."""
    person = Person(device, MANAGER, now=now)
    person.associate()
    return person


def at(device: Smets1Esme, now: UtcMs = NOW, word: str = "management") -> Moment:
    """A moment of a client of that name, for asking objects without a server."""
    return Moment(now, ClientView(1, word, word), Outbox(), device.security)


def member(class_id: int, obis: str, index: int) -> Descriptor:
    return Descriptor(class_id, obis_octets(obis), index)


def read(device: Smets1Esme, where: Descriptor, now: UtcMs = NOW) -> Any:
    """The plain value of an attribute, asked of the object itself."""
    item = device.tree.find(where.class_id, where.obis)
    value = item.read(where.index, None, at(device, now))  # type: ignore[union-attr]  # it is there
    assert isinstance(value, Data), value
    return value.value


def invoke(
    device: Smets1Esme, where: Descriptor, data: Data | None = None, now: UtcMs = NOW
) -> ActionResult:
    """The result of a method, asked of the object itself."""
    item = device.tree.find(where.class_id, where.obis)
    outcome = item.invoke(where.index, data, at(device, now))  # type: ignore[union-attr]  # it is there
    return outcome.result


def plain(data: Data) -> Any:
    """Data without its types: a tuple for an array or a structure."""
    if isinstance(data.value, tuple):
        return tuple(plain(item) for item in data.value)
    return data.value


def stamp(now: int) -> Data:
    """A date-time of UTC."""
    return axdr.octets(date_time.encode(date_time.of_moment(UtcMs(now))))


def moment_of(data: Data) -> int:
    assert isinstance(data.value, bytes)
    found = date_time.decode(data.value).moment()
    assert found is not None
    return found


def image(size: int = 1000, version: int = NEW_VERSION, **changes: Any) -> bytes:
    """An image file for the meter of a shipped profile, of ``size`` octets."""
    identity = profile("smets1").identity
    values: dict[str, Any] = {
        "manufacturer_code": identity.manufacturer_code,
        "image_type": profile("smets1").firmware.image_type,
        "file_version": version,
        "header_string": b"made up".ljust(32, b"\0"),
        "total_image_size": size,
        **changes,
    }
    head = ota_file.encode_header(OtaHeader(**values))
    return head + bytes(number % 251 for number in range(size - len(head)))


def initiate_data(size: int, identifier: bytes = b"image") -> Data:
    return axdr.structure(axdr.octets(identifier), Data(Tag.UINT32, size))


def block_data(number: int, octets: bytes) -> Data:
    return axdr.structure(Data(Tag.UINT32, number), axdr.octets(octets))
