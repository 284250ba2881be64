"""Steps of the time after a migration: what suppliers ask for, and what comes of it."""

from collections.abc import Callable
from typing import Final

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.top_up_code import TopUp
from harness.formats.duis.bodies import RequestBody
from harness.formats.duis.smets1_bodies import Credit, Prepayment, UpdatePaymentMode
from harness.migration import commissioning_ends as ends
from harness.migration.commissioning_world import CommissioningWorld
from harness.migration.custody import S1SP, SMSO
from harness.migration.observing import SET_MODE, Observer
from harness.parties.import_supplier import FromS1sp, ImportSupplier, change_body, handover_body
from harness.rules.migration_prepayment import unmet
from harness.run import Run
from harness.scenario import Step
from harness.scenarios.migration import checks
from harness.scenarios.migration.acts import PENCE, key_in
from harness.scenarios.migration.row import HOME
from harness.scenarios.migration.world import world

_DAY_MS: Final = 86_400_000
_TIMEOUT_S: Final = 20 * 86_400.0
CREDIT: Final = UpdatePaymentMode(Credit())
PREPAYMENT: Final = UpdatePaymentMode(Prepayment())
#: A step, and the event word it states.
Told = tuple[Step, str]
#: Makes the body of a request, for a supplier and a device.
Body = Callable[[Run, ImportSupplier, Eui64], RequestBody]
#: What an answer of the S1SP comes to: ``success``, ``failure``, the code of its alert, or the
#: DSP's own response code.
SUCCESS: Final = "success"
FAILURE: Final = "failure"


def parties(run: Run) -> CommissioningWorld:
    """Return the parties of the time after migration."""
    return world(run).after(HOME)


def device(run: Run, role: DeviceType) -> Eui64:
    """Return a device of the home."""
    return world(run).site(HOME).eui64(role)


def supplier(run: Run, role: DeviceType) -> ImportSupplier:
    """Return who is registered for a meter now."""
    known = parties(run).dsp.inventory.find(device(run, role))
    if known is None:
        raise LookupError(f"the inventory has no {role.value}")
    registered = parties(run).dsp.supplies.get(known.mpxn, known.supplier)
    return parties(run).suppliers[registered]


async def ask(
    run: Run, user: ImportSupplier, body: RequestBody, at: Eui64
) -> tuple[str, FromS1sp | None]:
    """Let a supplier ask; returns in a word what came of it, and the S1SP's answer."""
    sent = await parties(run).ask(user, body, at)
    answer = user.answer_to(sent.request.request_id)
    if answer is None:
        return sent.code, None
    code = getattr(answer.value, "code", "")
    return code or (SUCCESS if answer.success else FAILURE), answer


def asks(title: str, clause: str, role: DeviceType, body: Body, wanted: str) -> Told:
    """A supplier asks for something at a meter, and gets that answer."""

    async def act(run: Run) -> None:
        """Ask through DSP, S1SP and DCO, on the device itself."""
        user, at = supplier(run, role), device(run, role)
        came, _answer = await ask(run, user, body(run, user, at), at)
        run.check(title, wanted, came, clause=clause)
        run.event(f"asked {role.value} {came}")
        checks.invariants(run, world(run))

    word = f"asked {role.value} {wanted}"
    return Step(title, act, (clause, checks.ONE_OWNER), _TIMEOUT_S), word


def hands_over(clause: str, role: DeviceType) -> Told:
    """6.21: a supplier puts its certificates where Null stands."""

    def body(run: Run, user: ImportSupplier, _at: Eui64) -> RequestBody:
        store = world(run).course(HOME).office.keys.store
        return handover_body(store, user.eui64)

    title = f"The supplier puts its certificates on the {role.value} (6.21)"
    return asks(title, clause, role, body, SUCCESS)


def sets_mode(
    clause: str, role: DeviceType, mode: UpdatePaymentMode, wanted: str = SUCCESS
) -> Told:
    """1.6: a supplier changes the payment mode."""
    word = "credit" if isinstance(mode.mode, Credit) else "prepayment"
    title = f"The supplier sets the {role.value} to {word} (1.6): {wanted}"
    return asks(title, clause, role, lambda *_all: mode, wanted)


def tops_up(clause: str, role: DeviceType, number: int) -> Told:
    """2.2: a supplier tops a meter up over the air."""

    def body(_run: Run, user: ImportSupplier, at: Eui64) -> RequestBody:
        return user.top_up(at, TopUp(PENCE, number))

    return asks(f"The supplier tops the {role.value} up (2.2)", clause, role, body, SUCCESS)


