"""Wrong installations and two suppliers, in the SMETS1 and in the SMETS2+ world: FM-63, FM-68."""

from dataclasses import dataclass, replace
from typing import Final

from device_profiles.bilingual_table import Listed, NotifiedAs
from device_profiles.words import DeviceType, SmetsVersion
from emulator.core.ids import Eui64
from emulator.crypto.protection import KeyRing
from harness.formats.duis.bodies import UpdateFirmware
from harness.new_installations import GIS as GAS_EUI64
from harness.parties.import_supplier import EIS, GIS
from harness.parties.supplier import Supplier
from harness.rules.bilingual import BilingualCase, judge
from harness.rules.firmware_checks import Category
from harness.rules.roles import UserRole
from harness.run import Run
from harness.scenario import Step, step
from harness.scenarios.clauses import exact
from harness.scenarios.smets1_firmware import both
from harness.scenarios.smets1_firmware.attempt import UNTARGETABLE, Attempt
from harness.scenarios.smets1_firmware.homes import Home
from harness.scenarios.smets1_firmware.row import (
    IMPLIED,
    FirmwareRow,
    firmware_row,
    known,
    market,
    row,
)
from harness.scenarios.smets1_firmware.steps import DAY_S, Try, image_file, observe

PPMID: Final = DeviceType.PPMID
CHF: Final = DeviceType.CHF
_KIND: Final = "S003 §2"
_MODEL: Final = "demo-bilingual-ppmid"
_PPMID: Final = Try(PPMID)


def rule_says(run: Run, case: BilingualCase) -> str:
    """State what the decision table says of a bilingual device; return its outcome word."""
    of = firmware_row(run).homes[0]
    cohort = known(run).cohort(of.cohort)
    ruling = judge(case, cohort.ppmid, known(run).world(of).decisions)
    run.event(
        "data-imply",
        of=ruling.row or "no row",
        outcome=ruling.outcome.value,
        why=ruling.says,
        rule=ruling.why or "none",
        basis=f"decision {ruling.row} [{ruling.evidence}]",
    )
    return ruling.outcome.value


@step(
    "D6: a bilingual PPMID announced as SMETS2+ stands in a SMETS1 home",
    _KIND,
    IMPLIED,
    timeout_s=DAY_S,
)
async def in_a_smets1_home(run: Run) -> None:
    """Ask for 11.4, 11.3 and 11.2, as for a SMETS2+ device; nothing may reach the home."""
    parties = market(run)
    target = parties.device(PPMID)
    executing = known(run).profile(firmware_row(run).homes[0], PPMID).identity.firmware_version
    record = replace(
        parties.record(target), smets=SmetsVersion.SMETS2, s1sp="", firmware_version=executing
    )
    parties.world.dsp.inventory.put(record)
    case = BilingualCase(known(run).mode, Listed.BOTH, NotifiedAs.SMETS2, SmetsVersion.SMETS1)
    wanted = rule_says(run, case)
    file = image_file(run, _PPMID.cell(run), EIS)
    trial = _PPMID.trial(run)
    before = await trial.version()
    attempt = await trial.update_as_smets2(file)
    started = await trial.activate(file.image_hash)
    _version, why = await trial.read()
    after = await trial.version()
    row_text = await trial.row(file)
    observe(run, _PPMID, replace(attempt, before=before, after=after))
    run.check("11.4, beside what the data imply", wanted, attempt.word, clause=IMPLIED)
    run.check("11.3", UNTARGETABLE, started.word)
    run.check("11.2", Category.UNTARGETABLE.value, why)
    run.check("what the hub's log says of the image", None, row_text)
    run.check("its version", before, after)
    run.outcome(attempt.word)


@step("D5: one announced as SMETS1 stands in a SMETS2+ home", _KIND, IMPLIED, timeout_s=DAY_S)
async def in_a_smets2_home(run: Run) -> None:
    """Ask for 11.4; nothing may reach the home."""
    target = both.announced_as_smets1(run)
    parties = both.smets2(run)
    case = BilingualCase(known(run).mode, Listed.BOTH, NotifiedAs.SMETS1, SmetsVersion.SMETS2)
    wanted = rule_says(run, case)
    image = _PPMID.cell(run).image
    user = parties.supplier_of(target)
    code, category = both.asks(run, user, image.octets, image.facts.version, target)
    word = UNTARGETABLE if category == Category.UNTARGETABLE else category or code
    observe(run, replace(_PPMID, label="SMETS2+ home"), Attempt(word, category, "DSP"))
    run.check("11.4, beside what the data imply", wanted, word, clause=IMPLIED)
    letters = [one for one in parties.post.letters if one.receiver == "CHF"]
    run.check("what was sent to the hub", 0, len(letters))
    run.outcome(word)


FM_63: Final = row(
    "FM-63",
    "A bilingual PPMID in the wrong installation cannot be targeted, in either world",
    FirmwareRow((Home(cohort="EA", ppmid=_MODEL),)),
    devices=("PPMID", "CHF"),
    steps=(in_a_smets1_home, in_a_smets2_home),
    events=("data-imply", "observed", "data-imply", "observed"),
    expectation=exact(UNTARGETABLE, _KIND),
    saboteur="dsp-routes-by-association",
    world=both.WORLD,
    settings=both.settings(PPMID=_MODEL),
    setup=both.open_both,
    silent=("with which words the DSP refuses what it cannot target: its category is ours",),
)

