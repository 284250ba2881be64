"""What a GPF learns from commands to its gas meter that pass through its box."""

from typing import TYPE_CHECKING, Final

from emulator.codecs.gbcs import envelope, gbz
from emulator.codecs.gbcs.envelope import Cra, Envelope
from emulator.codecs.gbcs.gbz import GbzComponent
from emulator.codecs.gbcs.metering import frame_of
from emulator.codecs.gbcs.use_cases import MESSAGES
from emulator.codecs.zcl import gas
from emulator.codecs.zcl.foundation import DefaultResponse, FoundationCommand, Status
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, Note
from emulator.core.errors import MalformedFrameError
from emulator.devices.gbz_engine import ComponentFailedError, GbzTurn
from emulator.devices.gsme.model.store import gas_clusters

if TYPE_CHECKING:
    from emulator.devices.gpf.model.model import GpfModel

#: Use cases whose commands change what a GPF is asked for.
TAPPED: Final = frozenset(
    {
        "GCS01a", "GCS01b", "GCS02", "GCS03", "GCS05", "GCS07", "GCS20", "GCS23", "GCS24",
        "GCS24a", "GCS25", "GCS25a", "GCS36", "GCS41", "GCS44",
    }
)  # fmt: skip
#: Commands that wait for their responses at most. Source: invented.
_MOST: Final = 8


def learn(model: "GpfModel", waiting: list[bytes], message: bytes, now: UtcMs) -> list[Effect]:
    """Keep a command, or carry out for the GPF what the meter's response says was done."""
    try:
        env = envelope.decode(message)
    except MalformedFrameError:
        return []
    row = MESSAGES.get(env.header.other.message_code)
    if row is None or row.use_case not in TAPPED:
        return []
    if env.header.cra is Cra.COMMAND:
        waiting.append(message)
        del waiting[:-_MOST]
        return []
    if env.header.cra is not Cra.RESPONSE:
        return []
    asked = _command_of(env, waiting)
    return [] if asked is None else _carry_out(model, row.use_case, asked, env, now)


def _command_of(response: Envelope, waiting: list[bytes]) -> Envelope | None:
    """Take out and return the command that a response answers."""
    for message in waiting:
        env = envelope.decode(message)
        there, back = env.header, response.header
        same = (there.counter, there.originator, there.target, there.other.message_code)
        if same == (back.counter, back.target, back.originator, back.other.message_code):
            waiting.remove(message)
            return env
    return None


def _carry_out(
    model: "GpfModel", use_case: str, asked: Envelope, answered: Envelope, now: UtcMs
) -> list[Effect]:
    try:
        components = gbz.decode(asked.payload).components
        answers = gbz.decode(answered.payload).components
    except MalformedFrameError as error:
        return [Note("tapping_failed", (("detail", str(error)),))]
    good = {answer.sequence for answer in answers if _is_good(answer)}
    header = asked.header
    rows = gas_clusters().use_cases[use_case]
    turn = GbzTurn(use_case, header.other.message_code, header, now, bytes, rows.sealed, rows.quiet)
    for component in components:
        if component.sequence in good:
            _repeat(model, component, turn)
    model.finish(turn)
    return [Note("tapped", (("use_case", use_case), ("counter", header.counter)))]


def _repeat(model: "GpfModel", component: GbzComponent, turn: GbzTurn) -> None:
    frame = frame_of(component)
    if not gas.knows(component.cluster, frame):
        return
    try:
        model.command(component, gas.decode(component.cluster, frame), turn)
    except (ComponentFailedError, MalformedFrameError):
        turn.effects.append(Note("tapping_failed", (("command", f"{component.command:02x}"),)))


def _is_good(answer: GbzComponent) -> bool:
    """Say whether a component of a response says that its command was carried out."""
    if answer.frame_counter is not None:
        return True
    frame = frame_of(answer)
    if frame.cluster_specific or frame.command != FoundationCommand.DEFAULT_RESPONSE:
        return True
    return DefaultResponse.decode(frame.payload).status == Status.SUCCESS
