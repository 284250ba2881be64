"""Parties with keys of their own around a scripted hub, for tests of the parties."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from device_profiles import installation, loader
from device_profiles.cpl import Cpl, load_cpl
from device_profiles.words import DeviceType, ImageKind
from emulator.codecs import ota_file
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.use_cases import MessageCode, Protection
from emulator.codecs.ota_file import OtaHeader, OtaImage
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyEntry, KeyStore
from emulator.crypto.pki import TestPki
from emulator.crypto.protection import KeyRing, seal
from harness.parties.acb import Acb
from harness.parties.dsp import Dsp
from harness.parties.enrolment import enrol
from harness.parties.post import Post
from harness.parties.supplier import Supplier
from harness.parties.wan_provider import WanProvider
from harness.ports import StageOrder, StageOutcome
from harness.rules.inventory import Inventory
from harness.rules.roles import UserRole

AT = UtcMs(1_800_000_000_000)
ACB = Eui64.parse("02-53-42-00-00-00-00-04")
WAN = Eui64.parse("02-53-42-00-00-00-00-06")
SUPPLIER = Eui64.parse("02-53-42-00-00-01-00-00")
GAS = Eui64.parse("02-53-42-00-00-03-00-00")
INSTALLATION = installation.load("demo")
PROFILES = {one.profile: loader.load_profile(one.profile) for one in INSTALLATION.devices}
DEVICE = {one.role: Eui64.parse(one.eui64) for one in INSTALLATION.devices}
ESME, GSME = DEVICE[DeviceType.ESME], DEVICE[DeviceType.GSME]
CHF, PPMID = DEVICE[DeviceType.CHF], DEVICE[DeviceType.PPMID]
HCALCS = DEVICE[DeviceType.HCALCS]
CPL = load_cpl()
BOTH = frozenset({UserRole.IMPORT_SUPPLIER, UserRole.GAS_SUPPLIER})


def _keys() -> KeyStore:
    pki = TestPki.new(Chance(1).stream("pki").octets, AT)
    entries: list[KeyEntry] = []
    for party, role in ((SUPPLIER, 2), (GAS, 2), (ACB, 4), (WAN, 6)):
        entries += pki.organisation_entries(party, role)
    for device in DEVICE.values():
        entries += pki.device_entries(device)
    return KeyStore(entries)


KEYS = _keys()


def ring_of(*owners: Eui64) -> KeyRing:
    """Keys as the owners hold them: their own private ones, everybody's public ones."""
    own = [entry for entry in KEYS.entries() if entry.eui64 in owners]
    others = [entry.public() for entry in KEYS.entries() if entry.eui64 not in owners]
    return KeyRing(KeyStore([*own, *others]))


class FixedClock:
    """A clock that a test sets by hand."""

    def __init__(self) -> None:
        self.at = AT

    def now(self) -> UtcMs:
        return self.at

    async def sleep_until(self, at: UtcMs) -> None:
        self.at = max(self.at, at)


class ScriptedHub:
    """The hub port, playing a script: what it was given, what it is to say."""

    def __init__(self, clock: FixedClock, eui64: Eui64 = CHF) -> None:
        self._clock = clock
        self._eui64 = eui64
        self.got: list[bytes] = []
        self.staged: list[StageOrder] = []
        self.says: deque[bytes] = deque()
        self.reason = "held"
        self.before_staging: Callable[[], None] = lambda: None

    @property
    def eui64(self) -> Eui64:
        return self._eui64

    async def send(self, message: bytes) -> None:
        self.got.append(message)

    async def received(self, until: UtcMs) -> bytes | None:
        if self.says:
            return self.says.popleft()
        await self._clock.sleep_until(until)
        return None

    async def stage(self, order: StageOrder) -> StageOutcome:
        self.before_staging()
        self.staged.append(order)
        return StageOutcome(self.reason == "held", self.reason, self._clock.now())

    async def has_taken(self, message: bytes) -> bool | None:
        return message in self.got