_EIS: Final = "S001 coordinating supplier"
_SECOND: Final = "smetsbench second update"
REFUSED_TWICE: Final = "REFUSED"


@dataclass(frozen=True, slots=True)
class Split:
    """One home with two suppliers.

    Attributes:
        home: Its number.
        second: Category with which the second supplier is refused.
    """

    home: int
    second: Category


def two_suppliers(split: Split, cohort: str) -> Step:
    """Step: the electricity supplier asks, the gas supplier asks second for the same device."""

    async def act(run: Run) -> None:
        """Both requests come before anything is carried out; then the first one goes on."""
        parties = market(run)
        words = []
        for role in (CHF, PPMID):
            one = Try(role, home=split.home, label=f"{cohort} {role.value}")
            file = image_file(run, one.cell(run), EIS)
            target = parties.device(role, split.home)
            body = UpdateFirmware(file.octets, file.version, (target,))
            first = _submitted(run, EIS, body, target)
            second = _submitted(run, GIS, body, target)
            run.event("two-asked", of=one.label, first=first or "accepted", second=second)
            run.check(f"{one.label}: the electricity supplier", "", first, clause=_EIS)
            run.check(f"{one.label}: the gas supplier", split.second.value, second)
            words.append(second)
        run.outcome(REFUSED_TWICE if all(words) else "ACCEPTED")

    clause = _EIS if split.second is Category.NOT_ELIGIBLE_ROLE else _SECOND
    title = f"{cohort}: two suppliers ask for updates of one hub and one PPMID"
    return Step(title, act, (clause, _EIS), DAY_S)


def _submitted(run: Run, who: str, body: UpdateFirmware, target: Eui64) -> str:
    """Have a supplier ask; return why the DSP refuses, or nothing. Nobody carries it out yet."""
    parties = market(run)
    user = parties.supplier(who)
    asked = user.ask(body)
    user.take(parties.world.dsp.submit(user.send(asked), user.eui64))
    decision = parties.world.dsp.decisions[-1]
    left_out = {one: why.category.value for one, why in decision.left_out}
    return left_out.get(target) or decision.category or ""


@step("SMETS2+: the gas supplier updates no PPMID, and no supplier a hub", _EIS, timeout_s=DAY_S)
async def in_smets2(run: Run) -> None:
    """The WAN provider alone updates a SMETS2+ hub."""
    parties = both.smets2(run)
    gas = _gas_supplier(run)
    image = _PPMID.cell(run).image
    ppmid, hub = both.device(run, PPMID), both.device(run, CHF)
    _code, by_gas = both.asks(run, gas, image.octets, image.facts.version, ppmid)
    run.check("the gas supplier, PPMID", Category.NOT_ELIGIBLE_ROLE.value, by_gas)
    eis = parties.supplier_of(ppmid)
    words = []
    for user, name in ((eis, "electricity"), (gas, "gas")):
        _code, why = both.asks(run, user, image.octets, image.facts.version, hub)
        words.append(why)
        run.check(f"the {name} supplier, hub: refused", True, bool(why))
    run.event("two-asked", of="SMETS2+", first=by_gas, second=", ".join(words))
    run.outcome(REFUSED_TWICE if by_gas and all(words) else "ACCEPTED")


def _gas_supplier(run: Run) -> Supplier:
    """Return a gas supplier of the SMETS2+ home, seated for this row."""
    parties = both.smets2(run)
    user = Supplier(
        Eui64.parse(GAS_EUI64),
        {UserRole.GAS_SUPPLIER},
        KeyRing(parties.public_keys),
        parties.post,
        acb=parties.dsp.acb.eui64,
        name="gas supplier",
    )
    parties.dsp.register(user)
    gsme = both.device(run, DeviceType.GSME)
    record = parties.dsp.inventory.find(gsme)
    if record is not None:
        parties.dsp.inventory.put(replace(record, supplier=user.eui64))
    return user


FM_68: Final = row(
    "FM-68",
    "Two suppliers of one home update its hub and its PPMID, in either world",
    FirmwareRow(
        (
            Home(ref="IOC", cohort="IOC"),
            Home(ref="FOC", cohort="EA", number=2),
        )
    ),
    devices=("CHF", "PPMID"),
    steps=(
        two_suppliers(Split(0, Category.NOT_ELIGIBLE_ROLE), "IOC"),
        two_suppliers(Split(1, Category.OTHER_REQUEST_IN_PROGRESS), "FOC"),
        in_smets2,
    ),
    events=["two-asked"] * 5,
    expectation=exact(REFUSED_TWICE, _EIS),
    saboteur="dsp-takes-every-updater",
    world=both.WORLD,
    setup=both.open_both,
    silent=("what meets the second of two suppliers in EA, EB and EC: inferred",),
)
