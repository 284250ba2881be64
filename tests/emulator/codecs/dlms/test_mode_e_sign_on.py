import itertools

import pytest

from emulator.codecs.dlms import mode_e, mode_e_sign_on
from emulator.codecs.dlms.mode_e import Identification, OptionSelect, SignOn
from emulator.codecs.dlms.mode_e_sign_on import (
    Failed,
    Identified,
    Listen,
    MeterSignOn,
    MeterState,
    Opened,
    Output,
    ReaderSignOn,
    ReaderState,
    ReadOut,
    Transmit,
)
from emulator.core.chance import Chance
from emulator.core.errors import IllegalEventError

OFFERS_HDLC = Identification("XYZ", "5", "MODEL-1", "2")
ASCII_ONLY = Identification("XYZ", "4", "MODEL-2")
BLOCK = "1.8.0(000123.4*kWh)\r\n"


def line(octets: bytes) -> bytes:
    return mode_e.with_even_parity(octets)


def talk(reader: ReaderSignOn, meter: MeterSignOn, *, echo: bool = False) -> list[Output]:
    """Let both ends speak until they are still; return what is not octets, and the rates used."""
    events: list[Output] = []
    waiting: list[tuple[bool, Output]] = [(True, output) for output in reader.begin(0)]
    while waiting:
        from_reader, output = waiting.pop(0)
        if not isinstance(output, Transmit):
            events.append(output)
        elif from_reader:
            if echo:
                waiting += [(True, said) for said in reader.receive(output.octets, 0)]
            waiting += [(False, said) for said in meter.receive(output.octets, 0)]
        else:
            waiting += [(True, said) for said in reader.receive(output.octets, 0)]
    return events


@pytest.mark.parametrize("echo", [False, True])
def test_mode_e_opens_at_the_offered_rate_on_both_sides(echo: bool) -> None:
    reader, meter = ReaderSignOn(), MeterSignOn(OFFERS_HDLC)
    events = talk(reader, meter, echo=False)
    assert events == [Identified(OFFERS_HDLC), Listen(9600), Opened(9600), Opened(9600)]
    assert (meter.state, reader.state) == (MeterState.OPENED, ReaderState.CLOSED)
    if echo:  # the request's echo is passed over; the option select's is the confirmation itself
        again = ReaderSignOn()
        request = again.begin(0)[0]
        assert isinstance(request, Transmit)
        assert again.receive(request.octets, 0) == []


@pytest.mark.parametrize("echo", [False, True])
@pytest.mark.parametrize("identification", [ASCII_ONLY, OFFERS_HDLC])
def test_a_mode_c_read_out_comes_even_where_hdlc_is_offered(
    identification: Identification, echo: bool
) -> None:
    reader = ReaderSignOn(read_out=True)
    events = talk(reader, MeterSignOn(identification, block=BLOCK), echo=echo)
    assert events[0] == Identified(identification)
    assert events[-1] == ReadOut(BLOCK)


def test_the_meter_speaks_at_300_baud_and_confirms_at_the_new_rate() -> None:
    meter = MeterSignOn(OFFERS_HDLC)
    assert meter.receive(line(b"/?!\r\n"), 0) == [Transmit(line(OFFERS_HDLC.encode()), 300)]
    confirmation = line(b"\x06252\r\n")
    assert meter.receive(confirmation, 0) == [Transmit(confirmation, 9600), Opened(9600)]
    assert meter.receive(line(b"/?!\r\n"), 0) == []  # HDLC has the line
    meter.close()
    assert meter.receive(line(b"/?!\r\n"), 0) != []


@pytest.mark.parametrize(
    ("called", "own", "answers"),
    [("", "123", True), ("123", "123", True), ("00123", "123", True), ("123", "00123", True),
     ("124", "123", False), ("0", "", True)],
)  # fmt: skip
def test_a_meter_answers_its_own_address_and_the_empty_one(
    called: str, own: str, answers: bool
) -> None:
    meter = MeterSignOn(OFFERS_HDLC, own)
    assert bool(meter.receive(line(SignOn(called).encode()), 0)) is answers


METER_MESSAGES = {
    "request": b"/?!\r\n",
    "other": b"/?9!\r\n",
    "hdlc": b"\x06252\r\n",
    "read-out": b"\x06050\r\n",
    "programming": b"\x06051\r\n",
    "too fast": b"\x06262\r\n",
    "no rate": b"\x062Z2\r\n",
    "noise": b"\xff/?\x06\r\n",
}
LISTENING, IDENTIFIED, OPENED = MeterState
METER_TABLE = {
    **dict.fromkeys(itertools.product([LISTENING], METER_MESSAGES), (LISTENING, 0)),
    **dict.fromkeys(itertools.product([IDENTIFIED], METER_MESSAGES), (IDENTIFIED, 0)),
    **dict.fromkeys(itertools.product([OPENED], METER_MESSAGES), (OPENED, 0)),
    (LISTENING, "request"): (IDENTIFIED, 1),
    (IDENTIFIED, "request"): (IDENTIFIED, 1),
    (IDENTIFIED, "hdlc"): (OPENED, 2),
    (IDENTIFIED, "read-out"): (LISTENING, 1),
    (IDENTIFIED, "programming"): (LISTENING, 1),
}


