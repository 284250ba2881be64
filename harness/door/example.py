"""A worked example: a participant's system updates an ESME of each generation through the door."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from device_profiles import cpl as lists
from device_profiles.installation import Installation, InstalledDevice
from device_profiles.loader import load_profile
from device_profiles.metadata_makers import HubMaker
from device_profiles.words import DeviceType
from emulator.codecs import ota_file
from emulator.codecs.chf_metadata import MetadataTarget, codec_of
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.ota_file import OtaImage
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyUsage
from firmware_images import recipe as recipes
from firmware_images.image import Signing, Target, build
from firmware_images.version import FirmwareVersion
from harness.door.homes import Homes, load_homes
from harness.door.participant import ParticipantSystem
from harness.door.trust import PARTICIPANT
from harness.errors import HarnessError
from harness.formats.duis.bodies import (
    DevicePrenotification,
    ReadFirmwareVersion,
    ReadInventory,
    UpdateFirmware,
)
from harness.formats.duis.responses import DeviceAlertMessage
from harness.formats.duis.smets1_contents import DeviceAlert, Result
from harness.keys import open_keystore
from harness.new_installations import Order, generate
from harness.parties.dsp_messages import version_of
from harness.parties.received import Kind, Received

RECIPE: Final = "demo-esme-2"
SMETS1_VERSION: Final = "10000002"
_COHORT: Final = "IOC"
#: A PPMID that is announced and never installed. Its number cannot be live.
NEW_PPMID: Final = Eui64.parse("02-53-05-00-00-00-0D-00")
_CONTENT: Final = bytes(range(256)) * 2
Say = Callable[[str], None]


class ExampleFailedError(HarnessError):
    """The worked example did not come out as it should (exit code 3)."""

    exit_code = 3


def homes(folder: Path, seed: int = 1) -> Homes:
    """Return the homes of the example: a SMETS2+ one, and a SMETS1 one with an image on the list.

    Args:
        folder: Where the list of products with that image is written.
        seed: Seed of every octet of chance.
    """
    data = folder / "data"
    smets1 = generate(Order(1, 5, _COHORT))
    meter = smets1[0].of(DeviceType.ESME)[0]
    shipped = lists.load_cpl()
    image = smets1_image(meter, smets1[0].of(DeviceType.CHF)[0])
    entry = next(one for one in shipped.entries.values() if one.cpl_entry_id == meter.cpl_entry)
    change = {
        "cpl_entry_id": "EXAMPLE-NEXT",
        "firmware_version": SMETS1_VERSION,
        "manufacturer_image_hash": ota_file.manufacturer_image_hash(image).hex(),
        "upgrade_from": (entry.cpl_entry_id,),
    }
    rows = [*shipped.entries.values(), entry.model_copy(update=change)]
    (data / "catalogues").mkdir(parents=True, exist_ok=True)
    (data / "catalogues" / lists.FILE_NAME).write_text(lists.render(rows), "utf-8")
    own = load_homes(["demo"], (data,), seed)
    return Homes(own.smets2, smets1, (data,), seed)


def smets1_image(meter: InstalledDevice, hub: InstalledDevice, scalar: int = 1) -> OtaImage:
    """Return the next image of a SMETS1 meter, with the metadata its hub asks for, signed."""
    version = FirmwareVersion.from_number(int(SMETS1_VERSION, 16))
    profile = load_profile(meter.profile)
    target = Target.of(profile)
    bare = build(target, version, _CONTENT, signing=Signing(scalar))
    codec = codec_of(HubMaker.of(load_profile(hub.profile)))
    metadata = codec.build(bare.header, _CONTENT, MetadataTarget.of(profile))
    return build(target, version, codec.join(metadata, _CONTENT), signing=Signing(scalar))


@dataclass(slots=True)
class Example:
    """Plays the example.

    Attributes:
        system: The participant's system.
        trust: The trust folder.
        say: Takes a line about each step.
    """

    system: ParticipantSystem
    trust: Path
    say: Say
    _scalar: int = field(default=0, repr=False)

    def play(self, homes: Sequence[Installation], *, smets1: bool) -> None:
        """Play it in the first home.

        Args:
            homes: The homes of one generation.
            smets1: Which generation.

        Raises:
            ExampleFailedError: Something did not come out as it should.
        """
        own = open_keystore(self.trust / PARTICIPANT)
        entry = own.find(self.system.supplier.eui64, KeyUsage.DS)
        if entry is None or entry.private_scalar is None:
            raise ExampleFailedError("the trust folder lacks the participant's signing key")
        self._scalar = entry.private_scalar
        meter = homes[0].of(DeviceType.ESME)[0]
        try:
            self.look(meter)
            if smets1:
                self.update_smets1(meter, homes[0].of(DeviceType.CHF)[0])
            else:
                self.update_smets2(meter)
        except TimeoutError as error:
            raise ExampleFailedError(str(error)) from error

    def look(self, meter: InstalledDevice) -> None:
        """8.2 and 11.2: what the inventory says, and what the meter itself says."""
        device = Eui64.parse(meter.eui64)
        self._expect("8.2", self.system.ask(ReadInventory(device)), Kind.INVENTORY)
        version = self.version(device)
        self.say(f"8.2, 11.2  {meter.role} {device} runs {version}")

    def announce(self) -> None:
        """12.2: announce a PPMID, and find it on the inventory."""
        identity = load_profile("demo-ppmid").identity
        told = DevicePrenotification(
            NEW_PPMID,
            identity.manufacturer_hex,
            identity.model_hex,
            DeviceType.PPMID,
            firmware_version=identity.firmware_version.upper(),
        )
        self._expect("12.2", self.system.ask(told), Kind.ACKNOWLEDGEMENT)
        self._expect("8.2", self.system.ask(ReadInventory(NEW_PPMID)), Kind.INVENTORY)
        self.say(f"12.2, 8.2  PPMID {NEW_PPMID} is on the inventory")

    def version(self, device: Eui64) -> str:
        """11.2: return what a device says it runs, eight hex digits."""
        got = self.system.ask(ReadFirmwareVersion(), device)
        answer = self.system.of_s1sp(got)
        if answer is not None and isinstance(answer.body, Result):
            named = (one.text for one in answer.body.values if one.name == "FirmwareVersion")
            return next(named, "")
        if not got.accepted:
            raise ExampleFailedError(f"11.2 is not answered: {got.code} {got.trouble}")
        found = version_of(got.value)
        return "" if found is None else found.hex().upper()

    def update_smets2(self, meter: InstalledDevice) -> None:
        """11.1, alerts, 11.3: an ESME whose model the recipe is for gets its next version."""
        recipe, device = recipes.load_recipe(RECIPE), Eui64.parse(meter.eui64)
        image = recipes.build(recipe, load_profile(meter.profile), self._scalar)
        version = image.header.version_octets.hex().upper()
        asked = UpdateFirmware(ota_file.encode(image), version, (device,))
        self._expect("11.1", self.system.ask(asked), Kind.ACKNOWLEDGEMENT)
        heard = self.system.alerts(lambda found: any(map(_is_receipt, found)))
        self.say(f"11.1       {version}: {', '.join(_word(one) for one in heard)}")
        got = self.system.activate(device, ota_file.manufacturer_image_hash(image))
        if not got.accepted:
            raise ExampleFailedError(f"11.3 is not answered: {got.code} {got.trouble}")
        self._runs(device, version)

    def update_smets1(self, meter: InstalledDevice, hub: InstalledDevice) -> None:
        """11.1, the S1SP's word on the image, 11.3: the same through an S1SP."""
        device = Eui64.parse(meter.eui64)
        image = smets1_image(meter, hub, self._scalar)
        asked = UpdateFirmware(ota_file.encode(image), SMETS1_VERSION, (device,))
        self._expect("11.1", self.system.ask(asked), Kind.ACKNOWLEDGEMENT)
        heard = self.system.alerts(self._is_verified)
        words = ", ".join(f"{one.code:04X} {one.description}" for one in self._of_meter(heard))
        self.say(f"11.1       {SMETS1_VERSION}: {words}")
        got = self.system.activate(device, ota_file.manufacturer_image_hash(image))
        answer = self.system.of_s1sp(got)
        if answer is None or not isinstance(answer.body, Result) or not answer.body.success:
            raise ExampleFailedError(f"11.3 is not carried out: {got.code}")
        self._runs(device, SMETS1_VERSION)

    def _is_verified(self, heard: Iterable[Received]) -> bool:
        return any(one.code == AlertCode.FIRMWARE_VERIFIED for one in self._of_meter(heard))

    def _of_meter(self, heard: Iterable[Received]) -> list[DeviceAlert]:
        told = [self.system.of_s1sp(one) for one in heard]
        return [one.body for one in told if one and isinstance(one.body, DeviceAlert)]

    def _runs(self, device: Eui64, version: str) -> None:
        found = self.version(device)
        if found != version:
            raise ExampleFailedError(f"{device} runs {found}, not {version}")
        self.say(f"11.3, 11.2 {device} runs {version}")

    def _expect(self, service: str, got: Received, kind: Kind) -> None:
        if got.kind is not kind:
            raise ExampleFailedError(f"{service} is answered by a {got.kind}: {got.code}")


def _is_receipt(got: Received) -> bool:
    body = got.response.body
    return isinstance(body, DeviceAlertMessage) and body.alert_code == AlertCode.FIRMWARE_VERIFIED


def _word(got: Received) -> str:
    body = got.response.body
    code = getattr(body, "code", None) or f"{getattr(body, 'alert_code', 0):04X}"
    return f"alert {code}"
