"""A participant's side of the door: over HTTP, or through the file drop."""

import http.client
import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from emulator.core.ids import Eui64
from harness.door.drop import IN, OUT, REFUSED
from harness.door.drop_files import PART
from harness.door.refusals import AGAIN

_TIMEOUT_S: Final = 120.0
_XML: Final = "application/xml"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a door said to a request.

    Attributes:
        document: The signed response, where it came at once.
        id: Its number, where it is answered later.
        refusal: Code, what, where, cause, next, where the door refused it.
        name: Name of the file, at a drop.
    """

    document: bytes | None = None
    id: int | None = None
    refusal: dict[str, str] | None = None
    name: str = ""


class Way(Protocol):
    """A way in and out, as a participant's system has it."""

    def send(self, document: bytes) -> Sent:
        """Send a signed request; returns what the door says to it."""
        ...

    def answer(self, sent: Sent) -> bytes | None:
        """Return the response to a request that was acknowledged, or None while there is none."""
        ...

    def alerts(self) -> list[bytes]:
        """Return the alerts since the last call."""
        ...


class HttpWay:
    """The way by HTTP.

    Args:
        host: Address of the door.
        port: Its port.
        user: Whose alerts are asked for; None for everybody's.
    """

    def __init__(self, host: str, port: int, user: Eui64 | None = None) -> None:
        self._host, self._port = host, port
        self._only = "" if user is None else f"&user={user}"
        self._seen = 0

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        kind: str = _XML,
        *,
        again: str = "",
    ) -> tuple[int, bytes]:
        """Ask once; returns status and body.

        Args:
            method: ``GET`` or ``POST``.
            path: Where.
            body: What is posted.
            kind: Its content type.
            again: What is said of a repeat after a restart (``refusals.SENT``…).
        """
        headers = {} if body is None else {"Content-Type": kind}
        if again:
            headers[AGAIN] = again
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_TIMEOUT_S)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def send(self, document: bytes, *, again: str = "") -> Sent:
        """Post a request; ``again``: what is said of a repeat after a restart."""
        status, body = self.ask("POST", "/duis", document, again=again)
        if status == 200:
            return Sent(document=body)
        told: dict[str, Any] = json.loads(body)
        return Sent(id=told["id"]) if status == 202 else Sent(refusal=told)

    def answer(self, sent: Sent) -> bytes | None:
        """Fetch a response."""
        status, body = self.ask("GET", f"/duis/{sent.id}")
        return body if status == 200 else None

    def alerts(self) -> list[bytes]:
        """Fetch the alerts behind the last one seen."""
        _status, body = self.ask("GET", f"/alerts?after={self._seen}{self._only}")
        found = json.loads(body)["alerts"]
        self._seen = max([self._seen, *(one["number"] for one in found)])
        return [one["document"].encode() for one in found]


class DropWay:
    """The way by files.

    Args:
        folder: The drop.
        prefix: Begin of the names this participant gives its files.
        wait_s: Seconds to wait for what the door says.
    """

    def __init__(self, folder: Path, prefix: str = "request", wait_s: float = _TIMEOUT_S) -> None:
        self._folder, self._prefix, self._wait_s = folder, prefix, wait_s
        self._number = 0
        self._seen: set[str] = set()
        self._pause = threading.Event()

    def send(self, document: bytes) -> Sent:
        """Put a request into the drop and wait for what the door says to it.

        Raises:
            TimeoutError: The door said nothing.
        """
        self._number += 1
        name = f"{self._prefix}-{self._number:04d}.xml"
        part = self._folder / IN / f"{name}{PART}"
        part.write_bytes(document)
        part.rename(self._folder / IN / name)
        for _try in range(round(self._wait_s / 0.05)):
            said = self._said(name)
            if said is not None:
                return said
            self._pause.wait(0.05)
        raise TimeoutError(f"the door said nothing to {name}")

    def _said(self, name: str) -> Sent | None:
        accepted = self._folder / OUT / f"{name}.accepted.json"
        if accepted.exists():
            return Sent(id=json.loads(accepted.read_bytes())["id"], name=name)
        response = self._folder / OUT / f"{name}.response.xml"
        if response.exists():
            return Sent(document=response.read_bytes(), name=name)
        error = self._folder / REFUSED / f"{name}.error.json"
        return Sent(refusal=json.loads(error.read_bytes()), name=name) if error.exists() else None

    def answer(self, sent: Sent) -> bytes | None:
        """Read the response to a request that was acknowledged."""
        response = self._folder / OUT / f"{sent.name}.response.xml"
        return response.read_bytes() if response.exists() else None

    def alerts(self) -> list[bytes]:
        """Read the alerts that are new."""
        new = sorted(
            path
            for path in (self._folder / OUT).glob("alert-*.xml")
            if path.name not in self._seen and path.name.count(".") == 1
        )
        self._seen |= {path.name for path in new}
        return [path.read_bytes() for path in new]
