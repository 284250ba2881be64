from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import pytest

from emulator.codecs.der import LengthForm, Node
from emulator.codecs.gbcs import asn1, envelope
from emulator.codecs.gbcs.blocks import encrypted_blocks
from emulator.codecs.gbcs.envelope import Cra, Envelope
from emulator.codecs.gbcs.payload import (
    PayloadValue,
    decode_payload,
    decode_unknown,
    encode_payload,
    kind_of,
)
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode, PayloadKind
from emulator.core.chance import Chance
from emulator.core.errors import MalformedFrameError
from emulator.crypto.protection import (
    Accepted,
    KeyRing,
    Unauthenticated,
    decrypt_block,
    open_message,
)
from tests.given import needs_rtds, rtds_messages
from tests.vectors.gbcs import generate

OURS = sorted(Path(generate.__file__).parent.glob("*.hex"))


def decoded(env: Envelope) -> PayloadValue:
    row = MESSAGES[env.header.other.message_code]
    return decode_payload(row, env.header.cra, env.payload)


def read(path: Path) -> Envelope:
    return envelope.decode(bytes.fromhex(path.read_text("ascii")))


def test_our_vectors_are_what_their_generator_makes() -> None:
    made = {name: message.hex() + "\n" for name, message in generate.made(generate.new_store())}
    assert {path.name: path.read_text("ascii") for path in OURS} == made


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_our_messages_decode_encode_and_hold(path: Path) -> None:
    message = bytes.fromhex(path.read_text("ascii"))
    env = read(path)
    value = decoded(env)
    assert encode_payload(value) == env.payload
    opened = open_message(message, KeyRing(generate.new_store()), acb=generate.ACB)
    expected = Unauthenticated if "PRECOMMAND" in path.stem else Accepted
    assert isinstance(opened, expected)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_no_truncation_and_no_extension_of_our_payloads_decodes(path: Path) -> None:
    env = read(path)
    whole = env.payload
    for damaged in [whole[:cut] for cut in range(len(whole))] + [whole + b"\0"]:
        with pytest.raises(MalformedFrameError):
            decoded(replace(env, payload=damaged))


def test_the_encrypted_blocks_of_our_messages_decrypt() -> None:
    ring = KeyRing(generate.new_store())
    found = []
    for path in OURS:
        env = read(path)
        for block in encrypted_blocks(decoded(env)):
            plaintext = decrypt_block(block, env.header, ring)
            assert plaintext is not None
            assert b"secret" in plaintext
            spoiled = block[:-1] + bytes((block[-1] ^ 1,))
            assert decrypt_block(spoiled, env.header, ring) is None
            found.append(path.stem)
    assert found == ["ECS66_4.17_ENCRYPTED_RESPONSE"] + ["GCS14_4.3_ENCRYPTED_RESPONSE"] * 2


def test_a_length_the_rtds_way_is_remembered_in_a_payload() -> None:
    forms = {}
    for path in OURS:
        if path.stem.startswith("GCS59"):
            value = decoded(read(path))
            assert isinstance(value, Node)
            forms[path.stem] = value.length_form
    assert forms == {
        "GCS59_8.12.2_RTDS_COMMAND": LengthForm.RTDS,
        "GCS59_8.12.2_SHORTEST_COMMAND": LengthForm.SHORTEST,
    }


@pytest.mark.parametrize(
    ("code", "cra", "payload", "expected"),
    [
        (MessageCode.CS06, Cra.RESPONSE, b"\5\0", asn1.ActivateFirmwareResponse),
        (MessageCode.CS08, Cra.COMMAND, b"\5\0", asn1.ReadFirmwareVersion),
        (MessageCode.CS07, Cra.COMMAND, b"\5\0", Node),
    ],
)
def test_the_type_of_a_payload_follows_code_and_direction(
    code: MessageCode, cra: Cra, payload: bytes, expected: type
) -> None:
    assert isinstance(decode_payload(MESSAGES[code], cra, payload), expected)


def test_a_payload_in_the_wrong_language_or_direction_is_refused() -> None:
    request = read(next(p for p in OURS if p.stem == "ECS52_11.2_ESME_COMMAND")).payload
    for code, cra in (
        (MessageCode.CS06, Cra.COMMAND),
        (MessageCode.GCS38, Cra.COMMAND),
        (MessageCode.ECS52, Cra.RESPONSE),
        (MessageCode.GCA, Cra.ALERT),
    ):
        with pytest.raises(MalformedFrameError):
            decode_payload(MESSAGES[code], cra, request)


def test_a_payload_of_an_unknown_code_is_decoded_by_its_first_octets() -> None:
    for path in OURS:
        env = read(path)
        value = decode_unknown(env.header.cra, env.payload)
        assert encode_payload(value) == env.payload
    with pytest.raises(MalformedFrameError, match="empty"):
        decode_unknown(Cra.COMMAND, b"")


def test_every_typed_value_is_a_plain_frozen_record() -> None:
    for path in OURS:
        value = decoded(read(path))
        assert is_dataclass(value)
        # A quick one is held to it by the type checker alone: emulator.core.values.
        assert vars(type(value))["__dataclass_params__"].frozen
        assert not hasattr(value, "__dict__")
        assert all(hasattr(value, field.name) for field in fields(value))


@needs_rtds
def test_every_given_payload_decodes_and_encodes_to_the_same_octets() -> None:
    kinds = dict.fromkeys(PayloadKind, 0)
    for name, data in rtds_messages():
        env = envelope.decode(data)
        assert encode_payload(decoded(env)) == env.payload, name
        kinds[kind_of(MESSAGES[env.header.other.message_code], env.payload)] += 1
    assert all(kinds.values())
    if sum(kinds.values()) == 641:
        assert kinds == {PayloadKind.DLMS: 369, PayloadKind.GBZ: 175, PayloadKind.ASN1: 97}


@needs_rtds
def test_a_given_payload_spoiled_by_one_bit_is_refused_or_written_identically() -> None:
    chance = Chance(3).stream("payload flips")
    refused = 0
    for name, data in rtds_messages():
        env = envelope.decode(data)
        for _ in range(3):
            spoiled = bytearray(env.payload)
            spoiled[chance.below(len(spoiled))] ^= 1 << chance.below(8)
            try:
                value = decoded(replace(env, payload=bytes(spoiled)))
            except MalformedFrameError:
                refused += 1
                continue
            assert encode_payload(value) == spoiled, name
    assert refused > 0


@needs_rtds
def test_no_given_payload_decodes_truncated_or_extended() -> None:
    for name, data in rtds_messages():
        env = envelope.decode(data)
        half = env.payload[: len(env.payload) // 2]
        for damaged in (half, env.payload[:-1], env.payload + b"\0"):
            with pytest.raises(MalformedFrameError):
                pytest.fail(f"{name}: {decoded(replace(env, payload=damaged))}")
