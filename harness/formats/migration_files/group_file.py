"""The Migration Group File: what the S1SP needs to reach the devices, in clear."""

from dataclasses import dataclass
from typing import Final

from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.formats.migration_files import kinds
from harness.formats.migration_files.xml_table import Column, Record, attribute, many, optional


@quick
@dataclass(frozen=True, slots=True)
class HubAccess:
    """How a CHF is reached.

    Attributes:
        device: Its EUI-64.
        wan_address: Where its WAN wrapper listens, e.g. ``[2001:db8::1]:4059``.
        han_channel: Zigbee channel, 11 to 26.
        sim_tag: What the SMSO calls its SIM; never an ICCID of a real one.
        configuration: Version of its configuration.
    """

    device: Eui64
    wan_address: str
    han_channel: int
    sim_tag: str
    configuration: str


@quick
@dataclass(frozen=True, slots=True)
class MeterAccess:
    """How a meter is reached.

    Attributes:
        device: Its EUI-64.
        protocol_address: Address of its logical device, 1 to 16383.
        configuration: Version of its configuration.
    """

    device: Eui64
    protocol_address: int
    configuration: str


@quick
@dataclass(frozen=True, slots=True)
class GroupInstallation:
    """One installation of a Migration Group File.

    Attributes:
        ref: The Requesting Party's reference.
        hub: Its CHF.
        esme: Its electricity meter.
        gsme: Its gas meter, if it is migrated.
    """

    ref: str
    hub: HubAccess
    esme: MeterAccess
    gsme: MeterAccess | None = None


@dataclass(frozen=True, slots=True)
class GroupFile:
    """Content of a Migration Group File.

    Attributes:
        installations: One row an installation that was found valid.

    Source:
        invented (reference 4.4).
    """

    installations: tuple[GroupInstallation, ...]


_DEVICE: Final = Column("DeviceID", "device", kinds.EUI64)
_CONFIGURATION: Final = Column("ConfigurationVersion", "configuration", kinds.NAME)
_HUB: Final = Record(
    HubAccess,
    (
        _DEVICE,
        Column("WANAddress", "wan_address", kinds.NAME),
        Column("HANChannel", "han_channel", kinds.number("HAN channel", 26)),
        Column("SIMTag", "sim_tag", kinds.NAME),
        _CONFIGURATION,
    ),
)
_METER: Final = Record(
    MeterAccess,
    (
        _DEVICE,
        Column("ProtocolAddress", "protocol_address", kinds.number("protocol address", 0x3FFF)),
        _CONFIGURATION,
    ),
)
GROUP_FILE: Final = Record(
    GroupFile,
    (
        many(
            "Installation",
            "installations",
            Record(
                GroupInstallation,
                (
                    attribute("InstallationRef", "ref", kinds.NAME),
                    Column("CHFDetail", "hub", _HUB),
                    Column("ESMEDetail", "esme", _METER),
                    optional("GSMEDetail", "gsme", _METER),
                ),
            ),
        ),
    ),
)
