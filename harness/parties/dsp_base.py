"""What the DSP remembers, and how it speaks to service users."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from device_profiles.cpl import Cpl
from device_profiles.rows import load_duis_codes
from device_profiles.smets1_services import Smets1Service
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.formats.duis.alerts import DccAlert, FirmwareVersionMismatch
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import ServiceRequest
from harness.formats.duis.responses import (
    SUCCESS,
    Content,
    DccAlertMessage,
    DeviceAlertMessage,
    ResponseHeader,
    ResponseMessage,
    ServiceResponse,
    Smets1ResponseMessage,
    write_response,
)
from harness.formats.duis.signing import Signatories, XmlKey
from harness.parties.acb import Acb
from harness.parties.dsp_credentials import CredentialChanges
from harness.parties.dsp_work import (
    Awaited,
    PassOn,
    Transfer,
    Work,
    work_dump,
    work_restore,
)
from harness.parties.post import DCC_ALERT, DUIS, Post
from harness.parties.response_codes import ResponseCodes, alert_code
from harness.parties.service_user import ServiceUser
from harness.rules.firmware_checks import Category, Objection
from harness.rules.inventory import Inventory, InventoryRecord
from harness.rules.roles import Actor, coordinator

#: Most characters of a version in a DUIS document. Source: DUIS 5.4 XSD.
_VERSION_CHARS: Final = 8


@quick
@dataclass(frozen=True, slots=True)
class Decision:
    """What the DSP decided about a request; oracles compare its category (F-023).

    Attributes:
        request_id: The request.
        objection: Why it was refused, or None.
        left_out: Devices of its list that were left out, with the reason.
        warnings: What was noted and did not stop it.
    """

    request_id: RequestId
    objection: Objection | None = None
    left_out: tuple[tuple[Eui64, Objection], ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def category(self) -> str:
        """Category of the refusal, or empty."""
        return "" if self.objection is None else str(self.objection.category)


class DspBase:
    """Memory and mouth of the DSP.

    Attributes:
        name: How the trace calls it.
        acb: The Access Control Broker it works with.
        inventory: The Smart Metering Inventory.
        cpl: The Central Products List in force; may be replaced at any time.
        post: The post.
        codes: Response codes; the shipped catalogue's when none are given.
        transfers: Device -> the transfer to it that is not finished.
        outbox: Work accepted and not yet done, in order.
        decisions: What it decided about requests, in order.
        staged: How each image transfer to a hub ended, in the CSP's words, in order.
        s1sps: Name of each S1SP in the inventory -> its identifier.
        to_s1sps: Countersigned requests that are still to go out, in order.
        asked_s1sps: Device, asking party and counter -> request that an S1SP is to answer.
        supplies: Meter point -> its registered supplier.
        changes: Credentials whose replacement it ordered and of which the device did not tell.
    """

    def __init__(  # noqa: PLR0913 - broker, data, post and two XML keys
        self,
        acb: Acb,
        inventory: Inventory,
        cpl: Cpl,
        post: Post,
        *,
        codes: ResponseCodes | None = None,
        xml_key: XmlKey | None = None,
        signatories: Signatories | None = None,
    ) -> None:
        self.name = "DSP"
        self.codes = codes or ResponseCodes(load_duis_codes())
        self.acb = acb
        self.inventory = inventory
        self.cpl = cpl
        self.post = post
        self.transfers: dict[Eui64, Transfer] = {}
        self.outbox: list[Work] = []
        self.decisions: list[Decision] = []
        self.staged: list[str] = []
        self._users: dict[Eui64, ServiceUser] = {}
        self._awaited: dict[tuple[Eui64, Eui64, int], Awaited] = {}
        self.changes = CredentialChanges()
        self._pre_commands: dict[RequestId, bytes] = {}
        self._hub_versions: dict[Eui64, str] = {}
        self._alerts = 0
        self._xml_key = xml_key
        self._signatories = signatories
        self.s1sps: dict[str, Eui64] = {}
        self.to_s1sps: list[PassOn] = []
        self.asked_s1sps: dict[tuple[Eui64, Eui64, int], bytes] = {}
        self.supplies: dict[str, Eui64] = {}
        self._services: Mapping[str, Smets1Service] = {}
        self._s1sp_certificates: dict[Eui64, bytes] = {}
        self._passed_on: dict[RequestId, None] = {}
        self._document = b""

    def register(self, *users: ServiceUser) -> None:
        """Make service users known."""
        for user in users:
            self._users[user.eui64] = user

    def actor(self, eui64: Eui64) -> Actor:
        """Return a service user with its roles; a stranger has none."""
        user = self._users.get(eui64)
        return Actor(eui64, frozenset() if user is None else user.roles)

    def expect_hub_version(self, hub: Eui64, version: str) -> None:
        """Note the version of an image the WAN provider sent a hub for itself."""
        self._hub_versions[hub] = version

    def own_key(self) -> XmlKey:
        """Return its XML-signing key.

        Raises:
            ValueError: It has none.
        """
        if self._xml_key is None:
            raise ValueError("the DSP has no XML-signing key: it cannot countersign")
        return self._xml_key

    @property
    def now(self) -> UtcMs:
        """The bench's time."""
        return self.post.clock.now()

    # --- speaking ---------------------------------------------------------------------------

    def respond(self, asked: ServiceRequest, code: str, content: Content | None = None) -> bytes:
        """Return (and trace) the response to a request just submitted."""
        header = ResponseHeader(asked.request_id, None, code, self.now)
        service, variant = asked.header.service, asked.header.variant
        response = ServiceResponse(header, ResponseMessage(service, variant, content))
        document = write_response(response, self._xml_key)
        user = self._users.get(asked.request_id.originator)
        receiver = "service user" if user is None else user.name
        self.post.hand_over(self.name, receiver, DUIS, document, _summary(code, content))
        return document

    def deliver(
        self,
        user: Eui64,
        body: ResponseMessage | DeviceAlertMessage | DccAlertMessage | Smets1ResponseMessage,
        summary: str,
        request_id: RequestId | None = None,
        response_id: RequestId | None = None,
    ) -> bytes | None:
        """Hand a response or alert to a service user; None when it is not registered."""
        receiver = self._users.get(user)
        if receiver is None:
            return None
        header = ResponseHeader(request_id, response_id, SUCCESS, self.now)
        document = write_response(ServiceResponse(header, body), self._xml_key)
        kind = DCC_ALERT if isinstance(body, DccAlertMessage) else DUIS
        self.post.hand_over(self.name, receiver.name, kind, document, summary)
        receiver.take(document)
        return document

    def raise_alert(self, users: Sequence[Eui64], alert: DccAlert) -> None:
        """Raise one DCC alert to each of ``users``."""
        code = alert_code(alert)
        for user in users:
            self._alerts += 1
            identity = RequestId(self.acb.eui64, user, self._alerts)
            summary = f"{code} {type(alert).__name__}"
            self.deliver(user, DccAlertMessage(code, alert), summary, response_id=identity)

    def note_version(self, record: InventoryRecord, version: str) -> None:
        """F-026: what a device answers differs from the inventory: say so, believe the device.

        The inventory keeps its version where ``keeps_version`` says so.
        """
        if version == record.firmware_version.upper().zfill(8):
            return
        alert = FirmwareVersionMismatch(
            record.device, record.device_type, record.firmware_version, version[:_VERSION_CHARS]
        )
        self.raise_alert([coordinator(record, self.inventory)], alert)
        if not self.keeps_version(record, version):
            self.inventory.set_version(record.device, version)

    def keeps_version(self, _record: InventoryRecord, _version: str) -> bool:
        """Say whether the inventory keeps its version against what a device answers."""
        return False

    # --- memory -----------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return its memory; users, keys and the list in force come from the scenario again."""
        return {
            "inventory": self.inventory.dump(),
            "transfers": {str(key): value.dump() for key, value in self.transfers.items()},
            "outbox": [work_dump(work) for work in self.outbox],
            "decisions": [_decision_dump(decision) for decision in self.decisions],
            "awaited": [
                {"device": str(device), "sender": str(sender), "counter": counter, **value.dump()}
                for (device, sender, counter), value in self._awaited.items()
            ],
            "pre_commands": {str(key): value.hex() for key, value in self._pre_commands.items()},
            "hub_versions": {str(key): value for key, value in self._hub_versions.items()},
            "alerts": self._alerts,
            "staged": [*self.staged],
            "changes": self.changes.dump(),
            "acb": self.acb.dump(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        self.inventory = Inventory.restore(state["inventory"])
        self.transfers = {
            Eui64.parse(key): Transfer.restore(value) for key, value in state["transfers"].items()
        }
        self.outbox = [work_restore(work) for work in state["outbox"]]
        self.decisions = [_decision_restore(decision) for decision in state["decisions"]]
        self._awaited = {
            (
                Eui64.parse(item["device"]),
                Eui64.parse(item["sender"]),
                item["counter"],
            ): Awaited.restore(item)
            for item in state["awaited"]
        }
        self.changes.load(state["changes"])
        self._pre_commands = {
            RequestId.parse(key): bytes.fromhex(value)
            for key, value in state["pre_commands"].items()
        }
        self._hub_versions = {
            Eui64.parse(key): value for key, value in state["hub_versions"].items()
        }
        self._alerts = state["alerts"]
        self.staged = list(state["staged"])
        self.acb.load(state["acb"])


def _summary(code: str, content: Content | None) -> str:
    return code if content is None else f"{code} {type(content).__name__}"


def _objection_dump(objection: Objection | None) -> list[str] | None:
    return None if objection is None else [str(objection.category), objection.detail]


def _objection_restore(state: list[str]) -> Objection:
    return Objection(Category(state[0]), state[1])


def _decision_dump(decision: Decision) -> dict[str, Any]:
    return {
        "request_id": str(decision.request_id),
        "objection": _objection_dump(decision.objection),
        "left_out": [
            [str(device), _objection_dump(objection)] for device, objection in decision.left_out
        ],
        "warnings": list(decision.warnings),
    }


def _decision_restore(state: dict[str, Any]) -> Decision:
    objection = state["objection"]
    return Decision(
        RequestId.parse(state["request_id"]),
        None if objection is None else _objection_restore(objection),
        tuple((Eui64.parse(device), _objection_restore(why)) for device, why in state["left_out"]),
        tuple(state["warnings"]),
    )
