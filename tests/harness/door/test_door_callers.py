"""Who may ask at the HTTP door: programs of this machine, and no web page elsewhere."""

import http.client
import json

import pytest

from harness.door.errors import DoorCode
from harness.formats.duis.xml_input import MAX_DOCUMENT_BYTES
from tests.harness.door.door_kit import Served


def asked(served: Served, method: str, path: str, head: dict[str, str]) -> tuple[int, str]:
    link = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    head = {"Content-Type": "text/plain", **head}
    link.request(method, path, b"x" if method == "POST" else None, head)
    answer = link.getresponse()
    octets = answer.read()
    link.close()
    kind = answer.getheader("Content-Type", "")
    return answer.status, json.loads(octets)["code"] if kind == "application/json" else ""


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Host": "elsewhere.example"}, 421),
        ({"Host": "127.0.0.1.elsewhere.example"}, 421),
        ({"Host": ""}, 421),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/papers/RETRY_1.csv"), ("POST", "/turns/1/done"), ("GET", "/"), ("GET", "/duis/1")],
)
def test_a_page_elsewhere_is_refused_whatever_it_asks(
    served: Served, method: str, path: str, head: dict[str, str], status: int
) -> None:
    taken = served.door.exchange.counts()
    assert asked(served, method, path, head) == (status, DoorCode.FOREIGN_PAGE)
    assert served.door.exchange.counts() == taken


@pytest.mark.parametrize("host", ["localhost:%d", "127.0.0.1:%d", "[::1]:%d", "LOCALHOST"])
def test_a_program_of_this_machine_is_answered_by_whatever_name(served: Served, host: str) -> None:
    name = host % served.port if "%" in host else host
    assert asked(served, "GET", "/", {"Host": name})[0] == 200
    told = {"Host": name, "Origin": f"http://{name}", "Sec-Fetch-Site": "same-origin"}
    assert asked(served, "GET", "/", told)[0] == 200


def test_a_sender_of_too_much_hears_the_answer_and_not_of_a_broken_line(served: Served) -> None:
    link = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    body = b"<a>" + b" " * (2 * MAX_DOCUMENT_BYTES)
    link.request("POST", "/duis", body, {"Content-Type": "application/xml"})
    answer = link.getresponse()
    assert (answer.status, json.loads(answer.read())["code"]) == (413, "too-large")
    link.close()
