"""DSP, S1SP and suppliers around a scripted SMETS1 hub that takes images as tickets."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from device_profiles.cohort import Cohort, CohortMetadata, load_cohort
from device_profiles.cpl import Cpl
from device_profiles.cpl_entry import CplEntry
from device_profiles.loader import load_profile
from device_profiles.metadata_layout import MetadataMode
from device_profiles.metadata_makers import HubMaker
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType, ImageKind, SmetsVersion
from emulator.codecs import ota_file
from emulator.codecs.chf_metadata import MetadataTarget, codec_of
from emulator.codecs.dlms import axdr, han_log, hub_image
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import ActionResult, Attribute, DataAccessResult, Descriptor
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.han_log import LogRow
from emulator.codecs.dlms.hub_image import DistributionRow, ImageTicket, Reason, Stage
from emulator.codecs.ota_file import OtaImage
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.dlms_keys import SecurityKeys
from emulator.crypto.keystore import KeyUsage
from firmware_images.image import Signing, Target, build
from firmware_images.version import FirmwareVersion
from harness.formats.duis.bodies import ActivateFirmware, RequestBody, UpdateFirmware
from harness.meter import ActionAnswer, Association, Credentials, GetAnswer, SetAnswer
from harness.parties.image_defects import DEFECTS
from harness.parties.import_supplier import ImportSupplier
from harness.parties.s1sp import Errand
from harness.parties.s1sp_desk import S1spDesk
from harness.parties.s1sp_desk_records import DeskRecord
from harness.parties.s1sp_image_settings import load_image_settings
from harness.smets1.arguments import Arguments
from tests.harness.parties.party_world import FixedClock
from tests.harness.parties.s1sp_world import (
    CHF,
    DMVES,
    EIS,
    ESME,
    GIS,
    GSME,
    PPMID,
    SERVICES,
    World,
    keys,
)

HUB_MODEL = "demo-s1-chf-ioc"
OTHER_HUB_MODEL = "demo-s1-chf-sec"
MODEL_OF = {
    CHF: HUB_MODEL,
    ESME: "demo-s1-esme",
    GSME: "demo-s1-gsme",
    PPMID: "demo-s1-ppmid",
}
KIND_OF = {
    CHF: DeviceType.CHF,
    ESME: DeviceType.ESME,
    GSME: DeviceType.GSME,
    PPMID: DeviceType.PPMID,
}
OLD, NEW_VERSION = "10000001", "10000002"
CONTENT = bytes(range(256)) * 2
SINCE = bytes(12)


@cache
def scalar(party: Eui64) -> int:
    entry = keys().find(party, KeyUsage.DS)
    assert entry is not None
    assert entry.private_scalar is not None
    return entry.private_scalar


def image(
    device: Eui64,
    *,
    version: str = NEW_VERSION,
    layout: str | None = HUB_MODEL,
    by: Eui64 = EIS,
    force: int = 0,
) -> OtaImage:
    """An image for a device, with a hub maker's metadata (or bare), signed where its kind is."""
    profile = load_profile(MODEL_OF[device])
    signing = Signing(scalar(by), force)
    number = FirmwareVersion.from_duis(version)
    made = build(Target.of(profile), number, CONTENT, signing=signing)
    if layout is None:
        return made
    codec = codec_of(HubMaker.of(load_profile(layout)))
    metadata = codec.build(made.header, CONTENT, MetadataTarget.of(profile))
    return build(Target.of(profile), number, codec.join(metadata, CONTENT), signing=signing)


def octets(made: OtaImage) -> bytes:
    return ota_file.encode(made)


def digest(made: OtaImage) -> bytes:
    return ota_file.manufacturer_image_hash(made)


def listed(*made: tuple[Eui64, OtaImage], smets: SmetsVersion = SmetsVersion.SMETS1) -> Cpl:
    """A list with every model of the home at its old version, and these images."""
    rows = [_row(device, OLD, "", smets) for device in MODEL_OF]
    rows += [
        _row(device, FirmwareVersion.from_number(one.header.file_version).cpl(), digest(one).hex())
        for device, one in made
    ]
    return Cpl(rows)


