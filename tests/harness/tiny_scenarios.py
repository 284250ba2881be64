"""Tiny scenarios for the tests of runner and report."""

from typing import Any

from emulator.core.clock import UtcMs
from harness.ports import StageOrder
from harness.scenario import ClauseRef, Expectation, Measurement, Run, Scenario, step
from harness.verdict import ExpectationKind

KNOWN = ClauseRef("GBCS 11.2", "known")
INFERRED = ClauseRef("GBCS 11.9", "inferred:from vectors")


class Counter:
    """A party with a memory: it numbers what it sends."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.sent = 0

    def message(self) -> bytes:
        self.sent += 1
        return f"{self.tag}-{self.sent}".encode()

    def dump(self) -> dict[str, Any]:
        return {"tag": self.tag, "sent": self.sent}

    def load(self, state: dict[str, Any]) -> None:
        self.tag, self.sent = state["tag"], state["sent"]


def open_world(run: Run) -> None:
    run.participants["supplier"] = Counter(run.chance.stream("supplier/tag").octets(2).hex())


def later(run: Run, seconds: float) -> UtcMs:
    return UtcMs(run.bench.clock.now() + round(seconds * 1000))


async def ask(run: Run, message: bytes) -> bytes | None:
    await run.bench.hub.send(message)
    return await run.bench.hub.received(later(run, 60))


@step("The hub answers two messages", "GBCS 11.2", timeout_s=120)
async def talk(run: Run) -> None:
    """Each message is answered, in order."""
    supplier = run.participant("supplier", Counter)
    for _ in range(2):
        message = supplier.message() + run.chance.stream("supplier/nonce").octets(1).hex().encode()
        run.message("supplier", "ACB", "duis", b"<x/>", "a request")
        answer = await ask(run, message)
        run.require("answer", b"ACK:" + message, answer)
        run.event("answered", octets=len(message))
    run.facts["asked"] = supplier.sent


@step(
    "The hub stores the image",
    "GBCS 11.2",
    measures=(Measurement("transfer_time", "s", 0, 600),),
)
async def store(run: Run) -> None:
    """The image is staged, and power is lost once."""
    started = run.bench.clock.now()
    order = StageOrder("r1", b"\x01" * 300, (run.bench.role("ESME"),))
    outcome = await run.bench.hub.stage(order)
    run.check("reason", "held", outcome.reason)
    run.measure("transfer_time", (run.bench.clock.now() - started) / 1000)
    await run.bench.power.cycle(run.bench.role("ESME"), 3.0)
    run.event("stored")


@step("Two days pass and one more message is answered", "GBCS 11.2", timeout_s=200_000)
async def wait(run: Run) -> None:
    """Time passes on the bench, not here."""
    await run.bench.clock.sleep_until(later(run, 2 * 86_400))
    run.check("asked so far", 2, run.facts["asked"])
    await ask(run, run.participant("supplier", Counter).message())
    run.check("observed", 3, len(run.observations("taken")))
    rows = run.bench.describe()
    run.check("described", "3", rows["CHF"]["taken"])
    run.event("answered")
    run.outcome("ACTIVATED")


EXACT = Expectation(ExpectationKind.EXACT, frozenset({"ACTIVATED"}), "known")


def scenario(*steps: Any, **changes: Any) -> Scenario:
    """A scenario with these steps that is expected to end in ACTIVATED."""
    fields: dict[str, Any] = {
        "id": "TINY-01",
        "title": "Three messages, one image",
        "devices": ("ESME",),
        "world": "SMETS2+",
        "clauses": (KNOWN, INFERRED),
        "expectation": EXACT,
        "steps": tuple(steps),
        "setup": open_world,
        "saboteur": "",
    }
    return Scenario(**(fields | changes))


TINY_01 = scenario(
    talk,
    store,
    wait,
    expected_events=("answered+", "stored", "answered"),
    needs=frozenset({"ESME", "observations"}),
    silent=("How long a hub keeps an image is nowhere said; here it keeps it for ever",),
)


@step("One message is answered", "GBCS 11.2")
async def talk_once(run: Run) -> None:
    """One message, answered."""
    answer = await ask(run, b"hello")
    run.check("answer", b"ACK:hello", answer)
    run.outcome("ACTIVATED")


@step("Another message is answered", "GBCS 11.2")
async def talk_again(run: Run) -> None:
    """The very same octets once more."""
    await ask(run, b"hello")


TINY_02 = scenario(talk_once, id="TINY-02", title="One message")
TINY_03 = scenario(talk_once, talk_again, id="TINY-03", title="The same message twice")


@step("Two messages are answered", "GBCS 11.2")
async def talk_twice(run: Run) -> None:
    """One message, and another that finds the cable out, if a test pulls it."""
    run.check("answer", b"ACK:first", await ask(run, b"first"))
    run.check("answer", b"ACK:again", await ask(run, b"again"))


@step("A last message is answered", "GBCS 11.2")
async def talk_last(run: Run) -> None:
    """One message more."""
    run.check("answer", b"ACK:last", await ask(run, b"last"))
    run.outcome("ACTIVATED")


@step("One message is answered", "GBCS 11.2")
async def talk_alone(run: Run) -> None:
    """One message."""
    run.check("answer", b"ACK:alone", await ask(run, b"alone"))
    run.outcome("ACTIVATED")


@step("One message is answered otherwise than expected", "GBCS 11.2")
async def talk_wrongly(run: Run) -> None:
    """The device is at fault."""
    run.check("answer", b"NAK:alone", await ask(run, b"alone"))
    run.outcome("ACTIVATED")


CABLE_01 = scenario(talk_once, talk_twice, talk_last, id="CABLE-01", title="A cable may be out")
CABLE_02 = scenario(talk_alone, id="CABLE-02", title="Nothing to do with it")
CABLE_03 = scenario(talk_wrongly, id="CABLE-03", title="A device at fault")

HERE = "tests.harness.tiny_scenarios"
CATALOGUE = {
    "TINY-01": f"{HERE}:TINY_01",
    "TINY-02": f"{HERE}:TINY_02",
    "TINY-03": f"{HERE}:TINY_03",
    "CABLE-01": f"{HERE}:CABLE_01",
    "CABLE-02": f"{HERE}:CABLE_02",
    "CABLE-03": f"{HERE}:CABLE_03",
}
