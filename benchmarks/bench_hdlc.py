"""What HDLC frames and links cost: parsing and building against plain construct, whole exchanges.

The reference of the frame codec is the construct declaration of the same format, not compiled; both
are compared on the measured frames before anything is timed.
"""

import timeit
from collections.abc import Callable, Sequence
from functools import partial

from emulator.codecs.dlms import hdlc, hdlc_declaration
from emulator.codecs.dlms.hdlc import Address, Frame
from emulator.codecs.dlms.hdlc_client import ClientLink, ClientState
from emulator.codecs.dlms.hdlc_control import i_control
from emulator.codecs.dlms.hdlc_link import ApduReceived, LinkSettings, Send
from emulator.codecs.dlms.hdlc_splitter import FrameSplitter
from emulator.codecs.dlms.hdlc_station import Station

_SHORT = Frame(Address(16), Address(1), i_control(1, 2, poll=True), bytes(range(12)))
_LONG = Frame(Address(16), Address(1, 17, 2), i_control(1, 2, poll=True), bytes(range(127)))
_REPEATS = 5
_AIM = 5.0


def _best_us(act: Callable[[], object], rounds: int) -> float:
    return min(timeit.repeat(act, number=rounds, repeat=_REPEATS)) / rounds * 1e6


def _frame_rows() -> list[tuple[str, float, float]]:
    rows = []
    for frame in (_SHORT, _LONG):
        octets = hdlc.encode(frame)
        if not hdlc_declaration.decode(octets) == hdlc.decode(octets) == frame:
            raise AssertionError("the two decoders do not agree")
        if hdlc_declaration.encode(frame) != octets:
            raise AssertionError("the two encoders do not agree")
        size = len(octets)
        fast = _best_us(partial(hdlc.decode, octets), 20_000)
        plain = _best_us(partial(hdlc_declaration.decode, octets), 300)
        rows.append((f"HDLC parse, {size} octets", fast, plain))
        fast = _best_us(partial(hdlc.encode, frame), 20_000)
        plain = _best_us(partial(hdlc_declaration.encode, frame), 300)
        rows.append((f"HDLC build, {size} octets", fast, plain))
    return rows


class Exchange:
    """A client and a station in one process; every octet goes through both splitters."""

    def __init__(self) -> None:
        self._client = ClientLink(LinkSettings(), Address(16), Address(1))
        self._station = Station(LinkSettings(), frozenset({1}))
        self._splitter = FrameSplitter()
        self._carry(self._client.connect(0))

    def ask(self) -> None:
        """Ask for a register and take the answer."""
        self._carry(self._client.send(bytes(13), 0))
        if self._client.state is not ClientState.IDLE:
            raise AssertionError("the exchange did not end")

    def _carry(self, outputs: Sequence[object]) -> None:
        for output in outputs:
            if isinstance(output, Send):
                self._reply(output.octets)

    def _reply(self, octets: bytes) -> None:
        for item in self._station.feed(octets, 0):
            replies = [item.output]
            if isinstance(item.output, ApduReceived):
                replies = self._station.links[item.key].answer(bytes(8), 0)
            for reply in replies:
                if isinstance(reply, Send):
                    for frame in self._splitter.feed(reply.octets):
                        self._carry(self._client.receive(frame, 0))


def main() -> None:
    """Print the claims."""
    print("claim | value | unit | reference | ratio")
    for claim, fast, plain in _frame_rows():
        ratio = plain / fast
        print(f"{claim} | {fast:.2f} | us | plain construct {plain:.1f} us | {ratio:.1f}")
        if "parse" in claim and ratio < _AIM:
            raise SystemExit(f"{claim}: {ratio:.1f} times plain construct, {_AIM} are the aim")
    stream = hdlc.encode(_LONG) * 100
    floor = _best_us(lambda: [hdlc.decode(hdlc.encode(_LONG)) for _ in range(100)], 20) / 100
    split = _best_us(lambda: FrameSplitter().feed(stream), 50) / 100
    print(f"split off and parse a frame | {split:.2f} | us | build and parse {floor:.2f} us | "
          f"{split / floor:.2f}")  # fmt: skip
    exchange = Exchange()
    whole = _best_us(exchange.ask, 2_000)
    codec = _best_us(
        lambda: [hdlc.decode(hdlc.encode(_SHORT)), hdlc.decode(hdlc.encode(_SHORT))], 5_000
    )
    print(f"question and answer through both link machines | {whole:.1f} | us | "
          f"frame codec alone {codec:.1f} us | {whole / codec:.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
