"""One application association: what was agreed, whether it is proven, what is under way."""

from dataclasses import dataclass, field
from typing import Final

from device_profiles.dlms import AssociationSection, Authentication
from emulator.codecs.dlms.acse import ApplicationContext, Mechanism
from emulator.codecs.dlms.apdu_ciphered import TITLE_BYTES, Form, Protection
from emulator.codecs.dlms.apdu_parts import Descriptor
from emulator.codecs.dlms.dumped import Dumped
from emulator.codecs.dlms.initiate import Conformance
from emulator.core.effects import DlmsChannel
from emulator.core.errors import MalformedFrameError
from emulator.core.values import quick
from emulator.crypto.dlms_keys import SecurityKeys
from emulator.crypto.dlms_security import Opened
from emulator.devices.saved import Json
from emulator.devices.smets1.blocks import Transfers
from emulator.devices.smets1.exceptions import Refusal, counter_exhausted, insecure, malformed
from emulator.devices.smets1.object_model import ClientView, Moment
from emulator.devices.smets1.security import (
    ChannelSecurity,
    DeviceSecurity,
    dump_keys,
    load_keys,
    overhead_bytes,
)

#: Reply to the challenge: association object of the current association, method 1.
REPLY_TO_HLS: Final = Descriptor(15, bytes((0, 0, 40, 0, 0, 255)), 1)
_MECHANISMS: Final = {
    Authentication.NONE: Mechanism.NONE,
    Authentication.LLS: Mechanism.LLS,
    Authentication.HLS_GMAC: Mechanism.HLS_GMAC,
    Authentication.HLS_ECDSA: Mechanism.HLS_ECDSA,
}
HLS: Final = frozenset({Authentication.HLS_GMAC, Authentication.HLS_ECDSA})
_UNLIMITED: Final = 0xFFFF
_NAMES: Final = frozenset(
    {
        *("line", "client", "server", "conformance", "client_pdu_bytes", "title", "keys"),
        *("pending", "own_challenge", "client_challenge", "security", "transfers"),
    }
)


def mechanism_of(section: AssociationSection) -> Mechanism:
    """Return the authentication mechanism that a client of the profile must use."""
    return _MECHANISMS[section.authentication]


def context_of(section: AssociationSection) -> ApplicationContext:
    """Return the application context that a client of the profile must ask for."""
    return ApplicationContext.LN_CIPHERED if section.ciphered else ApplicationContext.LN


