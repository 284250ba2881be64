"""The shape of a device profile: sections, types and the rules between their values."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from device_profiles.dlms import DlmsSection
from device_profiles.evidence import Mark
from device_profiles.metadata_layout import MetadataLayout
from device_profiles.sections import U8, U16, Flag, Positive, Section
from device_profiles.version_codec import VersionCodec
from device_profiles.words import (
    DeviceType,
    DowngradePolicy,
    FirmwareSupport,
    ImageAcceptance,
    ImageKind,
    PathwayPolicy,
    ResumePolicy,
    SmetsVersion,
    SupplyState,
)

_EUI64 = re.compile(r"[0-9A-Fa-f]{2}([-:]?)[0-9A-Fa-f]{2}(\1[0-9A-Fa-f]{2}){6}")
_HEX8 = re.compile(r"[0-9A-Fa-f]{8}")


def canonical_eui64(text: str) -> str:
    """Return an EUI-64 written with ``-``, ``:`` or nothing as ``00-DB-12-34-56-78-90-A0``.

    Raises:
        ValueError: ``text`` is not an EUI-64.
    """
    if _EUI64.fullmatch(text) is None:
        raise ValueError(f"not an EUI-64: {text!r} (write it like 00-DB-12-34-56-78-90-A0)")
    return bytes.fromhex(text.replace("-", "").replace(":", "")).hex("-").upper()


def canonical_version(text: str) -> str:
    """Return eight hex digits in upper case.

    Raises:
        ValueError: ``text`` is not eight hex digits.
    """
    if _HEX8.fullmatch(text) is None:
        raise ValueError(f"not a firmware version of eight hex digits: {text!r}")
    return text.upper()


Name = Annotated[str, Field(min_length=1, max_length=30)]
Endpoint = Annotated[int, Field(strict=True, ge=1, le=240)]
EuiText = Annotated[str, AfterValidator(canonical_eui64)]
VersionText = Annotated[str, AfterValidator(canonical_version)]


class Identity(Section):
    """Who made the device, and what it says it is.

    Attributes:
        manufacturer_code: Zigbee manufacturer code (u16).
        model_id: First half of the DUIS model (u16).
        hardware_version: Second half of the DUIS model: version octet, revision octet (u16).
        firmware_version: Version that runs when the device leaves the factory: 8 hex digits.
        manufacturer_name: Name of the maker.
        model_name: Name of the model, as the Basic cluster gives it.
        smets: Generation of equipment.
        smets_chts_version: Technical specification, as DUIS spells it, or None.
        gbcs_version: GBCS version supported, or None.
        esme_variant: DUIS ESME variant, or None.
        reference_eui64: EUI-64 that published vectors give this device, or None.
    """

    manufacturer_code: U16
    model_id: U16
    hardware_version: U16
    firmware_version: VersionText
    manufacturer_name: Name
    model_name: Name
    smets: SmetsVersion
    smets_chts_version: Annotated[str, Field(min_length=1, max_length=20)] | None = None
    gbcs_version: str | None = None
    esme_variant: str | None = None
    reference_eui64: EuiText | None = None

    @property
    def version_octets(self) -> bytes:
        """The firmware version as four octets, most significant first (as GBCS carries it)."""
        return bytes.fromhex(self.firmware_version)

    @property
    def version_number(self) -> int:
        """The firmware version as the number an OTA header carries."""
        return int(self.firmware_version, 16)

    @property
    def manufacturer_hex(self) -> str:
        """Manufacturer as DUIS and the CPL write it: four hex digits."""
        return f"{self.manufacturer_code:04X}"

    @property
    def model_hex(self) -> str:
        """Model as DUIS writes it: model id and hardware version, eight hex digits."""
        return f"{self.model_id:04X}{self.hardware_version:04X}"


class RadioSection(Section):
    """How the device behaves on the HAN.

    Attributes:
        endpoint: Zigbee endpoint of the device (of the CHF for a hub).
        gpf_endpoint: Endpoint of the GPF in the same box; hubs only.
        sleepy: Whether the receiver is off outside wake windows.
        wake_period_s: Seconds from one wake window to the next; sleepy devices only.
        awake_window_s: Length of a wake window in seconds; sleepy devices only.
        max_apdu_bytes: Octets of APS payload in one frame; longer ones go in APS fragments.
        tunnel_max_bytes: Longest message the device takes out of a tunnel.
    """

    endpoint: Endpoint
    gpf_endpoint: Endpoint | None = None
    sleepy: Flag
    wake_period_s: Positive | None = None
    awake_window_s: Positive | None = None
    max_apdu_bytes: Annotated[int, Field(strict=True, ge=16, le=1500)]
    tunnel_max_bytes: Annotated[int, Field(strict=True, ge=64, le=0xFFFF)]

    @model_validator(mode="after")
    def _windows_belong_to_sleepy_devices(self) -> Self:
        period, window = self.wake_period_s, self.awake_window_s
        if self.sleepy and (period is None or window is None):
            raise ValueError("a sleepy device needs wake_period_s and awake_window_s")
        if not self.sleepy and (period is not None or window is not None):
            raise ValueError("wake_period_s and awake_window_s belong to sleepy devices")
        if period is not None and window is not None and window >= period:
            raise ValueError("awake_window_s must be shorter than wake_period_s")
        return self


class FirmwareSection(Section):
    """How the device takes, keeps and runs firmware.

    Attributes:
        image_type: Image type in the OTA header of its images (u16).
        image_kind: What the tail of its images looks like.
        max_image_bytes: Largest image file it takes.
        slots: Images held besides the running one.
        max_data_size: Octets it asks for in one block request.
        block_interval_ms: Pause between an answer and the next block request.
        block_timeout_ms: How long it waits for a block.
        block_retries: Repeats of one block request before it gives up.
        wait_for_data_s: Pause the server asks for, or the client keeps, when data are not ready.
        page_support: Whether it asks for pages.
        resume_policy: What it does with half an image after power returns.
        downgrade_policy: What it does with a lower version.
        pathway_policy: What it does with an image its running version is no step to.
        activation_s: Seconds from the activation command to the new version running.
        postpone_below_battery_days: It does not start a download with fewer days of battery left.
        firmware_support: Whether its maker still makes firmware for it (S003 §6).
        takes_images: Whether it takes an image all the same; None: it does.
        version_codec: How its versions are printed.
    """

    image_type: U16
    image_kind: ImageKind
    max_image_bytes: Positive
    slots: Annotated[int, Field(strict=True, ge=1, le=8)]
    max_data_size: Annotated[int, Field(strict=True, ge=1, le=255)]
    block_interval_ms: Annotated[int, Field(strict=True, ge=0, le=3_600_000)]
    block_timeout_ms: Positive
    block_retries: U8
    wait_for_data_s: Positive
    page_support: Flag
    resume_policy: ResumePolicy
    downgrade_policy: DowngradePolicy
    pathway_policy: PathwayPolicy
    activation_s: Positive
    postpone_below_battery_days: U16 | None = None
    firmware_support: FirmwareSupport | None = None
    takes_images: ImageAcceptance | None = None
    version_codec: VersionCodec

    @property
    def is_supported(self) -> bool:
        """Whether its maker still makes firmware for it, as far as the profile says."""
        return self.firmware_support is not FirmwareSupport.ENDED


class HubSection(Section):
    """What only a communications hub has.

    Attributes:
        image_store_bytes: Octets of image storage.
        image_slots: Images it can hold at once.
        oversize_blocks_store: Whether a SMETS1 hub takes no image any more once one was too large.
        distribution_log_entries: Rows of a SMETS1 hub's distribution log.
        outcome_repeat_s: Seconds after which a SMETS1 hub tells an outcome again that nobody read.
        device_log_entries: Size of the CHF Device Log.
        historic_log_entries: Size of the Historic Log.
        ppmid_ota: Whether its firmware can update PPMIDs and HCALCS (SECMP0007).
        ccs08_targets: Target types for which it sends the Firmware Transfer Alert.
    """

    image_store_bytes: Positive
    image_slots: Annotated[int, Field(strict=True, ge=1, le=64)]
    oversize_blocks_store: Flag = False
    distribution_log_entries: Annotated[int, Field(strict=True, ge=1, le=255)] = 16
    outcome_repeat_s: Positive = 3_600
    device_log_entries: Annotated[int, Field(strict=True, ge=1, le=64)]
    historic_log_entries: Annotated[int, Field(strict=True, ge=1, le=64)]
    ppmid_ota: Flag
    ccs08_targets: tuple[DeviceType, ...]


class BilingualSection(Section):
    """How a PPMID that can be of both generations is listed as the other one (S003 §2).

    ``[identity]`` has the version that executes, and its CPL entry as SMETS2+; under SMETS1 the
    list has another, nominal version, which the device never runs.

    Attributes:
        smets1_version: Version of its SMETS1 entry.
    """

    smets1_version: VersionText


class DisplaySection(Section):
    """What a display on the HAN of a SMETS1 hub does of itself. Illustrative.

    Attributes:
        refresh_s: Seconds from one reading of the electricity meter to the next; None: only when
            it has joined and when a button is pressed.
        dark_after_s: Seconds after which its screen goes dark; None: never.
    """

    refresh_s: Positive | None = None
    dark_after_s: Positive | None = None


class SupplySection(Section):
    """Contactor or valve, and the battery.

    Attributes:
        has_switch: Whether it has a load switch (ESME).
        has_valve: Whether it has a gas valve (GSME).
        initial_state: State of switch or valve when the installation is loaded.
        battery_days: Days of battery left when the installation is loaded; None on mains.
    """

    has_switch: Flag
    has_valve: Flag
    initial_state: SupplyState
    battery_days: U16 | None = None

    @model_validator(mode="after")
    def _one_way_to_cut_the_supply(self) -> Self:
        if self.has_switch and self.has_valve:
            raise ValueError("a device has a switch or a valve, not both")
        return self


class LimitsSection(Section):
    """How much the device remembers.

    Attributes:
        event_log_entries: Entries of the event log.
        security_log_entries: Entries of the security log.
        future_dated_commands: Future-dated commands held at once.
        type1_devices: Type 1 devices it takes, or None where the question has no meaning.
        hcalcs_devices: HCALCS among them, or None.
        type2_devices: Type 2 devices it takes, or None.
        gbt_block_bytes: Longest message in octets that goes as it is; longer ones go in blocks of
            so many octets (GBT). None: it knows no blocks. Unverified: GBCS's limit was not found.
    """

    event_log_entries: Positive
    security_log_entries: Positive
    future_dated_commands: Positive
    type1_devices: U8 | None = None
    hcalcs_devices: U8 | None = None
    type2_devices: U8 | None = None
    gbt_block_bytes: Annotated[int, Field(strict=True, ge=64, le=0xFF00)] | None = None


class DeviceProfile(Section):
    """One device model, each value with its evidence mark.

    Attributes:
        name: Stem of the file.
        device_type: What it is.
        title: One line for a reader.
        identity: See :class:`Identity`.
        radio: See :class:`RadioSection`.
        firmware: See :class:`FirmwareSection`.
        supply: See :class:`SupplySection`.
        limits: See :class:`LimitsSection`.
        hub: See :class:`HubSection`; of a CHF, and of no other device.
        dlms: See :class:`DlmsSection`; of SMETS1 devices alone.
        metadata: See :class:`MetadataLayout`; of SMETS1 hubs alone.
        bilingual: See :class:`BilingualSection`; of PPMIDs alone.
        display: See :class:`DisplaySection`; of PPMIDs alone.
        attributes: Values of its objects by the catalogue's names; the emulator checks them.
        evidence: Key path of every value -> its mark.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    name: str
    device_type: DeviceType
    title: str
    identity: Identity
    radio: RadioSection
    firmware: FirmwareSection
    supply: SupplySection
    limits: LimitsSection
    hub: HubSection | None = None
    dlms: DlmsSection | None = None
    metadata: MetadataLayout | None = None
    bilingual: BilingualSection | None = None
    display: DisplaySection | None = None
    attributes: Mapping[str, Any] = Field(default_factory=dict)
    evidence: Mapping[str, Mark]

    def nominal_version(self, smets: SmetsVersion) -> str:
        """Return the version the Central Products List has it under as a device of a generation.

        Raises:
            ValueError: It is of the other generation alone.
        """
        if smets is self.identity.smets:
            return self.identity.firmware_version
        if self.bilingual is None:
            raise ValueError(f"{self.name} is of {self.identity.smets} alone")
        return self.bilingual.smets1_version

    def is_of(self, smets: SmetsVersion) -> bool:
        """Say whether a device of this model can be of a generation."""
        return smets is self.identity.smets or self.bilingual is not None

    @model_validator(mode="after")
    def _dlms_servers_are_smets1(self) -> Self:
        if self.dlms is not None and self.identity.smets is not SmetsVersion.SMETS1:
            raise ValueError("[dlms] belongs to SMETS1 devices")
        return self

    @model_validator(mode="after")
    def _metadata_are_asked_for_by_smets1_hubs(self) -> Self:
        is_smets1_hub = (self.device_type, self.identity.smets) == (
            DeviceType.CHF,
            SmetsVersion.SMETS1,
        )
        if self.metadata is not None and not is_smets1_hub:
            raise ValueError("[metadata] belongs to SMETS1 hubs")
        return self

    @model_validator(mode="after")
    def _two_generations_need_two_versions(self) -> Self:
        if self.bilingual is None:
            return self
        if (self.device_type, self.identity.smets) != (DeviceType.PPMID, SmetsVersion.SMETS2):
            raise ValueError("[bilingual] belongs to PPMIDs whose [identity] is of SMETS2+")
        if self.bilingual.smets1_version == self.identity.firmware_version:
            raise ValueError("bilingual.smets1_version must differ from identity.firmware_version")
        return self

    @model_validator(mode="after")
    def _displays_are_ppmids(self) -> Self:
        if self.display is not None and self.device_type is not DeviceType.PPMID:
            raise ValueError("[display] belongs to PPMIDs")
        return self

    @model_validator(mode="after")
    def _hub_values_belong_to_hubs(self) -> Self:
        is_hub = self.device_type is DeviceType.CHF
        if is_hub != (self.hub is not None) or is_hub != (self.radio.gpf_endpoint is not None):
            raise ValueError("a CHF, and no other device, has [hub] and radio.gpf_endpoint")
        if self.radio.gpf_endpoint == self.radio.endpoint:
            raise ValueError("CHF and GPF need endpoints of their own")
        return self
