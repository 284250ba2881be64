"""The report in a real browser: no error, no request, nothing cut off at either width."""

import functools
import http.server
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from harness.dust import reports
from harness.dust.pseudonyms import Shown
from tests.harness.dust import dust_sample

_CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.skipif(_CHROMIUM is None, reason="no chromium on this machine"),
    pytest.mark.timeout(300),
]
#: Put behind the page to measure it: what is wider than the window without a way to scroll it.
_MEASURE: Final = """<script>addEventListener("load", () => {
 const wide = document.documentElement.scrollWidth, room = document.documentElement.clientWidth;
 const bad = [...document.querySelectorAll("body *")].filter(one =>
   one.getBoundingClientRect().right > room + 1 && !one.closest(".wide, .seq, .skip, details"));
 const tabs = [...document.querySelectorAll("a[href], summary, [tabindex='0']")].length;
 document.title = `wide=${wide} room=${room} bad=${bad.length} tabs=${tabs}`;
});</script>"""


class _Asked(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and keeps what was asked for."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report, and one that measures itself."""
    path = tmp_path_factory.mktemp("browser")
    record = dust_sample.record()
    record = replace(record, files=tuple(dust_sample.kept(f"files/in/{n}.xml") for n in range(30)))
    made = reports.rendered(record, tuple(dust_sample.events(record)), Shown.MADE_UP)
    page = made["report.html"].decode()
    (path / "report.html").write_text(page, "utf-8")
    open_page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    (path / "measured.html").write_text(open_page.replace("</body>", f"{_MEASURE}</body>"), "utf-8")
    return path


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """The folder over HTTP on loopback, and what was asked for."""
    kept: list[str] = []

    class Keeping(_Asked):
        asked = kept

    made = functools.partial(Keeping, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), made) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", kept
        server.shutdown()
        thread.join(20)


def browsed(tmp_path: Path, *arguments: str) -> tuple[str, str]:
    """Open a page; returns what the browser printed and what it logged."""
    command = [
        *(str(_CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"),
        *("--v=0", f"--user-data-dir={tmp_path}", "--no-first-run", "--virtual-time-budget=4000"),
        *arguments,
    ]
    done = subprocess.run(command, capture_output=True, timeout=240, check=True)
    return done.stdout.decode(), done.stderr.decode("utf-8", "replace")


def test_the_page_asks_for_nothing_but_itself_and_complains_of_nothing(
    served: tuple[str, list[str]], tmp_path: Path
) -> None:
    address, asked = served
    asked.clear()
    document, log = browsed(tmp_path, "--dump-dom", f"{address}/report.html")
    assert "What this run does not prove" in document
    assert asked == ["/report.html"]
    assert [line for line in log.splitlines() if "CONSOLE" in line] == []


@pytest.mark.soak
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_cut_off_at_any_width(folder: Path, tmp_path: Path, width: int) -> None:
    """A headless window is no narrower than 500 pixels; a frame is as narrow as it is made."""
    frame = (
        f'<iframe src="measured.html" width="{width}" height="900"></iframe>'
        '<script>setTimeout(() => {document.title = document.querySelector("iframe")'
        ".contentDocument.title}, 1500)</script>"
    )
    (folder / f"frame{width}.html").write_text(frame, "utf-8")
    page = (folder / f"frame{width}.html").as_uri()
    document, _log = browsed(
        tmp_path, "--allow-file-access-from-files", "--window-size=1400,1000", "--dump-dom", page
    )
    title = re.search(r"<title>(.*?)</title>", document)
    assert title is not None
    told = dict(part.split("=") for part in title[1].split())
    assert (told["wide"], told["bad"]) == (told["room"], "0"), told
    assert width - 20 <= int(told["room"]) <= width
    assert int(told["tabs"]) > 20


@pytest.mark.soak
def test_the_page_prints(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.pdf"
    browsed(tmp_path / "data", f"--print-to-pdf={out}", (folder / "report.html").as_uri())
    pages = len(re.findall(rb"/Type\s*/Page\b", out.read_bytes()))
    assert 3 <= pages <= 30
