"""What ``smetsbench epcl eligible`` prints, for people and machines."""

from device_profiles.combination_diff import Difference
from device_profiles.cpl import Cpl
from device_profiles.evidence import EvidenceKind, Mark
from device_profiles.upgrade_plan import UpgradePlan
from harness.cli.cpl import step_row
from harness.cli.output import console
from harness.rules.epcl_judgement import Desk, Judgement


def as_json_object(found: Judgement, desk: Desk) -> dict[str, object]:
    """Return what the lists say of one installation as a JSON object."""
    alignment, best = found.alignment, found.plans.best
    return {
        "ref": found.ref,
        "cohort": found.cohort,
        "group_id": found.installed.group_id,
        "csp": found.installed.csp,
        "eligible": found.eligible,
        "epcl_entry": None if alignment.entry is None else alignment.entry.epcl_id,
        "why": None if alignment.why is None else alignment.why.value,
        "objections": list(found.objections),
        "left_behind": list(found.left_behind),
        "models": [
            {
                "role": one.role.value,
                "eui64": one.eui64,
                "cpl_entry": one.cpl_entry,
                "firmware_version": None if one.entry is None else one.entry.firmware_version,
                "on_cpl": one.entry is not None,
                "on_epcl": desk.epcl.holds_model(one.cpl_entry, desk.day),
            }
            for one in found.models
        ],
        "nearest": _nearest(found, desk),
        "plan": None if best is None or found.eligible else _plan(best, desk.cpl),
        "other_plans": [one.entry.epcl_id for one in found.plans.possible[1:]],
        "blocked": [
            {"epcl_entry": one.entry.epcl_id, "why": list(one.why)} for one in found.plans.blocked
        ],
    }


def _nearest(found: Judgement, desk: Desk) -> dict[str, object] | None:
    near = found.nearest
    if near is None:
        return None
    return {
        "epcl_entry": near.entry.epcl_id,
        "in_force": near.in_force,
        "evidence": near.entry.evidence,
        "differing": [_difference(one, desk.cpl) for one in near.differing],
    }


def _difference(one: Difference, cpl: Cpl) -> dict[str, object]:
    return {
        "component": one.component,
        "kind": one.kind.value,
        "installed": one.installed,
        "listed": one.listed,
        "installed_version": _version(cpl, one.installed),
        "listed_version": _version(cpl, one.listed),
    }


def _version(cpl: Cpl, entry_id: str) -> str | None:
    entry = cpl.entries.get(entry_id)
    return None if entry is None else entry.firmware_version


def _plan(plan: UpgradePlan, cpl: Cpl) -> dict[str, object]:
    return {
        "epcl_entry": plan.entry.epcl_id,
        "images": plan.steps,
        "updates": [
            {
                "component": one.component,
                "images": one.steps,
                "pathway": [step_row(cpl.entry(entry_id)) for entry_id in one.pathway],
            }
            for one in plan.updates
        ],
    }


def print_judgement(found: Judgement, desk: Desk) -> None:
    """Print what the lists say of one installation."""
    screen = console()
    entry = found.alignment.entry
    told = f"eligible ({entry.epcl_id})" if entry is not None and found.eligible else "not eligible"
    why = f": {found.alignment.why}" if found.alignment.why is not None else ""
    head = f"{found.ref}: {told}{why} ({found.cohort}, GroupID {found.installed.group_id}"
    screen.print(f"{head}, provider {found.installed.csp})", markup=False)
    for objection in found.objections:
        screen.print(f"  {objection}", markup=False)
    for entry_id in found.left_behind:
        screen.print(f"  {entry_id} does not migrate with it", markup=False)
    if entry is None:
        _print_nearest(found, desk)
        _print_plans(found, desk)


def _print_nearest(found: Judgement, desk: Desk) -> None:
    near = found.nearest
    if near is None:
        console().print("  the EPCL is empty", markup=False)
        return
    weak = Mark.parse(near.entry.evidence).kind is EvidenceKind.STAND_IN
    mark = " (stand-in: no real list has this entry)" if weak else ""
    force = "" if near.in_force else f", not in force on {desk.day}"
    console().print(f"  nearest: {near.entry.epcl_id}{force}{mark}", markup=False)
    for one in near.differing:
        versions = _version(desk.cpl, one.installed), _version(desk.cpl, one.listed)
        told = f": {versions[0]} runs, {versions[1]} is listed" if all(versions) else ""
        console().print(
            f"    {one.component} differs in {one.kind}: {one.installed}, not {one.listed}{told}",
            markup=False,
        )


def _print_plans(found: Judgement, desk: Desk) -> None:
    screen = console()
    best = found.plans.best
    if best is not None:
        images = "1 image" if best.steps == 1 else f"{best.steps} images"
        screen.print(f"  upgrade first ({images}), for {best.entry.epcl_id}:", markup=False)
        for one in best.updates:
            chain = " -> ".join(desk.cpl.entry(name).firmware_version for name in one.pathway)
            screen.print(f"    {one.component}: {chain} ({one.pathway[-1]})", markup=False)
    elif not found.plans.blocked:
        screen.print("  no firmware upgrade alone makes it eligible", markup=False)
    for blocked in found.plans.blocked:
        for why in blocked.why:
            screen.print(f"  {blocked.entry.epcl_id} is out of reach: {why}", markup=False)
