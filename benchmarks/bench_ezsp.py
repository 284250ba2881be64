"""What a dongle's line costs: ASH and EZSP frames, against plain construct and against bellows.

Two references in one run. Plain construct, not compiled, reads and writes the same octets by a
declaration of the same format. bellows does what its host does with them: its own frame classes
for ASH, its own schemas for EZSP. What all three read is compared before anything is timed.
"""

import importlib
import timeit
from collections.abc import Callable, Iterator
from functools import partial
from time import process_time
from typing import Any

import bellows.types as t
import construct as c
from bellows.ash import AshProtocol
from bellows.ash import DataFrame as TheirFrame

from emulator.codecs.ezsp import ash, ash_declaration
from emulator.codecs.ezsp.ash import DataFrame
from emulator.codecs.ezsp.ash_actions import Action, Deliver, Write
from emulator.codecs.ezsp.ash_ends import AshHost, AshNcp
from emulator.codecs.ezsp.ash_octets import unstuff
from emulator.codecs.ezsp.frames import EzspFrame, Frame, callback, command, response
from emulator.codecs.ezsp.protocol import codec_of
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import ApsFrame
from emulator.codecs.ezsp.values import ConfigAnswer, ConfigId
from emulator.codecs.ezsp.values_messages import IncomingMessage, MessageSent, SendUnicast
from emulator.core.ids import Eui64

_REPEATS = 5
_AIM = 2.0
_APS = ApsFrame(0x0109, 0x0019, 1, 1, 0x0140, 0, 7)
_BLOCK = bytes(range(64))  # a ZCL frame with an OTA block of 50 octets
_EUI = Eui64(bytes(range(8)))
_HEADER_BYTES = 5
#: What an OTA transfer is made of, and one short command.
_FRAMES: tuple[tuple[str, int, EzspFrame], ...] = (
    (
        "sendUnicast v13",
        13,
        command(Frame.SEND_UNICAST, SendUnicast(0, 0x1234, _APS, 5, _BLOCK), 1),
    ),
    (
        "incomingMessageHandler v14",
        14,
        callback(
            Frame.INCOMING_MESSAGE_HANDLER,
            IncomingMessage(0, _APS, 0x1234, 200, -40, _BLOCK, sender_eui64=_EUI),
            1,
        ),
    ),
    (
        "messageSentHandler v13",
        13,
        callback(Frame.MESSAGE_SENT_HANDLER, MessageSent(0, 0x1234, _APS, 5, Status.OK), 1),
    ),
    (
        "getConfigurationValue v13",
        13,
        response(
            command(Frame.GET_CONFIGURATION_VALUE, ConfigId(0x0D), 1), ConfigAnswer(Status.OK, 5)
        ),
    ),
)


def _best_us(act: Callable[[], object], rounds: int) -> float:
    """Return microseconds of processor time, so that a busy machine tells the same."""
    return (
        min(timeit.repeat(act, number=rounds, repeat=_REPEATS, timer=process_time)) / rounds * 1e6
    )


def _row(claim: str, ours: float, plain: float, theirs: float) -> str | None:
    print(f"{claim} | {ours:.2f} | us | plain construct {plain:.1f} us | {plain / ours:.1f}")
    print(f"{claim} | {ours:.2f} | us | bellows {theirs:.1f} us | {theirs / ours:.1f}")
    if plain / ours < _AIM:
        return f"{claim}: {plain / ours:.1f} times plain construct, {_AIM} are the aim"
    return None


def _ash_rows() -> Iterator[str | None]:
    frame = DataFrame(1, 2, bytes(range(88)))
    theirs = TheirFrame(frm_num=1, re_tx=False, ack_num=2, ezsp_frame=frame.payload)
    wire = ash.encode(frame)
    body = unstuff(wire[:-1])
    if body is None or bytes(AshProtocol._stuff_bytes(theirs.to_bytes())) != wire[:-1]:  # noqa: SLF001 - bellows has no public name for it
        raise AssertionError("bellows writes other octets")
    if not ash_declaration.decode(body) == ash.decode(body) == frame:
        raise AssertionError("the declaration reads otherwise")
    yield _row(
        "ASH DATA frame of 88 octets, build",
        _best_us(lambda: ash.encode(frame), 20_000),
        _best_us(lambda: ash_declaration.encode(frame), 200),
        _best_us(lambda: AshProtocol._stuff_bytes(theirs.to_bytes()), 3_000),  # noqa: SLF001 - as above
    )

    def read() -> DataFrame:
        return ash.decode(unstuff(wire[:-1]) or b"")  # type: ignore[return-value]  # it is a DATA frame

    yield _row(
        "ASH DATA frame of 88 octets, parse",
        _best_us(read, 20_000),
        _best_us(lambda: ash_declaration.decode(body), 200),
        _best_us(
            lambda: TheirFrame.from_bytes(bytes(AshProtocol._unstuff_bytes(wire[:-1]))),  # noqa: SLF001 - as above
            3_000,
        ),
    )


