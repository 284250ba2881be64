"""Authorisations written from installations: accepted as they are, and wrong as they are meant."""

from datetime import timedelta
from pathlib import Path

import pytest

from device_profiles.cpl import load_cpl
from device_profiles.dmc import load_dmcs
from device_profiles.epcl import load_epcl
from harness.dust.definition import load_definition
from harness.dust.definition_words import Mistake
from harness.dust.papers_made import Paper, mistakes_of, mistakes_of_paper
from harness.formats.authorisation import sealed
from harness.formats.authorisation.file_name import AuthorisationName
from harness.formats.authorisation.grid import FileKind
from harness.formats.authorisation.reading import read
from harness.formats.migration_files.parties import register_of
from harness.rules.eligibility import Lists
from harness.rules.migration_authorisation import InstalledDevices
from harness.rules.migration_authorisation_check import check
from harness.rules.migration_findings import Question, Report, RowResult
from harness.rules.migration_rulebook import load_rule_book
from tests.harness.dust.definitions_given import text_of, written
from tests.harness.formats.authorisation.papers_given import DAY, Given


def _judged(given: Given, folder: Path, paper: Paper) -> Report:
    path = folder / paper[0]
    path.write_bytes(paper[1])
    cpl = load_cpl()
    dmcs = load_dmcs(cpl)
    lists = Lists(cpl, load_epcl(cpl, dmcs), dmcs)
    question = Question(
        load_rule_book(),
        lists,
        given.definition.cohort,
        authoriser=str(given.me),
        installed=InstalledDevices(given.homes),
        register=register_of(given.keys),
    )
    return check(read(path, given.papers.layout), question)


@pytest.mark.parametrize("kind", [FileKind.WORKBOOK, FileKind.CSV])
@pytest.mark.parametrize("cohort", ["DA", "EA"])
def test_what_is_written_from_homes_is_clean(tmp_path: Path, cohort: str, kind: FileKind) -> None:
    given = Given(tmp_path, cohort)
    paper = given.papers.write_authorisation(given.homes, DAY, kind=kind)
    report = _judged(given, tmp_path, paper)
    assert [one.text for one in report.findings()] == []
    assert report.totals["accepted"] == len(given.homes)
    assert paper == given.papers.write_authorisation(given.homes, DAY, kind=kind)


def test_the_name_is_as_the_samples_are(tmp_path: Path) -> None:
    given = Given(tmp_path, "DA")
    name, _ = given.papers.write_authorisation(given.homes, DAY, hour=14)
    assert name == "MA_SEC_90-B3-D5-1F-30-01-00-00_20230127_140000.xlsx"
    for sample in (
        "MA_cgI_70-B3-D5-1F-30-00-A0-08_20190407_182503",
        "MAPASSWORD_CGI_70-B3-D5-1F-30-00-A0-08_20190407_182503",
    ):
        assert str(AuthorisationName.parse(sample)) == sample


WRONG = {
    Mistake.BAD_MPAN: ("dual-001", "X-7.3.2", RowResult.REFUSED),
    Mistake.SPACED_EUI64: ("dual-001", "X-7.3.2", RowResult.REPAIRED),
    Mistake.CLOSED_WINDOW: ("dual-001", "X-DATES", RowResult.REFUSED),
    Mistake.NO_OPERATOR: ("dual-001", "X-NULL", RowResult.REFUSED),
    Mistake.NOT_NULL: ("split-001", "X-5.9.10", RowResult.REFUSED),
}


@pytest.mark.parametrize("mistake", list(WRONG))
def test_a_mistake_is_found_in_its_line_alone(tmp_path: Path, mistake: Mistake) -> None:
    ref, code, result = WRONG[mistake]
    given = Given(tmp_path)
    paper = given.papers.write_authorisation(given.homes, DAY, mistakes={ref: [mistake]})
    report = _judged(given, tmp_path, paper)
    assert {(one.ref, one.code) for one in report.findings()} == {(ref, code)}
    found = {row.row.ref: row.result for row in report.rows}
    assert found.pop(ref) is result
    assert set(found.values()) == {RowResult.ACCEPTED}


def test_an_installation_that_is_left_out_stands_nowhere(tmp_path: Path) -> None:
    given = Given(tmp_path)
    wrong = {"dual-002": [Mistake.LEFT_OUT]}
    paper = given.papers.write_authorisation(given.homes, DAY, mistakes=wrong)
    refs = [row.row.ref for row in _judged(given, tmp_path, paper).rows]
    assert "dual-002" not in refs
    assert len(refs) == len(given.homes) - 1


def test_the_tmad_s_table_decides_where_the_mam_would_associate(tmp_path: Path) -> None:
    """Certificate IDs that resolve and belong (MAM 6) are refused in split supply (TMAD 5.9.10)."""
    given = Given(tmp_path)
    wrong = {"split-001": [Mistake.NOT_NULL]}
    paper = given.papers.write_authorisation(given.homes, DAY, mistakes=wrong)
    row = next(r for r in _judged(given, tmp_path, paper).rows if r.row.ref == "split-001")
    assert row.result is RowResult.REFUSED
    assert row.refusal is not None
    assert row.refusal.code == "X-5.9.10"


def test_a_sealed_authorisation_opens_with_its_mapassword_file_alone(tmp_path: Path) -> None:
    given = Given(tmp_path)
    paper = given.papers.write_authorisation(given.homes, DAY)
    (name, octets), phrase = given.papers.write_password(DAY)
    shut = given.papers.sealed(paper, phrase)
    assert sealed.is_sealed(shut[1])
    for one, content in ((name, octets), shut):
        (tmp_path / one).write_bytes(content)
    assert sealed.unseal_file(tmp_path / shut[0], None) == paper[1]
    assert sealed.phrase_in(octets, name) == phrase
    assert given.papers.write_password(DAY + timedelta(days=1))[1] != phrase


def test_mended_mistakes_are_gone_once_the_supplier_is_told(tmp_path: Path) -> None:
    more = (
        '[[mistake]]\nrefs = ["dual-001"]\nwhat = "bad-mpan"\n'
        '[[mistake]]\nset = "split"\nwhat = "not-null"\nmended = false\n'
        '[[mistake]]\nwhat = "unsigned"\n'
    )
    found = load_definition(written(tmp_path, text_of(more)))
    first = mistakes_of(found, found.refs, corrected=False)
    assert first == {"dual-001": (Mistake.BAD_MPAN,), "split-001": (Mistake.NOT_NULL,)}
    assert mistakes_of(found, found.refs, corrected=True) == {"split-001": (Mistake.NOT_NULL,)}
    assert mistakes_of_paper(found, corrected=False) == {Mistake.UNSIGNED}
    assert not mistakes_of_paper(found, corrected=True)
