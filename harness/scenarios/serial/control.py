"""Supply switch and top-up; SER-014 and SER-015."""

from typing import Final

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.crypto.top_up_code import TopUp, encode, top_up_key
from harness.run import Run
from harness.scenario import step
from harness.scenarios.serial.actions import (
    associate,
    eui64,
    meter,
    number,
    pause,
    read_value,
    word_of,
)
from harness.scenarios.serial.objects import (
    BALANCE,
    CREDIT,
    DISCONNECT,
    IMPORT,
    REGISTER,
    SWITCH,
    TOKEN_GATEWAY,
    TOKENS,
    attribute,
    method,
)
from harness.scenarios.serial.row import meter_row

_DISCONNECT: Final = 1
_RECONNECT: Final = 2
_STATE: Final = attribute(DISCONNECT, SWITCH)
#: Credit of the top-up that is tried. Source: invented.
_PENCE: Final = 500
#: The running number it bears: far above those a meter fresh from its maker took. Source: invented.
_NUMBER: Final = 90_001


@step(
    "The supply is switched off, and nothing flows",
    "COSEM disconnect control",
    "COSEM register",
    timeout_s=600,
)
async def switches_off(run: Run) -> None:
    """Disconnect; the output state tells it, and the total stands still."""
    await associate(run, "management")
    run.facts["was"] = number(await read_value(run, "the switch", _STATE))
    run.require("the supply is on at first", 1, run.facts["was"])
    await _operate(run, _DISCONNECT)
    run.check("output state", 0, number(await read_value(run, "the switch", _STATE)))
    before = number(await read_value(run, "total import", attribute(REGISTER, IMPORT)))
    await pause(run, 60 if run.bench.kind == "emulated" else 2)
    after = number(await read_value(run, "total import", attribute(REGISTER, IMPORT)))
    run.check("total while it is off", before, after, clause="COSEM disconnect control")
    run.event("switched-off")


@step("The supply is switched on again", "COSEM disconnect control", timeout_s=120, always=True)
async def switches_on(run: Run) -> None:
    """Reconnect, whatever went before."""
    await associate(run, "management")
    await _operate(run, _RECONNECT)
    run.check("output state", 1, number(await read_value(run, "the switch", _STATE)))
    run.event("switched-on")
    run.outcome("SUPPLY-BACK")
    await meter(run).release()


async def _operate(run: Run, index: int) -> None:
    answer = await meter(run).action(method(DISCONNECT, SWITCH, index), Data(Tag.INT8, 0))
    run.require("answer of the switch", "success", word_of(answer))


SER_014: Final = meter_row(
    id="SER-014",
    title="Supply off and on again",
    outcome="SUPPLY-BACK",
    steps=(switches_off, switches_on),
    saboteur="s1-esme-switch-lies",
    expected_events=("switched-off", "switched-on"),
)


@step("A top-up code is accepted", "COSEM token gateway", timeout_s=300)
async def takes_the_code(run: Run) -> None:
    """Enter a code; the balance grows by its value."""
    if run.bench.kind not in {"emulated", "loopback"}:
        run.skip("nobody here can make top-up codes for this meter")
    await associate(run, "management")
    keys = run.bench.credentials("ESME", "management").keys
    if keys is None:
        run.skip("the bench holds no keys of this meter")
    code = encode(TopUp(_PENCE, _NUMBER), top_up_key(keys.authentication, eui64(run)), eui64(run))
    before = await _balance(run)
    run.check("answer to the code", "success", await _enter(run, code))
    after = await _balance(run)
    grown = after - before
    run.measure(
        "growth of the balance",
        grown,
        "thousandths of a penny",
        _PENCE * 1000 - 2000,
        _PENCE * 1000,
    )
    run.facts["code"] = code
    run.event("topped-up")


@step(
    "The same code again, and a damaged one, change nothing", "COSEM token gateway", timeout_s=300
)
async def takes_no_other(run: Run) -> None:
    """Enter the code a second time, and one with a wrong digit."""
    if "code" not in run.facts:
        run.skip("no code was entered")
    code = str(run.facts["code"])
    before = await _balance(run)
    damaged = code[:-1] + str((int(code[-1]) + 1) % 10)
    for name, tried in (("used", code), ("damaged", damaged)):
        word = await _enter(run, tried)
        run.check(f"the {name} code is refused", True, word != "success")
    after = await _balance(run)
    run.measure("growth of the balance", after - before, "thousandths of a penny", -2000, 0)
    run.outcome("TOPPED-UP")
    await meter(run).release()


async def _balance(run: Run) -> int:
    return number(await read_value(run, "the balance", attribute(CREDIT, BALANCE))) or 0


async def _enter(run: Run, code: str) -> str:
    answer = await meter(run).action(
        method(TOKEN_GATEWAY, TOKENS, 1), axdr.octets(code.encode("ascii"))
    )
    return word_of(answer)


SER_015: Final = meter_row(
    id="SER-015",
    title="A top-up code is accepted once",
    outcome="TOPPED-UP",
    steps=(takes_the_code, takes_no_other),
    saboteur="s1-esme-topup-twice",
    expected_events=("topped-up?",),
)
