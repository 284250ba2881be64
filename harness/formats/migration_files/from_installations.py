"""Parts of migration files out of installation files: devices, models, certificates, access."""

from dataclasses import replace
from typing import Final

from device_profiles.announced import announced_in_smets1
from device_profiles.cohort import Cohort
from device_profiles.cpl import load_cpl
from device_profiles.files import Folders
from device_profiles.installation import Installation, InstalledDevice
from device_profiles.loader import load_profile
from device_profiles.words import DeviceType, InstallationClass, PaymentMode
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore, KeyUsage
from harness.errors import UsageError
from harness.formats.migration_files.common_file import (
    CommonInstallation,
    ExcludedGsme,
    HubDetail,
    MeterDetail,
    PpmidDetail,
)
from harness.formats.migration_files.devices import (
    NULL_CERTIFICATE_ID,
    CertificateId,
    DeviceModel,
)
from harness.formats.migration_files.group_file import GroupInstallation, HubAccess, MeterAccess
from harness.formats.migration_files.parties import certificate_id
from harness.formats.migration_files.words import MeterStatus
from harness.rules.migration_planning import status_of

#: Made-up access: first logical device, wrapper port of DLMS, lowest Zigbee channel.
_LOGICAL_DEVICE: Final = 1
_WRAPPER_PORT: Final = 4059
_LOWEST_CHANNEL: Final = 11
_CHANNELS: Final = 16


class Planner:
    """Turns installations into what the Requesting Party writes of them.

    Supplier Certificate IDs are those of the key store where one supplier serves all meters, else
    null ones: split supply migrates with null ones only (S000 §5).

    Args:
        certificates: Key store with certificates of suppliers and network operator.
        network_operator: The one network operator of all meters; None: null Certificate IDs.
        overlays: Overlay folders for profiles.
    """

    def __init__(
        self,
        certificates: KeyStore,
        network_operator: Eui64 | None = None,
        overlays: Folders = (),
    ) -> None:
        self._certificates = certificates
        self._operator = network_operator
        self._overlays = overlays
        self._models: dict[tuple[str, str], DeviceModel] = {}
        self._ids: dict[tuple[Eui64, KeyUsage], CertificateId] = {}

    def common(self, installation: Installation) -> CommonInstallation:
        """Return an installation as a Migration Common File has it.

        Raises:
            UsageError: It cannot be migrated: no ESME, or a meter without MPxN.
            DataError: A profile cannot be loaded.
        """
        meters = (*installation.of(DeviceType.ESME), *installation.of(DeviceType.GSME))
        if not installation.of(DeviceType.ESME):
            raise _not_migratable(installation, "it has no ESME")
        is_split = len({device.supplier for device in meters}) > 1
        details = [self._meter(installation, device, is_split=is_split) for device in meters]
        hub = installation.of(DeviceType.CHF)[0]
        return CommonInstallation(
            installation.ref,
            installation.installation_class,
            HubDetail(Eui64.parse(hub.eui64), self._model(hub), installation.csp),
            details[0],
            details[1] if len(details) > 1 else None,
            None,
            tuple(
                PpmidDetail(Eui64.parse(ppmid.eui64), self._model(ppmid))
                for ppmid in installation.of(DeviceType.PPMID)
            ),
        )

    def migrating(
        self, installation: Installation, cohort: Cohort, *, gas_stays: bool = False
    ) -> CommonInstallation:
        """Return an installation as a Migration Common File has it, without what stays behind.

        Args:
            installation: The installation.
            cohort: Its cohort: whether PPMIDs of other makers than the hub's migrate.
            gas_stays: Whether the GSME is left out and named as such (GT01).

        Raises:
            UsageError: It cannot be migrated.
            DataError: A profile cannot be loaded.
        """
        whole = self.common(installation)
        makers = {device.eui64: self._model(device).manufacturer for device in installation.devices}
        own = makers[str(whole.hub.device)]
        if not cohort.ppmid.third_party_migrated:
            kept = tuple(one for one in whole.ppmids if makers[str(one.device)] == own)
            whole = replace(whole, ppmids=kept)
        if gas_stays and whole.gsme is not None:
            left = ExcludedGsme(whole.gsme.device, "GT01")
            status = whole.esme.status is MeterStatus.DORMANT
            alone = InstallationClass.DORMANT if status else InstallationClass.ACTIVE
            whole = replace(whole, gsme=None, excluded_gsme=left, installation_class=alone)
        return whole

    def _meter(
        self, installation: Installation, device: InstalledDevice, *, is_split: bool
    ) -> MeterDetail:
        if device.mpxn is None:
            raise _not_migratable(installation, f"{device.role} {device.eui64} has no MPxN")
        supplier = Eui64.parse(device.supplier)
        known = None if is_split else supplier
        return MeterDetail(
            Eui64.parse(device.eui64),
            self._model(device),
            device.mpxn,
            supplier,
            self._id(known, KeyUsage.DS),
            self._id(known, KeyUsage.KA),
            self._id(self._operator, KeyUsage.DS),
            self._id(self._operator, KeyUsage.KA),
            device.payment_mode or PaymentMode.CREDIT,
            status_of(installation, device),
        )

    def _id(self, party: Eui64 | None, usage: KeyUsage) -> CertificateId:
        if party is None:
            return NULL_CERTIFICATE_ID
        if (party, usage) not in self._ids:
            found = self._certificates.find(party, usage)
            self._ids[party, usage] = certificate_id(found)
        return self._ids[party, usage]

    def _model(self, device: InstalledDevice) -> DeviceModel:
        """Return the model of a device; its version is that of the row its papers name."""
        key = (device.profile, device.cpl_entry or "")
        if key not in self._models:
            profile = load_profile(device.profile, self._overlays)
            identity, (version, _smets) = profile.identity, announced_in_smets1(profile)
            row = load_cpl(self._overlays).entries.get(key[1]) if key[1] else None
            same = row is not None and (row.manufacturer_id, row.model_id) == (
                identity.manufacturer_hex,
                f"{identity.model_id:04X}",
            )
            self._models[key] = DeviceModel(
                identity.manufacturer_hex,
                f"{identity.model_id:04X}",
                f"{identity.hardware_version:04X}",
                row.firmware_version if row is not None and same else version,
            )
        return self._models[key]


