import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs import rfc2217
from emulator.codecs.rfc2217 import (
    Command,
    ComPort,
    Data,
    Ignored,
    Negotiation,
    Option,
    OptionTable,
    TelnetSplitter,
    Verb,
)
from emulator.core.chance import Chance
from emulator.core.errors import MalformedFrameError
from tests.sampling import examples

SIZES = {
    Command.SIGNATURE: (0, 30),
    Command.BAUD_RATE: (4, 4),
    Command.NOTIFY_LINE_STATE: (0, 1),
    Command.NOTIFY_MODEM_STATE: (0, 1),
    Command.FLOW_SUSPEND: (0, 0),
    Command.FLOW_RESUME: (0, 0),
}


def com_ports() -> st.SearchStrategy[ComPort]:
    def build(command: Command) -> st.SearchStrategy[ComPort]:
        least, most = SIZES.get(command, (1, 1))
        value = st.binary(min_size=least, max_size=most) | st.just(b"\xff" * most)
        return st.builds(ComPort, st.just(command), value, st.booleans())

    return st.sampled_from(Command).flatmap(build)


items = st.one_of(
    st.builds(Data, st.binary(min_size=1, max_size=20) | st.just(b"\xff\xff")),
    st.builds(Negotiation, st.sampled_from(Verb), st.integers(0, 255)),
    com_ports(),
)


def joined(row: list[rfc2217.Item]) -> list[rfc2217.Item]:
    """The same with neighbouring data as one."""
    out: list[rfc2217.Item] = []
    for item in row:
        last = out[-1] if out else None
        if isinstance(item, Data) and isinstance(last, Data):
            out[-1] = Data(last.octets + item.octets)
        else:
            out.append(item)
    return out


@given(st.lists(items, max_size=8), st.integers(1, 7))
@settings(max_examples=examples(80), derandomize=True)
def test_any_row_of_items_comes_out_whatever_the_pieces(
    row: list[Data | Negotiation | ComPort], size: int
) -> None:
    stream = b"".join(map(rfc2217.encode, row))
    splitter = TelnetSplitter()
    found: list[rfc2217.Item] = []
    for start in range(0, len(stream), size):
        found += splitter.feed(stream[start : start + size])
    assert joined(found) == joined(list(row))
    assert splitter.kept_bytes == 0


def test_a_baud_rate_with_ff_inside_is_escaped() -> None:
    request = ComPort(Command.BAUD_RATE, bytes.fromhex("0000ff00"))
    assert rfc2217.encode(request) == bytes.fromhex("fffa2c01 0000ffff00 fff0")
    answer = ComPort(Command.BAUD_RATE, bytes.fromhex("00002580"), from_server=True)
    assert rfc2217.encode(answer) == bytes.fromhex("fffa2c65 00002580 fff0")


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("fffa 18 01 fff0", "not a COM port"),
        ("fffa fff0", "not a COM port"),
        ("fffa 2c 0d fff0", "no COM port command 13"),
        ("fffa 2c 63 fff0", "no COM port command 99"),
        ("fffa 2c 71 fff0", "no COM port command 113"),
        ("fffa 2c 01 000025 fff0", "BAUD_RATE with 3"),
        ("fffa 2c 02 fff0", "DATA_SIZE with 0"),
        ("fffa 2c 08 00 fff0", "FLOW_SUSPEND with 1"),
        ("fffa 2c 02 08 fffd", "broken off"),
        ("fff6", "telnet command 246"),
        ("ff00", "telnet command 0"),
    ],
)
def test_what_is_not_for_us_is_passed_over_by_name_and_the_stream_goes_on(
    octets: str, why: str
) -> None:
    splitter = TelnetSplitter()
    found = splitter.feed(bytes.fromhex(octets))
    found += splitter.feed(b"\x00ok") if "fffd" in octets else splitter.feed(b"ok")
    assert isinstance(found[0], Ignored)
    assert why in found[0].why
    assert found[-1] == Data(b"ok")


def test_a_subnegotiation_without_end_keeps_256_octets_at_most() -> None:
    splitter = TelnetSplitter()
    for _ in range(20):
        splitter.feed(b"\xff\xfa\x2c\x00" + bytes(100))
        splitter.feed(bytes(1000))
        assert splitter.kept_bytes <= 256
    found = splitter.feed(b"\xff\xf0")
    assert found == [Ignored("a subnegotiation that is too long")]


def test_nop_is_nothing() -> None:
    assert TelnetSplitter().feed(b"a\xff\xf1b") == [Data(b"ab")]


@given(st.binary(max_size=20))
@settings(max_examples=examples(100), derandomize=True)
def test_any_subnegotiation_decodes_or_is_refused(octets: bytes) -> None:
    for data in (octets, b"\x2c" + octets):
        try:
            value = rfc2217.decode_subnegotiation(data)
        except MalformedFrameError:
            continue
        assert TelnetSplitter().feed(rfc2217.encode(value)) == [value]


def test_a_value_of_wrong_length_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="PARITY cannot have 2"):
        rfc2217.encode(ComPort(Command.PARITY, b"ab"))


def test_noise_never_raises() -> None:
    draw = Chance(2).stream("noise")
    splitter = TelnetSplitter()
    for _ in range(200):
        splitter.feed(draw.octets(40) + b"\xff" + draw.octets(3) + b"\xff\xfa\x2c")
        assert splitter.kept_bytes <= 256


@pytest.mark.parametrize(("verb", "state"), list(itertools.product(Verb, ["off", "on", "asked"])))
def test_every_negotiation_in_every_state_is_answered_once_or_not_at_all(
    verb: Verb, state: str
) -> None:
    table = OptionTable(frozenset({Option.BINARY}))
    about_us = verb in {Verb.DO, Verb.DONT}
    if state == "on":
        table.answer(Negotiation(Verb.DO if about_us else Verb.WILL, Option.BINARY))
    elif state == "asked":
        table.ask(Verb.WILL if about_us else Verb.DO, Option.BINARY)
    said = table.answer(Negotiation(verb, Option.BINARY))
    positive = verb in {Verb.DO, Verb.WILL}
    expected = {
        (True, "off"): [Verb.WILL if about_us else Verb.DO],
        (False, "on"): [Verb.WONT if about_us else Verb.DONT],
    }
    assert [item.verb for item in said] == expected.get((positive, state), [])
    assert table.is_on(Option.BINARY) is positive
    assert table.answer(Negotiation(verb, Option.BINARY)) == []  # no loop


def test_an_option_we_do_not_know_is_refused_each_way() -> None:
    table = OptionTable(frozenset())
    assert table.answer(Negotiation(Verb.DO, 24)) == [Negotiation(Verb.WONT, 24)]
    assert table.answer(Negotiation(Verb.WILL, 24)) == [Negotiation(Verb.DONT, 24)]
    assert not table.is_on(24)


def test_an_option_we_asked_for_is_answered_again_when_the_peer_changes_its_mind() -> None:
    table = OptionTable(frozenset({Option.BINARY}))
    table.ask(Verb.WILL, Option.BINARY)
    said = [
        table.answer(Negotiation(verb, Option.BINARY)) for verb in (Verb.DO, Verb.DONT, Verb.DO)
    ]
    assert [[item.verb for item in row] for row in said] == [[], [Verb.WONT], [Verb.WILL]]
