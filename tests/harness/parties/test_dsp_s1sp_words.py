"""What the DSP believes of S1SPs: each speaks of its devices, and answers what was asked."""

from dataclasses import replace

import pytest

from emulator.core.ids import Eui64
from harness.formats.duis import s1sp_alert, smets1_bodies, smets1_response
from harness.formats.duis.s1sp_alert import S1spAlert
from harness.formats.duis.smets1_contents import DeviceAlert, Node, Result
from harness.formats.duis.smets1_response import Smets1Response
from tests.harness.parties.s1sp_world import AT, EIS, ESME, GIS, S1SP, World, signing_key

#: A second S1SP, which serves nobody here; it has the keys of a party that signs XML.
OTHER = GIS
BALANCE = Result("ReadMeterBalanceRsp", True, (Node("MeterBalance", "1"),))


def asked() -> tuple[World, Smets1Response]:
    """A world in which a balance was asked for, and the answer that is due."""
    world = World()
    world.dsp.connect({"OTHER": OTHER})
    world.notify(ESME, EIS)
    request = world.eis.ask(smets1_bodies.ReadMeterBalance(), ESME)
    world.dsp.submit(world.eis.send(request), EIS)
    world.dsp.to_s1sps.clear()
    counter = request.request_id.counter
    return world, Smets1Response(ESME, EIS, counter, BALANCE, "4.18", "4.18")


def told(world: World, said: Smets1Response | S1spAlert, by: Eui64) -> str:
    """Hand the DSP a document with that party's signature; returns what it takes it for."""
    is_alert = isinstance(said, S1spAlert)
    write = s1sp_alert.write_alert if is_alert else smets1_response.write_signed
    waiting = dict(world.dsp.asked_s1sps)
    got = world.dsp.take_from_s1sp(write(said, signing_key(by)), by)  # type: ignore[arg-type]  # each writer gets its own
    if got.kind == "refused":
        assert world.dsp.asked_s1sps == waiting
    return got.kind


def test_the_s1sp_that_serves_a_device_answers_for_it_once() -> None:
    world, answer = asked()
    assert told(world, answer, S1SP) == "response"
    assert told(world, answer, S1SP) == "unasked"


@pytest.mark.parametrize("what", ["answer", "device alert", "alert"])
def test_another_s1sp_does_not_speak_for_it(what: str) -> None:
    world, answer = asked()
    words: dict[str, Smets1Response | S1spAlert] = {
        "answer": answer,
        "device alert": replace(answer, body=DeviceAlert(0x8F72, "made up", AT, bytes(32))),
        "alert": S1spAlert("X-MADE-UP", AT, device=ESME),
    }
    assert told(world, words[what], OTHER) == "refused"
    assert told(world, answer, S1SP) == "response"


def test_an_answer_to_another_service_than_was_asked_is_refused() -> None:
    world, answer = asked()
    other = Result("UpdatePaymentModeRsp", True)
    said = replace(answer, body=other, service="1.6", variant="1.6")
    assert told(world, said, S1SP) == "refused"
    assert told(world, answer, S1SP) == "response"