def tops_up_in_vain(clause: str, role: DeviceType, number: int, code: str) -> Told:
    """2.2 without WAN: the alert brings the code, and the customer keys it in, once."""
    title = f"The {role.value} cannot be reached: the code comes back, and works at the keypad"

    async def act(run: Run) -> None:
        """Cut the WAN, top up, and key in what the S1SP alert brings."""
        await run.bench.disturb("mute@wan")
        user, at = supplier(run, role), device(run, role)
        came, answer = await ask(run, user, user.top_up(at, TopUp(PENCE, number)), at)
        run.check("what the S1SP says", code, came, clause=clause)
        utrn = "" if answer is None else getattr(answer.value, "utrn", None) or ""
        run.require("the alert brings twenty digits", 20, len(utrn), clause=clause)
        place = world(run).site(HOME).role(role)
        first = await run.bench.key_in(place, utrn)
        again = await run.bench.key_in(place, utrn)
        run.check("keyed in", (True, ""), (first.taken, first.why), clause=clause)
        run.check("keyed in again", (False, "duplicate"), (again.taken, again.why), clause=clause)
        run.event(f"undelivered {role.value}")
        await run.bench.disturb("clear@wan")

    return Step(title, act, (clause,), _TIMEOUT_S), f"undelivered {role.value}"


def codes_noted(clause: str, *roles: DeviceType) -> Told:
    """Compare what meters made of codes, before the hand-over, in the gap, after testing, now."""
    title = "A meter takes the codes of its present owner alone, and in between nobody's"

    async def act(run: Run) -> None:
        """Look at what the customer noted on the way, and key in fresh codes now."""
        here = world(run)
        office, site = here.course(HOME).office, here.site(HOME)
        for role in roles:
            for who in (SMSO, S1SP):
                here.kept[f"now {role.value} {who}"] = await key_in(office, site, role, who, 50_100)
            for moment, owner in (("before", SMSO), ("gap", ""), ("tested", ""), ("now", S1SP)):
                for who in (SMSO, S1SP):
                    wanted = "taken" if who == owner else "not_authentic"
                    name = f"{moment} {role.value} {who}"
                    run.check(f"a code: {name}", wanted, here.kept.get(name), clause=clause)
        run.event("codes compared")

    return Step(title, act, (clause,), _TIMEOUT_S), "codes compared"


def duty(clause: str, *, days: int, overdue: tuple[DeviceType, ...]) -> Told:
    """4.49(e): after so many days, whose duty is overdue."""
    said = ", ".join(role.value for role in overdue) or "nobody's"
    title = f"After {days} days, duties of 4.49(e) that are overdue: {said}"

    async def act(run: Run) -> None:
        """Wait, and compare the duties with what suppliers had carried out."""
        here = world(run)
        course = here.course(HOME)
        record = here.record(HOME)
        since = next(one.at for one in reversed(record.history) if one.state == "Migrated")
        await course.office.clock.sleep_until(UtcMs(since + days * _DAY_MS))
        rule = here.prepayment_rule()
        duties = ends.prepayment_duties(course.detail(HOME), rule, since)
        late = unmet(duties, ends.fulfilments(parties(run)), rule, course.office.clock.now())
        wanted = sorted(str(device(run, role)) for role in overdue)
        found = sorted(str(one.meter) for one in late)
        run.check("meters whose supplier did not do it", wanted, found, clause=clause)
        run.event(f"overdue {len(late)}")

    return Step(title, act, (clause,), _TIMEOUT_S), f"overdue {len(overdue)}"


def mode_is(clause: str, role: DeviceType, wanted: str) -> Told:
    """Read the payment mode off the meter itself."""

    async def act(run: Run) -> None:
        """Ask the meter with the S1SP's own keys."""
        here = world(run)
        observer = Observer(here.course(HOME).office, here.site(HOME))
        seen = await observer.read(role, SET_MODE)
        run.check("payment mode", wanted, observer.payment_mode(role, seen), clause=clause)
        run.event(f"mode {role.value}")

    return Step(
        f"The {role.value} is in {wanted} mode", act, (clause,), _TIMEOUT_S
    ), f"mode {role.value}"


def changes_supplier(clause: str, role: DeviceType, new: Eui64) -> Told:
    """A change of supplier while the WAN is dead: 6.23 at the S1SP, the old one is refused."""
    title = "The supplier changes while the hub cannot be reached (6.23)"

    async def act(run: Run) -> None:
        """Register the new supplier; no device is asked."""
        await run.bench.disturb("mute@wan")
        here = parties(run)
        at, old = device(run, role), supplier(run, role)
        known = here.dsp.inventory.find(at)
        mpxn = "" if known is None else known.mpxn
        here.change_supply(mpxn, new, role, "new supplier")
        store = world(run).course(HOME).office.keys.store
        came, _answer = await ask(run, here.suppliers[new], change_body(store, new, mpxn), at)
        run.check("6.23", SUCCESS, came, clause=clause)
        refused, _none = await ask(run, old, old.top_up(at, TopUp(PENCE, 1)), at)
        run.check("the old supplier is refused", "E4", refused, clause=clause)
        run.event("supplier changed")

    return Step(title, act, (clause,), _TIMEOUT_S), "supplier changed"