def _row(
    device: Eui64, version: str, its_hash: str, smets: SmetsVersion = SmetsVersion.SMETS1
) -> CplEntry:
    identity = load_profile(MODEL_OF[device]).identity
    return CplEntry.model_validate(
        {
            "cpl_entry_id": f"{KIND_OF[device]}-{smets}-{version}",
            "device_type": KIND_OF[device],
            "smets": smets,
            "manufacturer_name": identity.manufacturer_name,
            "manufacturer_id": identity.manufacturer_hex,
            "model_id": f"{identity.model_id:04X}",
            "hardware_version": f"{identity.hardware_version:04X}",
            "firmware_version": version,
            "esme_variant": "A" if KIND_OF[device] is DeviceType.ESME else "",
            "manufacturer_image_hash": its_hash,
            "image_hash_scope": "image",
            "status": "Active",
            "effective_from": "2014-01-01",
            "notes": "made up",
            "evidence": "stand-in",
        }
    )


@dataclass
class ScriptedHub:
    """A hub's port: it stages what it is given and tells the outcome that the script wants."""

    clock: FixedClock
    ends: tuple[Stage, Reason] = (Stage.DONE, Reason.NONE)
    activation: tuple[Stage, Reason] = (Stage.ACTIVATED, Reason.NONE)
    done_after_s: int = 3600
    enduring: bool = False
    store_bytes: int = 100_000
    refuses_at_initiate: Reason | None = None
    mute: bool = False
    mute_log: bool = False
    versions: dict[Eui64, str] = field(default_factory=lambda: dict.fromkeys(MODEL_OF, OLD))
    log: list[DistributionRow] = field(default_factory=list)
    supplied: list[hub_image.MetadataRecord] = field(default_factory=list)
    taken: list[tuple[ImageTicket, bytes]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    _staging: tuple[ImageTicket, int, bytes] | None = None
    _due: tuple[UtcMs, DistributionRow] | None = None

    async def associate(self, credentials: Credentials) -> Association:
        self.asked.append(f"associate {credentials.name}")
        return Association(not self.mute, why="nothing came" if self.mute else "")

    async def get(self, attributes: Sequence[Attribute]) -> GetAnswer:
        self._tick()
        obis = attributes[0].descriptor.obis
        self.asked.append(f"get {obis.hex()}")
        if obis == _octets_of(hub_image.LOG_OBIS):
            rows = [] if self.mute_log else self.log
            return (hub_image.encode_log(rows),)
        if attributes[0].descriptor.class_id == 104:
            row = LogRow(PPMID, "PPMID", True, self.versions[PPMID].encode())
            return (han_log.encode_log([row]),)
        if attributes[0].descriptor.index == 4:
            blocks = -(-self._staging[1] // 200) if self._staging else 0
            return (Data(Tag.UINT32, blocks),)
        return (axdr.octets(self.versions[CHF].encode()),)

    async def set(self, writes: Sequence[tuple[Attribute, Data]]) -> SetAnswer:
        attribute, data = writes[0]
        obis = attribute.descriptor.obis
        value = data.value if isinstance(data.value, bytes) else b""
        self.asked.append(f"set {obis.hex()}")
        if obis == _octets_of(hub_image.METADATA_OBIS):
            if not self.enduring:
                return (DataAccessResult.READ_WRITE_DENIED,)
            self.supplied.append(hub_image.decode_metadata(value))
        if obis == _octets_of(hub_image.ORDER_OBIS):
            self._start(hub_image.decode_ticket(value))
        return (DataAccessResult.SUCCESS,)

    async def action(self, method: Descriptor, parameters: Data | None = None) -> ActionAnswer:
        self.asked.append(f"action {method.index}")
        parts = parameters.value if parameters and isinstance(parameters.value, tuple) else ()
        if method.index == 1:
            ticket = hub_image.decode_ticket(_bytes(parts[0]))
            return self._initiate(ticket, int(parts[1].value))  # type: ignore[arg-type]  # a u32
        if method.index == 2 and self._staging is not None:
            ticket, size, held = self._staging
            self._staging = (ticket, size, held + _bytes(parts[1]))
        if method.index == 3 and self._staging is not None:
            ticket, _size, held = self._staging
            self.taken.append((ticket, held))
            self._tell(ticket, Stage.STAGED)
            row = DistributionRow(ticket, *self.ends, len(held), SINCE)
            self._due = (UtcMs(self.clock.now() + self.done_after_s * 1000), row)
        if method.index == 4:
            own = [row.ticket for row in self.log if row.ticket.target == CHF]
            self._start(own[-1])
        return MethodOutcome(ActionResult.SUCCESS)

    async def release(self) -> None:
        self.asked.append("release")

    def _initiate(self, ticket: ImageTicket, size: int) -> MethodOutcome:
        why = Reason.SIZE if size > self.store_bytes else self.refuses_at_initiate
        if why is not None:
            self._tell(ticket, Stage.DISCARDED, why)
            return MethodOutcome(ActionResult.SCOPE_OF_ACCESS_VIOLATED)
        self._staging = (ticket, size, b"")
        self._tell(ticket, Stage.STAGING)
        return MethodOutcome(ActionResult.SUCCESS)

    def _start(self, ticket: ImageTicket) -> None:
        stage, reason = self.activation
        if stage is Stage.ACTIVATED:
            self.versions[ticket.target] = ticket.version_octets.hex().upper()
        self._due = (
            UtcMs(self.clock.now() + 60_000),
            DistributionRow(ticket, stage, reason, 0, SINCE),
        )

    def _tell(self, ticket: ImageTicket, stage: Stage, reason: Reason = Reason.NONE) -> None:
        self.log.append(DistributionRow(ticket, stage, reason, 0, SINCE))

    def _tick(self) -> None:
        if self._due is not None and self.clock.now() >= self._due[0]:
            self.log.append(self._due[1])
            self._due = None


@dataclass
class ScriptedMeter:
    """A meter's port: it starts what its hub brought, and tells its version."""

    hub: ScriptedHub
    device: Eui64
    fails: bool = False
    mute: bool = False

    async def associate(self, _credentials: Credentials) -> Association:
        return Association(not self.mute, why="nothing came" if self.mute else "")

    async def get(self, _attributes: Sequence[Attribute]) -> GetAnswer:
        return (axdr.octets(self.hub.versions[self.device].encode()),)

    async def action(self, _method: Descriptor, _parameters: Data | None = None) -> ActionAnswer:
        held = [row.ticket for row in self.hub.log if row.ticket.target == self.device]
        if not held:
            return MethodOutcome(ActionResult.OTHER_REASON)
        if not self.fails:
            self.hub.versions[self.device] = held[-1].version_octets.hex().upper()
        return MethodOutcome(ActionResult.SUCCESS)

    async def release(self) -> None:
        return None


class ImageWorld(World):
    """The world of the desk, with a hub that takes images."""

    def __init__(
        self,
        cohort: str = "IOC",
        *,
        mode: MetadataMode = MetadataMode.TACTICAL,
        desk: type[S1spDesk] = S1spDesk,
        dco_knows: bool = True,
    ) -> None:
        super().__init__(cohort, dco_knows=dco_knows)
        self.cohort: Cohort = load_cohort(cohort)
        self.hub = ScriptedHub(self.clock, enduring=mode is MetadataMode.ENDURING)
        self.ports = {one: ScriptedMeter(self.hub, one) for one in (ESME, GSME)}
        self.models = dict(MODEL_OF)
        self.desk = desk(
            self.s1sp,
            self,
            SERVICES,
            self.desk._trust,
            self.clock,
            self.cohort.ppmid,
            metadata=CohortMetadata(mode=mode),
            patience=load_image_settings(),
            coordinated=self.cohort.cohort.coordinated_by_eis,
        )
        self.desk.enrol(DeskRecord(one, kind, CHF, declared=OLD) for one, kind in KIND_OF.items())
        for device in (ESME, GSME):
            self.notify(device, EIS if device == ESME else GIS)
        self.dsp.cpl = listed()
        for record in list(self.dsp.inventory):
            identity = load_profile(MODEL_OF[record.device]).identity
            coordinated = self.cohort.cohort.coordinated_by_eis
            self.dsp.inventory.put(
                replace(
                    record,
                    manufacturer=identity.manufacturer_hex,
                    model=identity.model_hex,
                    coordinated=coordinated,
                )
            )

    def profile(self, device: Eui64) -> DeviceProfile | None:
        return load_profile(self.models[device]) if device in self.models else None

    def block_bytes(self, device: Eui64) -> int:
        return 200 if device == CHF else 0

    def errand(self, device: Eui64, service: str, given: Arguments) -> Errand | None:
        if device not in self.models:
            return None
        equivalent = DMVES.find(self.models[device], KIND_OF[device], service)
        like = replace(Credentials("S1SP", 1), keys=SecurityKeys(bytes(16), bytes(16), bytes(16)))
        at = CHF if device == PPMID else device
        port: Any = self.ports.get(at, self.hub)
        return Errand(at, port, self.clock, equivalent, like, given)

    async def update(
        self, device: Eui64, made: OtaImage, *, by: Any = None, version: str = NEW_VERSION
    ) -> tuple[str, list[Any]]:
        """Return the DSP's code and everything the S1SP told the user of an 11.1."""
        user = by or (self.gis if device == GSME else self.eis)
        before = len(user.answered)
        body = UpdateFirmware(octets(made), version, (device,))
        code, _answer = await self.ask(user, body)
        return code, [one.value for one in user.answered[before:]]


def kind_of(device: Eui64) -> ImageKind:
    return load_profile(MODEL_OF[device]).firmware.image_kind


def _octets_of(obis: str) -> bytes:
    first, rest = obis.split(":")
    group_a, group_b = first.split("-")
    return bytes((int(group_a), int(group_b), *(int(part) for part in rest.split("."))))


def _bytes(data: Data) -> bytes:
    return data.value if isinstance(data.value, bytes) else b""


def wrong(world: Any, name: str) -> None:
    """Have a party do what a saboteur of that name does."""
    for path, change in DEFECTS[name].wrong.items():
        *parts, method = path.split(".")
        part = world
        for one in parts:
            part = getattr(part, one)
        setattr(part, method, change(getattr(part, method)))


async def activated(world: ImageWorld, device: Eui64, its_hash: bytes) -> Any:
    """Ask for 11.3; returns what the S1SP answered."""
    user = world.gis if device == GSME else world.eis
    _code, answer = await world.ask(user, ActivateFirmware(its_hash), device)
    return answer


def submitted(
    world: ImageWorld, user: ImportSupplier, body: RequestBody, device: Eui64 | None = None
) -> str:
    """Return the category of what the DSP made of a request; nothing is relayed."""
    asked = user.ask(body, device)
    user.take(world.dsp.submit(user.send(asked), user.eui64))
    decision = world.dsp.decisions[-1]
    return decision.category if decision.request_id == asked.request_id else ""


def owner(device: Eui64) -> Eui64:
    """The supplier of a device."""
    return GIS if device == GSME else EIS


def made_for(device: Eui64, mode: MetadataMode = MetadataMode.TACTICAL) -> OtaImage:
    """An image as the mode has it: with the hub's metadata inside, or bare."""
    bare = mode is MetadataMode.ENDURING
    return image(device, layout=None if bare else HUB_MODEL, by=owner(device))


def world_with(device: Eui64, made: OtaImage, **words: Any) -> ImageWorld:
    """A world whose list has the image."""
    world = ImageWorld(**words)
    world.dsp.cpl = listed((device, made))
    return world
