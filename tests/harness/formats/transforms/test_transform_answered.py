"""Emulated meters carry out what the transforms make of drawn requests."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from device_profiles.words import DeviceType
from emulator.codecs.dlms.access import AccessResponse
from emulator.codecs.gbcs import envelope, gbz
from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.gbcs.payload import decode_payload
from emulator.core.effects import DeviceEvent
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.transforms.outcome import PreCommand
from harness.formats.duis.transforms.transform import transform
from tests.emulator.devices import kit
from tests.emulator.devices.esme.esme_kit import Meter
from tests.emulator.devices.gas.gas_kit import Home, answer_of
from tests.harness.formats.transforms import transforms_given as given
from tests.harness.formats.transforms.made_bodies import BODIES
from tests.sampling import examples

#: Services whose outcome depends on what the meter was told before, on its state or the time; and
#: 7.16, which a load controller asks for, whose keys these meters do not hold.
STATEFUL = {"2.5", "6.11", "8.1.1", "7.1", "7.2", "7.3", "7.16", "6.17", "6.24.2"}
ELECTRICITY = [s for s, device in sorted(BODIES) if device is DeviceType.ESME and s not in STATEFUL]
GAS = [s for s, device in sorted(BODIES) if device is DeviceType.GSME and s not in STATEFUL]
COUNTER = 5_000


def pre_command(service: str, device: DeviceType, data: Any) -> tuple[Any, PreCommand]:
    """Draw a body that counts at once, and return it with its pre-command."""
    body = data.draw(BODIES[service, device])
    if getattr(body, "execution_time", None) is not None:
        body = dataclasses.replace(body, execution_time=None)
    identity = RequestId(kit.SUPPLIER, given.TARGETS[device], COUNTER)
    made = transform(given.asked(service, body, identity), given.context(twin=True))
    assert isinstance(made, PreCommand), made
    return body, made


def sent(made: PreCommand) -> bytes:
    """Sign and seal a pre-command with the keys of the test."""
    env = envelope.decode(made.octets)
    return kit.command(made.code, env.header.target, env.payload, counter=COUNTER)


@pytest.mark.parametrize("service", ELECTRICITY)
@settings(max_examples=examples(4), deadline=None)
@drawn(data=st.data())
def test_an_emulated_esme_carries_out_every_item(service: str, data: Any) -> None:
    meter = Meter()
    _body, made = pre_command(service, DeviceType.ESME, data)
    effects = meter.device.handle(DeviceEvent.GBCS, sent(made), meter.now)
    [answer] = [one for one in kit.opened(effects) if one.envelope.header.cra is Cra.RESPONSE]
    value = decode_payload(answer.row, Cra.RESPONSE, answer.envelope.payload)
    assert isinstance(value, AccessResponse)
    assert {one.result for one in value.results} == {0}, value


@pytest.mark.parametrize("service", GAS)
@settings(max_examples=examples(4), deadline=None)
@drawn(data=st.data())
def test_an_emulated_gsme_carries_out_every_command(service: str, data: Any) -> None:
    home = Home()
    body, made = pre_command(service, DeviceType.GSME, data)
    effects = home.through(sent(made), given.GSME)
    answers = [one for one in kit.opened(effects) if one.row.code == made.code]
    assert len(answers) == 1, body
    for each in gbz.decode(answers[0].envelope.payload).components:
        told = answer_of(each, each.payload)
        if isinstance(told, int):
            assert told == 0, (body, each)
