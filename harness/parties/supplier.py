"""An energy supplier: asks by DUIS, correlates and signs pre-commands, judges what comes back."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from types import NoneType
from typing import Any, Final

from device_profiles.duis_services import load_transforms
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader
from emulator.codecs.gbcs.payload import decode_payload
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyUsage
from emulator.crypto.protection import KeyRing, Refused, Unauthenticated, open_message, sign
from harness.formats.duis import bodies, date_time
from harness.formats.duis.bodies import RequestBody
from harness.formats.duis.inventory_contents import Inventory
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import ServiceRequest, read_request, request, write_request
from harness.formats.duis.responses import (
    DccAlertMessage,
    DeviceAlertMessage,
    FirmwareWarning,
    FutureDatedDeviceAlert,
    GbcsPayload,
    PpmidFirmwareWarning,
    PreCommand,
    ServiceResponse,
    Smets1ResponseMessage,
    read_response,
)
from harness.formats.duis.schedule_contents import ScheduleCreated, ScheduledMessage, Schedules
from harness.formats.duis.signing import Signatories, XmlKey
from harness.formats.duis.transforms.non_critical import RULES as NON_CRITICAL
from harness.formats.duis.transforms.outcome import Device
from harness.formats.duis.transforms.table import RULES as CRITICAL
from harness.formats.duis.transforms.table import Rule
from harness.parties import known_devices
from harness.parties.correlation import Correlated, NotCorrelated, correlate
from harness.parties.post import DUIS, Post
from harness.parties.received import Kind, Received
from harness.parties.speakers import Speaker, speaker_of
from harness.parties.transform import READ_VERSION
from harness.rules.roles import UserRole

#: How much earlier than its response a pre-command may be stamped, s. Source: stand-in.
_STAMPED_WITHIN_S: Final = 60


class Supplier:
    """One supplier; electricity import (IS) and gas (GS) are roles of it.

    Attributes:
        eui64: Its identifier.
        roles: Roles in which it is registered.
        name: How the trace calls it.
        counter: Originator counter of its last request.
        inbox: Everything it got, in order.
        devices: What it knows of devices: of each that an answer to 8.2 named, or as told. It
            compares pre-commands by it.
    """

    def __init__(  # noqa: PLR0913 - identity, roles, keys, post, counterpart and two XML keys
        self,
        eui64: Eui64,
        roles: Iterable[UserRole],
        ring: KeyRing,
        post: Post,
        *,
        acb: Eui64,
        name: str = "supplier",
        last_counter: int = 999,
        xml_key: XmlKey | None = None,
        signatories: Signatories | None = None,
    ) -> None:
        self.eui64 = eui64
        self.roles = frozenset(roles)
        self.name = name
        self.counter = last_counter
        self.inbox: list[Received] = []
        self.devices: dict[Eui64, Device] = {}
        self._ring = ring
        self._post = post
        self._acb = acb
        self._xml_key = xml_key
        self._signatories = signatories
        self._asked: dict[RequestId, ServiceRequest] = {}

    # --- asking -----------------------------------------------------------------------------

    def update_firmware(
        self, image: bytes, version: str, devices: Iterable[Eui64]
    ) -> ServiceRequest:
        """Return an 11.1 request."""
        return self.ask(bodies.UpdateFirmware(image, version, tuple(devices)))

    def update_ppmid_firmware(
        self, image: bytes, version: str, devices: Iterable[Eui64]
    ) -> ServiceRequest:
        """Return an 11.4 request."""
        return self.ask(bodies.UpdatePpmidFirmware(image, version, tuple(devices)))

    def read_firmware_version(self, device: Eui64) -> ServiceRequest:
        """Return an 11.2 request."""
        return self.ask(bodies.ReadFirmwareVersion(), device)

    def activate_firmware(
        self, device: Eui64, firmware_hash: bytes, at: UtcMs | None = None
    ) -> ServiceRequest:
        """Return an 11.3 request, for now or for ``at``."""
        return self.ask(bodies.ActivateFirmware(firmware_hash, at), device)

    def cancel_activation(self, device: Eui64, firmware_hash: bytes) -> ServiceRequest:
        """Return the 11.3 request that takes back a future-dated one."""
        return self.ask(bodies.ActivateFirmware(firmware_hash, date_time.CANCEL), device)

    def ask(self, body: RequestBody, device: Eui64 | None = None) -> ServiceRequest:
        """Return a request with the next counter.

        Args:
            body: What to ask for.
            device: The device it is for; None for requests to the DCC itself.
        """
        self.counter += 1
        return request(body, RequestId(self.eui64, device or self._acb, self.counter))

    def send(self, asked: ServiceRequest) -> bytes:
        """Post a request to the DSP, remember it, and return its document.

        Raises:
            DuisError: A value lies outside the limits of the schema.
        """
        document = write_request(asked, self._xml_key)
        self.adopt(asked)
        self._post.hand_over(self.name, "DSP", DUIS, document, _summary(asked))
        return document

    def adopt(self, asked: ServiceRequest) -> None:
        """Take a request as one's own, such as one read from a file."""
        self.counter = max(self.counter, asked.request_id.counter)
        if not isinstance(asked.body, bodies.SignedPreCommand):
            self._asked[asked.request_id] = asked

    # --- signing ----------------------------------------------------------------------------

    def sign(self, got: Received) -> ServiceRequest | NotCorrelated:
        """Correlate a returned pre-command with its request and sign it.

        Returns:
            The signed pre-command as a request of command variant 5, under the identifier of the
            request it came from; or why it must not be signed.

        Raises:
            ValueError: ``got`` carries no pre-command.
            KeyNotHeldError: The supplier's signing key is not held.
        """
        message = got.response.body
        content = getattr(message, "content", None)
        if not isinstance(content, PreCommand) or got.request_id is None:
            raise ValueError(f"a {got.kind} carries no pre-command")
        verdict = self.judge_pre_command(
            got.request_id, content.gbcs_payload, got.response.header.at
        )
        if isinstance(verdict, NotCorrelated):
            return verdict
        signed = envelope.encode(self.signed(verdict.envelope))
        return request(bodies.SignedPreCommand(signed), got.request_id)

    def judge_pre_command(
        self, request_id: RequestId, pre_command: bytes, at: UtcMs | None = None
    ) -> Correlated | NotCorrelated:
        """Compare a pre-command with the request it was returned for.

        Args:
            request_id: The request.
            pre_command: What was returned.
            at: When, as the response says; None for now. Gas commands are stamped with it.

        Raises:
            ValueError: No such request was sent.
        """
        asked = self._asked.get(request_id)
        if asked is None:
            raise ValueError(f"no request {request_id} was sent")
        moment = self._post.clock.now() if at is None else at
        known = known_devices.context(self.devices, moment)
        return correlate(asked, pre_command, known, within_s=_STAMPED_WITHIN_S)

    def signed(self, env: Envelope) -> Envelope:
        """Return the command with this supplier's signature.

        Raises:
            KeyNotHeldError: The supplier's signing key is not held.
        """
        return sign(env, self._ring)

    # --- receiving --------------------------------------------------------------------------

    def take(self, document: bytes) -> Received:
        """Read and judge one response or alert, and keep it in the inbox.

        Raises:
            DuisError: The document is no DUIS response, or its XML signature does not verify.
        """
        response = read_response(document, self._signatories, self._acb)
        got = self._judged(self._post.clock.now(), response, document)
        self.inbox.append(got)
        self._learn(response)
        return got

    def _learn(self, response: ServiceResponse) -> None:
        """Note what an answer to 8.2 says of devices."""
        content = getattr(response.body, "content", None)
        for one in content.devices if isinstance(content, Inventory) else ():
            entry = self._ring.keystore.find(one.device, KeyUsage.KA)
            certificate = None if entry is None else entry.certificate
            self.devices[one.device] = known_devices.device(
                one.device_type, one.esme_variant, one.gbcs_version, certificate
            )

    def last(self, kind: Kind) -> Received | None:
        """Return the newest entry of the inbox of that kind, or None."""
        return next((got for got in reversed(self.inbox) if got.kind is kind), None)

    def alerts(self) -> list[Received]:
        """Return all alerts of the inbox, in order."""
        kinds = {Kind.DEVICE_ALERT, Kind.DCC_ALERT, Kind.FUTURE_DATED_OUTCOME}
        return [got for got in self.inbox if got.kind in kinds]

    def _judged(self, at: UtcMs, response: ServiceResponse, document: bytes) -> Received:
        kind, message = _kind_and_message(response)
        got = Received(at, kind, response, document)
        if message is None:
            return got
        try:
            opened = open_message(message, self._ring, acb=self._acb)
            if isinstance(opened, Refused):
                return replace(got, opened=opened, trouble=str(opened.reason))
            env = opened.envelope
            value = decode_payload(opened.row, env.header.cra, env.payload)
        except MalformedFrameError as error:
            return replace(got, trouble=f"malformed: {error.why}")
        trouble = self._foreign(response, env)
        if isinstance(opened, Unauthenticated) and env.header.target != self._acb:
            trouble = "unauthenticated"
        return replace(got, opened=opened, value=value, trouble=trouble)

    def _foreign(self, response: ServiceResponse, env: Envelope) -> str:
        """Say why a genuine message is not an answer to what was asked, or nothing."""
        header, request_id = env.header, response.header.request_id
        asked = None if request_id is None else self._asked.get(request_id)
        if asked is not None and speaker_of(asked.header.variant) is not Speaker.USER:
            return _unfit(asked, header)
        if header.target not in {self.eui64, self._acb}:
            return f"it is for {header.target}"
        if header.cra is not Cra.RESPONSE:
            return ""
        if asked is None:
            return "it answers no request of ours"
        own = header.target == self.eui64
        counter = header.counter if own else header.other.supplementary_counter
        asker = self.eui64 if own else header.other.supplementary_party
        found = (header.originator, counter, asker)
        if found != (asked.request_id.target, asked.request_id.counter, self.eui64):
            return "it answers another request"
        return _unfit(asked, header)

    # --- memory -----------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return its memory (never its keys)."""
        return {
            "counter": self.counter,
            "asked": [write_request(asked).hex() for asked in self._asked.values()],
            "inbox": [
                {"at": got.at, "document": got.octets.hex(), "trouble": got.trouble}
                for got in self.inbox
            ],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        asked = [read_request(bytes.fromhex(document)) for document in state["asked"]]
        self._asked = {one.request_id: one for one in asked}
        self.counter = state["counter"]
        self.inbox = []
        for item in state["inbox"]:
            document = bytes.fromhex(item["document"])
            response = read_response(document, self._signatories, self._acb)
            got = self._judged(item["at"], response, document)
            self.inbox.append(replace(got, trouble=item["trouble"]))


def _kind_and_message(response: ServiceResponse) -> tuple[Kind, bytes | None]:
    """Return what a response is, and the device's message it carries."""
    body = response.body
    if isinstance(body, DccAlertMessage | Smets1ResponseMessage):
        is_alert = isinstance(body, DccAlertMessage)
        return Kind.DCC_ALERT if is_alert else Kind.SMETS1_RESPONSE, None
    if isinstance(body, DeviceAlertMessage):
        return Kind.DEVICE_ALERT, body.gbcs_payload
    if response.header.code.startswith("E"):
        return Kind.REFUSAL, None
    content = body.content
    if isinstance(content, GbcsPayload):
        return Kind.RESPONSE, content.octets
    if isinstance(content, FutureDatedDeviceAlert):
        return Kind.FUTURE_DATED_OUTCOME, content.gbcs_payload
    return _KINDS[type(content)], None


#: Content without a device's message -> what the response is.
_KINDS: Final[Mapping[type, Kind]] = {
    FirmwareWarning: Kind.WARNING,
    PpmidFirmwareWarning: Kind.WARNING,
    PreCommand: Kind.PRE_COMMAND,
    Inventory: Kind.INVENTORY,
    ScheduleCreated: Kind.SCHEDULE,
    Schedules: Kind.SCHEDULE,
    ScheduledMessage: Kind.SCHEDULED_RESPONSE,
    NoneType: Kind.ACKNOWLEDGEMENT,
}
#: What was asked -> message codes a device may answer with.
_ANSWERS: Final[Mapping[type, frozenset[int]]] = {
    bodies.ActivateFirmware: frozenset({MessageCode.CS06}),
    bodies.ReadFirmwareVersion: frozenset(READ_VERSION.values()),
}


def _unfit(asked: ServiceRequest, header: GroupingHeader) -> str:
    """Say why a message does not fit what was asked, or nothing."""
    if header.originator != asked.request_id.target:
        return "it answers another request"
    code = header.other.message_code
    fits = code in _ANSWERS.get(type(asked.body), _answers_to(asked.header.variant))
    return "" if fits else f"message code {code:04X} is no answer"


@cache
def _answers_to(service: str) -> frozenset[int]:
    """Return the message codes with which a device may answer a service."""
    by_table = {int(MessageCode[row.message]) for row in load_transforms().get(service, ())}
    rules = [*CRITICAL.items(), *NON_CRITICAL.items()]
    made = {word for (name, _kind), rule in rules if name == service for word in _words(rule)}
    return frozenset(by_table | {code for code, row in MESSAGES.items() if row.use_case in made})


def _words(rule: Rule) -> list[str]:
    return rule.use_cases.split()


def _summary(asked: ServiceRequest) -> str:
    name = type(asked.body).__name__
    return f"{asked.header.service} {name} (variant {asked.header.command_variant})"
