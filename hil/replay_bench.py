"""Replays a recorded conversation as client against a meter on a bench."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from device_profiles.words import DeviceType
from emulator.codecs.dlms.acse import AssociationRequest
from emulator.codecs.dlms.acse_release import ReleaseRequest
from emulator.codecs.dlms.apdu_action import ActionRequest
from emulator.codecs.dlms.apdu_get import GetListRequest, GetNextRequest, GetRequest
from emulator.core.errors import MalformedFrameError
from harness.dlms.association import REPLY_TO_HLS
from harness.dlms_view.conversation import Exchange, ExchangeKind
from harness.dlms_view.opened import opened
from harness.dlms_view.readings import subject_of
from harness.dlms_view.told import value_of
from harness.errors import UsageError
from harness.replay_client import Held, Replayed, recorded_exchanges, replay_as_client
from harness.replay_jobs import Whose, ring_of
from harness.transcript import Transcript
from hil.capture_subject import CaptureChoices, Subject, known_clients
from hil.endpoints import EndpointKind
from hil.line_bench import HilBench
from hil.line_settings import first_baud, port_of
from hil.replay import PortWire, Step
from hil.serial_port import SerialPort

_READING = (AssociationRequest, ReleaseRequest, GetRequest, GetListRequest, GetNextRequest)


def against_bench(
    transcript: Transcript, bench: Path, role: DeviceType, data: Sequence[Path], step: Step
) -> Replayed:
    """Ask the meter of a bench again what was asked in a recording.

    Raises:
        UsageError: The bench file is wrong, its devices are emulated, or the recording does more
            than read and the meter is a real one.
        BenchError: The port is not there, busy or lost.
    """
    choices = CaptureChoices(bench, Path(), role, data=tuple(data))
    subject = Subject.of(choices)
    if subject.kind is EndpointKind.EMULATED:
        raise UsageError(
            "the devices of this bench are emulated inside a run",
            where=str(bench),
            cause="a replay against an emulated meter needs no bench",
            next_command=f"smetsbench replay NAME --as client --against {subject.profile.name}",
        )
    clients = {one.client: one for one in known_clients(subject)}
    recorded = recorded_exchanges(transcript)
    if subject.is_real:
        refuse_writes(recorded, clients)
    return asyncio.run(_against(transcript, subject, choices, clients, step))


def refuse_writes(recorded: Sequence[Exchange], clients: Whose) -> None:
    """Refuse a recording that does more than read.

    A replay asks nobody before it says something, so it is no way to change a real device.

    Raises:
        UsageError: It writes, invokes, or says something that cannot be read.
    """
    for exchange in opened(recorded, ring_of(recorded, clients)):
        if exchange.kind is ExchangeKind.SERVICE and not _reads(exchange.request):
            raise UsageError(
                "this recording does more than read, and the meter is a real one",
                where=subject_of(exchange.request),
                cause="a replay says what was recorded without asking; writes to real devices go"
                " through an armed bench",
                next_command="smetsbench run ID --bench FILE",
            )


def _reads(request: bytes) -> bool:
    try:
        value = value_of(request)
    except MalformedFrameError:
        return False
    if isinstance(value, ActionRequest):
        return value.method == REPLY_TO_HLS  # a part of the association
    return isinstance(value, _READING)


async def _against(
    transcript: Transcript,
    subject: Subject,
    choices: CaptureChoices,
    clients: Whose,
    step: Step,
) -> Replayed:
    bench = HilBench(subject.loaded, choices.options())
    try:
        await bench.open()
        line = bench.lines()[subject.role]
        line.driver.close()  # the replay speaks in its place
        section = line.section
        url = port_of(section) if subject.is_real else line.address
        passwords = {one.client: one.secret for one in clients.values() if one.secret}
        ring = ring_of(recorded_exchanges(transcript), clients)
        with closing(SerialPort.open(url, first_baud(section, line.settings))) as port:
            return await asyncio.to_thread(
                replay_as_client,
                transcript,
                PortWire(port),
                held=Held(passwords, ring),
                step=step,
            )
    finally:
        await bench.close()