def group_installation(common: CommonInstallation, number: int) -> GroupInstallation:
    """Return made-up access data of an installation.

    Args:
        common: The installation.
        number: Its place in the file, counted from 0; addresses and channels follow from it.

    Source:
        invented, stand-in: documentation addresses (RFC 3849) and tags that name no real SIM.
    """

    def meter(device: Eui64) -> MeterAccess:
        return MeterAccess(device, _LOGICAL_DEVICE, "1")

    hub = HubAccess(
        common.hub.device,
        f"[2001:db8::{number + 1:x}]:{_WRAPPER_PORT}",
        _LOWEST_CHANNEL + number % _CHANNELS,
        f"made-up:SIM-{number + 1:06d}",
        "1",
    )
    gas = None if common.gsme is None else meter(common.gsme.device)
    return GroupInstallation(common.ref, hub, meter(common.esme.device), gas)


def holders_of(common: CommonInstallation, cohort: Cohort) -> tuple[Eui64, ...]:
    """Return the devices of an installation whose credentials change hands, hub first.

    Which types hold head-end credentials is cohort data.
    """
    by_type = {DeviceType.CHF: [common.hub.device], DeviceType.ESME: [common.esme.device]}
    by_type[DeviceType.GSME] = [] if common.gsme is None else [common.gsme.device]
    by_type[DeviceType.PPMID] = [ppmid.device for ppmid in common.ppmids]
    holders = set(cohort.handover.holders)
    return tuple(one for kind, found in by_type.items() if kind in holders for one in found)


def _not_migratable(installation: Installation, why: str) -> UsageError:
    return UsageError(
        f"the installation cannot stand in a Migration Common File: {why}",
        where=installation.ref,
        cause="an installation file made for other uses",
        next_command="smetsbench installations new --cohort EA --out installations.toml",
    )
