"""Faults: how they are written, and what each does."""

import pytest

from emulator.core import faults
from emulator.core.chance import Chance
from emulator.core.fault_keys import KEYS
from emulator.core.faults import (
    FAULTS,
    BatteryAt,
    Copy,
    Fault,
    FaultError,
    FaultLinkError,
    FaultSyntaxError,
    FaultValueError,
    Hand,
    Inject,
    PowerCut,
    UnknownFaultError,
    UnknownFaultKeyError,
    parse,
)

FRAME = bytes(range(40))


def hand(seed: int = 1) -> Hand:
    return Hand(Chance(seed).stream("t"), 2, lambda body: body + b"\xaa\xbb")


def through(text: str, frame: bytes = FRAME, seed: int = 1) -> list[Copy]:
    order = parse(text)
    act = FAULTS[order.name].frame
    assert act is not None
    return list(act(frame, order, hand(seed)))


def act_of(text: str) -> faults.DeviceAct:
    order = parse(text)
    act = FAULTS[order.name].device
    assert act is not None
    return act(order)


@pytest.mark.parametrize("name", FAULTS)
def test_the_example_of_every_fault_can_be_ordered(name: str) -> None:
    order = parse(FAULTS[name].example)
    assert order.name == name
    assert order.text == FAULTS[name].example
    assert FAULTS[name].sentence.endswith(".")


@pytest.mark.parametrize("name", FAULTS)
def test_every_key_of_a_fault_is_explained(name: str) -> None:
    row = FAULTS[name]
    assert all(key in KEYS for key in row.keys + row.selectors)


def test_an_order_is_read_key_by_key() -> None:
    order = parse(" corrupt:p=0.25,kind=ota.*,bit=3,times=2@han ")
    expected = (("p", 0.25), ("kind", "ota.*"), ("bit", 3), ("times", 2))
    assert (order.name, order.link, order.keys) == ("corrupt", "han", expected)


def test_a_moment_is_utc_unless_it_says_otherwise() -> None:
    bare, zoned = (
        parse(f"power-cycle:at={text}@esme").number("at")
        for text in ("2026-01-05T10:00:00", "2026-01-05T11:00:00+01:00")
    )
    assert bare == zoned == 1_767_607_200_000


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("drop", FaultSyntaxError, "NAME[:key=value,...]@LINK"),
        ("@han", FaultSyntaxError, "NAME[:key=value,...]@LINK"),
        ("", FaultSyntaxError, "NAME[:key=value,...]@LINK"),
        ("drop:n@han", FaultSyntaxError, "no key=value"),
        ("drop:n=1,n=2@han", FaultSyntaxError, "stands there twice"),
        ("drop:@han:x@han", FaultSyntaxError, "no key=value"),
        ("dropp@han", UnknownFaultError, "there are: drop, duplicate"),
        ("drop:m=1@han", UnknownFaultKeyError, "no key 'm'; keys: n, every, p"),
        ("drop:off_s=1@han", UnknownFaultKeyError, "no key 'off_s'"),
        ("power-cycle:n=1,at=2026-01-01@esme", UnknownFaultKeyError, "no key 'n'"),
        ("drop:n=0@han", FaultValueError, "between 1 and"),
        ("drop:n=x@han", FaultValueError, "n='x'"),
        ("drop:p=1.5@han", FaultValueError, "between 0 and 1"),
        ("drop:p=nan@han", FaultValueError, "between 0 and 1"),
        ("corrupt:bit=8@han", FaultValueError, "between 0 and 7"),
        ("drop:from=ihd@han", FaultValueError, "roles: esme"),
        ("drop:kind=@han", FaultValueError, "a word must stand there"),
        ("power-cycle:at=soon@esme", FaultValueError, "at='soon'"),
        ("power-cycle:after_s=-1@esme", FaultValueError, "seconds lie between"),
        ("power-cycle@esme", FaultValueError, "says not when"),
        ("power-loss:percent=50@esme", FaultValueError, "says not when"),
        ("drop@lan", FaultLinkError, "no link 'lan'"),
        ("drop@esme", FaultLinkError, "from=ROLE and to=ROLE"),
        ("power-cycle:after_s=1@han", FaultLinkError, "does not work on 'han'"),
        ("noise@han", FaultLinkError, "links for it: line, line-in, line-out"),
        ("noise:octets=0@line", FaultValueError, "between 1 and 4096"),
    ],
)
def test_a_wrong_order_is_refused_with_its_own_error(
    text: str, error: type[FaultError], words: str
) -> None:
    with pytest.raises(FaultError) as caught:
        parse(text)
    assert type(caught.value) is error
    assert words in str(caught.value)


