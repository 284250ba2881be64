"""The shape of a bench file: its tables, their types and the rules between them."""

from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from device_profiles.schema import EuiText
from device_profiles.sections import U16, Flag, Section
from device_profiles.words import DeviceType
from emulator.codecs.dlms.acse import Mechanism
from harness.dlms.settings import Framing
from hil.bench_fields import (
    AssociationName,
    Baud,
    DateValue,
    EndpointText,
    Label,
    ReferenceText,
    Sap,
    Seconds,
    Text,
    Title,
    refuse,
)
from hil.bench_side_sections import ConsoleSection, PowerSection
from hil.discovery import PortSelector
from hil.dongle_roles import refuse_misfits
from hil.dongle_sections import DongleName, DongleSection
from hil.endpoints import BY_USB, Endpoint, EndpointKind, Listen
from hil.verbs import CONFIRMED

#: Device types that can have a DLMS line of their own.
_METERS: Final = frozenset({DeviceType.ESME, DeviceType.GSME})
#: Keys that a loopback child alone understands.
_CHILD_KEYS: Final = ("listen", "pace", "clock_factor", "seed")
#: Kinds that speak through a port of this machine, and so need to be told the model.
_PORTS: Final = frozenset({EndpointKind.SERIAL, EndpointKind.REPLAY})
#: Kinds that need no line of the device's own.
_ANY_ROLE: Final = frozenset({EndpointKind.EMULATED, EndpointKind.DONGLE})
#: Keys of a role behind a dongle.
_ZIGBEE_KEYS: Final = frozenset({"endpoint", "profile", "eui64", "install_code"})
_WORDS: Final = {
    "none": Mechanism.NONE,
    "lls": Mechanism.LLS,
    "hls-gmac": Mechanism.HLS_GMAC,
}


class GeneralSection(Section):
    """``[bench]``: whose bench this is, and what may be written to.

    Attributes:
        name: What people call it; typed to arm it.
        operator: Who answers for what is written from it.
        expires: Last day on which anything may be written; None: no end.
        reopen_s: Seconds to wait for a port that is away to come back.
        allow: EUI-64s of the devices that may be written to.
    """

    name: Label
    operator: Label
    expires: DateValue | None = None
    reopen_s: Seconds = 10.0
    allow: tuple[EuiText, ...] = ()

    @model_validator(mode="after")
    def _a_name_is_no_verb(self) -> Self:
        if self.name in set(CONFIRMED):
            raise refuse("invalid-value", f"a bench cannot be called {self.name}: it is a verb")
        return self


class UsbSection(Section):
    """``[roles.ROLE.usb]``: which USB adapter, whatever number the system gave it.

    Attributes:
        vid: Vendor id.
        pid: Product id.
        serial: The adapter's own serial number.
        interface: Number of the interface, where an adapter has several ports.
        location: Path in the USB tree such as ``1-1.2``, for adapters without a serial number.
    """

    vid: U16 | None = None
    pid: U16 | None = None
    serial: Text | None = None
    interface: Annotated[int, Field(strict=True, ge=0, le=255)] | None = None
    location: (
        Annotated[str, Field(strict=True, pattern=r"^\d+-\d+(\.\d+)*(:\d+\.\d+)?$")] | None
    ) = None

    @model_validator(mode="after")
    def _tells_one_from_another(self) -> Self:
        if self.serial is None and self.location is None:
            raise refuse("inconsistent", "serial or location must say which adapter it is")
        if (self.vid is None) != (self.pid is None):
            raise refuse("inconsistent", "vid and pid go together")
        return self

    @property
    def selector(self) -> PortSelector:
        """The adapter that is meant, for a search among those there are."""
        return PortSelector(self.vid, self.pid, self.serial, self.interface, self.location)


class CredentialSection(Section):
    """``[roles.ROLE.credentials.NAME]``: how a client presents itself; the profile says the rest.

    Attributes:
        secret: Where its low-level secret is kept.
        keys: Where its global keys are kept.
        client: Its service access point.
        authentication: ``none``, ``lls`` or ``hls-gmac``.
        ciphered: Whether its APDUs are protected.
        title: Its system title, 16 hex digits.
    """

    secret: ReferenceText | None = None
    keys: ReferenceText | None = None
    client: Sap | None = None
    authentication: Annotated[str, Field(pattern=r"^(none|lls|hls-gmac)$")] | None = None
    ciphered: Flag | None = None
    title: Title | None = None

    @property
    def mechanism(self) -> Mechanism | None:
        """How it proves who it is; None: as the profile says."""
        return None if self.authentication is None else _WORDS[self.authentication]