def image(
    device_type: DeviceType,
    version: int = 0x01000001,
    *,
    force_replace: int = 0,
    content: bytes = b"new firmware " * 20,
) -> bytes:
    """An image for a demo device; the signature in its trailer is nobody's."""
    profile = next(p for p in PROFILES.values() if p.device_type is device_type)
    kind = profile.firmware.image_kind
    header = OtaHeader(
        manufacturer_code=profile.identity.manufacturer_code,
        image_type=profile.firmware.image_type,
        file_version=version,
        header_string=b"test image".ljust(32),
        total_image_size=0,
        minimum_hardware=0x0100,
        maximum_hardware=0x0100,
    )
    signed = kind is ImageKind.SUPPLIER_SIGNED
    size = ota_file.size_of(kind, header, content)
    header = OtaHeader(
        **{name: getattr(header, name) for name in OtaHeader.__slots__} | {"total_image_size": size}
    )
    trailer = {"force_replace": force_replace, "signature": bytes(64)} if signed else {}
    return ota_file.encode(OtaImage(kind, header, content, **trailer))  # type: ignore[arg-type]  # two types of values


def hash_of(octets: bytes, kind: ImageKind = ImageKind.SUPPLIER_SIGNED) -> bytes:
    return ota_file.manufacturer_image_hash(ota_file.decode(octets, kind))


def listing(*images: tuple[DeviceType, bytes], cpl: Cpl = CPL) -> Cpl:
    """The shipped list, with the hashes of these images at version 01000001 of the demo models."""
    entries = dict(cpl.entries)
    for device_type, octets in images:
        name = f"SYN-DEMO-{device_type}-01000001"
        kind = next(
            p.firmware.image_kind for p in PROFILES.values() if p.device_type is device_type
        )
        found = hash_of(octets, kind).hex()
        entries[name] = entries[name].model_copy(update={"manufacturer_image_hash": found})
    return Cpl(entries.values())


@dataclass
class World:
    """Everybody, around one hub."""

    clock: FixedClock = field(default_factory=FixedClock)
    cpl: Cpl = CPL
    inventory: Inventory = field(default_factory=lambda: enrol(INSTALLATION, PROFILES))
    dsp_class: type[Dsp] = Dsp
    supplier_class: type[Supplier] = Supplier
    acb_class: type[Acb] = Acb

    def __post_init__(self) -> None:
        self.told: list[tuple[str, str, str, bytes, str]] = []
        self.post = Post(self.clock, lambda *letter: self.told.append(letter))
        self.hub = ScriptedHub(self.clock)
        self.acb = self.acb_class(ACB, ring_of(ACB), last_counter=500)
        self.dsp = self.dsp_class(self.acb, self.inventory, self.cpl, self.post)
        self.supplier = self.supplier_class(SUPPLIER, BOTH, ring_of(SUPPLIER), self.post, acb=ACB)
        self.gas = self.supplier_class(
            GAS,
            {UserRole.GAS_SUPPLIER},
            ring_of(GAS),
            self.post,
            acb=ACB,
            name="gas-supplier",
        )
        self.wan_provider = WanProvider(WAN, self.post, self.dsp.expect_hub_version)
        self.dsp.register(self.supplier, self.gas)

    def device_says(  # noqa: PLR0913, PLR0917 - the fields of a message
        self,
        device: Eui64,
        target: Eui64,
        cra: Cra,
        code: MessageCode,
        counter: int,
        payload: bytes,
        *,
        protection: Protection,
        other: OtherInformation | None = None,
        date_time: bytes = b"",
    ) -> bytes:
        """Return a message of a device, sealed with its keys."""
        header = GroupingHeader(
            cra, counter, device, target, other or OtherInformation(code), date_time
        )
        return seal(Envelope(header, payload, b""), ring_of(device), protection=protection, acb=ACB)

    def answer(self, command: bytes, payload: bytes, *, protection: Protection) -> bytes:
        """Return the response of a command's target."""
        header = envelope.decode(command).header
        return self.device_says(
            header.target,
            header.originator,
            Cra.RESPONSE,
            MessageCode(header.other.message_code),
            header.counter,
            payload,
            protection=protection,
            other=header.other,
        )
