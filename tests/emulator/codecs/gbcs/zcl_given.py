"""ZCL payloads of the given GBZ messages, encrypted ones in the clear."""

from collections.abc import Iterator
from functools import cache

from emulator.codecs.gbcs import envelope, gbz
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.gbz import GbzAlert, GbzMessage
from emulator.codecs.gbcs.payload import PayloadValue, decode_payload
from emulator.codecs.gbcs.use_cases import MESSAGES
from emulator.core.chance import Stream
from emulator.crypto.keystore import KeyStore
from emulator.crypto.protection import KeyRing, decrypt_block
from tests.given import RTDS_KEYS, rtds_messages

#: Cluster, whether specific, whether to the client, command, payload.
Zcl = tuple[int, bool, bool, int, bytes]


@cache
def given_payloads() -> tuple[Zcl, ...]:
    return tuple(_payloads(KeyRing(KeyStore.load(RTDS_KEYS))))


def _payloads(ring: KeyRing) -> Iterator[Zcl]:
    for _, data in rtds_messages():
        env = envelope.decode(data)
        row = MESSAGES[env.header.other.message_code]
        value = components(decode_payload(row, env.header.cra, env.payload))
        if value is None:
            continue
        for one in value.components:
            payload = one.payload
            if one.frame_counter is not None:
                plain = decrypt_block(payload, env.header, ring)
                assert plain is not None
                payload = plain
            control = one.frame_control
            yield one.cluster, bool(control & 1), bool(control & 8), one.command, payload


def components(value: PayloadValue) -> GbzMessage | None:
    if isinstance(value, GbzAlert) and value.alert_code == AlertCode.BILLING_DATA_LOG:
        return gbz.component_of(value)
    return value if isinstance(value, GbzMessage) else None


def damaged(payload: bytes, stream: Stream) -> bytes:
    """A copy with a bit turned over, cut short, or made longer."""
    octets = bytearray(payload)
    match stream.below(4):
        case 0 if octets:
            octets[stream.below(len(octets))] ^= 1 << stream.below(8)
        case 1:
            del octets[stream.below(len(octets) + 1) :]
        case 2:
            octets += stream.octets(1 + stream.below(6))
        case _ if octets:
            octets[stream.below(len(octets))] = stream.below(256)
    return bytes(octets)
