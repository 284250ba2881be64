"""Firmware of dormant homes before they migrate (4.26): the SMSO carries out what it was ordered.

The image is made here; the SMSO hands it to the hub over its own network, the device takes it from
there, verifies it, and starts it when it is ordered to. What the device says afterwards is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from device_profiles.cpl import load_cpl
from device_profiles.installation import Installation, InstalledDevice
from device_profiles.loader import load_profile
from device_profiles.metadata_makers import HubMaker
from device_profiles.words import DeviceType, SmetsVersion
from emulator.codecs import ota_file
from emulator.codecs.chf_metadata import MetadataTarget, codec_of
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyUsage
from firmware_images.image import Signing, Target, build
from firmware_images.version import FirmwareVersion
from harness.dust.chronicle import MIGRATION, Chronicle
from harness.dust.definition import Definition
from harness.dust.events import Level, Phase
from harness.migration.course import Course
from harness.migration.smso_images import Brought, SmsoImages

_SMSO: Final = "SMSO"
#: Kind of an event: a device was updated before its migration, or was not.
UPDATED: Final = "early-firmware-done"
IMAGE: Final = "firmware image"
#: By then every home of a run is switched on, and sleeping meters have woken. Source: invented.
_ALL_ON_MS: Final = 45 * 60_000
#: What a made-up image holds. Source: invented.
_CONTENT: Final = b"smetsbench: firmware of a dormant home, made up. " * 8


@dataclass(frozen=True, slots=True)
class EarlyUpdates:
    """Carries the SMSO's orders out, before the run's first day.

    Attributes:
        course: The course of all homes.
        chronicle: Where everything is told.
    """

    course: Course = field(repr=False)
    chronicle: Chronicle = field(repr=False)

    async def carry_out(self) -> None:
        """Bring every device to the version that the SMSO was ordered to bring it to."""
        office = self.course.office
        if office.smso.updates:
            await office.clock.sleep_until(UtcMs(office.clock.now() + _ALL_ON_MS))
        for ref, site in self.course.sites.items():
            for device in site.installation.devices:
                wanted = office.smso.updates.pop(Eui64.parse(device.eui64), "")
                if wanted:
                    await self._one(ref, device, wanted)

    async def _one(self, ref: str, device: InstalledDevice, wanted: str) -> None:
        office, site = self.course.office, self.course.sites[ref]
        octets = self._image(site.installation, device, wanted)
        eui64 = Eui64.parse(device.eui64)
        path = self.chronicle.keep(
            f"{MIGRATION}/{device.role.value}_{wanted}_{ref}.ota",
            octets,
            IMAGE,
            sender=_SMSO,
            receiver=device.eui64,
            refs=(ref,),
        ).path
        brought = await SmsoImages(office, site).bring(device.role, eui64, wanted, octets)
        runs = brought.after.upper() == wanted.upper()
        self.chronicle.tell(
            UPDATED,
            f"{device.role} of {ref}: {_says(brought)}, it runs {brought.after or 'nobody knows'}",
            level=Level.INFO if runs else Level.WARNING,
            phase=Phase.PLANNING,
            party=_SMSO,
            receiver=device.eui64,
            ref=ref,
            device=device.eui64,
            file=path,
            told={"before": brought.before, "after": brought.after, "wanted": wanted},
        )

    def _image(self, home: Installation, device: InstalledDevice, wanted: str) -> bytes:
        """Make an image for a device, with the metadata that its hub looks for."""
        office = self.course.office
        profile = load_profile(device.profile, office.overlays)
        hub = load_profile(home.of(DeviceType.CHF)[0].profile, office.overlays)
        number, target = FirmwareVersion.from_duis(wanted), Target.of(profile)
        known = office.keys.store.find(Eui64.parse(device.supplier), KeyUsage.DS)
        scalar = None if known is None else known.private_scalar
        signing = None if scalar is None else Signing(scalar)
        made = build(target, number, _CONTENT, signing=signing)
        maker = HubMaker.of(hub)
        if not maker.layout.is_none:
            codec = codec_of(maker)
            metadata = codec.build(made.header, _CONTENT, MetadataTarget.of(profile))
            made = build(target, number, codec.join(metadata, _CONTENT), signing=signing)
        return ota_file.encode(made)


def _says(brought: Brought) -> str:
    if brought.row is None:
        return "the hub told no outcome of its image"
    if brought.started is None:
        return f"its image ended as {brought.row.stage.name.lower()} ({brought.row.reason.word})"
    return f"its image was verified, the order to start it was {brought.started}"


def row_at(definition: Definition, device: InstalledDevice, version: str) -> str | None:
    """Return the row of the Central Products List of a device at a version; None: it has none."""
    identity = load_profile(device.profile, definition.overlays).identity
    found = load_cpl(definition.overlays).resolve(
        manufacturer=identity.manufacturer_hex,
        model=identity.model_hex,
        device_type=device.role,
        firmware_version=version,
        smets=SmetsVersion.SMETS1,
    )
    return None if found.entry is None else found.entry.cpl_entry_id


def with_updates(definition: Definition, homes: Sequence[Installation]) -> tuple[Installation, ...]:
    """Return homes whose papers name the versions that devices are updated to before migration.

    Where no list names such a version the papers stay as they are, and 4.26 refuses the order.
    """
    rows: dict[str, dict[DeviceType, str]] = {}
    for table in definition.early_firmware:
        for ref in definition.refs_of(table):
            rows.setdefault(ref, {})[table.device] = table.to
    return tuple(_with(definition, home, rows.get(home.ref, {})) for home in homes)


def _with(
    definition: Definition, home: Installation, versions: Mapping[DeviceType, str]
) -> Installation:
    def papers(device: InstalledDevice) -> InstalledDevice:
        wanted = versions.get(device.role)
        row = None if wanted is None else row_at(definition, device, wanted)
        return device if row is None else device.model_copy(update={"cpl_entry": row})

    if not versions:
        return home
    told = {name: getattr(home, name) for name in Installation.model_fields}
    return Installation(**{**told, "devices": tuple(map(papers, home.devices))})
