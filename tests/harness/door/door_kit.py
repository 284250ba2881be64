"""A door with homes of two suppliers, and what participants need in front of it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

from device_profiles import installation as installations
from device_profiles.files import reading_once
from device_profiles.installation import Installation
from device_profiles.words import DeviceType, SupplyShape
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from harness.door import example
from harness.door.call_back import Place
from harness.door.client import DropWay, HttpWay, Way
from harness.door.door import Door, DoorOptions
from harness.door.drop import make_drop
from harness.door.homes import Homes
from harness.door.http import listening
from harness.door.intake import Note
from harness.door.participant import ParticipantSystem
from harness.door.serving import WaysIn, serve
from harness.door.trust import participants_keys, write_public, xml_key_of
from harness.formats.duis import document, signing
from harness.formats.duis.bodies import ReadFirmwareVersion, ReadInventory, RequestBody
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import request, write_request
from harness.formats.duis.signing import XmlKey

EIS = Eui64.parse("02-53-42-00-00-01-00-00")
OTHER = Eui64.parse("02-53-42-00-00-03-00-00")
DEMO = installations.load("demo")


def device(home: Installation, kind: DeviceType) -> Eui64:
    return Eui64.parse(home.of(kind)[0].eui64)


ESME, GSME = device(DEMO, DeviceType.ESME), device(DEMO, DeviceType.GSME)
PPMID, CHF = device(DEMO, DeviceType.PPMID), device(DEMO, DeviceType.CHF)


def next_door() -> Installation:
    """An electricity-only home of the other supplier."""
    kinds = {DeviceType.CHF, DeviceType.ESME}
    devices = [
        one.model_copy(update={"supplier": str(OTHER), "eui64": f"{one.eui64[:-2]}41"})
        for one in DEMO.devices
        if one.role in kinds
    ]
    return DEMO.model_copy(
        update={
            "ref": "next-door",
            "shape": SupplyShape.ELECTRICITY_ONLY,
            "devices": tuple(devices),
        }
    )


NEXT_ESME = device(next_door(), DeviceType.ESME)


@dataclass
class Served:
    """A door that is open over HTTP and at a drop."""

    door: Door
    folder: Path
    port: int
    keys: KeyStore = field(repr=False)
    notes: list[Note] = field(default_factory=list)
    users: int = 0
    counters: dict[Eui64, int] = field(default_factory=dict)

    @property
    def trust(self) -> Path:
        return self.folder / "trust"

    @property
    def drop(self) -> Path:
        return self.folder / "drop"

    def way(self, kind: str, user: Eui64 | None = None) -> Way:
        if kind == "http":
            return HttpWay("127.0.0.1", self.port, user)
        self.users += 1
        return DropWay(self.drop, f"user{self.users}")

    def http(self) -> HttpWay:
        return HttpWay("127.0.0.1", self.port)

    def system(self, kind: str = "http", user: Eui64 = EIS) -> ParticipantSystem:
        system = ParticipantSystem.open(self.trust, self.way(kind, user), user)
        system.supplier.counter = self.counters.get(user, 0) + 100_000
        self.counters[user] = system.supplier.counter + 50_000  # it counts on by itself
        system.way.alerts()
        return system

    def identity(self, user: Eui64 = EIS, target: Eui64 | None = None) -> RequestId:
        self.counters[user] = self.counters.get(user, 0) + 1
        return RequestId(user, target or self.door.world.trust.dsp, self.counters[user])

    def key(self, party: Eui64 = EIS) -> XmlKey:
        return xml_key_of(self.door.world.trust.store, party)

    def signed(
        self,
        body: RequestBody | None = None,
        identity: RequestId | None = None,
        key: XmlKey | None = None,
    ) -> bytes:
        asked = request(body or ReadInventory(ESME), identity or self.identity())
        return write_request(asked, key or self.key())

    def read(self, target: Eui64 = ESME) -> bytes:
        return self.signed(ReadFirmwareVersion(), self.identity(target=target))

    def settle(self) -> None:
        """Wait until the world has nothing to do."""
        asyncio.run(self.door.rest())


def resigned(document_octets: bytes, key: XmlKey, **changes: str) -> bytes:
    """A document with texts of elements changed, signed again."""
    root = etree.fromstring(document_octets)
    for old in root.findall("{http://www.w3.org/2000/09/xmldsig#}Signature"):
        root.remove(old)
    for element in root.iter("*"):
        name = etree.QName(element).localname
        if name in changes:
            element.text = changes[name]
    signing.sign(root, key)
    return document.octets(root)


@contextmanager
def opened(
    homes: Homes,
    folder: Path,
    state: Path | None = None,
    call_back: Place | None = None,
    **options: Any,
) -> Iterator[Served]:
    """Open a door and serve it from a thread of its own."""
    notes: list[Note] = []
    keys = participants_keys(folder / "trust", homes.suppliers, homes.seed)
    with reading_once():  # as the commands do
        door = Door(DoorOptions(homes, keys, state, tell=notes.append, **options))
    write_public(folder / "trust", door.world.public_keys())
    at = listening("127.0.0.1", 0)
    make_drop(folder / "drop")  # here before anybody drops: the serving thread may be late
    stopped: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    ready = threading.Event()

    async def serving() -> None:
        until = asyncio.Event()
        stopped.append((asyncio.get_running_loop(), until))
        ready.set()
        ways = WaysIn(at, folder / "drop", call_back, look_s=0.02)
        await serve(door, ways, until, lambda _text: None)

    thread = threading.Thread(target=lambda: asyncio.run(serving()))
    thread.start()
    try:
        ready.wait()
        yield Served(door, folder, at.getsockname()[1], keys, notes)
    finally:
        loop, until = stopped[0]
        loop.call_soon_threadsafe(until.set)
        thread.join()
        door.close()


def both_generations(folder: Path) -> Homes:
    """Two SMETS2+ homes of two suppliers, and a SMETS1 home."""
    own = example.homes(folder)
    return Homes((DEMO, next_door()), own.smets1, own.overlays, own.seed)
