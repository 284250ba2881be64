from collections.abc import Iterator

import pytest

from emulator.core.ids import Eui64
from hil.drivers.hub_console import Console, ConsoleSettings
from hil.drivers.patterns import PatternError
from hil.errors import LineSilentError, PortLostError
from hil.guard_port import MeterIdentity
from hil.serial_port import SerialPort
from hil.verbs import STRICTEST, Verb
from tests.hil.drivers.live_meter import RefusedError, TestGuard
from tests.hil.drivers.talkers import Pieces, Talker, talking
from tests.hil.lines import SOON_S, Notebook

HUB = MeterIdentity(Eui64.parse("00-DB-12-34-56-78-90-C0"))
SETTINGS = ConsoleSettings(
    prompt=r"hub> $",
    replies={"version": r"fw=([0-9A-F]{8})", "state": r"state (\w+)\r\n"},
    timeout_s=SOON_S,
    harmless=frozenset({"version", "state"}),
)


def hub(line: bytes) -> Pieces:
    """A made-up console: it echoes, it is slow, it is noisy."""
    answers: dict[bytes, Pieces] = {
        b"version": [b"fw=0100", 0.02, b"0001\r\n", b"hub> "],
        b"state": [b"\x00\xff\xfe# log: radio\r\n", 0.01, b"sta", 0.02, b"te joined\r\nhub> "],
        b"reboot": [b"\r\n", 0.05, b"boot 1\r\nboot 2\r\n", b"hub> "],
    }
    return [line + b"\r\n", *answers.get(line, [b"? \r\nhub> "])]


@pytest.fixture
def talker() -> Iterator[Talker]:
    with talking(hub) as one:
        yield one


def console(talker: Talker, guard: TestGuard | None = None, tap: Notebook | None = None) -> Console:
    port = SerialPort.open(talker.pty.path, 115_200, tap=tap)
    return Console(port, SETTINGS, guard or TestGuard(), HUB)


def test_a_reply_split_over_reads_is_found_whole(talker: Talker) -> None:
    on = console(talker)
    on.send("version")
    found = on.expect("version")
    assert found.groups == (b"01000001",)
    on.expect()
    on.send("state")
    assert on.expect("state").groups == (b"joined",)
    assert on.expect().octets == b"hub> "
    assert talker.heard == [b"version", b"state"]
    on.close()


def test_an_old_prompt_is_no_answer_to_a_new_line(talker: Talker) -> None:
    on = console(talker)
    talker.say(b"hub> hub> ", 0.02)
    on.send("reboot")
    assert b"boot 2" in on.expect().before
    on.close()


def test_what_does_not_come_is_told_with_what_came_instead(talker: Talker) -> None:
    on = console(talker)
    on.send("version")
    talker.done(1)
    with pytest.raises(LineSilentError, match=r"did not show state within 0.1 s \(\d\d octets"):
        on.expect("state", 0.1)
    on.listen(0.01)
    with pytest.raises(LineSilentError, match=r"prompt .*\(0 octets") as silent:
        on.expect(timeout_s=0.05)
    assert "wrong lead" in silent.value.cause
    assert silent.value.exit_code == 3
    on.close()


def test_listening_and_expecting_send_nothing(talker: Talker) -> None:
    tap = Notebook()
    on = console(talker, tap=tap)
    talker.say(b"\x00\x7fgarbage\r\n")
    assert on.listen(0.05) == b"\x00\x7fgarbage\r\n"
    with pytest.raises(LineSilentError):
        on.expect(timeout_s=0.02)
    assert [way for way, _ in tap.chunks] == ["out"]
    assert talker.heard == []
    on.close()


def test_everything_that_crosses_is_captured(talker: Talker) -> None:
    tap = Notebook()
    on = console(talker, tap=tap)
    on.send("state")
    on.expect()
    on.close()
    assert tap.chunks[0] == ("in", b"state\r\n")
    heard = b"".join(octets for way, octets in tap.chunks if way == "out")
    assert heard == b"state\r\n\x00\xff\xfe# log: radio\r\nstate joined\r\nhub> "


def test_a_line_that_nobody_called_harmless_is_asked_of_the_guard(talker: Talker) -> None:
    guard = TestGuard(frozenset(Verb))
    on = console(talker, guard)
    on.send("version")
    on.expect()
    assert guard.asked == []
    for line in ("reboot", "", "version "):
        with pytest.raises(RefusedError):
            on.send(line)
    assert guard.asked == [(STRICTEST, None, HUB)] * 3
    assert talker.heard == [b"version"]
    on.close()


@pytest.mark.parametrize("line", ["two\nlines", "a\rb", "\x03", "naïve"])
def test_what_is_no_line_is_not_sent(talker: Talker, line: str) -> None:
    on = console(talker)
    with pytest.raises(ValueError, match="a line is ASCII"):
        on.send(line)
    assert talker.heard == []
    on.close()


def test_names_that_the_bench_file_does_not_have_are_refused(talker: Talker) -> None:
    on = console(talker)
    with pytest.raises(PatternError, match="prompt, version, state"):
        on.expect("uptime")
    port = SerialPort.open("loop://")
    for settings in (
        ConsoleSettings("> $", {"prompt": "x"}),
        ConsoleSettings("(a+)+$"),
        ConsoleSettings("> $", {"bad": "("}),
    ):
        with pytest.raises(PatternError):
            Console(port, settings, TestGuard(), HUB)
    port.close()
    on.close()


def test_an_unplugged_console_is_a_lost_port(talker: Talker) -> None:
    on = console(talker)
    talker.end()
    with pytest.raises(PortLostError):
        on.expect()
    with pytest.raises(PortLostError):
        on.send("version")
