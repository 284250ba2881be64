"""Service requests as equivalent steps, down a line and through the hub; SER-020 and SER-021."""

from typing import Final

from device_profiles.dmves import Equivalent, load_dmves
from device_profiles.words import DeviceType
from emulator.codecs.dlms import date_time
from harness import installed
from harness.run import Run
from harness.scenario import Scenario, Step, step
from harness.scenarios.clauses import clauses, exact
from harness.scenarios.serial.actions import number, profile
from harness.scenarios.serial.objects import BALANCE, IMPORT, RATES, SWITCH
from harness.scenarios.serial.row import meter_row, open_line
from harness.smets1.arguments import Arguments
from harness.smets1.steps import Account, Done, HeadEnd

_CLAUSE: Final = "smetsbench equivalent steps"
_WAY: Final = "way"


def _equivalent(run: Run, role: str, service: str) -> Equivalent:
    model = profile(run, role).name
    table = load_dmves(overlays=installed.overlays(run.options))
    return table.find(model, DeviceType(role), service)


async def carry_out(run: Run, role: str, service: str, given: Arguments | None = None) -> Account:
    """Carry a request out and trace it; what is not supported is traced too."""
    way = str(run.facts[_WAY])
    head_end = HeadEnd(
        run.bench.meter(role, way),
        run.bench.clock,
        lambda name: run.bench.credentials(role, name),
    )
    account = await head_end.carry_out(_equivalent(run, role, service), given or Arguments())
    taken = ", ".join(f"{one.step.says}: {one.result}" for one in account.taken)
    run.message("S1SP", role, "equivalent-steps", b"", f"{service} {account.done}")
    run.event("request", service=service, role=role, done=account.done.value, steps=taken)
    return account


async def _done(run: Run, role: str, service: str, given: Arguments | None = None) -> Account:
    account = await carry_out(run, role, service, given)
    word = Done.DONE.value if account.done is Done.DONE else account.says
    run.require(f"{service} on the {role}", Done.DONE.value, word)
    return account


def _number(account: Account, obis: str, index: int = 2) -> int:
    value = account.value(obis, index)
    return 0 if value is None else number(value) or 0


def reads(way: str) -> Step:
    """Return the step that reads what a meter and its installation are."""

    @step("Readings: 4.1.1, 4.18, 11.2 and an interrogation", _CLAUSE, timeout_s=7200)
    async def act(run: Run) -> None:
        """Every reading ends in its last step; the rates add up to the total."""
        run.facts[_WAY] = way
        registers = await _done(run, "ESME", "4.1.1")
        total, rates = _number(registers, IMPORT), [_number(registers, one) for one in RATES]
        run.measure("total less rates", total - sum(rates), "Wh", -20, 0)
        await _done(run, "ESME", "11.2")
        await _done(run, "ESME", "interrogate")
        run.facts["balance"] = _number(await _done(run, "ESME", "4.18"), BALANCE)

    return act


@step(
    "Supply off, on, and read: 7.2, 7.1, 7.4", _CLAUSE, "COSEM disconnect control", timeout_s=7200
)
async def supply(run: Run) -> None:
    """What 7.4 reads is what was asked for."""
    await _done(run, "ESME", "7.2")
    off = await _done(run, "ESME", "7.4")
    await _done(run, "ESME", "7.1")
    on = await _done(run, "ESME", "7.4")
    states = [_number(off, SWITCH), _number(on, SWITCH)]
    run.check("switch after 7.2 and after 7.1", [0, 1], states, clause="COSEM disconnect control")


@step("The clock is set: 6.11", _CLAUSE, timeout_s=7200)
async def clock(run: Run) -> None:
    """Write the bench's time."""
    now = date_time.encode(date_time.of_moment(run.bench.clock.now()))
    await _done(run, "ESME", "6.11", Arguments(clock=now))


@step("What a model cannot do is answered, and nothing is sent: 7.3", _CLAUSE, timeout_s=60)
async def cannot(run: Run) -> None:
    """The table says not supported, with a reason; no step is taken."""
    account = await carry_out(run, "ESME", "7.3")
    run.check("what becomes of it", Done.NOT_SUPPORTED.value, account.done.value)
    run.check("steps taken", 0, len(account.taken))
    run.check("a reason is given", True, bool(account.says))
    run.outcome("CARRIED-OUT")


_EVENTS: Final = ("request+",)

SER_020: Final = meter_row(
    id="SER-020",
    title="Service requests as equivalent steps, down the line",
    outcome="CARRIED-OUT",
    steps=(reads("line"), supply, clock, cannot),
    saboteur="s1-esme-switch-lies",
    expected_events=_EVENTS,
)


@step("The sleepy gas meter answers at its next wake: 4.1.1, 11.2", _CLAUSE, timeout_s=14_400)
async def gas(run: Run) -> None:
    """Requests wait at the hub; the meter fetches them."""
    await _done(run, "GSME", "4.1.1")
    await _done(run, "GSME", "11.2")


@step("The hub itself is read: 11.2", _CLAUSE, timeout_s=600)
async def hub(run: Run) -> None:
    """The hub has a server of its own."""
    await _done(run, "CHF", "11.2")


_STEPS: Final = (reads("wan"), supply, clock, gas, hub, cannot)
_CLAUSES: Final = (_CLAUSE, "COSEM disconnect control")

SER_021: Final = Scenario(
    id="SER-021",
    title="Service requests as equivalent steps, through the SMETS1 hub",
    devices=("ESME", "GSME", "CHF"),
    world="SMETS1",
    clauses=clauses(*_CLAUSES),
    expectation=exact("CARRIED-OUT", _CLAUSE),
    steps=_STEPS,
    setup=open_line,
    needs=frozenset({"ESME", "GSME", "CHF", "meter-wan"}),
    saboteur="s1-esme-switch-lies",
    expected_events=_EVENTS,
    settings={"installation": "smets1"},
)
