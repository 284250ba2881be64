"""An optical head on a scripted meter."""

from emulator.codecs.dlms.axdr import octets
from emulator.codecs.dlms.mode_e import Identification
from harness.dlms.jobs import AssociateJob, SignOnJob
from harness.dlms.settings import Framing, LineSettings
from harness.meter import Association, SignOnReport
from tests.harness.dlms.peer import (
    E_METER,
    HdlcPeer,
    OpticalPeer,
    Pump,
)
from tests.harness.dlms.scripted import NAME, ScriptedServer, public

OPTICAL = LineSettings(framing=Framing.OPTICAL)


BLOCK = "0.0.0(12345678)\r\n1.8.0(000123.4*kWh)\r\n"


def meter(identification: Identification = E_METER, block: str | None = BLOCK) -> OpticalPeer:
    server = ScriptedServer({NAME.descriptor: octets(b"name")})
    return OpticalPeer(HdlcPeer(server), identification, block)


def sign_on(pump: Pump, *, read_out: bool = False) -> SignOnReport:
    report = pump.play(SignOnJob(read_out=read_out))
    assert isinstance(report, SignOnReport)
    return report


def accepted(pump: Pump) -> bool:
    joined = pump.play(AssociateJob(public()))
    assert isinstance(joined, Association)
    return joined.accepted
