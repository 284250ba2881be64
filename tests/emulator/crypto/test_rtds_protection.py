"""What the given RTDS messages must come to, in counts."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.envelope import Envelope
from emulator.codecs.gbcs.use_cases import Protection
from emulator.core.errors import KeyNotHeldError
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.mac import BLOCK_HEADER
from emulator.crypto.protection import (
    Accepted,
    KeyRing,
    Opened,
    Unauthenticated,
    add_mac,
    decrypt_block,
    encrypt_block,
    open_message,
    seal,
    sign,
)
from tests.given import RTDS_KEYS, needs_rtds, rtds_messages

pytestmark = needs_rtds
ACB = Eui64.parse("90-B3-D5-1F-30-00-00-02")


@pytest.fixture(scope="module")
def ring() -> KeyRing:
    return KeyRing(KeyStore.load(RTDS_KEYS))


def all_opened(ring: KeyRing) -> Iterator[tuple[str, bytes, Opened]]:
    for name, data in rtds_messages():
        yield name, data, open_message(data, ring, acb=ACB)


def protections(env: Envelope) -> Protection:
    present = Protection.SIGNATURE if env.signature else Protection.NONE
    return present | (Protection.MAC if env.mac is not None else Protection.NONE)


def test_every_message_with_a_checkable_protection_is_accepted(ring: KeyRing) -> None:
    kinds, present = Counter[str](), Counter[str]()
    for name, _, result in all_opened(ring):
        kinds[type(result).__name__] += 1
        assert isinstance(result, Accepted | Unauthenticated), name
        env = result.envelope
        present["signed"] += bool(env.signature)
        present["empty"] += env.signature == b""
        present["absent"] += env.signature is None
        present["maced"] += env.mac is not None
    assert kinds == {"Accepted": 552, "Unauthenticated": 89}
    assert present == {"signed": 219, "empty": 335, "absent": 87, "maced": 431}


def test_unauthenticated_are_the_pre_commands_and_the_pair_between_devices(ring: KeyRing) -> None:
    names = [name for name, _, result in all_opened(ring) if isinstance(result, Unauthenticated)]
    assert sum("PRECOMMAND" in name for name in names) == 87
    rest = [name for name in names if "PRECOMMAND" not in name]
    assert len(rest) == 2
    assert all(name.startswith("PCS02") for name in rest)


def test_429_macs_are_made_again_octet_for_octet(ring: KeyRing) -> None:
    same = missing = 0
    for name, data, result in all_opened(ring):
        assert isinstance(result, Accepted | Unauthenticated)
        env = result.envelope
        if env.mac is None:
            continue
        try:
            again = add_mac(replace(env, mac=None), ring, acb=ACB)
        except KeyNotHeldError:
            missing += 1
            continue
        same += 1
        assert envelope.encode(again) == data, name
    assert (same, missing) == (429, 2)


def test_messages_without_a_signature_are_sealed_again_octet_for_octet(ring: KeyRing) -> None:
    same = resigned = 0
    for name, data, result in all_opened(ring):
        assert isinstance(result, Accepted | Unauthenticated)
        env = result.envelope
        signer = ring.keystore.find(env.header.originator, KeyUsage.DS)
        if not env.signature and not name.startswith("PCS02"):
            same += 1
            assert seal(env, ring, protection=protections(env), acb=ACB) == data, name
        elif env.signature and signer is not None and signer.private_scalar is not None:
            resigned += 1
            again = seal(env, ring, protection=protections(env), acb=ACB)
            assert isinstance(open_message(again, ring, acb=ACB), Accepted), name
    assert (same, resigned) == (420, 98)


def test_a_pre_command_signed_by_its_supplier_is_the_command(ring: KeyRing) -> None:
    messages = dict(rtds_messages())
    pairs = 0
    for name, data in messages.items():
        command = messages.get(name.replace("PRECOMMAND", "COMMAND"))
        if "PRECOMMAND" not in name or command is None:
            continue
        pairs += 1
        env, expected = envelope.decode(data), envelope.decode(command)
        assert sign(env, ring).header == expected.header
        assert envelope.signed_part(env) == envelope.signed_part(expected)
        signed = replace(env, signature=expected.signature)
        if expected.mac is not None:
            signed = add_mac(signed, ring, acb=ACB)
        assert envelope.encode(signed) == command, name
    assert pairs == 87


def blocks(payload: bytes) -> Iterator[list[bytes]]:
    """Yield what may be an encrypted block at each place that begins like one."""
    at = payload.find(BLOCK_HEADER)
    while at >= 0:
        lengths = {payload[at - 1], int.from_bytes(payload[at - 2 : at], "big")}
        candidates = (payload[at : at + n] for n in lengths if 17 <= n <= len(payload) - at)
        yield list(candidates)
        at = payload.find(BLOCK_HEADER, at + 1)


def test_39_encrypted_blocks_are_decrypted_and_encrypted_again_identically(ring: KeyRing) -> None:
    found, carriers = 0, set[str]()
    for name, _, result in all_opened(ring):
        assert isinstance(result, Accepted | Unauthenticated)
        header = result.envelope.header
        for candidates in blocks(result.envelope.payload):
            opened = [(b, decrypt_block(b, header, ring)) for b in candidates]
            plain = [(block, text) for block, text in opened if text is not None]
            assert len(plain) == 1, name
            assert encrypt_block(plain[0][1], header, ring) == plain[0][0], name
            found += 1
            carriers.add(name)
    assert (found, len(carriers)) == (39, 31)
