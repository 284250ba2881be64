"""An import supplier of a SMETS1 home: EIS or GIS, asking the DCC and judging what an S1SP says."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.protection import KeyRing
from emulator.crypto.top_up_code import TopUp
from harness.formats.duis import s1sp_alert, smets1_response
from harness.formats.duis import smets1_bodies as bodies
from harness.formats.duis.alerts import S1spAlertPassed
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import ServiceRequest
from harness.formats.duis.responses import DccAlertMessage, Smets1ResponseMessage
from harness.formats.duis.s1sp_alert import S1spAlert
from harness.formats.duis.signing import Signatories, XmlKey
from harness.formats.duis.smets1_contents import Result
from harness.formats.duis.smets1_response import Smets1Response
from harness.parties import smets1_top_up
from harness.parties.post import Post
from harness.parties.received import Received
from harness.parties.supplier import Supplier
from harness.rules.roles import UserRole

EIS: Final = "EIS"
GIS: Final = "GIS"
#: Kind of a notice between parties, in a trace.
NOTICE: Final = "notice"


@dataclass(frozen=True, slots=True)
class FromS1sp:
    """One signed answer or alert of an S1SP, as a supplier got it.

    Attributes:
        at: When.
        value: What it says, its signature verified.
        request_id: The request it belongs to, or None.
    """

    at: UtcMs
    value: Smets1Response | S1spAlert
    request_id: RequestId | None

    @property
    def success(self) -> bool:
        """Whether it says that a request was carried out."""
        body = self.value.body if isinstance(self.value, Smets1Response) else None
        return isinstance(body, Result) and body.success


class ImportSupplier(Supplier):
    """One supplier in one or both roles.

    Attributes:
        answered: What S1SPs answered, in order.
        told: Notices of commissioning, in order.
    """

    def __init__(  # noqa: PLR0913 - identity, roles, post, two identifiers and three keys
        self,
        eui64: Eui64,
        roles: Iterable[UserRole],
        post: Post,
        *,
        dcc: Eui64,
        s1sp: Eui64,
        name: str,
        xml_key: XmlKey | None = None,
        signatories: Signatories | None = None,
    ) -> None:
        super().__init__(
            eui64,
            roles,
            KeyRing(KeyStore()),
            post,
            acb=dcc,
            name=name,
            xml_key=xml_key,
            signatories=signatories,
        )
        self.answered: list[FromS1sp] = []
        self.told: list[bytes] = []
        self._s1sp = s1sp

    def take(self, document: bytes) -> Received:
        """Read and judge one response or alert; an S1SP's own signature must hold as well.

        Raises:
            DuisError: A document or a signature does not hold.
        """
        got = super().take(document)
        body = got.response.body
        if isinstance(body, Smets1ResponseMessage):
            response = smets1_response.read_signed(body.signed, self._signatories, self._s1sp)
            self.answered.append(FromS1sp(got.at, response, got.request_id))
        elif isinstance(body, DccAlertMessage) and isinstance(body.alert, S1spAlertPassed):
            alert = s1sp_alert.read_alert(body.alert.alert, self._signatories, self._s1sp)
            self.answered.append(FromS1sp(got.at, alert, alert.request_id))
        return got

    def hear(self, notice: bytes) -> None:
        """Take a notice of commissioning."""
        self.told.append(notice)

    def answer_to(self, asked: RequestId) -> FromS1sp | None:
        """Return what an S1SP answered to a request, or None."""
        return next((one for one in reversed(self.answered) if one.request_id == asked), None)

    def carried_out(self, body: type) -> list[tuple[ServiceRequest, FromS1sp]]:
        """Return its requests of that body that an S1SP carried out, with the answers."""
        found = []
        for one in self.answered:
            asked = None if one.request_id is None else self._asked.get(one.request_id)
            if asked is not None and one.success and isinstance(asked.body, body):
                found.append((asked, one))
        return found

    def top_up(self, device: Eui64, top_up: TopUp) -> bodies.TopUpDevice:
        """Return the body of a 2.2 request."""
        return bodies.TopUpDevice(smets1_top_up.order(self.eui64, device, top_up))

    def dump(self) -> dict[str, Any]:
        """Return its memory (never its keys)."""
        return {**super().dump(), "told": [one.hex() for one in self.told]}

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        super().load(state)
        self.told = [bytes.fromhex(one) for one in state["told"]]
        self.answered = []
        for got in self.inbox:
            self._again(got)

    def _again(self, got: Received) -> None:
        body = got.response.body
        if isinstance(body, Smets1ResponseMessage):
            response = smets1_response.read_signed(body.signed)
            self.answered.append(FromS1sp(got.at, response, got.request_id))
        elif isinstance(body, DccAlertMessage) and isinstance(body.alert, S1spAlertPassed):
            alert = s1sp_alert.read_alert(body.alert.alert)
            self.answered.append(FromS1sp(got.at, alert, alert.request_id))


def handover_body(
    store: KeyStore, supplier: Eui64, path: tuple[bytes, ...] = ()
) -> bodies.RequestHandover:
    """Return the 6.21 that puts a supplier's certificates where Null stands.

    Args:
        store: Certificates of the parties.
        supplier: The supplier.
        path: How its certificates lead to the root; none: a test set has no certificate above.

    Raises:
        ValueError: A certificate of the supplier is not held.
    """
    given = replacement(store, supplier)
    return bodies.RequestHandover(bodies.PartyRole.SUPPLIER, given, _path(given, path))


def change_body(
    store: KeyStore, supplier: Eui64, mpxn: str, path: tuple[bytes, ...] = ()
) -> bodies.UpdateCredentialsCos:
    """Return the 6.23 of a new supplier.

    Args:
        store: Certificates of the parties.
        supplier: The supplier.
        mpxn: The meter point.
        path: How its certificates lead to the root; none: a test set has no certificate above.

    Raises:
        ValueError: A certificate of the supplier is not held.
    """
    given = replacement(store, supplier)
    return bodies.UpdateCredentialsCos(mpxn, given, _path(given, path))


def _path(given: bodies.ReplacementCertificates, path: tuple[bytes, ...]) -> bodies.CertificatePath:
    return bodies.CertificatePath(path or (given.signing or b"\x00",))


def replacement(store: KeyStore, party: Eui64) -> bodies.ReplacementCertificates:
    """Return a party's signing and key-agreement certificates.

    Raises:
        ValueError: One of them is not held.
    """
    found = [store.find(party, usage) for usage in (KeyUsage.DS, KeyUsage.KA)]
    ders = [None if entry is None else entry.certificate for entry in found]
    if None in ders:
        raise ValueError(f"no certificates of {party} are held")
    return bodies.ReplacementCertificates(ders[0], ders[1])
