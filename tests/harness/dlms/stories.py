"""A reader that is associated with a scripted meter, and what it reads."""

from emulator.codecs.dlms.axdr import octets
from harness.dlms.jobs import AssociateJob
from harness.dlms.settings import Framing
from harness.meter import Association, Credentials
from tests.harness.dlms.peer import (
    Pump,
    pump_for,
)
from tests.harness.dlms.scripted import CLOCK, NAME, ScriptedServer, public

LONG = octets(bytes(n % 251 for n in range(1500)))


NAMED = (octets(b"name"),)


def server() -> ScriptedServer:
    return ScriptedServer({NAME.descriptor: octets(b"name"), CLOCK.descriptor: LONG})


def associated(framing: Framing = Framing.HDLC, meter: ScriptedServer | None = None) -> Pump:
    pump = pump_for(framing, meter or server())
    joined = pump.play(AssociateJob(public()))
    assert isinstance(joined, Association)
    assert joined.accepted
    return pump


def join(server: ScriptedServer, credentials: Credentials) -> tuple[Pump, Association]:
    pump = pump_for(Framing.HDLC, server)
    joined = pump.play(AssociateJob(credentials))
    assert isinstance(joined, Association)
    return pump, joined
