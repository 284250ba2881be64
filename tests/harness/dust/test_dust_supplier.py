"""A participant outside: a program of ten lines that knows only the file drop and HTTP."""

import http.server
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from emulator.core.ids import Eui64
from harness.door.client import HttpWay
from harness.door.participant import ParticipantSystem
from harness.door.trust import participants_keys, trust_of, write_public
from harness.dust.choices import Choices, prepare
from harness.dust.engine import start
from harness.dust.papers_made import Papers
from harness.dust.record import DustRecord
from harness.dust.run_doors import DOOR
from harness.formats.authorisation.grid import FileKind
from harness.formats.duis.smets1_bodies import ReadInstantaneousImportRegisters
from harness.formats.migration_files.parties import TEST_PARTIES, Role
from harness.verdict import Verdict
from tests.harness.dust.dust_runs import SMALL, written

#: Generous: the machine may be busy.
pytestmark = pytest.mark.timeout(300)
DOCS = Path(__file__).parents[3] / "docs" / "dust.md"
WAIT_S = 120.0
OUTSIDE = (
    SMALL.replace('name = "Example Supplier"', 'name = "Example Supplier"\nmode = "drop"')
    .replace("sealed = true", "signed = false\npatience_s = 60")
    .replace('refs = ["dual-002"]\nwhat = "bad-mpan"', 'refs = ["dual-003"]\nwhat = "bad-mpan"')
    .replace('{file = "MA outcome", result = "refused"}, ', "")
    .replace("count = 3", "count = 2")
)


def outside(folder: Path, call_back: str = "") -> Path:
    """Write a definition for a participant outside: two homes, nothing goes wrong."""
    text = OUTSIDE.replace('mode = "drop"', f'mode = "drop"\ncall_back = "{call_back}"')
    for mark in ("[[fault]]", "[[mistake]]"):
        head, _mark, tail = text.partition(mark)
        text = head + tail[tail.index("[[") :]
    head, _mark, tail = text.partition('[[case]]\nid = "C-003"')
    return written(folder, head + tail[tail.index("[retry]") :])


@contextmanager
def posted_to() -> Iterator[tuple[str, list[bytes]]]:
    """Take what is posted; gives its address, and what came."""
    came: list[bytes] = []

    class Taker(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/in", came
    finally:
        server.shutdown()
        server.server_close()


def papers_of(file: Path, mine: Path) -> None:
    """Write what the participant's own system hands in: an authorisation, and a request."""
    prepared = prepare(Choices(file, file.parent))
    trust, homes = file.parent / "trust", prepared.homes
    suppliers = dict.fromkeys(Eui64.parse(one.supplier) for home in homes for one in home.devices)
    keys = participants_keys(trust, suppliers, 3)
    store = trust_of(keys, suppliers, TEST_PARTIES[Role.DSP], 3).store
    write_public(trust, store)
    day = prepared.plan.days[0].day - timedelta(days=1)
    papers = Papers.of(prepared.definition, store)
    name, octets = papers.write_authorisation(homes, day, kind=FileKind.CSV)
    (mine / "authorise").mkdir(parents=True)
    (mine / "authorise" / name).write_bytes(octets)
    system = ParticipantSystem.open(trust, HttpWay("127.0.0.1", 1))
    esme = next(one for one in homes[0].devices if one.role.value == "ESME")
    asked = system.supplier.ask(ReadInstantaneousImportRegisters(), Eui64.parse(esme.eui64))
    (mine / "day").mkdir()
    (mine / "day" / "read.xml").write_bytes(system.supplier.send(asked))


def program(folder: Path) -> Path:
    """Write the supplier's program as docs/dust.md has it."""
    section = DOCS.read_text(encoding="utf-8").partition("\n## Turns\n")[2]
    text = section.partition("```python\n")[2].partition("```")[0]
    assert 0 < sum(bool(line.strip()) for line in text.splitlines()) <= 12
    path = folder / "supplier.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_program_of_ten_lines_takes_a_run_through_file_drop_and_http(tmp_path: Path) -> None:
    with posted_to() as (address, came):
        played(outside(tmp_path, address), tmp_path)
    (answer,) = (tmp_path / "drop" / "out").glob("read.xml.response.xml")
    assert answer.read_bytes() in came  # by call-back as well


def played(file: Path, tmp_path: Path) -> None:
    """Play a run with the program of the docs."""
    mine, out = tmp_path / "mine", tmp_path / "run"
    papers_of(file, mine)
    found: list[DustRecord] = []
    running = threading.Thread(
        target=lambda: found.append(start(Choices(file, tmp_path), out)), daemon=True
    )
    running.start()
    pause = threading.Event()
    for _look in range(round(WAIT_S / 0.1)):
        if (out / DOOR).is_file() or not running.is_alive():
            break
        pause.wait(0.1)
    door = json.loads((out / DOOR).read_text())
    assert Path(door["drop"]) == (tmp_path / "drop").resolve()  # wherever the participant stands
    subprocess.run(
        [sys.executable, program(tmp_path), door["http"], door["drop"], mine],
        check=True,
        timeout=WAIT_S,
    )
    running.join(WAIT_S)
    (record,) = found
    assert record.verdict is Verdict.PASS, record.reason
    assert {one.id: one.verdict for one in record.cases} == dict.fromkeys(
        ("C-001", "C-002"), Verdict.PASS
    )
    assert not any((tmp_path / "drop" / "refused").glob("MA_*"))
    shutil.rmtree(out)


@pytest.mark.soak
def test_silence_ends_a_turn_and_the_entry_criterion_of_the_interface_fails(
    tmp_path: Path,
) -> None:
    file = outside(tmp_path)
    file.write_text(file.read_text().replace("patience_s = 60", "patience_s = 0.2"))
    record = start(Choices(file, tmp_path), tmp_path / "run")
    told = {one.id: one for one in record.criteria}
    assert told["E2"].verdict is Verdict.FAIL
    assert record.verdict is Verdict.FAIL
    assert {one.state.value for one in record.installations} == {"NotPlanned"}
    assert {one.attribution.value for one in record.defects} == {"participant"}
