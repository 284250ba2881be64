"""A SMETS1 home whose hub is handed images as a head end would, without the keys around it."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from device_profiles.installation import Installation, load
from device_profiles.loader import load_profile
from device_profiles.metadata_layout import MetadataMode
from device_profiles.metadata_makers import HubMaker
from device_profiles.words import DeviceType
from emulator.codecs import ota_file
from emulator.codecs.chf_metadata import MetadataTarget, codec_of
from emulator.codecs.dlms import axdr, data_notification, hub_image, wrapper
from emulator.codecs.dlms.access import parse_obis
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.hub_image import DistributionRow, ImageTicket, MetadataRecord
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.devices.smets1.behind_hub import BehindHub
from emulator.devices.smets1.display import Smets1Display
from emulator.devices.smets1.esme import Smets1HubServer
from emulator.devices.smets1.hub import Smets1Hub
from emulator.devices.smets1.object_model import Moment
from emulator.runtime.installation import Plan
from emulator.runtime.smets1_home import Smets1Emulation, build_home
from firmware_images import image as images
from firmware_images.version import FirmwareVersion

START: Final = UtcMs(1_600_000_000_000)
HUB, ESME, GSME, PPMID = (Eui64.parse(f"02-53-0{n}-00-00-00-00-31") for n in (2, 1, 0, 5))
ROLES: Final = {HUB: "CHF", ESME: "ESME", GSME: "GSME", PPMID: "PPMID"}
NEW: Final = 0x10000002
TACTICAL, ENDURING = MetadataMode.TACTICAL, MetadataMode.ENDURING
_SCALAR: Final = 7
_BODY: Final = Stream(3, "an image of a test").octets(400)
_ACTIONS: Final = {"initiate": 1, "block": 2, "verify": 3, "activate": 4}


@cache
def installation(hub: str, ppmid: str) -> Installation:
    """The shipped SMETS1 home with another hub, and a display."""
    home = load("smets1")
    devices = [
        one.model_copy(update={"profile": hub}) if one.role in {"CHF", "GPF"} else one
        for one in home.devices
    ]
    display = devices[0].model_copy(
        update={"role": DeviceType.PPMID, "profile": ppmid, "eui64": str(PPMID)}
    )
    return home.model_copy(update={"devices": (*devices, display)})


def image_for(
    role: str,
    profile: str,
    version: int = NEW,
    *,
    layout: str = "",
    body: bytes = _BODY,
    **header: Any,
) -> bytes:
    """An image file for a device of a model, with the metadata of a hub's model (none: bare)."""
    model = load_profile(profile)
    target = images.Target.of(model)
    made = images.build(
        target,
        FirmwareVersion(version.to_bytes(4, "big")),
        body,
        title=role,
        signing=images.Signing(_SCALAR),
    )
    if layout:
        codec = codec_of(HubMaker.of(load_profile(layout)))
        metadata = codec.build(made.header, body, MetadataTarget.of(model))
        made = images.resized(made, codec.join(metadata, body))
    octets = ota_file.encode(made)
    if header:
        changed = ota_file.decode_header(octets)
        values = {name: getattr(changed, name) for name in changed.__slots__}
        rest = octets[changed.header_length :]
        size = ota_file.OtaHeader(**(values | header)).header_length + len(rest)
        head = ota_file.OtaHeader(**(values | {"total_image_size": size} | header))
        octets = ota_file.encode_header(head) + rest
    return octets


def metadata_for(profile: str, octets: bytes, hub: str) -> bytes:
    """What an S1SP hands over beside a bare image of a device's model, for a hub's model."""
    header = ota_file.decode_header(octets)
    kind = load_profile(profile).firmware.image_kind
    bare = ota_file.decode(octets, kind).manufacturer_image
    codec = codec_of(HubMaker.of(load_profile(hub)))
    return codec.build(header, bare, MetadataTarget.of(load_profile(profile)))


