"""Files that came together, installations, what suppliers see, and the hook for their rules."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from emulator.core.clock import from_datetime
from harness.errors import UsageError
from harness.formats.migration_files.building import BuiltFile, validation_of
from harness.formats.migration_files.checking import Result
from harness.formats.migration_files.counters import Ledger
from harness.formats.migration_files.faults import Finding
from harness.formats.migration_files.file_set import deliveries
from harness.formats.migration_files.folder import check_folder, check_one, findings_of
from harness.formats.migration_files.result_files import (
    ValidatedInstallation,
    ValidationFile,
)
from harness.formats.migration_files.view import InstallationView
from harness.formats.migration_files.words import FileType, Validity
from harness.rules.migration_rulebook import Switches
from harness.rules.outcomes import Outcome
from tests.harness.formats.migration_files.migration_given import (
    GROUPS,
    SCHEMA,
    Wanted,
    answers,
    builder,
    built,
    checked,
    codes,
    context,
    delivered,
    installation_codes,
    one,
    refusing,
    resigned,
)

SPLIT = Finding("V4", "X-5.9.10", "01", "split")


def refuse_home_2(view: InstallationView) -> Sequence[Outcome]:
    return (refusing(),) if view.common.ref == "home-2" else ()


def test_the_hook_sees_all_that_the_files_say_of_an_installation() -> None:
    seen: list[InstallationView] = []

    def look(view: InstallationView) -> Sequence[Outcome]:
        seen.append(view)
        return ()

    report = delivered(*built(Wanted(homes=3)), installation_check=look)
    assert report.is_clean
    assert [view.common.ref for view in seen] == ["home-1", "home-2", "home-3"]
    for view in seen:
        assert view.header == one(FileType.MCF, Wanted(homes=3)).file.header
        assert view.cohort.key == "EA"
        assert view.validated is not None
        assert view.group is not None
        assert view.opened is not None
        assert view.opened.s1sp is not None
        assert view.group.hub.device == view.common.hub.device == view.opened.hub


def test_one_bad_installation_never_refuses_the_rest() -> None:
    report = delivered(*built(Wanted(homes=3)), installation_check=refuse_home_2)
    assert codes(report) == [""] * 5
    results = [row.result for row in report.installations]
    assert results == [Result.ACCEPTED, Result.REFUSED, Result.ACCEPTED]
    assert installation_codes(report) == ["", "X-5.9.10 01", ""]


def test_the_hook_is_not_asked_about_what_the_files_refuse() -> None:
    asked: list[str] = []

    def look(view: InstallationView) -> Sequence[Outcome]:
        asked.append(view.common.ref)
        return ()

    files = list(built(Wanted(homes=2)))
    broken = replace(files[2], octets=files[2].octets.replace(b"SIM-000001", b"SIM-000009"))
    report = delivered(*files[:2], broken, *files[3:], installation_check=look)
    assert asked == []
    assert [row.result for row in report.installations] == [Result.NOT_PROCESSED] * 2
    assert installation_codes(report) == ["X-SIG-BAD 01"] * 2


def test_an_mcf_alone_is_checked_as_far_as_it_goes_and_answered() -> None:
    mcf = one(FileType.MCF, Wanted(homes=3))
    report = delivered(mcf, installation_check=refuse_home_2)
    assert report.missing == (FileType.MVF, FileType.MGF, FileType.MEF)
    content = validation_of(report)
    assert content.result is Validity.VALID
    assert [row.result for row in content.installations] == ["Valid", "Invalid", "Valid"]
    assert content.installations[1].findings == (SPLIT,)
    answer = builder(Wanted(homes=3)).validation(mcf, content)
    (row,) = checked(answer)
    assert row.file is not None
    assert row.file.content == content


def test_an_mcf_that_is_refused_as_a_file_is_answered_without_installations() -> None:
    mcf = one(FileType.MCF)
    used = Ledger().accepted(mcf.file.header)
    content = validation_of(delivered(mcf, ledger=used))
    assert content.result is Validity.INVALID
    assert [finding.code for finding in content.findings] == ["X-5.9.5"]
    assert content.installations == ()
    answer = builder().validation(mcf, content)
    report = delivered(mcf, answer)
    assert installation_codes(report) == ["X-5.9.5 01"]
    assert report.installations[0].result is Result.REFUSED


def test_an_installation_found_invalid_stays_out_of_the_group_files() -> None:
    wanted = Wanted(homes=2)
    mcf = one(FileType.MCF, wanted)
    rows = (
        ValidatedInstallation("home-1", Validity.VALID),
        ValidatedInstallation("home-2", Validity.INVALID, (SPLIT,)),
    )
    answer = builder(wanted).validation(mcf, ValidationFile(Validity.VALID, (), rows))
    alone = built()  # group files of home-1 only, same counter
    report = delivered(mcf, answer, alone[2], alone[3])
    assert installation_codes(report) == ["", "X-5.9.10 01"]


def test_answers_of_later_steps_belong_to_their_set() -> None:
    report = delivered(*built(), *answers())
    assert codes(report) == [""] * 8
    assert report.is_clean


# T-F: replay of a counter


def test_an_encrypted_file_sent_again_refuses_its_set_and_no_other() -> None:
    ledger = (
        Ledger().accepted(one(FileType.MCF).file.header).complete(one(FileType.MCF).file.header)
    )
    later = built(Wanted(counter=42))
    replayed = [*later[:3], one(FileType.MEF)]
    report = delivered(*replayed, ledger=ledger)
    assert codes(report) == ["", "", "", "X-5.9.7 01"]
    assert [row.result for row in report.installations] == [Result.NOT_PROCESSED]
    other_group = delivered(*built(Wanted("DA", counter=42)), ledger=ledger)
    assert other_group.is_clean


def lay(folder: Path, files: Sequence[BuiltFile]) -> Path:
    for file in files:
        (folder / file.name).write_bytes(file.octets)
    return folder


def test_several_sets_of_a_folder_are_checked_one_after_another(tmp_path: Path) -> None:
    broken = [*built(Wanted(counter=42))]
    broken[3] = resigned(broken[3], lambda _root: None, name=broken[3].name)
    spoilt = replace(broken[1], octets=broken[1].octets[:-9])
    folder = lay(tmp_path, [*built(), *broken[:1], spoilt, *broken[2:], *built(Wanted("DA"))])
    (folder / "no-name-of-ours.xml").write_bytes(spoilt.octets)
    report = check_folder(folder, context(), Ledger())
    rows = report.rows()
    assert len(report.deliveries) == 4, "three sets, and a file that belongs to none"
    refused = [row["name"] for row in rows["files"] if row["result"] == "refused"]
    assert spoilt.name in refused
    by_result = [row["result"] for row in rows["installations"]]
    assert by_result.count("accepted") == 2
    assert not report.is_clean
    assert any(name == spoilt.name for name, _finding in findings_of(report))


def test_counters_rise_from_set_to_set_of_a_folder(tmp_path: Path) -> None:
    folder = lay(tmp_path, [*built(Wanted(counter=42)), *built(Wanted(counter=41))])
    report = check_folder(folder, context(), Ledger())
    assert report.is_clean
    again = check_folder(folder, context(), report.ledger)
    first = [row["code"] for row in again.rows()["files"] if row["type"] == "MCF"]
    assert first == ["X-5.9.5", "X-5.9.5"]


def test_files_with_one_mcf_or_none_came_together() -> None:
    rows = checked(*built())
    assert deliveries([]) == []
    assert deliveries(rows) == [rows]
    assert deliveries(rows[1:]) == [rows[1:]]
    two = checked(*built(), *built(Wanted(counter=42)))
    assert [len(rows) for rows in deliveries(two)] == [5, 5]


@pytest.mark.parametrize("kind", [FileType.MVF, FileType.MGF, FileType.MEF])
def test_a_refused_file_among_several_sets_holds_up_its_own_set(
    tmp_path: Path, kind: FileType
) -> None:
    """Not another set, and not none: its installations were judged without it before."""
    first, second = built()[:4], built(Wanted(counter=42))[:4]
    folder = lay(tmp_path, [*first, *second])
    spoilt = next(file for file in first if file.file.header.file_type is kind)
    (folder / spoilt.name).write_bytes(spoilt.octets.replace(b"2021-W23", b"2021-W24"))
    report = check_folder(folder, context(), Ledger())
    assert len(report.deliveries) == 2
    results = [row.result for one in report.deliveries for row in one.installations]
    assert results == [Result.NOT_PROCESSED, Result.ACCEPTED]


def test_the_tag_of_a_name_is_read_in_either_case() -> None:
    """The published sample has ``cgI`` where others have ``CGI``."""
    mcf, *others = built()
    renamed = replace(mcf, name=mcf.name.replace("_BG_", "_bg_"))
    assert renamed.name != mcf.name
    assert delivered(renamed, *others).is_clean
    other = replace(mcf, name=mcf.name.replace("_BG_", "_BGX_"))
    assert set(codes(delivered(other, *others))) >= {"X-SET 04", "X-RFS 01"}


# what suppliers see


def test_suppliers_see_codes_and_sub_codes_but_no_counter(tmp_path: Path) -> None:
    files = [one(FileType.MCF), *built(Wanted(counter=42))[1:2], one(FileType.MEF)]
    report = check_folder(lay(tmp_path, files), context(), Ledger())
    inside, outside = report.rows(), report.rows(for_suppliers=True)
    assert "X-5.9.6" in str(inside)
    assert "42" in str(inside)
    shown = [str(row) for part in ("files", "installations") for row in outside[part]]
    for row in shown:
        assert "0000000041" not in row
        assert "0000000042" not in row
        assert "5.9.6" not in row
        assert "counter" not in row
    refused = [row for row in outside["files"] if row["result"] == "refused"]
    assert [(row["code"], row["text"]) for row in refused] == [
        ("X-SEQUENCE", "file sequencing error")
    ]


def test_every_sub_code_that_is_not_internal_reaches_the_supplier() -> None:
    report = delivered(*built(Wanted(homes=2)), installation_check=refuse_home_2)
    (finding,) = report.installations[1].findings
    assert (finding.for_suppliers().code, finding.for_suppliers().sub_code) == ("X-5.9.10", "01")
    error = Finding("V5", "X-5.23A", "02", "counter 41")
    assert error.for_suppliers().sub_code == "02"
    assert "41" not in error.for_suppliers().text
    real = Finding("P2", "MA110", "X-01", "combination 41")
    assert (real.for_suppliers().code, real.for_suppliers().sub_code) == ("MA110", "X-01")
    assert "41" not in real.for_suppliers().text


# reading folders


def test_a_file_by_itself_is_not_asked_for_its_set(tmp_path: Path) -> None:
    folder = lay(tmp_path, built())
    for file in built():
        assert check_one(folder / file.name, context()).is_clean


def test_a_folder_without_files_and_a_file_that_is_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="0 files"):
        check_folder(tmp_path, context(), Ledger())
    with pytest.raises(UsageError, match="cannot be read"):
        check_one(tmp_path / "none.xml", context())


def test_every_file_of_a_report_has_its_digest(tmp_path: Path) -> None:
    folder = lay(tmp_path, built())
    report = check_folder(folder, context(), Ledger())
    digests = {row.name: row.sha256 for one in report.deliveries for row in one.files}
    assert digests == {file.name: file.sha256 for file in built()}
    assert SCHEMA.is_stand_in


def test_the_rows_are_exactly_those_of_the_contract(tmp_path: Path) -> None:
    rows = check_folder(lay(tmp_path, built()), context(), Ledger()).rows()
    cells = ["result", "step", "code", "sub_code", "text"]
    assert list(rows) == ["files", "installations"]
    assert {tuple(row) for row in rows["files"]} == {("name", "type", *cells)}
    assert {tuple(row) for row in rows["installations"]} == {("ref", *cells)}


def test_a_set_that_runs_into_the_next_migration_week_goes_on_where_the_cohort_allows_it() -> None:
    for group, expected in (("EA", ["", ""]), ("DA", ["", "X-4.15 01"])):
        wanted = Wanted(group)
        mcf, late = one(FileType.MCF, wanted), 8 * 86_400
        content = one(FileType.MVF, wanted).file.content
        assert isinstance(content, ValidationFile)
        answer = builder(wanted).validation(mcf, content, after_s=late)
        assert codes(delivered(mcf, answer)) == expected


@pytest.mark.parametrize(
    ("at", "group", "code"),
    [
        (datetime(2024, 12, 31, tzinfo=UTC), "EA", ""),
        (datetime(2025, 1, 1, tzinfo=UTC), "EA", "X-1.3 01"),
        (datetime(2020, 12, 12, tzinfo=UTC), "EA", "X-RELEASE 01"),
        (datetime(2021, 4, 30, tzinfo=UTC), "EB", "X-RELEASE 01"),
    ],
)
def test_an_mcf_is_refused_on_a_day_on_which_its_group_does_not_migrate(
    at: datetime, group: str, code: str
) -> None:
    rule = code.removeprefix("X-").split(" ", maxsplit=1)[0]
    lenient = replace(context(), switches=Switches(disabled=frozenset({"SIG-CERT"})))
    mcf = one(FileType.MCF, Wanted(group, at=from_datetime(at)))
    assert codes(delivered(mcf, at=lenient)) == [code]
    told = Switches(disabled=frozenset({"SIG-CERT"}), overridden=frozenset({rule} - {""}))
    overridden = delivered(mcf, at=replace(context(), switches=told))
    assert codes(overridden) == [""], "an explicit override goes past it"
    assert [one.code for one in overridden.files[0].warnings] == (
        [code.split(" ", maxsplit=1)[0]] if code else []
    )


def test_a_requesting_party_that_is_closed_sends_no_new_mcf() -> None:
    dates = GROUPS["EA"].dates.model_copy(update={"requesting_party_closed": date(2021, 6, 7)})
    closed = replace(context(), groups={"EA": GROUPS["EA"].model_copy(update={"dates": dates})})
    assert codes(delivered(one(FileType.MCF), at=closed)) == ["X-RP 01"]
    later = dates.model_copy(update={"requesting_party_closed": date(2021, 6, 8)})
    still = replace(context(), groups={"EA": GROUPS["EA"].model_copy(update={"dates": later})})
    assert codes(delivered(one(FileType.MCF), at=still)) == [""]
