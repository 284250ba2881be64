"""The ``[dlms]`` section of a profile: how a SMETS1 device behaves as a DLMS/COSEM server."""

import enum
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from device_profiles.sections import U8, U16, Flag, Positive, Section


class Authentication(enum.StrEnum):
    """How a client proves who it is."""

    NONE = "none"
    LLS = "lls"
    HLS_GMAC = "hls-gmac"
    HLS_ECDSA = "hls-ecdsa"


class VerifyPolicy(enum.StrEnum):
    """When an image transfer's verify method has its answer."""

    AT_ONCE = "at-once"
    PENDING = "pending"  # temporary failure until ``verify_s`` have passed


class ActivationDrop(enum.StrEnum):
    """What becomes of the association when a new image starts to run."""

    KEEPS = "keeps-association"
    DROPS = "drops-association"


class ImageMemory(enum.StrEnum):
    """What a power loss leaves of an image that is not yet whole."""

    KEPT = "kept"
    LOST = "lost"


_Obis = Annotated[
    str, StringConstraints(pattern=r"^\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$")
]
_Hex = Annotated[str, StringConstraints(pattern=r"^([0-9A-Fa-f]{2})+$")]
#: Greatest lower address that an address of two octets can name.
_MOST_IN_TWO: Final = 0x7F
_Sap = Annotated[int, Field(strict=True, ge=1, le=0x7F)]


class AssociationSection(Section):
    """One client the device knows.

    Attributes:
        client: Service access point.
        name: What it is called: ``public``, ``reader``, ``installer``, ``management``.
        authentication: How it proves who it is.
        ciphered: Whether its APDUs must be protected (authenticated and encrypted).
        rights: Column of the object catalogue that says what it may do.
    """

    client: _Sap
    name: Annotated[str, Field(min_length=1, max_length=20)]
    authentication: Authentication
    ciphered: Flag
    rights: Annotated[str, Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _keys_only_with_hls(self) -> Self:
        hls = self.authentication in {Authentication.HLS_GMAC, Authentication.HLS_ECDSA}
        if self.ciphered and not hls:
            raise ValueError("a client that ciphers must prove itself by HLS")
        return self


class HdlcSection(Section):
    """The device's HDLC station.

    Attributes:
        address_bytes: Octets of its address on the line: 1, 2 or 4.
        physical_address: Lower address; None where the address has one octet.
        max_information_bytes: Longest information field, both ways.
        window: Window size, both ways.
        inactivity_s: Seconds without a frame after which a link is dropped.
        max_links: Clients connected at once.
    """

    address_bytes: Annotated[int, Field(strict=True, ge=1, le=4)]
    physical_address: Annotated[int, Field(strict=True, ge=1, le=0x3FFF)] | None = None
    max_information_bytes: Annotated[int, Field(strict=True, ge=32, le=2030)]
    window: Annotated[int, Field(strict=True, ge=1, le=7)]
    inactivity_s: Positive
    max_links: Annotated[int, Field(strict=True, ge=1, le=16)]

    @model_validator(mode="after")
    def _lower_address_needs_room(self) -> Self:
        if self.address_bytes == 3 or (self.address_bytes == 1) != (self.physical_address is None):
            raise ValueError("an address has 1, 2 or 4 octets, and a physical address with 2 or 4")
        if self.address_bytes == 2 and (self.physical_address or 0) > _MOST_IN_TWO:
            raise ValueError(f"two octets of address name at most {_MOST_IN_TWO}")
        return self


class SignOnSection(Section):
    """The optical port before HDLC (IEC 62056-21).

    Attributes:
        manufacturer: FLAG letters.
        baud_character: Speed it proposes: ``0`` to ``6``.
        name: Identification text.
        mode_c: Whether it gives a read-out.
        mode_e: Whether it opens HDLC by the option select; False: HDLC is there at once.
        start_baud: Speed of the sign-on.
    """

    manufacturer: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}[A-Za-z]$")]
    baud_character: Annotated[str, StringConstraints(pattern=r"^[0-6]$")]
    name: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z ._-]{1,16}$")]
    mode_c: Flag
    mode_e: Flag
    start_baud: Positive


