"""What the DSP has still to do, and what it waits for: values that survive a kill."""

from dataclasses import dataclass
from typing import Any, Self

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.formats.duis.request_id import RequestId


@dataclass(frozen=True, slots=True)
class SendCommand:
    """Send one GBCS command to a hub.

    Attributes:
        hub: The hub.
        message: The command, protected.
        summary: One line for the trace.
        not_before: When it is due; None for at once.
    """

    hub: Eui64
    message: bytes
    summary: str
    not_before: UtcMs | None = None

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "hub": str(self.hub),
            "message": self.message.hex(),
            "summary": self.summary,
            "not_before": self.not_before,
        }

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Return it from dumped values."""
        hub, message = Eui64.parse(state["hub"]), bytes.fromhex(state["message"])
        return cls(hub, message, state["summary"], state["not_before"])


@dataclass(frozen=True, slots=True)
class DistributeImage:
    """Have the CSP transfer an image to one hub.

    Attributes:
        hub: The hub.
        request_id: The update request.
        image: The OTA Upgrade Image.
        version: Its version, as the request says it.
        targets: Devices behind that hub.
    """

    hub: Eui64
    request_id: RequestId
    image: bytes
    version: str
    targets: tuple[Eui64, ...]

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "hub": str(self.hub),
            "request_id": str(self.request_id),
            "image": self.image.hex(),
            "version": self.version,
            "targets": [str(target) for target in self.targets],
        }

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Return it from dumped values."""
        return cls(
            Eui64.parse(state["hub"]),
            RequestId.parse(state["request_id"]),
            bytes.fromhex(state["image"]),
            state["version"],
            tuple(Eui64.parse(target) for target in state["targets"]),
        )


Work = SendCommand | DistributeImage


@dataclass(frozen=True, slots=True)
class Transfer:
    """An image on its way to a device, from acceptance to the device's (or hub's) last word.

    Attributes:
        request_id: The update request.
        version: Version on its way, as the request says it.
    """

    request_id: RequestId
    version: str

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"request_id": str(self.request_id), "version": self.version}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Return it from dumped values."""
        return cls(RequestId.parse(state["request_id"]), state["version"])


@dataclass(frozen=True, slots=True)
class Awaited:
    """A device's answer somebody waits for.

    Attributes:
        request_id: The request it will answer.
        service: Its service reference variant.
        user: Who waits.
        schedule: Number of the DSP schedule that asked, or None.
    """

    request_id: RequestId
    service: str
    user: Eui64
    schedule: int | None = None

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "request_id": str(self.request_id),
            "service": self.service,
            "user": str(self.user),
            "schedule": self.schedule,
        }

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Return it from dumped values."""
        return cls(
            RequestId.parse(state["request_id"]),
            state["service"],
            Eui64.parse(state["user"]),
            state["schedule"],
        )


@quick
@dataclass(frozen=True, slots=True)
class PassOn:
    """One countersigned request that is to go to an S1SP.

    Attributes:
        s1sp: The S1SP.
        device: The device.
        document: The countersigned request.
        summary: One line for the trace.
    """

    s1sp: Eui64
    device: Eui64
    document: bytes
    summary: str

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        names = {"s1sp": str(self.s1sp), "device": str(self.device)}
        return {**names, "document": self.document.hex(), "summary": self.summary}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Return it from dumped values."""
        s1sp, device = Eui64.parse(state["s1sp"]), Eui64.parse(state["device"])
        return cls(s1sp, device, bytes.fromhex(state["document"]), state["summary"])


def work_dump(work: Work) -> dict[str, Any]:
    """Return one piece of work as JSON values with its kind."""
    return {"kind": type(work).__name__, **work.dump()}


def work_restore(state: dict[str, Any]) -> Work:
    """Return one piece of work from dumped values."""
    kind = SendCommand if state["kind"] == "SendCommand" else DistributeImage
    return kind.restore(state)


def reference_of(variant: str) -> str:
    """Return the service reference that a variant belongs to."""
    return ".".join(variant.split(".")[:2])
