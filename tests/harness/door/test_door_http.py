"""What is particular to HTTP: paths, methods, types, polling, call-back, the page."""

import asyncio
import gzip
import http.client
import http.server
import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from emulator.core.ids import Eui64
from harness.door.call_back import Place
from harness.door.homes import Homes
from harness.door.http import HttpDoor
from harness.door.participant import ParticipantSystem
from harness.errors import UsageError
from harness.formats.duis.bodies import ReadFirmwareVersion
from harness.parties.received import Kind
from tests.harness.door.door_kit import DEMO, EIS, ESME, NEXT_ESME, OTHER, PPMID, Served, opened


def told(served: Served, method: str, path: str, body: bytes | None = None, kind: str = "") -> Any:
    status, octets = served.http().ask(method, path, body, kind or "application/xml")
    return status, json.loads(octets) if octets else None


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "unknown-path"),
        ("GET", "/duis/1/2", 404, "unknown-path"),
        ("GET", "/duis", 405, "wrong-method"),
        ("PUT", "/duis", 405, "wrong-method"),
        ("POST", "/alerts", 405, "wrong-method"),
        ("DELETE", "/duis/1", 405, "wrong-method"),
        ("POST", "/duis/", 404, "unknown-path"),
        ("GET", "/alerts/", 404, "unknown-path"),
        ("GET", "/duis/99999999", 404, "unknown-id"),
        ("GET", "/duis/one", 400, "bad-number"),
        ("GET", "/duis/-1", 400, "bad-number"),
        ("GET", "/duis/1?answer=x", 400, "bad-number"),
        ("GET", "/alerts?after=x", 400, "bad-number"),
        ("GET", "/alerts?user=me", 400, "bad-number"),
        ("GET", f"/duis/{'9' * 40}", 400, "bad-number"),
    ],
)
def test_every_other_address_and_method_has_a_named_answer(
    served: Served, method: str, path: str, status: int, code: str
) -> None:
    found, answer = told(served, method, path)
    assert (found, answer["code"]) == (status, code)


def test_a_body_that_is_no_xml_by_its_type_is_not_looked_at(served: Served) -> None:
    for kind in ("application/json", "text/plain"):
        status, answer = told(served, "POST", "/duis", served.signed(), kind)
        assert (status, answer["code"]) == (415, "wrong-content-type")
    before = served.door.exchange.counts()["requests"]
    for charset in ("utf-16", "ISO-8859-1"):
        kind = f"application/xml; charset={charset}"
        status, answer = told(served, "POST", "/duis", served.signed(), kind)
        assert (status, answer["code"]) == (415, "wrong-content-type")
        assert charset.lower() in answer["what"]
    assert served.door.exchange.counts()["requests"] == before
    status, answer = told(served, "POST", "/duis", b"")
    assert (status, answer["code"]) == (400, "empty")
    status, _octets = served.http().ask("POST", "/duis", served.signed(), "text/xml; charset=utf-8")
    assert status == 200


@pytest.mark.parametrize("packing", ["gzip", "br"])
def test_a_packed_body_is_not_unpacked_and_its_sender_is_told(served: Served, packing: str) -> None:
    link = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    head = {"Content-Type": "application/xml", "Content-Encoding": packing}
    link.request("POST", "/duis", gzip.compress(served.signed()), head)
    answer = link.getresponse()
    told = json.loads(answer.read())
    link.close()
    assert (answer.status, told["code"]) == (415, "wrong-content-type")
    assert packing in told["what"]


def test_a_sender_that_stops_in_the_middle_is_told_so(served: Served) -> None:
    app = HttpDoor(served.door, body_s=0.1).app
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/xml")]
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/duis"}
    scope |= {"headers": headers, "query_string": b"", "root_path": "", "scheme": "http"}

    async def call() -> None:
        await app(scope, receive, send)

    asyncio.run(call())
    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["code"] == "too-slow"


def test_a_body_without_end_is_cut_off_at_the_limit(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as line:
        head = b"POST /duis HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\n"
        line.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        chunk = b"%x\r\n%b\r\n" % (1 << 20, b" " * (1 << 20))
        try:
            for _number in range(40):
                line.sendall(chunk)
        except OSError:
            pass
        assert line.recv(64).startswith(b"HTTP/1.1 413 ")


def test_garbage_on_the_line_does_not_stop_the_door(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as line:
        line.sendall(b"\x00\xff not http\r\n\r\n")
        line.recv(1024)
    assert served.http().ask("GET", "/")[0] == 200


def test_the_page_says_who_and_what_is_here(served: Served) -> None:
    status, octets = served.http().ask("GET", "/")
    page = octets.decode()
    assert status == 200
    assert all(word in page for word in ("POST /duis", "GET /alerts", str(EIS), str(ESME), "demo"))
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_two_users_poll_in_any_order_and_get_their_own_answers(served: Served) -> None:
    """Each sends in order, for devices want rising counters; both send at the same time."""
    asks = {EIS: (ESME, PPMID, ESME), OTHER: (NEXT_ESME, NEXT_ESME)}
    systems = {user: served.system("http", user) for user in asks}
    sent: list[Any] = []

    def ask(user: Eui64) -> None:
        for target in asks[user]:
            asked = systems[user].supplier.ask(ReadFirmwareVersion(), target)
            document = systems[user].supplier.send(asked)
            sent.append((user, asked, systems[user].way.send(document)))

    threads = [threading.Thread(target=ask, args=(user,)) for user in asks]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    served.settle()
    assert len({way.id for _user, _asked, way in sent}) == 5
    for number in (3, 0, 4, 2, 1):
        user, asked, way = sent[number]
        octets = systems[user].way.answer(way)
        assert octets is not None
        got = systems[user].supplier.take(octets)
        assert got.request_id == asked.request_id
        assert got.kind is Kind.RESPONSE


def test_answers_and_alerts_are_posted_where_the_participant_listens(tmp_path: Path) -> None:
    posted: list[bytes] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- its own name
            _ = format, args

    listener = http.server.HTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    place = Place.parse(f"http://127.0.0.1:{listener.server_port}/receive?from=dcc")
    try:
        with opened(Homes((DEMO,), ()), tmp_path, call_back=place) as here:
            system: ParticipantSystem = here.system()
            got = system.ask(ReadFirmwareVersion(), ESME)
            for _try in range(100):
                if posted:
                    break
                threading.Event().wait(0.05)
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()
    assert posted == [got.octets]


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "http://example.com/", "http://10.0.0.1:80/", "x", "http://[:1"]
)
def test_answers_are_posted_to_this_machine_alone(url: str) -> None:
    with pytest.raises(UsageError, match="not a place to post"):
        Place.parse(url)
