"""What a migration run was played by: the cohort's values with their evidence, and stand-ins."""

from typing import Any, Final

from device_profiles.cohort import Cohort
from device_profiles.evidence import EvidenceKind, leaves
from harness.migration.volume_options import Batch

#: What every migration run makes up, in sentences for a reader.
_ALWAYS: Final = (
    (
        "Migration files have a schema of our own, in a namespace of our own: the real one is not"
        " public. Each file says so in a comment."
    ),
    "Error codes that begin with X- are our own; MA110 and GT01 are real.",
    (
        "How SMETS1 devices are reached, keyed and handed over (DLMS behind the hub's WAN, class"
        " 64 key transfers, SIM orders) is made up; frames in wire.pcapng say so."
    ),
    "What a service request does on a SMETS1 device follows a table of our own.",
    "Tables of Appendix B and C are our own.",
)


def about(batch: Batch) -> dict[str, Any]:
    """Return, as JSON values, what a report says of the run's basis."""
    cohort = batch.cohort
    mark = cohort.mark("cohort.group_id")
    return {
        "cohort": cohort.key,
        "title": cohort.title,
        "group_id": cohort.cohort.group_id,
        "group_mark": str(mark) if mark is not None else EvidenceKind.STAND_IN.value,
        "order": cohort.handover.order.value,
        "evidence": _evidence(cohort),
        "stand_ins": list(_ALWAYS),
    }


def _evidence(cohort: Cohort) -> list[list[Any]]:
    """Return key path, value and mark of every value of a cohort that is marked."""
    plain = cohort.model_dump(mode="json", exclude={"evidence"})
    return [
        [path, value, str(cohort.evidence[path])]
        for path, value in leaves(plain).items()
        if path in cohort.evidence
    ]