@pytest.mark.parametrize(("state", "message"), list(METER_TABLE))
def test_a_meter_does_with_each_message_in_each_state_what_the_table_says(
    state: MeterState, message: str
) -> None:
    meter = MeterSignOn(OFFERS_HDLC, "5", BLOCK)
    if state is not LISTENING:
        meter.receive(line(b"/?!\r\n"), 0)
    if state is OPENED:
        meter.receive(line(b"\x06252\r\n"), 0)
    octets = METER_MESSAGES[message]
    outputs = meter.receive(octets if message == "noise" else line(octets), 1)
    assert (meter.state, len(outputs)) == METER_TABLE[state, message]


def test_programming_is_answered_with_a_break() -> None:
    meter = MeterSignOn(OFFERS_HDLC)
    meter.receive(line(b"/?!\r\n"), 0)
    assert meter.receive(line(b"\x06051\r\n"), 0) == [Transmit(line(mode_e_sign_on.BREAK), 9600)]


def test_without_option_select_a_meter_reads_out_at_300_baud() -> None:
    meter = MeterSignOn(ASCII_ONLY, block=BLOCK)
    meter.receive(line(b"/?!\r\n"), 100)
    assert meter.deadline_ms == 1600
    assert meter.expire(1599) == []
    assert meter.expire(1600) == [Transmit(line(mode_e.encode_read_out(BLOCK)), 300)]
    assert meter.state is MeterState.LISTENING
    silent = MeterSignOn(ASCII_ONLY)
    silent.receive(line(b"/?!\r\n"), 0)
    assert silent.expire(1500) == []


def test_one_flipped_bit_of_a_request_leaves_the_meter_silent() -> None:
    request = line(b"/?!\r\n")
    for bit in range(len(request) * 8):
        spoilt = bytearray(request)
        spoilt[bit // 8] ^= 1 << bit % 8
        assert MeterSignOn(OFFERS_HDLC).receive(bytes(spoilt), 0) == []


def test_a_reader_calls_three_times_and_says_that_nobody_answers() -> None:
    reader = ReaderSignOn()
    reader.begin(0)
    with pytest.raises(IllegalEventError, match="REQUESTED"):
        reader.begin(0)
    assert [type(reader.expire(at)[0]) for at in (1500, 3000, 4500)] == [Transmit, Transmit, Failed]
    assert reader.deadline_ms is None


def test_a_reader_tells_an_unconfirmed_opening_and_a_broken_read_out() -> None:
    reader = ReaderSignOn()
    reader.begin(0)
    reader.receive(line(OFFERS_HDLC.encode()), 0)
    assert reader.receive(line(b"\x06050\r\n"), 0) == []  # not the confirmation
    assert reader.expire(1500) == [
        Failed("no answer: mode E asked for, waits for the confirmation")
    ]
    reader.begin(2000)
    reader.receive(line(ASCII_ONLY.encode()), 2000)
    octets = bytearray(line(mode_e.encode_read_out(BLOCK)))
    octets[5] ^= 1
    broken = reader.receive(bytes(octets), 2100)
    assert isinstance(broken[0], Failed)
    assert "block check" in broken[0].why or "cannot stand" in broken[0].why


def test_a_reader_of_mode_a_just_listens() -> None:
    reader = ReaderSignOn()
    reader.begin(0)
    assert reader.receive(line(b"/XYZ OLD\r\n".replace(b" ", b"!")), 0) == []
    outputs = reader.receive(line(Identification("XYZ", "Z", "OLD").encode()), 0)
    assert [type(output) for output in outputs] == [Identified]
    assert reader.receive(line(mode_e.encode_read_out(BLOCK)), 1) == [ReadOut(BLOCK)]


def test_noise_never_raises_and_memory_stays_bounded() -> None:
    draw = Chance(11).stream("noise")
    meter, reader = MeterSignOn(OFFERS_HDLC), ReaderSignOn(read_out=True)
    option = OptionSelect("0", "5", "0").encode()
    for now in range(200):
        meter.receive(draw.octets(50), now)
        if reader.state is ReaderState.CLOSED:
            reader.begin(now)
            reader.receive(line(OFFERS_HDLC.encode() + option), now)
        reader.receive(draw.octets(50), now)
        assert len(meter._line) <= 64
    reader = ReaderSignOn(read_out=True)
    reader.begin(0)
    reader.receive(line(OFFERS_HDLC.encode()), 0)
    endless = reader.receive(line(b"\x02" + b"1" * 0x10000), 1)
    assert isinstance(endless[0], Failed)
    assert len(reader._kept) == 0
