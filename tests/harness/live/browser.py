"""Drives Debian's chromium over the pipe of the DevTools protocol; the standard library alone."""

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

CHROMIUM: Final = shutil.which("chromium")
#: Seconds for one answer; generous, for machines that do much else.
PATIENCE_S: Final = 45.0
_FLAGS: Final = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--no-first-run", "--disable-extensions", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-default-apps"),
    *("--mute-audio", "--hide-scrollbars", "--remote-debugging-pipe"),
)


class Browser:
    """One page of a browser.

    Attributes:
        requests: Addresses that were asked for.
        complaints: What the console was told, and what went wrong in scripts.
    """

    def __init__(self, profile: Path) -> None:
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        flags = " ".join((*_FLAGS, f"--user-data-dir={profile}"))
        self._process = subprocess.Popen(
            ["bash", "-c", f"exec {CHROMIUM} {flags} 3<&{to_browser} 4>&{from_browser}"],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._kept = b""
        self._number = 0
        self._session = ""
        self.requests: list[str] = []
        self.complaints: list[str] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        told = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = told["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")

    def close(self) -> None:
        """End the browser and all it started."""
        os.close(self._out)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        os.close(self._in)

    # -- the protocol --------------------------------------------------------------------------

    def ask(self, method: str, **names: Any) -> dict[str, Any]:
        """Ask for something; returns the answer."""
        self._number += 1
        asked: dict[str, Any] = {"id": self._number, "method": method, "params": names}
        if self._session:
            asked["sessionId"] = self._session
        os.write(self._out, json.dumps(asked).encode() + b"\0")
        until = time.monotonic() + PATIENCE_S
        while (told := self._next(until)).get("id") != self._number:
            self._note(told)
        if "error" in told:
            raise AssertionError(f"{method}: {told['error']}")
        answer: dict[str, Any] = told["result"]
        return answer

    def _next(self, until: float) -> dict[str, Any]:
        while b"\0" not in self._kept:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._in], [], [], left)[0]:
                raise AssertionError("the browser says nothing")
            octets = os.read(self._in, 1 << 20)
            if not octets:
                raise AssertionError("the browser is gone")
            self._kept += octets
        raw, _, self._kept = self._kept.partition(b"\0")
        told: dict[str, Any] = json.loads(raw)
        return told

    def _note(self, told: dict[str, Any]) -> None:
        names = told.get("params", {})
        method = told.get("method", "")
        if method == "Network.requestWillBeSent":
            self.requests.append(names["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(names["exceptionDetails"])[:600])
        elif method == "Runtime.consoleAPICalled" and names["type"] in {"error", "warning"}:
            self.complaints.append(json.dumps(names["args"])[:600])
        elif method == "Log.entryAdded" and names["entry"]["level"] in {"error", "warning"}:
            self.complaints.append(json.dumps(names["entry"])[:600])

    # -- what tests do -------------------------------------------------------------------------

    def size(self, width: int, height: int) -> None:
        """Make the page so wide and high."""
        names = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.ask("Emulation.setDeviceMetricsOverride", **names)

    def dark(self, *, is_dark: bool) -> None:
        """Prefer a colour scheme."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, address: str) -> None:
        """Go to an address."""
        self.ask("Page.navigate", url=address)

    def value(self, script: str) -> Any:
        """Return what a script comes to."""
        names = {"expression": script, "returnByValue": True, "awaitPromise": True}
        told = self.ask("Runtime.evaluate", **names)
        if "exceptionDetails" in told:
            raise AssertionError(f"{script}: {told['exceptionDetails']}")
        return told["result"].get("value")

    def wait(self, script: str, fits: Callable[[Any], bool] = bool) -> Any:
        """Wait until a script comes to something that fits; returns it."""
        until = time.monotonic() + PATIENCE_S
        while not fits(found := self.value(script)):
            if time.monotonic() > until:
                raise AssertionError(f"{script} stays {found!r}; {self.complaints}")
            time.sleep(0.05)
        return found

    def key(self, key: str, code: int) -> None:
        """Press and let go of a key."""
        names = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        if key == "Enter":
            names["text"] = "\r"
        self.ask("Input.dispatchKeyEvent", type="keyDown", **names)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **names)

    def picture(self, path: Path) -> None:
        """Write what is in sight as PNG."""
        told = self.ask("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(told["data"]))