class RoleSection(Section):
    """``[roles.ROLE]``: what stands behind one device type of the scenarios.

    Attributes:
        endpoint: What it is and where.
        profile: Model a real or replayed device is expected to be; stands in the endpoint of
            the others.
        eui64: Its EUI-64.
        serial_number: Its serial number, as the meter gives it.
        usb: Which USB adapter its port is.
        listen: What a loopback child offers its line on.
        seed: Seed of an emulated or loopback device's keys and chance; None: the run's.
        pace: Bits a second that a loopback child keeps to; None: as fast as it can.
        clock_factor: How much faster than ours the clock of a loopback child runs.
        framing: What is said around DLMS; None: what address and profile say.
        address_bytes: Octets of the meter's HDLC address; None: as the profile says.
        physical_address: Its lower HDLC address; None: as the profile says.
        start_baud: Speed of the sign-on; None: as the profile says.
        baud: Speed of HDLC; None: what the sign-on agrees, or 9,600.
        credentials: Clients by name.
        install_code: Where the install code is kept of a device that joins by Zigbee.
    """

    endpoint: EndpointText
    profile: Text | None = None
    eui64: EuiText | None = None
    serial_number: Text | None = None
    usb: UsbSection | None = None
    listen: Listen | None = None
    seed: Annotated[int, Field(strict=True, ge=0, le=0xFFFF_FFFF)] | None = None
    pace: Baud | None = None
    clock_factor: Annotated[int, Field(strict=True, ge=1, le=100_000)] | None = None
    framing: Framing | None = None
    address_bytes: Annotated[int, Field(strict=True, ge=1, le=4)] | None = None
    physical_address: Annotated[int, Field(strict=True, ge=1, le=0x3FFF)] | None = None
    start_baud: Baud | None = None
    baud: Baud | None = None
    credentials: Annotated[dict[AssociationName, CredentialSection], Field(default_factory=dict)]
    install_code: ReferenceText | None = None

    @property
    def where(self) -> Endpoint:
        """The endpoint, read."""
        return Endpoint.parse(self.endpoint)

    @property
    def model_name(self) -> str:
        """Name or path of its device profile; empty where it is left to the scenario."""
        if self.profile is not None:
            return self.profile
        where = self.where
        return "" if where.kind is EndpointKind.DONGLE else where.target

    @model_validator(mode="after")
    def _keys_fit_the_endpoint(self) -> Self:
        kind = self.where.kind
        if kind is EndpointKind.EMULATED:
            others = tuple(sorted(self.model_fields_set - {"endpoint", "eui64", "install_code"}))
            self._refuse(others, "an emulated device follows from its profile and the run's seed")
        if kind is EndpointKind.DONGLE:
            others = tuple(sorted(self.model_fields_set - _ZIGBEE_KEYS))
            self._refuse(others, "a device behind a dongle has no line")
            return self
        if kind is not EndpointKind.EMULATED:
            self._refuse(("install_code",), f"a device of {kind} joins no Zigbee network")
        if kind is not EndpointKind.LOOPBACK:
            self._refuse(_CHILD_KEYS, f"only a loopback endpoint has it, not {kind}")
        if kind is EndpointKind.LOOPBACK:
            self._refuse(("credentials",), "the keys of a loopback device follow from its seed")
        if kind in _PORTS and self.profile is None:
            raise refuse("missing-key", f"{kind} needs profile: the model the device should be")
        if kind not in _PORTS:
            self._refuse(("profile",), f"the profile of {kind} stands in the endpoint")
        if kind is not EndpointKind.SERIAL:
            self._refuse(("usb",), f"only a serial endpoint has it, not {kind}")
        return self

    @model_validator(mode="after")
    def _line_settings_agree(self) -> Self:
        if self.where.target == BY_USB and self.usb is None:
            raise refuse("missing-key", "serial:usb needs a usb table that says which adapter")
        if self.usb is not None and self.where.device_path is None and self.where.target != BY_USB:
            raise refuse("inconsistent", "a network address or loop:// has no usb table")
        if self.where.is_wrapper and self.framing not in {None, Framing.WRAPPER}:
            raise refuse("inconsistent", "wrapper:// says the framing already")
        if self.address_bytes == 3:
            raise refuse("invalid-value", "an HDLC address has 1, 2 or 4 octets")
        if self.physical_address is not None and self.address_bytes == 1:
            raise refuse("inconsistent", "an address of one octet has no physical address")
        return self

    def _refuse(self, names: tuple[str, ...], why: str) -> None:
        for name in names:
            if name in self.model_fields_set:
                raise refuse("inconsistent", f"{name}: {why}")


