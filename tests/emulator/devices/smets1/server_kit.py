"""A small object tree of our own, a profile for it, and a client's side of an association."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar

from device_profiles.dlms import AssociationSection, DlmsSection, HdlcSection
from device_profiles.loader import load_profile
from device_profiles.schema import DeviceProfile
from emulator.codecs.dlms import (
    acse,
    apdu_action,
    apdu_ciphered,
    apdu_exception,
    apdu_get,
    apdu_set,
    axdr,
    initiate,
)
from emulator.codecs.dlms.access import Selection
from emulator.codecs.dlms.acse import (
    ApplicationContext,
    AssociationRequest,
    AssociationResponse,
    Authentication,
    Mechanism,
)
from emulator.codecs.dlms.apdu_action import (
    ActionRequest,
    ActionResponse,
    AnyActionRequest,
    MethodOutcome,
)
from emulator.codecs.dlms.apdu_ciphered import Form
from emulator.codecs.dlms.apdu_get import AnyGetRequest
from emulator.codecs.dlms.apdu_parts import (
    ActionResult,
    Attribute,
    DataAccessResult,
    Descriptor,
)
from emulator.codecs.dlms.apdu_set import AnySetRequest
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.initiate import Conformance, InitiateRequest, InitiateResponse
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.effects import (
    CloseDlms,
    DeviceEvent,
    DlmsChannel,
    DlmsIndication,
    Effect,
    Note,
    SendDlms,
    SetTimer,
)
from emulator.core.ids import Eui64
from emulator.crypto import dlms_authentication as authentication
from emulator.crypto import dlms_signature
from emulator.crypto.dlms_factory import FactoryKeys, factory_keys
from emulator.crypto.dlms_keys import InvocationCounters, KeyId
from emulator.crypto.dlms_security import Opened, SecurityContext
from emulator.devices.saved import Json, Saved
from emulator.devices.smets1.association import REPLY_TO_HLS
from emulator.devices.smets1.device import Smets1Device
from emulator.devices.smets1.object_model import Access, CosemObject, Moment, ObjectTree

NOW = UtcMs(1_717_243_200_000)
EUI64 = Eui64.parse("00-DB-12-34-56-78-90-F0")
SEED = 7
PUBLIC, MANAGER, READER, WRITER, PLAIN_HLS, SIGNER, PLAIN_SIGNER = 16, 1, 2, 3, 4, 5, 6
PROVERS = frozenset({MANAGER, PLAIN_HLS, SIGNER, PLAIN_SIGNER})
SIGNERS = frozenset({SIGNER, PLAIN_SIGNER})

SERIAL = bytes((0, 0, 96, 1, 0, 255))
STORE = bytes((0, 0, 96, 1, 9, 255))
LONG = bytes((0, 0, 96, 1, 8, 255))
ACTOR = bytes((0, 0, 10, 0, 0, 255))
SETUP = bytes((0, 0, 43, 0, 0, 255))
ASSOCIATION = bytes((0, 0, 40, 0, 0, 255))
NOBODY = bytes((0, 0, 96, 99, 9, 255))

SERIAL_A2 = Descriptor(1, SERIAL, 2)
STORE_A2 = Descriptor(1, STORE, 2)
LONG_A2 = Descriptor(1, LONG, 2)
ACTOR_M1 = Descriptor(9, ACTOR, 1)
EVERYTHING = (
    "general_protection", "block_get", "block_set", "block_action", "multiple_references",
    "get", "set", "selective_access", "action",
)  # fmt: skip
INVOKE = 0xC1
UNCONFIRMED = 0x81


class Serial(CosemObject):
    class_id: ClassVar[int] = 1

    def attributes(self) -> tuple[int, ...]:
        return 1, 2

    def read(self, index: int, selection: Selection | None, at: Moment) -> Data | DataAccessResult:
        return axdr.octets(b"14P1234567") if index == 2 else super().read(index, selection, at)


class Long(Serial):
    """A value too long for one APDU; with a selection, the first octets of it."""

    length = 300

    def read(self, index: int, selection: Selection | None, at: Moment) -> Data | DataAccessResult:
        if index == 1:
            return super().read(index, selection, at)
        octets = bytes(number % 251 for number in range(self.length))
        return axdr.octets(octets if selection is None else octets[: selection.selector])


class Store(Serial):
    """Keeps what is written."""

    def __init__(self, obis: bytes) -> None:
        super().__init__(obis)
        self.value = axdr.uint16(7)

    def read(self, index: int, selection: Selection | None, at: Moment) -> Data | DataAccessResult:
        return self.value if index == 2 else super().read(index, selection, at)

    def write(self, index: int, value: Data, at: Moment) -> DataAccessResult:
        if index != 2:
            return super().write(index, value, at)
        if value.tag not in {Tag.OCTETS, Tag.UINT16}:
            return DataAccessResult.TYPE_UNMATCHED
        self.value = value
        return DataAccessResult.SUCCESS

    def dump(self) -> dict[str, Json]:
        return {"value": axdr.encode(self.value).hex()}

    def load(self, saved: Saved) -> None:
        self.value = axdr.decode(saved.octets("value"))


class Actor(CosemObject):
    """m1 echoes, m2 says nothing, m3 sets a timer, m4 drops every association."""

    class_id: ClassVar[int] = 9

    def __init__(self, obis: bytes) -> None:
        super().__init__(obis)
        self.calls: list[str] = []

    def methods(self) -> tuple[int, ...]:
        return 1, 2, 3, 4

    def invoke(self, index: int, parameters: Data | None, at: Moment) -> MethodOutcome:
        self.calls.append(f"m{index}")
        if index == 1:
            return MethodOutcome(ActionResult.SUCCESS, parameters)
        if index == 3:
            at.outbox.put(SetTimer(self.timer_name("tick"), UtcMs(at.now + 1000)))
        elif index == 4:
            at.outbox.put(CloseDlms(None))
        return MethodOutcome(ActionResult.SUCCESS)

    def on_timer(self, word: str, at: Moment) -> None:
        self.calls.append(word)
        at.outbox.put(CloseDlms(None))

    def on_power(self, *, on: bool, at: Moment) -> None:
        at.outbox.put(Note("actor", (("on", on),)))

    def dump(self) -> dict[str, Json]:
        return {"calls": [*self.calls]}

    def load(self, saved: Saved) -> None:
        self.calls = saved.texts("calls")


class Door(CosemObject):
    """The association object: m1 replies to HLS."""

    class_id: ClassVar[int] = 15

    def methods(self) -> tuple[int, ...]:
        return (1,)

    def invoke(self, index: int, parameters: Data | None, at: Moment) -> MethodOutcome:
        assert index == 1
        if at.session is None or parameters is None or not isinstance(parameters.value, bytes):
            return MethodOutcome(ActionResult.TYPE_UNMATCHED)
        reply = at.session.reply_to_hls(parameters.value)
        if reply is None:
            return MethodOutcome(ActionResult.OTHER_REASON)
        return MethodOutcome(ActionResult.SUCCESS, axdr.octets(reply))


class Setup(CosemObject):
    """The security setup: a2 holds a counter, m2 takes a new unicast key as it is."""

    class_id: ClassVar[int] = 64

    def attributes(self) -> tuple[int, ...]:
        return 1, 2

    def methods(self) -> tuple[int, ...]:
        return (2,)

    def read(self, index: int, selection: Selection | None, at: Moment) -> Data | DataAccessResult:
        if index == 1 or at.security is None:
            return super().read(index, selection, at)
        return Data(Tag.UINT32, at.security.received_counter())

    def invoke(self, index: int, parameters: Data | None, at: Moment) -> MethodOutcome:
        assert index == 2
        if at.security is None or parameters is None or not isinstance(parameters.value, bytes):
            return MethodOutcome(ActionResult.TYPE_UNMATCHED)
        at.security.replace_keys(at.security.keys.with_key(KeyId.UNICAST, parameters.value))
        return MethodOutcome(ActionResult.SUCCESS)


def rights(item: CosemObject, index: int, word: str) -> Access:
    """``all`` may do everything, ``read`` reads; the method of the setup demands protection."""
    if item.class_id == 64:
        demands = index == 2 and word == "all"
        return Access(read=True, invoke=word == "all", protected=demands, guarded=demands)
    return Access(read=True, write=word == "all", invoke=word == "all")


def section(**changes: Any) -> DlmsSection:
    def client(sap: int, name: str, how: str, word: str, *, ciphered: bool) -> AssociationSection:
        return AssociationSection.model_validate(
            {"client": sap, "name": name, "authentication": how, "ciphered": ciphered,
             "rights": word}, strict=False,
        )  # fmt: skip

    values: dict[str, Any] = {
        "logical_device": 1,
        "wan_port": 4059,
        "logical_device_name": "SMB0000000000001",
        "associations": (
            client(PUBLIC, "public", "none", "read", ciphered=False),
            client(MANAGER, "management", "hls-gmac", "all", ciphered=True),
            client(READER, "reader", "lls", "read", ciphered=False),
            client(WRITER, "installer", "lls", "all", ciphered=False),
            client(PLAIN_HLS, "plain-hls", "hls-gmac", "all", ciphered=False),
            client(SIGNER, "signer", "hls-ecdsa", "all", ciphered=True),
            client(PLAIN_SIGNER, "plain-signer", "hls-ecdsa", "read", ciphered=False),
        ),
        "suite": 0,
        "conformance": EVERYTHING,
        "max_pdu_bytes": 1024,
        "hdlc": HdlcSection(
            address_bytes=1, max_information_bytes=128, window=1, inactivity_s=120, max_links=4
        ),
        "objects": "none",
        "firmware_obis": "1-0:0.2.0.255",
        "capture_period_s": 1800,
        "profile_entries": 10,
        "log_entries": 10,
        "clock_drift_ppm": 0,
        "first_counter": 1,
        **changes,
    }
    return DlmsSection(**values)


@cache
def _model() -> DeviceProfile:
    return load_profile("demo-s1-esme")


def keys() -> FactoryKeys:
    return factory_keys(SEED, EUI64)


def tree() -> ObjectTree:
    objects = (Serial(SERIAL), Store(STORE), Long(LONG), Actor(ACTOR), Door(ASSOCIATION))
    return ObjectTree((*objects, Setup(SETUP)), rights)


def device(cls: type[Smets1Device] = Smets1Device, **changes: Any) -> Smets1Device:
    """A device that is off."""
    profile = _model().model_copy(update={"dlms": section(**changes)})
    return cls(EUI64, profile, tree(), keys(), Chance(SEED))


def powered(cls: type[Smets1Device] = Smets1Device, **changes: Any) -> Smets1Device:
    made = device(cls, **changes)
    made.handle(DeviceEvent.POWER_ON, None, NOW)
    return made


def notes(effects: list[Effect], kind: str) -> list[dict[str, Any]]:
    return [dict(item.fields) for item in effects if isinstance(item, Note) and item.kind == kind]


ALL_SERVICES = Conformance(0)
for _name in EVERYTHING:
    ALL_SERVICES |= Conformance[_name.upper()]


@dataclass
class Client:
    """One client: it makes requests, gives them to the device, and reads the answers."""

    meter: Smets1Device
    sap: int = PUBLIC
    line: str = "optical"
    server: int = 1
    form: Form = Form.SERVICE_GLOBAL
    held: FactoryKeys = field(default_factory=keys)
    counters: InvocationCounters = field(default_factory=InvocationCounters)
    effects: list[Effect] = field(default_factory=list)
    challenge: bytes = bytes(range(32))
    security: SecurityContext | None = None

    @property
    def channel(self) -> DlmsChannel:
        return DlmsChannel(self.line, self.sap, self.server)

    @property
    def ciphers(self) -> bool:
        return self.sap in {MANAGER, SIGNER}

    # -- octets --

    def send(self, apdu: bytes) -> bytes | None:
        """Give the device an APDU as it is; return its answer as it is."""
        event = DlmsIndication(self.channel, apdu)
        self.effects = self.meter.handle(DeviceEvent.DLMS, event, NOW)
        sent = [item for item in self.effects if isinstance(item, SendDlms)]
        assert len(sent) <= 1
        assert all(item.channel == self.channel for item in sent)
        return sent[0].apdu if sent else None

    def sealed(self, plain: bytes) -> bytes:
        return plain if self.security is None else self.security.seal(plain, self.form)

    def ask(self, plain: bytes) -> bytes | None:
        """Give the device an APDU under the association's protection; return the plain answer."""
        return self.opened(self.send(self.sealed(plain)))

    def opened(self, answer: bytes | None) -> bytes | None:
        if self.security is None or answer is None:
            return answer
        opened = self.security.open(answer)
        assert isinstance(opened, Opened)
        if opened.form is not Form.PLAIN:
            assert opened.form is self.form
        return opened.plain

    # -- association --

    def offer(self, **changes: Any) -> InitiateRequest:
        values: dict[str, Any] = {"conformance": ALL_SERVICES, "max_pdu_bytes": 1024, **changes}
        return InitiateRequest(**values)

    def aarq(self, offer: InitiateRequest | None = None, **changes: Any) -> AssociationRequest:
        """The right AARQ of this client, with some fields changed."""
        plain = initiate.encode_request(offer or self.offer())
        information, title, proof = plain, None, None
        context = ApplicationContext.LN
        if self.sap in {READER, WRITER}:
            name = "reader" if self.sap == READER else "installer"
            proof = Authentication(Mechanism.LLS, self.held.secrets[name])
        if self.sap in PROVERS:
            title = self.held.client_title
            signs = self.sap in SIGNERS
            mechanism = Mechanism.HLS_ECDSA if signs else Mechanism.HLS_GMAC
            proof = Authentication(mechanism, self.challenge)
        if self.ciphers:
            context = ApplicationContext.LN_CIPHERED
            key = None if offer is None else offer.dedicated_key
            self.security = SecurityContext(
                self.held.keys,
                self.counters,
                own_title=self.held.client_title,
                peer_title=self.held.server_title,
                suite=self.meter.settings.suite,
                dedicated_key=key,
                takes_plain_exceptions=True,
            )
            form = Form.GENERAL_GLOBAL if self.form.general else Form.SERVICE_GLOBAL
            information = self.security.seal(plain, form)
        values: dict[str, Any] = {
            "context": context, "user_information": information, "title": title,
            "authentication": proof, **changes,
        }  # fmt: skip
        return AssociationRequest(**values)

    def request(self, offer: InitiateRequest | None = None, **changes: Any) -> AssociationResponse:
        """Send an AARQ; return the AARE."""
        answer = self.send(acse.encode_request(self.aarq(offer, **changes)))
        assert answer is not None
        return acse.decode_response(answer)

    def associate(self, offer: InitiateRequest | None = None) -> InitiateResponse:
        """Associate, proof included; return what was granted."""
        response = self.request(offer)
        assert response.result == acse.AssociationResult.ACCEPTED
        information = response.user_information or b""
        if self.security is not None:
            opened = self.security.open(information)
            assert isinstance(opened, Opened)
            information = opened.plain
        granted = initiate.decode_response(information)
        if self.sap in PROVERS:
            self.prove(response)
        return granted

    def reply(self, response: AssociationResponse) -> bytes:
        assert response.authentication is not None
        sent = response.authentication.value or b""
        own, peer = self.held.client_title, self.held.server_title
        if self.sap in SIGNERS:
            assert self.held.signing is not None
            assert self.held.signing.client is not None
            return dlms_signature.hls_reply(
                self.held.signing.client, title=own, peer=peer, received=sent, sent=self.challenge
            )
        suite = self.meter.settings.suite
        return authentication.hls_reply(
            self.held.keys, self.counters, title=own, challenge=sent, suite=suite
        )

    def prove(self, response: AssociationResponse) -> None:
        assert response.authentication is not None
        sent = response.authentication.value or b""
        outcome = self.act(REPLY_TO_HLS, axdr.octets(self.reply(response)))
        assert outcome.result is ActionResult.SUCCESS
        assert isinstance(outcome.returned, Data)
        reply = outcome.returned.value
        assert isinstance(reply, bytes)
        own, peer = self.held.client_title, self.held.server_title
        if self.sap in SIGNERS:
            assert self.held.signing is not None
            refusal = dlms_signature.hls_refusal(
                self.held.signing.server_point,
                title=peer, own=own, sent=self.challenge, received=sent, reply=reply,
            )  # fmt: skip
        else:
            refusal = authentication.hls_refusal(
                self.held.keys,
                title=peer, challenge=self.challenge, reply=reply, suite=self.meter.settings.suite,
            )  # fmt: skip
        assert refusal is None

    # -- services --

    def exchange(self, request: AnyGetRequest | AnySetRequest | AnyActionRequest) -> Any:
        """Ask; return the answer as a value, an exception response included."""
        answer = self.ask(encoded(request))
        assert answer is not None
        return decoded(answer)

    def get(self, descriptor: Descriptor, selection: Selection | None = None) -> Any:
        request = apdu_get.GetRequest(INVOKE, Attribute(descriptor, selection))
        response = self.exchange(request)
        return getattr(response, "result", response)

    def put(self, descriptor: Descriptor, value: Data) -> Any:
        response = self.exchange(apdu_set.SetRequest(INVOKE, Attribute(descriptor), value))
        return getattr(response, "result", response)

    def act(self, method: Descriptor, parameters: Data | None = None) -> MethodOutcome:
        response = self.exchange(ActionRequest(INVOKE, method, parameters))
        assert isinstance(response, ActionResponse)
        return response.outcome


def encoded(request: AnyGetRequest | AnySetRequest | AnyActionRequest) -> bytes:
    if isinstance(request, AnyGetRequest):
        return apdu_get.encode_request(request)
    if isinstance(request, AnySetRequest):
        return apdu_set.encode_request(request)
    return apdu_action.encode_request(request)


def decoded(answer: bytes) -> Any:
    if answer[0] == apdu_exception.TAG:
        return apdu_exception.decode(answer)
    if answer[0] == apdu_get.RESPONSE_TAG:
        return apdu_get.decode_response(answer)
    if answer[0] == apdu_set.RESPONSE_TAG:
        return apdu_set.decode_response(answer)
    return apdu_action.decode_response(answer)


def associated(sap: int = PUBLIC, offer: InitiateRequest | None = None, **changes: Any) -> Client:
    """A client of a new device, associated."""
    client = Client(powered(**changes), sap)
    client.associate(offer)
    return client


FORMS = tuple(form for form in Form if form is not Form.PLAIN)
CIPHERED_TAGS = apdu_ciphered.CIPHERED_TAGS