class ImageHome:
    """One home, moved by hand."""

    def __init__(  # noqa: PLR0913 - what a home is made of
        self,
        hub: str = "demo-s1-chf",
        ppmid: str = "demo-s1-ppmid",
        mode: MetadataMode = TACTICAL,
        *,
        seed: int = 1,
        faults: Sequence[str] = (),
        defects: Sequence[str] = (),
        overlays: tuple[Any, ...] = (),
    ) -> None:
        self.model = {HUB: hub, ESME: "demo-s1-esme", GSME: "demo-s1-gsme", PPMID: ppmid}
        plan = Plan(
            installation(hub, ppmid),
            seed,
            START,
            faults,
            defects,
            overlays,
            metadata_mode=mode,
        )
        self.plan = plan
        self.emulation: Smets1Emulation = build_home(plan)
        self.world = self.emulation.world
        self.pass_s(60)

    # -- devices -------------------------------------------------------------------------------

    @property
    def gateway(self) -> Smets1Hub:
        hub = self.world.box(HUB).device
        assert isinstance(hub, Smets1Hub)
        return hub

    @property
    def hub(self) -> Smets1HubServer:
        return self.gateway.own

    def meter(self, eui64: Eui64 = ESME) -> Any:
        device = self.world.box(eui64).device
        assert isinstance(device, BehindHub)
        return device.server

    @property
    def display(self) -> Smets1Display:
        device = self.world.box(PPMID).device
        assert isinstance(device, Smets1Display)
        return device

    def running(self, eui64: Eui64) -> int:
        """The version a device executes."""
        if eui64 == PPMID:
            return int.from_bytes(self.display.images.running, "big")
        server = self.hub if eui64 == HUB else self.meter(eui64)
        return int.from_bytes(server.image.running, "big")

    # -- time ----------------------------------------------------------------------------------

    @property
    def now(self) -> UtcMs:
        return UtcMs(self.world.now_us // 1000)

    def pass_s(self, seconds: float) -> None:
        self.world.run_until(self.world.now_us + round(seconds * 1_000_000))

    def pass_hours(self, hours: float) -> None:
        self.pass_s(hours * 3600)

    # -- a head end ----------------------------------------------------------------------------

    def _do(self, call: Any) -> Any:
        """Ask an object of the hub, and do what the hub wants then."""
        hub = self.gateway
        if not self.world.box(HUB).powered:
            return None
        now = self.now
        hub.own.images.now = now
        at = Moment(now, security=hub.own.security)
        answer = call(hub.own, at)
        hub.own.log_image_events(now)
        self.world.perform(self.world.box(HUB), hub._acted(hub.own._acted(at.outbox)))
        return answer

    def method(self, word: str, data: Data) -> ActionResult | None:
        item = self.hub.tree.find(18, parse_obis(hub_image.IMAGE_OBIS))
        outcome = self._do(lambda _own, at: item.invoke(_ACTIONS[word], data, at))  # type: ignore[union-attr]  # it is there
        return None if outcome is None else outcome.result

    def put(self, obis: str, octets: bytes) -> DataAccessResult | None:
        item = self.hub.tree.find(1, parse_obis(obis))
        written: DataAccessResult | None = self._do(
            lambda _own, at: item.write(2, axdr.octets(octets), at)  # type: ignore[union-attr]  # it is there
        )
        return written

    def initiate(self, ticket: ImageTicket, size: int) -> ActionResult | None:
        octets = axdr.octets(hub_image.encode_ticket(ticket))
        return self.method("initiate", axdr.structure(octets, Data(Tag.UINT32, size)))

    def blocks(self, octets: bytes, *, until: int | None = None) -> list[ActionResult | None]:
        size = self.hub.image.section.block_bytes
        whole = -(-len(octets) // size)
        return [
            self.method(
                "block",
                axdr.structure(
                    Data(Tag.UINT32, number),
                    axdr.octets(octets[number * size : (number + 1) * size]),
                ),
            )
            for number in range(whole if until is None else until)
        ]

    def verify(self) -> None:
        """Have the hub verify, and wait until it has."""
        self.method("verify", Data(Tag.INT8, 0))
        self.pass_s(15)

    def activate_hub(self) -> ActionResult | None:
        return self.method("activate", Data(Tag.INT8, 0))

    def stage(self, target: Eui64, octets: bytes, version: int = NEW, **flags: bool) -> ImageTicket:
        """Bring a whole image to the hub, as far as it takes it."""
        ticket = ImageTicket(target, version, **flags)
        if self.initiate(ticket, len(octets)) is ActionResult.SUCCESS:
            self.blocks(octets)
            self.verify()
        return ticket

    def hand_over(self, ticket: ImageTicket, metadata: bytes) -> DataAccessResult | None:
        octets = hub_image.encode_metadata(MetadataRecord(ticket, metadata))
        return self.put(hub_image.METADATA_OBIS, octets)

    def order(self, ticket: ImageTicket) -> DataAccessResult | None:
        return self.put(hub_image.ORDER_OBIS, hub_image.encode_ticket(ticket))

    def log(self) -> tuple[DistributionRow, ...]:
        """The distribution log, without reading it as a head end does."""
        return tuple(one.row() for one in self.hub.images.log.entries)

    def read_log(self) -> tuple[DistributionRow, ...]:
        """The distribution log, read by a head end."""
        item = self.hub.tree.find(1, parse_obis(hub_image.LOG_OBIS))
        data = self._do(lambda _own, at: item.read(2, None, at))  # type: ignore[union-attr]  # it is there
        assert isinstance(data, Data)
        return hub_image.decode_log(data)

    def last(self) -> tuple[str, str]:
        """Stage and reason of the latest row."""
        row = self.log()[-1]
        return row.stage.name, row.reason.word

    def notices(self) -> list[DistributionRow]:
        """The outcomes the hub has told since the last call."""
        found = []
        for _party, _at, octets in self.world.take_arrived():
            apdu = wrapper.decode(octets).apdu
            if apdu[0] == data_notification.TAG:
                try:
                    found.append(hub_image.decode_outcome(apdu))
                except MalformedFrameError:
                    continue
        return found

    def activate_meter(self, eui64: Eui64 = ESME) -> ActionResult:
        """Start a meter's image as its own association would."""
        device = self.world.box(eui64).device
        assert isinstance(device, BehindHub)
        server: Any = device.server
        at = Moment(self.now, security=server.security)
        result: ActionResult = server.image.activate(at)
        server.log_image_events(self.now)
        effects = device._heard(device._on_the_han(server._acted(at.outbox)), self.now)
        self.world.perform(self.world.box(eui64), effects)
        return result

    def power_cycle(self, eui64: Eui64, off_s: float = 20.0) -> None:
        self.world.cut_power(eui64, off_s)
        self.pass_s(off_s + 5)

    def facts(self, kind: str) -> list[dict[str, Any]]:
        """Facts of a kind since the last call; others of that time are dropped."""
        return [
            {"device": fact.device, **dict(fact.fields)}
            for fact in self.world.records.take_facts()
            if fact.kind == kind
        ]
