"""Steps of SMETS1 firmware rows: what clauses say, what data imply, what was observed; apart."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from device_profiles.s1sr import FirmwareService
from device_profiles.words import DeviceType
from harness.firmware_cells import MatrixCell
from harness.firmware_matrix_images import signed_anew
from harness.parties.import_supplier import EIS, GIS
from harness.run import Run
from harness.scenario import Step
from harness.scenarios.smets1_firmware.attempt import (
    NOTHING_TOLD,
    Attempt,
    ImageFile,
    Trial,
)
from harness.scenarios.smets1_firmware.data import RIGHT, Wanted
from harness.scenarios.smets1_firmware.row import (
    IMPLIED,
    TOLD,
    TRUTH,
    firmware_row,
    known,
    market,
    says_text,
)

HOUR_S: Final = 3600.0
DAY_S: Final = 86_400.0
#: Longest that one attempt may take: an S1SP's patience of two weeks, and a day.
WHOLE_S: Final = 15 * DAY_S
#: Event words of ``expects`` and ``tries``, in that order.
EXPECTS: Final = ("clause-says", "data-imply")
OBSERVED: Final = ("observed", "compared")


@dataclass(frozen=True, slots=True)
class Try:
    """One image for one device.

    Attributes:
        role: The device's type.
        wanted: The image.
        home: Number of the home.
        label: What it is called where a row has several; empty for one.
    """

    role: DeviceType
    wanted: Wanted = RIGHT
    home: int = 0
    label: str = ""

    def cell(self, run: Run) -> MatrixCell:
        """Return the image, with what clauses and data say of it."""
        return known(run).cell(firmware_row(run).homes[self.home], self.role, self.wanted)

    def trial(self, run: Run) -> Trial:
        """Return who brings it to the device."""
        return Trial(market(run), self.role, self.home)

    @property
    def by(self) -> str:
        """Which supplier asks: the one of the device's fuel."""
        return GIS if self.role is DeviceType.GSME else EIS

    def called(self, text: str) -> str:
        """Return a title with the label."""
        return f"{text} ({self.label})" if self.label else text


def image_file(run: Run, cell: MatrixCell, by: str) -> ImageFile:
    """Return an image signed by a supplier, and have its row on the CPL in force."""
    parties = market(run)
    parties.list_version(cell.cpl)
    scalar = parties.signing_scalar(parties.supplier(by).eui64)
    octets = signed_anew(cell.image, scalar)
    facts = cell.image.facts
    return ImageFile(octets, facts.listed_version, facts.version, cell.case.hash)


def expects(*tries: Try, clauses: tuple[str, ...] = ()) -> Step:
    """Step: write down what clauses say and what the loaded data imply; nothing is tried yet.

    Args:
        tries: The attempts that follow.
        clauses: Clauses that the row is about.
    """

    async def act(run: Run) -> None:
        """Read the clauses, and the data, each by itself."""
        for one in tries:
            cell = one.cell(run)
            name = one.label or one.role.value
            run.event("clause-says", of=name, says=says_text(cell.clause_says))
            items = cell.implied.basis
            basis = "; ".join(f"{item.item} = {item.value} [{item.mark}]" for item in items)
            run.event(
                "data-imply",
                of=name,
                outcome=cell.implied.word,
                why=cell.implied.reason,
                rule=cell.implied.rule,
                basis=basis,
            )

    title = "What the clauses say, and what the loaded data imply, before anything is tried"
    return Step(title, act, (IMPLIED, *clauses), HOUR_S)


def tries(
    one: Try,
    *clauses: str,
    code: str = "",
    states: Callable[[Attempt], str] | None = None,
    by: str = "",
    compares: bool = True,
) -> Step:
    """Step: ask for 11.1 and 11.3, and write down what was told and what the device shows.

    Args:
        one: The image and its device.
        clauses: Clauses that it shows.
        code: Code with which it must be refused; empty: none is demanded.
        states: Makes the row's outcome word of it; None: its own word.
        by: Which supplier asks; empty: the device's own.
        compares: Whether what is observed is what the data imply; not where somebody of the row
            does wrong on purpose.
    """

    async def act(run: Run) -> None:
        """Let the supplier ask, through DSP and S1SP; then ask the device itself."""
        cell = one.cell(run)
        who = by or one.by
        file = image_file(run, cell, who)
        attempt = await one.trial(run).whole(file, market(run).supplier(who))
        observe(run, one, attempt)
        run.outcome(attempt.word if states is None else states(attempt))
        run.check("an answer came", True, attempt.word != NOTHING_TOLD, clause=TOLD)
        told_truly(run, attempt)
        if code:
            run.check("why it came to nothing", code, attempt.code, clause=clauses[0])
        if compares:
            agrees(run, one, cell, attempt)

    title = one.called(f"An image is brought to the {one.role.value}, and the device is asked")
    return Step(title, act, (*clauses, IMPLIED, TRUTH, TOLD), WHOLE_S)


def observe(run: Run, one: Try, attempt: Attempt) -> None:
    """State what was observed, in the devices' and parties' own words."""
    run.event(
        "observed",
        of=one.label or one.role.value,
        outcome=attempt.text,
        told="; ".join(attempt.told) or "nothing",
        hub_log=attempt.row or "nothing",
        version_before=attempt.before,
        version_after=attempt.after,
    )
    run.facts.setdefault("attempts", []).append(
        {"of": one.label or one.role.value, "word": attempt.word, "after": attempt.after}
    )


def told_truly(run: Run, attempt: Attempt) -> None:
    """Check that what was told of the device is what the device itself shows."""
    run.check("told that it runs: it does", attempt.claimed, attempt.runs, clause=TRUTH)
    if not attempt.claimed:
        name = "version, as nobody said that it changed"
        run.check(name, attempt.before, attempt.after, clause=TRUTH)


def agrees(run: Run, one: Try, cell: MatrixCell, attempt: Attempt) -> None:
    """Compare what was observed with what the loaded data imply (never with a clause)."""
    fits = cell.implied.agrees(attempt.word)
    shown = attempt.word if fits else cell.implied.word
    name = one.called("observed, beside what the loaded data imply")
    run.check(name, shown, attempt.word, clause=IMPLIED)
    run.event("compared", of=one.label or one.role.value, agrees=fits)


def reads(role: DeviceType, wanted: Callable[[Run], str], *clauses: str, home: int = 0) -> Step:
    """Step: a supplier reads the firmware version; it gets that one.

    Args:
        role: The device.
        wanted: What it must read; empty: the reading fails.
        clauses: Clauses that it shows.
        home: Number of the home.
    """

    async def act(run: Run) -> None:
        """Ask by 11.2, and the device itself."""
        trial = Trial(market(run), role, home)
        user = market(run).supplier(GIS if role is DeviceType.GSME else EIS)
        version, why = await trial.read(user)
        executing = await trial.version()
        says = known(run).says(firmware_row(run).homes[home], role, FirmwareService.READ)
        run.event("clause-says", of=f"read {role.value}", says=says_text(says))
        run.event(
            "read",
            of=f"read {role.value}",
            told=version or f"nothing: {why}",
            device=executing,
        )
        run.check("version the supplier is told", wanted(run), version)

    title = f"The supplier reads the firmware version of the {role.value} (11.2)"
    return Step(title, act, clauses, DAY_S)
