"""What the Zigbee frame stack costs: one OTA block response, all layers, both ways.

The reference packs and unpacks the very same octets with plain `struct` calls and no checks, no
values and no frame check sequence: the floor for a stack written in Python.
"""

import struct
import timeit
from collections.abc import Callable

from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl import ota
from emulator.codecs.zigbee import aps, mac, nwk

_BLOCK = ota.ImageBlockResponse(0x121D, 0x0000, 0xACDCACDC, 44 * 100, bytes(range(44)))
_REQUEST = ota.ImageBlockRequest(0x121D, 0x0000, 0xACDCACDC, 44 * 100, 44)
_PLAIN = struct.Struct("<HBHHH HHHBB BBHHBB BBB BHHIIB")
_ROUNDS = 4000
_REPEATS = 7


def encode_stack(command: ota.ImageBlockRequest | ota.ImageBlockResponse) -> bytes:
    """Return the MAC frame that carries ``command``."""
    octets = ota.encode(command, 7)
    application = aps.encode(aps.ApsFrame(1, 123, ota.CLUSTER, 9, octets, ack_request=True))
    network = nwk.encode(nwk.NwkFrame(0x1234, 0x0000, 30, 5, application))
    return mac.encode(mac.MacFrame(3, 0x1AAA, 0x1234, 0x0000, network))


def decode_stack(octets: bytes) -> object:
    """Return the command inside a MAC frame."""
    application = aps.decode(nwk.decode(mac.decode(octets).payload).payload)
    if isinstance(application, aps.ApsAck):
        raise TypeError("an acknowledgement carries no command")
    return ota.decode(zcl_frame.decode(application.payload))


def plain_struct(octets: bytes) -> bytes:
    """Unpack and pack the same octets, and nothing else."""
    values = _PLAIN.unpack_from(octets)
    data = octets[_PLAIN.size : -2]
    return _PLAIN.pack(*values) + data + octets[-2:]


def declared_stack(octets: bytes) -> object:
    """Do both ways with construct alone, without compiling: what the fast paths save."""
    body = octets[:-2]
    mac.fcs(body)
    network = nwk._decode_declared(body[9:])  # noqa: SLF001 - measured beside the fast path
    application = aps._decode_declared(network.payload)  # noqa: SLF001 - likewise
    if isinstance(application, aps.ApsAck):
        raise TypeError("an acknowledgement carries no command")
    frame = zcl_frame._decode_declared(application.payload)  # noqa: SLF001 - likewise
    block = ota.ImageBlockResponse.decode_declared(frame.payload)
    block.encode_declared()
    zcl_frame._encode_declared(frame)  # noqa: SLF001 - likewise
    aps._encode_declared(application)  # noqa: SLF001 - likewise
    return nwk._encode_declared(network)  # noqa: SLF001 - likewise


def _best_us(act: Callable[[], object], rounds: int = _ROUNDS) -> float:
    return min(timeit.repeat(act, number=rounds, repeat=_REPEATS)) / rounds * 1e6


def main() -> None:
    """Print the claims."""
    octets = encode_stack(_BLOCK)
    request = encode_stack(_REQUEST)
    if decode_stack(octets) != _BLOCK or plain_struct(octets) != octets:
        raise AssertionError("the measured paths do not do what they should")
    floor = _best_us(lambda: plain_struct(octets))
    rows = (
        ("block response, 5 layers, encode", _best_us(lambda: encode_stack(_BLOCK))),
        ("block response, 5 layers, decode", _best_us(lambda: decode_stack(octets))),
        (
            "block response, 5 layers, encode+decode",
            _best_us(lambda: decode_stack(encode_stack(_BLOCK))),
        ),
        (
            "block request, 5 layers, encode+decode",
            _best_us(lambda: decode_stack(encode_stack(_REQUEST))),
        ),
        ("the same by construct alone", _best_us(lambda: declared_stack(octets), 200)),
        ("frame check sequence of 86 octets", _best_us(lambda: mac.fcs(octets[:-2]))),
    )
    print("claim | value | unit | reference | ratio")
    for claim, value in rows:
        print(f"{claim} | {value:.1f} | us | plain struct {floor:.2f} us | {value / floor:.1f}")
    print(f"block request frame | {len(request)} | octets | 127 | {len(request) / 127:.2f}")


if __name__ == "__main__":
    main()
