"""From a job to the dialogue of its service."""

from typing import assert_never

from harness.dlms.dialogue import Dialogue, Terms
from harness.dlms.jobs import ActionJob, GetJob, SetJob
from harness.dlms.service_action import ActionDialogue
from harness.dlms.service_get import GetDialogue
from harness.dlms.service_set import SetDialogue
from harness.meter import ActionAnswer, GetAnswer, SetAnswer

ServiceJob = GetJob | SetJob | ActionJob


def dialogue(job: ServiceJob, terms: Terms) -> Dialogue[GetAnswer | SetAnswer | ActionAnswer]:
    """Return the dialogue that does a job under an association's terms."""
    match job:
        case GetJob():
            return GetDialogue(job.attributes, terms)
        case SetJob():
            return SetDialogue(job.writes, terms)
        case ActionJob():
            return ActionDialogue(job.method, job.parameters, terms)
    assert_never(job)