class BenchFile(Section):
    """A whole bench file.

    Attributes:
        bench: Whose bench this is.
        roles: Device type -> what stands behind it.
        power: A power relay, where there is one.
        console: A hub console, where there is one.
        dongles: Zigbee dongles by name.
    """

    bench: GeneralSection
    roles: Annotated[dict[DeviceType, RoleSection], Field(default_factory=dict)]
    power: PowerSection | None = None
    console: ConsoleSection | None = None
    dongles: Annotated[dict[DongleName, DongleSection], Field(default_factory=dict)]

    @model_validator(mode="after")
    def _dongles_fit_the_roles(self) -> Self:
        if not self.roles and not self.dongles:
            raise refuse("missing-key", "a bench has a role or a dongle")
        refuse_misfits(
            self.dongles, {role.value: section.endpoint for role, section in self.roles.items()}
        )
        return self

    @model_validator(mode="after")
    def _roles_fit_together(self) -> Self:
        kinds = {section.where.kind for section in self.roles.values()}
        self._emulated_beside(kinds)
        factors = {section.clock_factor or 1 for section in self.roles.values()}
        if len(factors) > 1 or (factors - {1} and kinds != {EndpointKind.LOOPBACK}):
            raise refuse(
                "inconsistent", "clock_factor: a bench has one clock; real devices keep real time"
            )
        for role, section in self.roles.items():
            if role not in _METERS and section.where.kind not in _ANY_ROLE:
                raise refuse(
                    "inconsistent",
                    f"roles.{role}: no DLMS line of its own (a hub's console is [console];"
                    " behind a Zigbee dongle it is dongle:NAME)",
                )
        if self.power is not None:
            self._powered(self.power)
        self._refuse_shared()
        return self

    def _emulated_beside(self, kinds: set[EndpointKind]) -> None:
        """Refuse what cannot stand beside emulated devices, whose time jumps."""
        if EndpointKind.EMULATED not in kinds:
            return
        if kinds == {EndpointKind.EMULATED} and (self.power or self.console):
            raise refuse("inconsistent", "an emulated bench has neither relay nor console")
        if EndpointKind.REPLAY in kinds:
            raise refuse("inconsistent", "a recording keeps its own time: no emulated role beside")
        hub = self.roles.get(DeviceType.CHF)
        if kinds <= _ANY_ROLE:
            return
        if len(kinds) > 1 and (hub is None or hub.where.kind is not EndpointKind.EMULATED):
            raise refuse(
                "missing-key",
                "roles.CHF: a device on a line beside emulated ones is reached through their hub,"
                " so an emulated CHF must be there",
            )

    def _powered(self, power: PowerSection) -> None:
        real = [role for role, one in self.roles.items() if one.where.kind is EndpointKind.SERIAL]
        if power.role is not None and power.role not in real:
            raise refuse("inconsistent", f"power.role: {power.role} is no serial role here")
        if power.role is None and len(real) != 1:
            raise refuse("missing-key", "power.role must say whose mains hang on the relay")

    def _refuse_shared(self) -> None:
        ports: dict[Any, str] = {}
        for name, section in self.endpoints():
            where = Endpoint.parse(section.endpoint)
            if where.kind is not EndpointKind.SERIAL or where.target.startswith("loop://"):
                continue
            usb = section.usb if isinstance(section, RoleSection) else None
            port = usb if where.target == BY_USB else where.target
            other = ports.setdefault(port, name)
            if other != name:
                raise refuse("inconsistent", f"{other} and {name} have the same port")

    def endpoints(self) -> list[tuple[str, RoleSection | PowerSection | ConsoleSection]]:
        """Return every section that has an endpoint, with its key path."""
        found: list[tuple[str, RoleSection | PowerSection | ConsoleSection]] = [
            (f"roles.{role}", section) for role, section in self.roles.items()
        ]
        if self.power is not None:
            found.append(("power", self.power))
        if self.console is not None:
            found.append(("console", self.console))
        return found
