"""Conditions of SMETS1 homes: each shows in octets, and a right home shows none of them."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from emulator.codecs.dlms import date_time, han_log
from emulator.codecs.dlms.apdu_parts import ActionResult, Attribute, Descriptor
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.clock import UtcMs
from emulator.core.labels import serial_of
from emulator.devices.defective_smets1_homes import ROWS
from emulator.devices.defects import DEFECTS
from harness.benches.emulated_smets1 import EmulatedSmets1Bench
from tests.harness.smets1 import homes
from tests.harness.smets1.homes import (
    CLOCK,
    DAY_MS,
    EUI64,
    FIRMWARE,
    LOG,
    SERIAL,
    bench,
    credentials,
    opens,
    play,
    read,
    rotate,
)

DISPLAY = "02-53-04-00-00-00-00-31"
HOME = homes.home(displays=[DISPLAY])
Probe = Callable[[EmulatedSmets1Bench, str], Coroutine[Any, Any, object]]
_MODE = Descriptor(111, bytes((0, 0, 19, 0, 0, 255)), 2)


async def first_rotation(made: EmulatedSmets1Bench, role: str) -> object:
    """What the device answers, and who can operate it then."""
    answer = await rotate(made, role, "SMSO", "S1SP")
    return answer, opens(made, role)


async def there_and_back(made: EmulatedSmets1Bench, role: str) -> object:
    """The same after the keys of the SMSO were sent back."""
    await rotate(made, role, "SMSO", "S1SP")
    port = made.meter(role, "wan@SMSO")
    assert (await port.associate(credentials(made, role, "S1SP"))).accepted
    own, new = credentials(made, role, "S1SP").keys, credentials(made, role, "SMSO").keys
    assert own is not None
    assert new is not None
    answer = await port.action(homes.TRANSFER, homes.transfer(own.master, new))
    return getattr(answer, "result", None), opens(made, role)


async def again_after_rotation(made: EmulatedSmets1Bench, role: str) -> object:
    """Whether the device can be reached some hours after its keys changed."""
    await rotate(made, role, "SMSO", "S1SP")
    await made.clock.sleep_until(UtcMs(made.clock.now() + 3_600_000))
    port = made.meter(role, "wan@SMSO")
    return (await port.associate(credentials(made, role, "S1SP"))).accepted


async def reached(made: EmulatedSmets1Bench, role: str) -> object:
    """Whether the device can be reached at all."""
    port = made.meter(role, "wan@SMSO")
    return (await port.associate(credentials(made, role, "SMSO"))).accepted


async def after_the_move(made: EmulatedSmets1Bench, role: str) -> object:
    """Who can operate the hub on its new network."""
    await rotate(made, role, "SMSO", "S1SP")
    await made.hub_wan().change_sim("S1SP")
    await made.clock.sleep_until(UtcMs(made.clock.now() + DAY_MS))
    return opens(made, role)


async def told(made: EmulatedSmets1Bench, role: str) -> object:
    """Whether the hub says that it has come, and can be reached."""
    await made.hub_wan().change_sim("S1SP")
    notice = await made.hub_wan().notified("S1SP", UtcMs(made.clock.now() + DAY_MS))
    port = made.meter(role, "wan@S1SP")
    return notice is not None, (await port.associate(credentials(made, role, "SMSO"))).accepted


def value_of(what: Attribute) -> Probe:
    async def probe(made: EmulatedSmets1Bench, role: str) -> object:
        data = await read(made, role, what)
        return None if data is None else data.value

    return probe


async def minutes_off(made: EmulatedSmets1Bench, role: str) -> object:
    """How many minutes the clock is wrong."""
    data = await read(made, role, CLOCK)
    assert data is not None
    assert isinstance(data.value, bytes)
    shown = date_time.decode(data.value).moment()
    assert shown is not None
    return round((shown - made.clock.now()) / 60_000)


async def logged(made: EmulatedSmets1Bench, role: str) -> object:
    """The device types in the hub's log, and the firmware of its display."""
    data = await read(made, role, LOG)
    assert data is not None
    rows = han_log.decode_log(data)
    return [row.device_type for row in rows], [row.firmware for row in rows if row.firmware]


