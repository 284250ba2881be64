"""Keys on a dongle's line: found wherever bellows' frames have them; all else is as it was."""

import importlib
from typing import Any

import bellows.types as t
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.ezsp import ash
from emulator.codecs.ezsp.ash import AckFrame, DataFrame
from emulator.codecs.ezsp.ash_octets import FLAG, randomise, unstuff
from harness.dlms_view.line import Way
from hil.zigbee.redaction import Redactor, masked
from hil.zigbee.transcript import data_frame
from tests.sampling import examples

KEY = bytes(range(0x30, 0x40))
VERSIONS = (8, 13, 14, 18, 19)


def command(frame_id: int, parameters: bytes, *, answer: bool = False) -> bytes:
    control = 0x80 if answer else 0
    return bytes((7, control, 1)) + frame_id.to_bytes(2, "little") + parameters


def on_line(payload: bytes) -> bytes:
    return ash.encode(DataFrame(3, 2, payload))


def fields(schema: Any) -> list[Any]:
    if isinstance(schema, dict):
        return list(schema.values())
    return [one.type for one in getattr(schema, "fields", ())]


def written(kind: Any) -> tuple[bytes, int]:
    """Return a value of one of bellows' kinds as octets, and how many keys are in it."""
    if kind is t.KeyData:
        return KEY, 1
    if kind is t.EmberPrivateKeyData:
        return (KEY * 2)[:21], 1
    inner = getattr(kind, "fields", None)
    if inner:
        try:
            parts = [written(one.type) for one in inner]
        except TypeError:  # fields of some bits: Green Power, which is masked as a whole
            return bytes(64), 0
        return b"".join(octets for octets, _ in parts), sum(keys for _, keys in parts)
    for size in range(300):  # the shortest value that bellows reads: zeros
        try:
            _value, rest = kind.deserialize(bytes(size))
        except ValueError:
            continue
        return bytes(size - len(rest)), 0
    raise AssertionError(kind)


def with_keys(version: int) -> list[tuple[str, Way, bytes]]:
    """Return every frame of a version that has a key, filled in."""
    module = importlib.import_module(f"bellows.ezsp.v{version}")
    found = []
    for name, (frame_id, request, answer) in getattr(module, f"EZSPv{version}").COMMANDS.items():
        for way, schema in ((Way.IN, request), (Way.OUT, answer)):
            parts = [written(kind) for kind in fields(schema)]
            if any(keys for _octets, keys in parts):
                octets = b"".join(part for part, _keys in parts)
                found.append((name, way, command(frame_id, octets, answer=way is Way.OUT)))
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_every_key_that_bellows_knows_in_a_frame_is_found(version: int) -> None:
    frames = with_keys(version)
    names = {name for name, _way, _payload in frames}
    assert "setInitialSecurityState" in names
    assert {"addTransientLinkKey", "importTransientKey"} & names
    for name, way, payload in frames:
        told = masked(payload, way, version)
        assert len(told) == len(payload), name
        assert not any(KEY[at : at + 3] in told for at in range(14)), (name, way)
        assert told[:5] == payload[:5], name


def test_a_key_is_gone_from_the_line_and_the_frame_still_has_a_right_check() -> None:
    redactor = Redactor()
    line = on_line(command(0x111, bytes(8) + KEY + b"\x01"))
    told = redactor.redacted(Way.IN, line)
    frame = data_frame(told)
    assert frame is not None
    assert frame.payload == command(0x111, bytes(24) + b"\x01")
    assert (frame.number, frame.acknowledged) == (3, 2)
    elsewhere = on_line(command(0x34, b"\x05" * 20 + KEY + b"\x06"))
    frame = data_frame(redactor.redacted(Way.IN, elsewhere))
    assert frame is not None
    assert KEY not in frame.payload
    assert redactor.found == {"key": 1, "key-elsewhere": 1}


def test_a_key_of_an_install_code_is_known_before_it_crosses_the_line() -> None:
    frame = data_frame(Redactor([KEY]).redacted(Way.OUT, on_line(command(0x45, KEY, answer=True))))
    assert frame is not None
    assert KEY not in frame.payload


@pytest.mark.parametrize(
    ("asked", "answered", "secret"),
    [
        ((0x0B, b"\x0a"), (0x0B, b"\x10" + KEY), True),
        ((0x0B, b"\x01"), (0x0B, b"\x10" + KEY), False),
        ((0xAA, b"\x1c"), (0xAA, b"\x00\x10" + KEY), True),
        ((0xAA, b"\x11"), (0xAA, b"\x00\x10" + KEY), False),
        ((0x102, b"\x00\x00\x01\x00" * 2), (0x102, bytes(4) + b"\x10\0\0\0" + KEY), True),
        ((0x102, b"\x2a\xe1\x00\x00" + bytes(4)), (0x102, bytes(4) + b"\x10\0\0\0" + KEY), False),
    ],
)
def test_tokens_and_values_are_kept_where_they_are_no_secret(
    asked: tuple[int, bytes], answered: tuple[int, bytes], secret: bool
) -> None:
    redactor = Redactor()
    redactor.redacted(Way.IN, on_line(command(*asked)))
    answer = command(*answered, answer=True)
    frame = data_frame(redactor.redacted(Way.OUT, on_line(answer)))
    assert frame is not None
    assert (KEY not in frame.payload) is secret
    assert len(frame.payload) == len(answer)


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, 60), st.integers(1, 255), st.booleans())
def test_a_damaged_frame_shows_nothing_of_a_key(
    place: int,
    flip: int,
    cut: bool,
) -> None:
    line = on_line(command(0x111, bytes(8) + KEY + b"\x01"))
    place %= len(line) - 1
    spoilt = (
        line[:place] if cut else line[:place] + bytes((line[place] ^ flip,)) + line[place + 1 :]
    )
    out = b"".join(
        Redactor().redacted(Way.IN, part + bytes((FLAG,)) if ended else part)
        for part, ended in _parts(spoilt)
    )
    for piece in out.split(bytes((FLAG,))):
        body = unstuff(piece) or piece
        for start in range(3):
            shown = randomise(body[start : start + 200])
            assert not any(KEY[at : at + 6] in shown for at in range(len(KEY) - 6))


def _parts(octets: bytes) -> list[tuple[bytes, bool]]:
    *whole, rest = octets.split(bytes((FLAG,)))
    return [*((one, True) for one in whole), (rest, False)]


@settings(max_examples=examples(40), deadline=None)
@given(st.binary(min_size=0, max_size=200), st.integers(0x34, 0x65))
def test_what_carries_no_key_stands_as_it_crossed(parameters: bytes, frame_id: int) -> None:
    redactor = Redactor()
    for line in (on_line(command(frame_id, parameters)), ash.encode(AckFrame(3)), b"\x1a\x1a\x7e"):
        assert redactor.redacted(Way.IN, line) == line
    assert not redactor.found
