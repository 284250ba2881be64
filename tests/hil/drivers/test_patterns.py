import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.drivers.patterns import WINDOW_BYTES, Found, PatternError, PatternReader, compiled
from hil.errors import PortLostError
from hil.serial_port import SerialPort
from tests.hil.lines import SOON_S, Pty
from tests.sampling import examples


@pytest.mark.parametrize(
    "text",
    [
        r"hub> $",
        r"^version: (\S+)\r\n(OK|ERROR)",
        r"state=(?P<state>\d{1,5})",
        r"[^]>]+>",
        r"[\]\\]\+\{}",
        r"(?:ab){2,4}(cd)?",
        r"(a+)?b",
        r"OK|READY",
        r"\x1b\[0m#",
        r"a{3}b{,4}c{2,32}",
    ],
)
def test_patterns_that_end_in_time_are_taken(text: str) -> None:
    assert compiled("reply", text).pattern == text.encode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "1 to 200"),
        ("x" * 201, "1 to 200"),
        ("café>", "ASCII"),
        ("(", "no regular expression"),
        ("*", "no regular expression"),
        (r"(a+)+b", "holds another repeat"),
        (r"(a|aa)+b", "or alternatives"),
        (r"(?:(?:x+)y)*", "holds another repeat"),
        (r"((a|b)c){2,3}", "or alternatives"),
        (r"(a{1,9}){5}", "holds another repeat"),
        (r"(\w+)\W*(\w+)!", "more than 2 open"),
        (r"a{1,99}b{2,}c{77}d", "more than 2 open"),
        (r"(.)\1", "back to a group"),
        (r"(?P<a>x)(?P=a)", "only"),
        (r"(?=x)y", "only"),
        (r"(?i)ok", "only"),
        (r"a*", "matches nothing"),
        (r"$", "matches nothing"),
        (r"[[a]]", "no regular expression"),
        (r"a{99999999999}", "no regular expression"),
    ],
)
def test_patterns_that_may_not_end_in_time_are_refused(text: str, why: str) -> None:
    with pytest.raises(PatternError, match=why) as refused:
        compiled("reply", text)
    assert refused.value.where == "reply"
    assert refused.value.exit_code == 2


@settings(max_examples=examples(150), deadline=None)
@given(st.text(alphabet=r"ab.()[]{}|*+?\^$,01:P<>=!", max_size=14))
def test_any_text_is_a_pattern_that_ends_in_time_or_is_refused(text: str) -> None:
    try:
        pattern = compiled("reply", text)
    except PatternError:
        return
    begun = time.thread_time()  # its own work alone: other programs take none of it
    pattern.search(b"ab" * (WINDOW_BYTES // 4))  # half a window: an eighth of the worst time
    assert time.thread_time() - begun < 2.0


@pytest.fixture
def line() -> Iterator[tuple[Pty, PatternReader]]:
    pty = Pty()
    with SerialPort.open(pty.path) as port:
        yield pty, PatternReader(port)
    pty.close()


Line = tuple[Pty, PatternReader]
PROMPT = {"prompt": compiled("prompt", "hub> $")}
NUMBER = {"number": compiled("number", r"n=(\d+)")}


def test_a_pattern_is_found_with_what_came_before_it(line: Line) -> None:
    pty, reader = line
    pty.say(b"booting\r\nhub> ")
    assert reader.wait(PROMPT, SOON_S) == Found("prompt", b"booting\r\n", b"hub> ")


def test_a_pattern_split_over_reads_is_found_whole(line: Line) -> None:
    pty, reader = line

    def pieces() -> None:
        for piece in (b"\xff\x00noise n", b"=1", b"2"):
            pty.say(piece)
            time.sleep(0.02)

    talking = threading.Thread(target=pieces)
    talking.start()
    found = reader.wait(NUMBER, SOON_S)
    talking.join()
    assert isinstance(found, Found)
    assert found.before == b"\xff\x00noise "
    assert found.octets.startswith(b"n=1")


def test_a_number_that_is_still_coming_is_waited_for(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hil.drivers.patterns._QUIET_S", SOON_S)  # the second half comes late
    pty, reader = line
    pty.say_there(b"n=12")
    later = threading.Timer(0.02, pty.say, (b"34;",))
    later.start()
    found = reader.wait(NUMBER, 2 * SOON_S)
    assert isinstance(found, Found)
    assert found.groups == (b"1234",)
    later.join()


@pytest.mark.parametrize("timeout_s", [0.0, 0.03])
def test_what_is_there_already_needs_no_time(line: Line, timeout_s: float) -> None:
    pty, reader = line
    pty.say_there(b"n=1")
    assert isinstance(reader.wait(NUMBER, timeout_s), Found)


def test_what_follows_a_match_is_kept_for_the_next(line: Line) -> None:
    pty, reader = line
    pty.say(b"n=1;n=2;hub> ")
    for number in (b"1", b"2"):
        found = reader.wait(NUMBER, SOON_S)
        assert isinstance(found, Found)
        assert found.groups == (number,)
    assert isinstance(reader.wait(PROMPT, SOON_S), Found)


def test_of_several_patterns_the_earliest_counts(line: Line) -> None:
    pty, reader = line
    pty.say(b"ERROR then OK.")
    both = {"ok": compiled("ok", "OK"), "error": compiled("error", "ERROR")}
    found = reader.wait(both, SOON_S)
    assert isinstance(found, Found)
    assert found.name == "error"


def test_silence_and_noise_end_with_the_number_of_octets(line: Line) -> None:
    pty, reader = line
    begun = time.monotonic()
    assert reader.wait(PROMPT, 0.05) == 0
    pty.say_there(b"no prompt")
    assert reader.wait(PROMPT, 0.05) == 9
    assert 0.1 <= time.monotonic() - begun < SOON_S


def test_only_the_last_octets_are_looked_at_and_kept(line: Line) -> None:
    pty, reader = line
    pty.say(b"x" * 3000 + b"hub> ")
    found = reader.wait(PROMPT, SOON_S)
    assert isinstance(found, Found)
    assert len(found.before) + len(found.octets) <= WINDOW_BYTES


def test_listening_takes_everything_and_looks_for_nothing(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    pty, reader = line
    pty.say_there(b"first\x00")
    assert reader.wait(PROMPT, 0.03) == 6
    read = reader._port.read

    def said_meanwhile(wait_s: float, stop: threading.Event | None = None) -> bytes:
        monkeypatch.undo()  # the first time alone
        pty.say_there(b"second")
        return read(wait_s, stop)

    monkeypatch.setattr(reader._port, "read", said_meanwhile)
    assert reader.listen(0.05) == b"first\x00second"
    assert reader.listen(0.01) == b""


def test_what_is_forgotten_is_not_found(line: Line) -> None:
    pty, reader = line
    pty.say_there(b"hub> ")
    reader.forget()
    assert reader.wait(PROMPT, 0.03) == 0


def test_an_unplugged_port_ends_every_wait(line: Line) -> None:
    pty, reader = line
    pty.unplug()
    for wait in (lambda: reader.wait(PROMPT, 5), lambda: reader.listen(5), reader.forget):
        with pytest.raises(PortLostError):
            wait()