async def mode_after_change(made: EmulatedSmets1Bench, role: str) -> object:
    """The payment mode after it was set to the other."""
    port = made.meter(role, "wan@SMSO")
    assert (await port.associate(credentials(made, role, "SMSO"))).accepted
    mode = Data(Tag.STRUCTURE, (Data(Tag.ENUM, 2), Data(Tag.ENUM, 2)))
    answer = await port.set([(Attribute(_MODE), mode)])
    assert isinstance(answer, tuple)
    read_back = await port.get([Attribute(_MODE)])
    assert isinstance(read_back, tuple)
    assert isinstance(read_back[0], Data)
    return int(answer[0]), str(read_back[0].value)


async def display_firmware(made: EmulatedSmets1Bench, _role: str) -> object:
    """The firmware of the display as the hub's log tells it."""
    return (await logged(made, "CHF"))[1]  # type: ignore[index]  # a pair, see above


#: Condition -> how it shows.
PROBES: dict[str, Probe] = {
    "rotation-refused": first_rotation,
    "keeps-old-key": first_rotation,
    "keeps-old-keys-too": first_rotation,
    "restore-refused": there_and_back,
    "restored-key-garbled": there_and_back,
    "never-wakes-again": again_after_rotation,
    "han-lost": reached,
    "other-firmware": value_of(FIRMWARE),
    "other-serial": value_of(SERIAL),
    "other-eui64": value_of(EUI64),
    "clock-adrift": minutes_off,
    "forgets-payment-mode": mode_after_change,
    "log-lacks-gsme": logged,
    "log-lacks-ppmid": logged,
    "forgets-keys": after_the_move,
    "tells-nobody": told,
}
CASES = [(device.value, name) for name, devices, _sentence, _methods in ROWS for device in devices]
BOTH, NEITHER, SMSO, S1SP = (True, True), (False, False), (True, False), (False, True)
OK, NO = ActionResult.SUCCESS, ActionResult.OTHER_REASON
#: Condition -> what it shows, where it is the same for every device.
SHOWN = {
    "rotation-refused": (NO, SMSO),
    "keeps-old-key": (OK, SMSO),
    "keeps-old-keys-too": (OK, BOTH),
    "restore-refused": (NO, S1SP),
    "restored-key-garbled": (OK, NEITHER),
    "never-wakes-again": False,
    "han-lost": False,
    "clock-adrift": 10,
    "forgets-keys": NEITHER,
    "tells-nobody": (False, True),
    "log-lacks-gsme": (["ESME", "PPMID"], [b"10000001"]),
    "log-lacks-ppmid": (["ESME", "GSME"], []),
}


def probed(role: str, name: str, *defects: str) -> object:
    made = bench(*defects, homes=[HOME])
    probe = display_firmware if role == "PPMID" else PROBES[name]
    return play(lambda: probe(made, role))


@pytest.mark.parametrize(("role", "name"), CASES)
def test_a_condition_shows_and_a_right_home_does_not_show_it(role: str, name: str) -> None:
    wrong, right = probed(role, name, f"s1-{role.lower()}-{name}"), probed(role, name)
    assert wrong != right
    if name in SHOWN:
        assert wrong == SHOWN[name]


def test_every_condition_has_a_name_a_sentence_and_a_way_to_show() -> None:
    assert {name for name, *_rest in ROWS} == {*PROBES}
    for name, devices, sentence, methods in ROWS:
        assert sentence.endswith(".")
        assert methods
        for device in devices:
            defect = DEFECTS[f"s1-{device.value.lower()}-{name}"]
            assert (defect.device_type, defect.sentence) == (device, sentence)


def test_a_right_home_is_as_its_papers_say() -> None:
    made = bench(homes=[HOME])
    assert probed("ESME", "other-eui64") == made.role("ESME").octets
    assert probed("ESME", "other-serial") == serial_of(made.role("ESME")).encode()
    assert probed("ESME", "other-firmware") == b"10000001"
    assert probed("GSME", "clock-adrift") == 0


def test_a_condition_of_one_home_leaves_the_other_right() -> None:
    made = bench("s1-esme-other-serial@B-1", homes=[HOME, homes.home("B-1")])
    serials = []
    for role in ("ESME", "ESME@B-1"):
        told = play(lambda: read(made, role, SERIAL))  # noqa: B023 (played at once)
        assert told is not None
        serials.append(told.value == serial_of(made.role(role)).encode())
    assert serials == [True, False]