@dataclass(slots=True)
class Association:
    """One client's association.

    Attributes:
        channel: The client's way to the device.
        section: What the profile says of this client.
        conformance: Negotiated services.
        client_pdu_bytes: Longest APDU the client takes; 0 is no limit.
        server_pdu_bytes: Longest APDU the device takes.
        keys: Global keys in force when it was asked for.
        title: The client's system title; empty where it gave none.
        security: Protection of its APDUs; None in a plain context.
        pending: Whether the client still has to reply to the challenge.
        failed: Whether its reply was wrong: it ends with the answer to it.
        own_challenge: Challenge to the client; empty without HLS.
        client_challenge: The client's to us.
        transfers: Long transfers under way.
    """

    channel: DlmsChannel
    section: AssociationSection
    conformance: Conformance
    client_pdu_bytes: int
    server_pdu_bytes: int
    keys: SecurityKeys = field(repr=False)
    title: bytes = b""
    security: ChannelSecurity | None = field(default=None, repr=False)
    pending: bool = False
    failed: bool = False
    own_challenge: bytes = field(default=b"", repr=False)
    client_challenge: bytes = field(default=b"", repr=False)
    transfers: Transfers = field(default_factory=Transfers, repr=False)

    def view(self, protection: Protection) -> ClientView:
        """Return the association as COSEM objects may know it."""
        return ClientView(
            sap=self.channel.client,
            name=self.section.name,
            rights=self.section.rights,
            server=self.channel.server,
            context=int(context_of(self.section)),
            mechanism=int(mechanism_of(self.section)),
            pending=self.pending,
            conformance=int(self.conformance),
            client_pdu_bytes=self.client_pdu_bytes,
            server_pdu_bytes=self.server_pdu_bytes,
            protection=protection,
            line=self.channel.line,
        )

    def room(self, form: Form) -> int:
        """Return the most octets that a plain answer may have, to be sent in that form.

        Source:
            reference serial-dlms.md 3.2: the lesser of both sides' limits, less what ciphering
            adds (there 45 octets, here as many as the form does add).
        """
        client = self.client_pdu_bytes or _UNLIMITED
        return min(client, self.server_pdu_bytes) - overhead_bytes(form)

    def open(self, apdu: bytes) -> Opened | Refusal:
        """Check and unwrap one APDU of the client; a refusal leaves everything as it was."""
        if self.security is None:
            return Opened(apdu, Form.PLAIN, Protection.NONE)
        if not self.security.can_answer():
            return counter_exhausted()
        try:
            opened = self.security.open(apdu)
        except MalformedFrameError as error:
            return malformed(error)
        return opened if isinstance(opened, Opened) else insecure(opened)

    def seal(self, plain: bytes, opened: Opened) -> bytes:
        """Wrap an answer in the form and with the protection of what it answers."""
        if self.security is None:
            return plain
        return self.security.seal(plain, opened.form, opened.protection)

    def dump(self, security: DeviceSecurity) -> dict[str, Json]:
        """Return the association as JSON values; keys stand in it when they are not in force."""
        own = self.security
        return {
            "line": self.channel.line,
            "client": self.channel.client,
            "server": self.channel.server,
            "conformance": int(self.conformance),
            "client_pdu_bytes": self.client_pdu_bytes,
            "title": self.title.hex(),
            "keys": None if self.keys == security.keys else dump_keys(self.keys),
            "pending": self.pending,
            "own_challenge": self.own_challenge.hex(),
            "client_challenge": self.client_challenge.hex(),
            "security": None if own is None else own.dump(),
            "transfers": self.transfers.dump(),
        }


def loaded(
    state: Dumped,
    sections: dict[int, AssociationSection],
    security: DeviceSecurity,
    server_pdu_bytes: int,
) -> Association:
    """Return the association of a ``dump``.

    Raises:
        DumpedStateError: A value is missing or wrong, or the profile does not know the client.
    """
    section = sections.get(state.number("client"))
    if section is None:
        state.refuse("client", "not a client of the profile")
    channel = DlmsChannel(state.text("line"), section.client, state.number("server"))
    keys = security.keys
    if state.raw("keys") is not None:
        keys = load_keys(state.raw("keys"), f"{state.path}.keys")
    title = state.octets("title")
    if len(title) != (TITLE_BYTES if section.authentication in HLS else 0):
        state.refuse("title", "not a system title, or one where none is due")
    protection = ChannelSecurity(security, title, keys) if section.ciphered else None
    if protection is not None:
        protection.load(state.raw("security"), f"{state.path}.security")
    return Association(
        channel,
        section,
        Conformance(state.number("conformance")),
        state.number("client_pdu_bytes"),
        server_pdu_bytes,
        keys,
        title,
        protection,
        pending=state.flag("pending"),
        own_challenge=state.octets("own_challenge"),
        client_challenge=state.octets("client_challenge"),
        transfers=Transfers.loaded(state.raw("transfers"), f"{state.path}.transfers"),
    )


#: The names of a dumped association.
DUMPED_NAMES: Final = _NAMES


@quick
@dataclass(frozen=True, slots=True)
class Asked:
    """A request of one association, checked and unwrapped.

    Attributes:
        association: Whose.
        at: What the objects may know of it.
        room: Most octets a plain answer may have.
    """

    association: Association
    at: Moment
    room: int

    def negotiated(self, services: Conformance) -> bool:
        """Say whether all of ``services`` were negotiated."""
        wanted = services._value_  # flags are slow to reckon with
        return self.association.conformance._value_ & wanted == wanted