class ImageSection(Section):
    """Image transfer, class 18.

    Attributes:
        block_bytes: Block size it demands.
        verify: When verification is done.
        verify_s: Seconds a pending verification takes.
        activation: What becomes of the association.
        activation_s: Seconds from activation to the new version running.
        power_loss: What a power loss leaves of an unfinished image.
    """

    block_bytes: Annotated[int, Field(strict=True, ge=16, le=1024)]
    verify: VerifyPolicy
    verify_s: Annotated[int, Field(strict=True, ge=0, le=3600)]
    activation: ActivationDrop
    activation_s: Positive
    power_loss: ImageMemory


class WanSection(Section):
    """What a SMETS1 hub does on its mobile network. Illustrative: no public document says it.

    Attributes:
        attach_least_s: Seconds from a moved SIM to the hub on the new network, at least.
        attach_most_s: The same, at most.
        retry_s: Seconds from one attempt to attach to the next.
        contact_repeat_s: Seconds after which it tells a head end again that never spoke to it.
        queue_limit_s: Seconds that a request for a sleeping meter waits at the hub.
        display_makers: Manufacturer codes of the displays whose firmware it reads; none: all.
    """

    attach_least_s: Positive
    attach_most_s: Positive
    retry_s: Positive
    contact_repeat_s: Positive
    queue_limit_s: Positive
    display_makers: tuple[U16, ...] = ()

    @model_validator(mode="after")
    def _least_is_not_more_than_most(self) -> Self:
        if self.attach_least_s > self.attach_most_s:
            raise ValueError("attach_least_s is more than attach_most_s")
        return self


class DeviationSection(Section):
    """One attribute that this model answers otherwise than its catalogue says.

    Attributes:
        class_id: Interface class.
        obis: Logical name, six values.
        attribute: Attribute index.
        value: A-XDR data as hex; None: see ``result``.
        result: Data access result it answers instead of a value; None: see ``value``; both None:
            the object's value, whatever the catalogue's rights.
    """

    class_id: U16
    obis: _Obis
    attribute: Annotated[int, Field(strict=True, ge=1, le=127)]
    value: _Hex | None = None
    result: U8 | None = None


class DlmsSection(Section):
    """A DLMS/COSEM server. Illustrative: no public document fixes any SMETS1 maker's.

    Attributes:
        logical_device: Service access point of its one logical device.
        wan_port: Wrapper port it has behind its hub (our stand-in).
        logical_device_name: 16 characters.
        associations: The clients it knows.
        suite: Security suite, 0 or 1.
        conformance: Services it offers, by the names of ``Conformance``.
        max_pdu_bytes: Longest APDU it takes.
        hdlc: Its station on a serial line.
        sign_on: What is before HDLC; None: HDLC at once.
        image: Image transfer; None: it has none on this interface.
        wan: What a hub does on its mobile network; None for what is no hub.
        objects: Name of its object catalogue (``catalogues/NAME.csv``).
        firmware_obis: Logical name of the object (class 1) that holds the firmware version.
        capture_period_s: Period of the load profile.
        profile_entries: Rows the load profile holds.
        log_entries: Rows each event log holds.
        clock_drift_ppm: How wrong its clock runs, parts in a million (positive: fast).
        first_counter: Invocation counter its first protected APDU carries (some clients want 1).
        deviation: Attributes that differ from the catalogue.
    """

    logical_device: _Sap
    wan_port: Annotated[int, Field(strict=True, ge=1, le=0xFFFF)]
    logical_device_name: Annotated[str, StringConstraints(pattern=r"^[ -~]{16}$")]
    associations: Annotated[tuple[AssociationSection, ...], Field(min_length=1)]
    suite: Annotated[int, Field(strict=True, ge=0, le=1)]
    conformance: tuple[str, ...]
    max_pdu_bytes: Annotated[int, Field(strict=True, ge=64, le=0xFFFF)]
    hdlc: HdlcSection
    sign_on: SignOnSection | None = None
    image: ImageSection | None = None
    wan: WanSection | None = None
    objects: Annotated[str, Field(min_length=1)]
    firmware_obis: _Obis
    capture_period_s: Positive
    profile_entries: Positive
    log_entries: Positive
    clock_drift_ppm: Annotated[int, Field(strict=True, ge=-10000, le=10000)]
    first_counter: U16
    deviation: tuple[DeviationSection, ...] = ()
