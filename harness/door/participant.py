"""A participant's system in small: our simulated supplier behind a way in."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto import certificate as certificates
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.protection import KeyRing
from harness.door.client import Sent, Way
from harness.door.trust import DCC, DSP_ROLE, PARTICIPANT, xml_key_of
from harness.errors import UsageError
from harness.formats.duis.bodies import ActivateFirmware, RequestBody
from harness.formats.duis.requests import ServiceRequest
from harness.formats.duis.responses import Smets1ResponseMessage
from harness.formats.duis.signing import Signatories
from harness.formats.duis.smets1_response import Smets1Response, read_signed
from harness.formats.migration_files.parties import Role
from harness.keys import open_keystore
from harness.parties.correlation import NotCorrelated
from harness.parties.post import Post
from harness.parties.received import Kind, Received
from harness.parties.supplier import Supplier

#: Seconds between two looks for an answer.
_POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class FixedMoment:
    """A clock that stands: at which certificates are judged."""

    at: UtcMs

    def now(self) -> UtcMs:
        """Return the moment."""
        return self.at

    async def sleep_until(self, at: UtcMs) -> None:
        """Wait for nothing: a participant's program has its own time."""


class RefusedAtDoorError(Exception):
    """The door did not take a request.

    Attributes:
        refusal: Code, what, where, cause, next.
    """

    def __init__(self, refusal: dict[str, str]) -> None:
        super().__init__(f"{refusal['code']}: {refusal['what']}")
        self.refusal = refusal


class NotAskedForError(Exception):
    """A pre-command is not what was asked for: it must not be signed."""

    def __init__(self, why: NotCorrelated) -> None:
        super().__init__(f"{why.field}: {why.detail}")
        self.why = why


@dataclass(slots=True)
class ParticipantSystem:
    """Asks, signs, waits, judges.

    Attributes:
        supplier: Who asks.
        way: The way to the door.
        wait_s: Seconds to wait for an answer.
        signatories: Whose XML signatures it believes.
        s1sp: The S1SP, where there is one.
    """

    supplier: Supplier
    way: Way
    signatories: Signatories = field(repr=False)
    s1sp: Eui64 | None = None
    wait_s: float = 60.0
    _pause: threading.Event = field(default_factory=threading.Event, repr=False)

    @classmethod
    def open(cls, trust: Path, way: Way, user: Eui64 | None = None) -> "ParticipantSystem":
        """Take the keys of a door's trust folder.

        Args:
            trust: The folder that the door printed.
            way: The way to the door.
            user: Which user; None for the first with an XML-signing key.

        Raises:
            UsageError: The folder does not hold what is needed.
        """
        own, others = open_keystore(trust / PARTICIPANT), open_keystore(trust / DCC)
        mine = user or next((one.eui64 for one in own.entries() if _signs(one.usage)), None)
        roles = {certificates.read(der).role: party for party, der in _xml(others).items()}
        if mine is None or DSP_ROLE not in roles:
            raise UsageError(
                "the trust folder lacks a user's or the DSP's XML-signing certificate",
                where=str(trust),
                cause="a folder that no door wrote",
                next_command="smetsbench dust door --trust DIR …",
            )
        dsp = roles[DSP_ROLE]
        known = _xml(others)
        at = certificates.read(known[dsp]).not_before
        signatories = Signatories(known, at)
        supplier = Supplier(
            mine,
            (),
            KeyRing(others.merged(own)),
            Post(FixedMoment(at)),
            acb=dsp,
            name=f"participant {mine}",
            xml_key=xml_key_of(own, mine),
            signatories=signatories,
        )
        return cls(supplier, way, signatories, roles.get(Role.S1SP.value))

    # -- asking --------------------------------------------------------------------------------

    def ask(self, body: RequestBody, device: Eui64 | None = None) -> Received:
        """Ask and wait for the response, whether it comes at once or later.

        Raises:
            RefusedAtDoorError: The door did not take the request.
            TimeoutError: No response came.
        """
        return self.send(self.supplier.ask(body, device))

    def send(self, asked: ServiceRequest) -> Received:
        """Send a request and wait for the response.

        Raises:
            RefusedAtDoorError: The door did not take the request.
            TimeoutError: No response came.
        """
        sent = self.way.send(self.supplier.send(asked))
        if sent.refusal is not None:
            raise RefusedAtDoorError(sent.refusal)
        document = sent.document or self._awaited(sent)
        return self.supplier.take(document)

    def activate(self, device: Eui64, image_hash: bytes, at: UtcMs | None = None) -> Received:
        """Ask for a pre-command, compare it with what was asked, sign it, send it (11.3).

        Raises:
            RefusedAtDoorError: The door did not take a request.
            TimeoutError: No response came.
            NotAskedForError: The pre-command is not what was asked for.
        """
        got = self.ask(ActivateFirmware(image_hash, at), device)
        if got.kind is not Kind.PRE_COMMAND:
            return got
        signed = self.supplier.sign(got)
        if isinstance(signed, NotCorrelated):
            raise NotAskedForError(signed)
        return self.send(signed)

    def _awaited(self, sent: Sent) -> bytes:
        for _look in range(round(self.wait_s / _POLL_S)):
            document = self.way.answer(sent)
            if document is not None:
                return document
            self._pause.wait(_POLL_S)
        raise TimeoutError(f"no answer to request {sent.id} came")

    def alerts(self, until: Callable[[list[Received]], bool] = bool) -> list[Received]:
        """Return new alerts, once they are what is waited for.

        Args:
            until: Says of the alerts so far whether they are.

        Raises:
            TimeoutError: They never were.
        """
        found: list[Received] = []
        for _look in range(round(self.wait_s / _POLL_S)):
            found += [self.supplier.take(document) for document in self.way.alerts()]
            if until(found):
                return found
            self._pause.wait(_POLL_S)
        raise TimeoutError("the alerts that are waited for did not come")

    def of_s1sp(self, got: Received) -> Smets1Response | None:
        """Return what an S1SP says in a response, its own signature verified; None elsewhere.

        Raises:
            DuisError: Its signature does not hold.
        """
        body = got.response.body
        if not isinstance(body, Smets1ResponseMessage) or self.s1sp is None:
            return None
        return read_signed(body.signed, self.signatories, self.s1sp)


def _signs(usage: KeyUsage) -> bool:
    return usage is KeyUsage.XML


def _xml(store: KeyStore) -> dict[Eui64, bytes]:
    return {
        one.eui64: one.certificate
        for one in store.entries()
        if one.usage is KeyUsage.XML and one.certificate is not None
    }
