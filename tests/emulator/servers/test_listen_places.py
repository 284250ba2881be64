"""The URLs of --listen: what each means, and what is refused."""

from pathlib import Path

import pytest

from emulator.servers.errors import ListenError
from emulator.servers.listen import Place, parse


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("pty", Place("pty")),
        ("pty:made/head", Place("pty", link=Path("made/head"))),
        ("tcp://:0", Place("tcp", "127.0.0.1", 0)),
        ("tcp://localhost:4059", Place("tcp", "localhost", 4059)),
        ("wrapper://192.0.2.7:4059", Place("wrapper", "192.0.2.7", 4059)),
        ("rfc2217://[::1]:0/", Place("rfc2217", "::1", 0)),
    ],
)
def test_a_place_is_read(text: str, place: Place) -> None:
    found = parse(text, anywhere=True)
    assert (found.kind, found.host, found.port, found.link) == (
        place.kind,
        place.host,
        place.port,
        place.link,
    )
    assert found.text == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pty:",
        "ptyy",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:65536",
        "tcp://127.0.0.1:x",
        "tcp://127.0.0.1:0/path",
        "tcp://me@127.0.0.1:0",
        "http://127.0.0.1:80",
        "/dev/ttyUSB0",
        "tcp://[::1:0",
    ],
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ListenError, match="not a place to listen at"):
        parse(text)


_EVERYWHERE = "0.0.0.0"  # noqa: S104 -- nothing is bound to it here


@pytest.mark.parametrize("host", [_EVERYWHERE, "[::]", "*"])
def test_every_interface_only_where_it_is_meant(host: str) -> None:
    with pytest.raises(ListenError, match="every network"):
        parse(f"tcp://{host}:0")
    assert parse(f"tcp://{host}:0", anywhere=True).host in {_EVERYWHERE, "::"}


@pytest.mark.parametrize("host", ["192.0.2.1", "[2001:db8::1]", "meter.example", "0", "127.1"])
def test_other_machines_only_where_it_is_meant(host: str) -> None:
    with pytest.raises(ListenError, match="other machines could reach it"):
        parse(f"wrapper://{host}:4059")
    assert parse(f"wrapper://{host}:4059", anywhere=True).host == host.strip("[]")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "[::1]", "localhost", ""])
def test_this_machine_needs_no_word(host: str) -> None:
    assert parse(f"tcp://{host}:0").port == 0
