"""Requests, answers and alerts of a run: kept with their octets, told with homes and codes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from device_profiles.installation import Installation
from emulator.core.clock import UtcMs, iso
from emulator.core.ids import Eui64
from harness.door.kept import Refused, Taken
from harness.door.sorting import code_of
from harness.dust.chronicle import ALERT, ANSWER, IN, OUT, REFUSED, Chronicle, plain_name
from harness.dust.events import Level, Phase
from harness.dust.told_looks import device_of
from harness.formats.duis import s1sp_alert, smets1_response
from harness.formats.duis.alerts import S1spAlertPassed
from harness.formats.duis.faults import DuisError
from harness.formats.duis.responses import (
    ACKNOWLEDGED,
    DccAlertMessage,
    DeviceAlertMessage,
    ServiceResponse,
    Smets1ResponseMessage,
    read_response,
)
from harness.formats.duis.s1sp_alert import S1spAlert
from harness.formats.duis.smets1_contents import DeviceAlert

_DCC: Final = "DCC"
#: What codes of answers begin with where it was done: a schedule's answers are told like alerts.
_DONE: Final = "I"
_OPENS: Final = "MAPASSWORD"
#: Kind of an event: a door refused what was handed in.
DOOR_REFUSED: Final = "door-refused"


@dataclass(slots=True)
class Asked:
    """A request that may still be answered.

    Attributes:
        number: Its number at the door.
        service: Its service reference variant.
        device: The device it is about: its Business Target, or what it asks the DCC about.
        at: When it was taken.
    """

    number: int
    service: str
    device: str
    at: int = 0


@dataclass(slots=True)
class Memory:
    """What is remembered of the traffic.

    Attributes:
        asked: RequestID -> the request.
        told: How many documents went out later.
    """

    asked: dict[str, Asked] = field(default_factory=dict)
    told: int = 0

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> "Memory":
        """Return a dumped one."""
        return cls({name: Asked(**row) for name, row in state["asked"].items()}, state["told"])


class Traffic:
    """Takes down what passes the doors.

    Attributes:
        memory: What it remembers.
    """

    def __init__(
        self,
        chronicle: Chronicle,
        homes: Sequence[Installation],
        memory: Memory | None = None,
    ) -> None:
        self.memory = memory or Memory()
        self._chronicle = chronicle
        self._refs = {device.eui64: home.ref for home in homes for device in home.devices}
        self._types = {device.eui64: device.role for home in homes for device in home.devices}

    def asked(self, taken: Taken, answer: bytes) -> None:
        """Take down a request and what the DSP answered at once."""
        device = str(device_of(taken.document) or taken.request_id.target)
        asked = Asked(taken.id, taken.service, device)
        self.memory.asked[str(taken.request_id)] = asked
        user = str(taken.user)
        kept = self._chronicle.keep(
            f"{IN}/duis-{taken.id:06d}.xml",
            taken.document,
            "DUIS request",
            sender=user,
            receiver=_DCC,
            refs=self._of(device),
        )
        told = self._chronicle.tell(
            "request",
            f"{taken.service} for {device}",
            phase=Phase.AFTER,
            party=user,
            receiver=_DCC,
            ref=self._refs.get(device, ""),
            device=device,
            file=kept.path,
            told={"service": taken.service, "request": taken.id},
        )
        asked.at = told.at
        code = read_response(answer).header.code
        self._chronicle.judge(kept.path, code)
        path = self._keep(f"{OUT}/duis-{taken.id:06d}.prompt.xml", answer, user, code, device)
        if code != ACKNOWLEDGED or not taken.waits:
            self._answered(asked, user, code, path)

    def refused(self, refused: Refused) -> None:
        """Take down what a door refused: nothing came of it."""
        name = plain_name(refused.name) or f"{refused.door}-{refused.number:06d}.xml"
        path = ""
        if refused.octets:
            path = self._chronicle.keep(
                f"{REFUSED}/{name}",
                refused.octets,
                _OPENS if _opens(refused) else "refused at the door",
                sender=refused.who,
                receiver=_DCC,
                result=refused.code,
            ).path
        self._chronicle.tell(
            DOOR_REFUSED,
            f"{refused.door}: {refused.what}",
            level=Level.WARNING,
            party=refused.who,
            receiver=_DCC,
            code=refused.code,
            file=path,
            told={
                "door": refused.door,
                "name": refused.name,
                "size_bytes": refused.size,
                "sha256": refused.sha256,
            },
        )

    def told(self, user: Eui64, document: bytes, at: UtcMs) -> None:
        """Take down a response or alert on its way to a service user."""
        self.memory.told += 1
        response = read_response(document)
        code, identity = code_of(response), response.header.request_id
        asked = None if identity is None else self.memory.asked.get(str(identity))
        device = asked.device if asked is not None else _device_of(response)
        inside = _s1sp_alert(response)
        if inside is not None and asked is None:
            device = str(inside.device or "")
        path = f"{OUT}/told-{self.memory.told:06d}.xml"
        path = self._keep(path, document, str(user), code, device, at)
        if asked is not None and not _is_alert(response):
            self._answered(asked, str(user), code, path, at)
            return
        self._chronicle.tell(
            ALERT,
            f"alert {code}" + (f" of {device}" if device else ""),
            at=at,
            level=Level.INFO if code.startswith(_DONE) else Level.WARNING,
            phase=Phase.AFTER,
            party=_DCC,
            receiver=str(user),
            ref=self._refs.get(device, ""),
            device=device,
            code=code,
            file=path,
            told={} if inside is None else {"s1sp": inside.code},
        )

    def _answered(
        self, asked: Asked, user: str, code: str, path: str, at: UtcMs | None = None
    ) -> None:
        self._chronicle.tell(
            ANSWER,
            f"{asked.service} for {asked.device}: {code}",
            level=Level.WARNING if code.startswith("E") else Level.INFO,
            phase=Phase.AFTER,
            party=_DCC,
            receiver=user,
            ref=self._refs.get(asked.device, ""),
            device=asked.device,
            code=code,
            file=path,
            told={
                "service": asked.service,
                "request": asked.number,
                "asked_at": asked.at,
                "type": self._types[asked.device].value if asked.device in self._types else "",
            },
            **({} if at is None else {"at": at}),
        )

    def _keep(  # noqa: PLR0913, PLR0917 -- the row of a file
        self,
        path: str,
        octets: bytes,
        user: str,
        code: str,
        device: str,
        at: UtcMs | None = None,
    ) -> str:
        more = {} if at is None else {"at": iso(at)}
        kept = self._chronicle.keep(
            path,
            octets,
            "DUIS response",
            sender=_DCC,
            receiver=user,
            result=code,
            refs=self._of(device),
            **more,
        )
        return kept.path

    def _of(self, device: str) -> tuple[str, ...]:
        ref = self._refs.get(device)
        return () if ref is None else (ref,)


def _opens(refused: Refused) -> bool:
    """Say whether what was refused may open a sealed authorisation: packs treat it as one."""
    return _OPENS in refused.name.upper() or b"PassPhrase" in refused.octets


def _is_alert(response: ServiceResponse) -> bool:
    body = response.body
    if isinstance(body, Smets1ResponseMessage):
        return isinstance(_inner(body), DeviceAlert)
    return isinstance(body, DccAlertMessage | DeviceAlertMessage)


def _inner(body: Smets1ResponseMessage) -> object:
    try:
        return smets1_response.read_signed(body.signed).body
    except DuisError:
        return None


def _s1sp_alert(response: ServiceResponse) -> S1spAlert | None:
    """Return the alert of an S1SP that one of the DSP's passes on; None for any other document."""
    alert = response.body.alert if isinstance(response.body, DccAlertMessage) else None
    try:
        return s1sp_alert.read_alert(alert.alert) if isinstance(alert, S1spAlertPassed) else None
    except DuisError:
        return None


def _device_of(response: ServiceResponse) -> str:
    """Return the device that an alert is of, as far as it says; empty else."""
    body = response.body
    if isinstance(body, DccAlertMessage):
        return str(getattr(body.alert, "device", None) or "")
    if isinstance(body, Smets1ResponseMessage):
        try:
            return str(smets1_response.read_signed(body.signed).device)
        except DuisError:
            return ""
    return ""