def test_drop_delivers_nothing() -> None:
    assert through("drop@han") == []


def test_duplicate_delivers_copies_some_time_apart() -> None:
    assert through("duplicate:copies=3,gap_ms=7@han") == [
        Copy(FRAME, 0), Copy(FRAME, 7_000), Copy(FRAME, 14_000)
    ]  # fmt: skip


def test_delay_delivers_late() -> None:
    assert through("delay:ms=12@han") == [Copy(FRAME, 12_000)]


@pytest.mark.parametrize("seed", range(20))
def test_corrupt_flips_one_bit_anywhere(seed: int) -> None:
    (copy,) = through("corrupt@han", seed=seed)
    difference = int.from_bytes(copy.frame, "big") ^ int.from_bytes(FRAME, "big")
    assert difference.bit_count() == 1


@pytest.mark.parametrize(("octet", "place"), [(0, 0), (5, 5), (-1, 39), (-40, 0), (99, 39)])
def test_corrupt_flips_the_bit_that_is_named(octet: int, place: int) -> None:
    (copy,) = through(f"corrupt:octet={octet},bit=2@han")
    assert copy.frame[place] == FRAME[place] ^ 4
    assert copy.frame[:place] + copy.frame[place + 1 :] == FRAME[:place] + FRAME[place + 1 :]


def test_corrupt_payload_damages_the_last_octet_and_makes_the_check_right_again() -> None:
    (copy,) = through("corrupt-payload:bit=0@han")
    assert copy.frame == FRAME[:37] + bytes([FRAME[37] ^ 1]) + b"\xaa\xbb"


@pytest.mark.parametrize(("keys", "left"), [("keep=3", 3), ("cut=1", 39), ("cut=99", 0)])
def test_truncate_cuts_off_the_end(keys: str, left: int) -> None:
    assert through(f"truncate:{keys}@han") == [Copy(FRAME[:left])]


def test_truncate_by_chance_always_takes_something() -> None:
    lengths = {len(through("truncate@han", seed=seed)[0].frame) for seed in range(50)}
    assert max(lengths) < len(FRAME)
    assert len(lengths) > 5


@pytest.mark.parametrize("name", ["corrupt", "corrupt-payload", "truncate", "drop", "duplicate"])
@pytest.mark.parametrize("frame", [b"", b"\x00", b"\x00\x01\x02"])
def test_no_frame_is_too_short_to_be_spoilt(name: str, frame: bytes) -> None:
    assert all(len(copy.frame) <= len(frame) + 2 for copy in through(f"{name}@han", frame))


@pytest.mark.parametrize(("keys", "count"), [("", 8), (":octets=3", 3)])
def test_noise_stands_before_the_frame_and_comes_from_the_seed(keys: str, count: int) -> None:
    ((first,), (again,), (other,)) = (through(f"noise{keys}@line", seed=seed) for seed in (1, 1, 2))
    assert first.frame[count:] == FRAME
    assert first == again
    assert first.frame[:count] != other.frame[:count]


def test_what_device_faults_do() -> None:
    assert act_of("power-cycle:after_s=1@esme") == PowerCut(5)
    assert act_of("power-loss:after_s=1@esme") == PowerCut(60)
    assert act_of("power-loss:after_s=1,off_s=0@esme") == PowerCut(0)
    assert act_of("power-loss:after_s=1,off_s=7.5@esme") == PowerCut(7.5)
    assert act_of("battery-low:after_s=1,days=3@gsme") == BatteryAt(3)
    assert act_of("self-test-fails:after_s=1@esme") == Inject("self-test-fails")
    assert act_of("valve-stuck:after_s=1@gsme") == Inject("valve-stuck")


def test_keys_not_given_have_their_defaults() -> None:
    order = Fault("drop", "han", (("n", 3),), "drop:n=3@han")
    assert (order.whole("n", 1), order.whole("times", 9)) == (3, 9)
    assert (order.number("p"), order.word("kind")) == (None, "")