def _schema(version: int, frame_id: int, *, answer: bool) -> Any:
    table = importlib.import_module(f"bellows.ezsp.v{version}.commands").COMMANDS
    row = next(row for row in table.values() if row[0] == frame_id)
    return row[2 if answer else 1]


def _ezsp_rows() -> Iterator[str | None]:
    header = c.Struct("sequence" / c.Int8ul, "control" / c.Int16ul, "frame_id" / c.Int16ul)
    for name, version, frame in _FRAMES:
        codec = codec_of(version)
        octets = codec.encode(frame)
        layout = codec.layout(frame.name, answer=frame.is_response)
        if layout is None or codec.decode(octets) != frame:
            raise AssertionError(f"{name} is not read as it was written")
        whole = c.Struct("header" / header, "values" / layout.form)
        raw = whole.parse(octets)
        schema = _schema(version, codec.frames[frame.name], answer=frame.is_response)
        parameters = octets[_HEADER_BYTES:]
        found, rest = t.deserialize_dict(parameters, schema)
        if rest or t.serialize_dict((), found, schema) != parameters:
            raise AssertionError(f"bellows reads {name} otherwise")
        yield _row(
            f"EZSP {name}, parse",
            _best_us(partial(codec.decode, octets), 20_000),
            _best_us(partial(whole.parse, octets), 300),
            _best_us(
                partial(t.deserialize_dict, parameters, schema),
                1_000,
            ),
        )
        yield _row(
            f"EZSP {name}, build",
            _best_us(partial(codec.encode, frame), 20_000),
            _best_us(partial(whole.build, raw), 300),
            _best_us(partial(t.serialize_dict, (), found, schema), 1_000),
        )


class Exchange:
    """A host and an NCP in one process: ask, answer, acknowledge, through both link machines."""

    def __init__(self) -> None:
        self._host, self._ncp = AshHost(), AshNcp()
        self._ncp.start(announce=False)
        self.answered = 0
        self._carry(self._host.connect(0))

    def ask(self) -> None:
        """Send 88 octets and get 8 back."""
        before = self.answered
        self._carry(self._host.send(bytes(88), 0))
        self._carry(self._host.tick(20))
        if self.answered != before + 1 or not self._ncp.idle:
            raise AssertionError("the exchange did not end")

    def _carry(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Write):
                self._at_ncp(action.octets)

    def _at_ncp(self, octets: bytes) -> None:
        for action in self._ncp.receive(octets, 0):
            replies = self._ncp.send(bytes(8), 0) if isinstance(action, Deliver) else [action]
            for reply in replies:
                if isinstance(reply, Write):
                    back = self._host.receive(reply.octets, 0)
                    self.answered += any(isinstance(found, Deliver) for found in back)
                    self._carry(back)


def main() -> None:
    """Print the claims."""
    print("claim | value | unit | reference | ratio")
    missed = [said for said in (*_ash_rows(), *_ezsp_rows()) if said is not None]
    exchange = Exchange()
    whole = _best_us(exchange.ask, 2_000)
    long, short = DataFrame(0, 0, bytes(88)), DataFrame(0, 0, bytes(8))

    def frames_alone() -> None:
        for frame in (long, short):
            ash.decode(unstuff(ash.encode(frame)[:-1]) or b"")

    alone = _best_us(frames_alone, 5_000)
    print(f"ASH question and answer through both link machines | {whole:.1f} | us | "
          f"frame codec alone {alone:.1f} us | {whole / alone:.1f}")  # fmt: skip
    if missed:
        raise SystemExit("\n".join(missed))


if __name__ == "__main__":
    main()
