"""HDLC setup: the speed it tells is the speed HDLC has on the line."""

import pytest

from emulator.codecs.dlms import mode_e
from emulator.codecs.dlms.mode_e import BAUD_RATES, OptionSelect, SignOn
from emulator.core.clock import UtcMs
from emulator.devices.smets1.esme import Smets1Esme
from emulator.servers.line_parts import Framing, SetSpeed
from emulator.servers.meter_line import MeterLine
from tests.emulator.devices.smets1.meter_kit import member, meter, read
from tests.emulator.devices.smets1.server_kit import NOW

COMM_SPEED, PROPOSED = member(23, "0-0:22.0.0.255", 2), member(19, "0-0:20.0.0.255", 4)


def told_baud(device: Smets1Esme) -> int:
    return BAUD_RATES[str(read(device, COMM_SPEED))]


@pytest.mark.parametrize("name", ["smets1-strict", "smets1-wrapper", "smets1-quirks"])
def test_without_mode_e_hdlc_has_the_speed_the_setup_tells(name: str) -> None:
    device = meter(name)
    assert MeterLine(device, "optical", framing=Framing.OPTICAL).baud == told_baud(device)


def test_with_mode_e_hdlc_has_the_speed_the_setup_tells_after_the_option_select() -> None:
    device = meter("smets1")
    line = MeterLine(device, "optical", framing=Framing.OPTICAL)
    line.receive(mode_e.with_even_parity(SignOn().encode()), NOW)
    select = mode_e.with_even_parity(OptionSelect("2", "5", "2").encode())
    out = line.receive(select, UtcMs(NOW + 500))
    assert [item.baud for item in out if isinstance(item, SetSpeed)] == [told_baud(device)]


def test_the_local_port_still_tells_the_speed_of_its_sign_on() -> None:
    assert BAUD_RATES[str(read(meter("smets1-quirks"), PROPOSED))] == 4800
