"""Every code a participant may be sent is listed as sourced or provisional, and explained."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from device_profiles.participant_codes import load_participant_codes
from device_profiles.rows import load_duis_codes
from device_profiles.words import MeaningStatus
from harness.door.errors import SAYS, DoorCode
from harness.explain import explain
from harness.formats.duis.faults import DuisFault
from harness.formats.duis.responses import ACKNOWLEDGED, SUCCESS
from harness.parties import response_codes
from harness.parties.s1sp_desk_faults import UNTOLD, DeskFault
from harness.rules.migration_rulebook import load_rule_book

SOURCES = Path(harness.__file__).parent
#: Codes of the migration's own files and rules: they stand in their own catalogue, with marks.
_FINDINGS = re.compile(r'"(X-[A-Z][A-Z0-9-]+)"')


def codes_in_the_program() -> Iterator[tuple[str, str]]:
    """Every code with its kind, collected from the modules that send them."""
    yield from (("door", str(code)) for code in DoorCode)
    yield from (("document", str(code)) for code in DuisFault)
    yield from (("s1sp", str(code)) for code in DeskFault if code not in UNTOLD)
    said = {*response_codes.GENERAL.values(), response_codes.FALLBACK, SUCCESS, ACKNOWLEDGED}
    yield from (("response", code) for code in said)
    alerts = {
        response_codes.DELIVERED,
        response_codes.NOT_DELIVERED,
        response_codes.HUB_UPDATE_REQUESTED,
        response_codes.HUB_ACTIVATED,
        *response_codes._ALERT_CODES.values(),
    }
    yield from (("alert", code) for code in alerts)
    for row in load_duis_codes().values():
        yield ("alert" if row.id.startswith("N") else "response"), row.id


def test_every_code_that_is_sent_is_listed_with_its_kind_and_status() -> None:
    rows = load_participant_codes()
    sent = set(codes_in_the_program())
    assert len(sent) > 100
    assert sent <= set(rows)
    assert {kind for kind, _code in set(rows) - sent} == {"paper"}, "those come from the dust desk"
    assert {row.status for row in rows.values()} == set(MeaningStatus)


def test_codes_written_into_the_desk_for_papers_are_listed_there_or_among_those_of_the_rules() -> (
    None
):
    listed = {code for _kind, code in load_participant_codes()}
    known = listed | {code for code, _sub_code in load_rule_book().codes.codes}
    found = {
        code
        for path in (SOURCES / "dust").glob("papers*.py")
        for code in _FINDINGS.findall(path.read_text())
    }
    assert found
    assert found <= known


def test_door_codes_say_what_the_table_says() -> None:
    rows = load_participant_codes()
    assert {code: rows["door", str(code)].says for code in DoorCode} == dict(SAYS)


@pytest.mark.parametrize("kind", ["door", "document", "response", "alert", "s1sp", "paper"])
def test_explain_knows_every_code(kind: str) -> None:
    rows = [row for row in load_participant_codes().values() if row.kind == kind]
    assert rows
    for row in rows:
        assert explain(row.code), row.code


def test_a_meaning_nobody_read_is_not_called_sourced() -> None:
    for row in load_participant_codes().values():
        if row.status is MeaningStatus.SOURCED:
            assert row.evidence.startswith("source:"), row.code
