"""Demand files, notifications of dormant meters, retry lists, and what a paper is taken for."""

from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from device_profiles.errors import InvalidValueError
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from harness.formats.authorisation.demand_file import (
    COMMITMENT,
    REQUEST,
    DemandLine,
    DemandName,
    read_demand,
    render_demand,
)
from harness.formats.authorisation.dormant_schedule import (
    check_firmware,
    check_schedule,
    read_notification,
    render_workbook,
)
from harness.formats.authorisation.faults import AuthorisationFileError
from harness.formats.authorisation.file_name import AuthorisationName
from harness.formats.authorisation.grid import FileKind
from harness.formats.authorisation.paper_kind import (
    PaperKind,
    RetryLine,
    kind_of_paper,
    read_retries,
    render_retries,
    stem_of,
)
from harness.formats.migration_files.notifications import (
    DormantFirmwareLine,
    DormantMeterLine,
    render,
)
from harness.rules.migration_rulebook import load_rule_book
from tests.harness.formats.authorisation.papers_given import DAY, Given
from tests.sampling import examples

DAY_AT = datetime(2023, 1, 27, 6)  # noqa: DTZ001 -- names of files say no zone
SAMPLES = (
    "DC-AAA123_70-B3-D5-1F-30-00-A0-08_CGI_20190121",
    "DR_AAA123_70-B3-D5-1F-30-00-A0-08_CGI_20190121",
)


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_sample_names_parse_and_are_written_back(sample: str) -> None:
    found = DemandName.parse(sample)
    assert found is not None
    assert str(found) == sample
    assert (found.party, found.tag, found.day) == ("AAA123", "CGI", date(2019, 1, 21))
    assert str(found.user_id) == "70-B3-D5-1F-30-00-A0-08"


@pytest.mark.parametrize("name", ["DR_AAA123_70-B3_CGI_20190121", "DX_A_" + SAMPLES[0][10:]])
def test_other_names_are_no_demand_files(name: str) -> None:
    assert DemandName.parse(name) is None
    assert DemandName.parse(f"DR_A_{'00-' * 7}00_CGI_20191321") is None


LINES = st.lists(
    st.builds(
        DemandLine,
        st.dates(date(2019, 1, 1), date(2024, 1, 1)),
        st.integers(0, 9999),
        st.integers(0, 9999),
    ),
    unique_by=lambda one: one.on,
)


@settings(max_examples=examples(60), deadline=None)
@drawn(lines=LINES)
def test_demand_files_come_back_as_they_were_written(lines: list[DemandLine]) -> None:
    octets = render_demand(COMMITMENT, lines)
    assert read_demand(COMMITMENT, octets, "f") == tuple(lines)
    asked = tuple(DemandLine(one.on, one.demand) for one in lines)
    assert read_demand(REQUEST, render_demand(REQUEST, lines), "f") == asked
    assert kind_of_paper("any.csv", octets) is PaperKind.DEMAND_COMMITMENT


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("on,demand,evidence\n2021-01-01,5,x\n2021-01-01,6,x\n", "twice"),
        ("on,demand,evidence\n2021-01-01,-5,x\n", "no number"),
        ("on,demand,evidence\n2021-13-01,5,x\n", "month"),
        ("day,demand\n2021-01-01,5\n", "columns"),
    ],
)
def test_a_wrong_demand_file_is_told(text: str, why: str) -> None:
    with pytest.raises(InvalidValueError, match=why):
        read_demand(REQUEST, text.encode(), "DR.csv")
    with pytest.raises(ValueError, match="commitment"):
        render_demand(COMMITMENT, [DemandLine(DAY, 1)])


def _schedule(given: Given) -> list[DormantMeterLine]:
    return [
        DormantMeterLine(home.ref, meter.mpxn or "", meter.supplier, DAY, DAY)
        for home in given.homes
        for meter in home.of(DeviceType.GSME)
        if meter.dormancy is not None
    ]


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_notifications_of_dormant_meters_come_back_as_they_were_written(
    tmp_path: Path, ending: str
) -> None:
    lines = _schedule(Given(tmp_path))
    assert len(lines) == 1
    name = AuthorisationName("DMSN", "BG", Eui64.parse(lines[0].user_id), DAY_AT)
    path = tmp_path / f"{name}{ending}"
    written = (
        render(DormantMeterLine, lines)
        if ending == ".csv"
        else render_workbook(DormantMeterLine, lines)
    )
    path.write_bytes(written)
    assert read_notification(DormantMeterLine, path) == tuple(lines)
    assert kind_of_paper(path.name, written) is PaperKind.DORMANT_SCHEDULE
    assert AuthorisationName.parse(path.stem) == name
    update = [DormantFirmwareLine("r", "02-53-01-00-00-00-00-01", "10000001", "10000002", DAY)]
    path.write_bytes(
        render(DormantFirmwareLine, update)
        if ending == ".csv"
        else render_workbook(DormantFirmwareLine, update)
    )
    assert read_notification(DormantFirmwareLine, path) == tuple(update)


def test_a_notification_that_people_edited_with_other_headings_is_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(["Installation", "MPAN"])
    book.save(tmp_path / "n.xlsx")
    with pytest.raises(InvalidValueError, match="columns are"):
        read_notification(DormantMeterLine, tmp_path / "n.xlsx")
    with pytest.raises(AuthorisationFileError, match="ends in one of"):
        read_notification(DormantMeterLine, tmp_path / "n.pdf")


def test_every_wrong_line_of_a_schedule_is_found(tmp_path: Path) -> None:
    given = Given(tmp_path)
    good = _schedule(given)
    assert check_schedule(good, given.me, DAY, given.homes) == ()
    one = good[0]
    active = given.homes[0].of(DeviceType.ESME)[0].mpxn or ""
    wrong = [
        DormantMeterLine("a", one.mpxn, "02-53-42-00-00-09-00-00", DAY, DAY),
        DormantMeterLine("b", one.mpxn, one.user_id, DAY, date(2023, 1, 1)),
        DormantMeterLine("c", active, one.user_id, DAY, DAY),
        DormantMeterLine("d", "none", one.user_id, DAY, DAY),
    ]
    found = check_schedule(wrong, given.me, DAY, given.homes)
    assert {(row.line, row.sub_code) for row in found} == {
        (2, "01"),
        (2, "03"),
        (3, "02"),
        (3, "03"),
        (4, "04"),
        (5, "03"),
        (5, "04"),
    }
    assert {row.code for row in found} == {"X-DMSN"}
    assert all(load_rule_book().codes.find(row.code, row.sub_code) for row in found)


def test_every_wrong_line_of_a_firmware_schedule_is_found(tmp_path: Path) -> None:
    given, book = Given(tmp_path), load_rule_book()
    mixed = next(home for home in given.homes if home.ref == "mixed-001")
    gas = mixed.of(DeviceType.GSME)[0].eui64
    good = [DormantFirmwareLine("mixed-001", gas, "10000001", "10000002", DAY)]
    assert check_firmware(good, book, given.homes) == ()
    active = given.homes[0].of(DeviceType.ESME)[0].eui64
    wrong = [
        DormantFirmwareLine("a", "no device", "10000001", "10000002", DAY),
        DormantFirmwareLine("b", gas, "10000001", "10000001", DAY),
        DormantFirmwareLine("c", active, "10000001", "1", date(2020, 9, 17)),
    ]
    found = check_firmware(wrong, book, given.homes)
    assert {(row.line, row.sub_code) for row in found} == {
        (2, "01"),
        (2, "04"),
        (3, "02"),
        (4, "02"),
        (4, "03"),
        (4, "04"),
    }
    assert all(book.codes.find(row.code, row.sub_code) for row in found)


def test_retry_lists_come_back_and_know_two_decisions() -> None:
    lines = (RetryLine("dual-001", "retry", DAY, "mended"), RetryLine("b", "leave", DAY, ""))
    octets = render_retries(lines)
    assert read_retries(octets, "r.csv") == lines
    assert kind_of_paper("r.csv", octets) is PaperKind.RETRY_LIST
    with pytest.raises(InvalidValueError, match="decision"):
        read_retries(render_retries([RetryLine("a", "perhaps", DAY, "")]), "r.csv")


def test_octets_say_what_a_paper_is_before_its_name_does(tmp_path: Path) -> None:
    given = Given(tmp_path)
    papers = given.papers
    workbook = papers.write_authorisation(given.homes, DAY)
    csv = papers.write_authorisation(given.homes, DAY, kind=FileKind.CSV)
    password, phrase = papers.write_password(DAY)
    kinds = {
        PaperKind.AUTHORISATION: (workbook, csv, ("any.xlsx", workbook[1]), ("a.csv", csv[1])),
        PaperKind.PASSWORD: (password, ("MA_x.csv", password[1])),
        PaperKind.SEALED: (
            papers.sealed(workbook, phrase),
            ("a.xml", papers.sealed(csv, phrase)[1]),
        ),
        PaperKind.SIGNED: (papers.signed(workbook), ("a.csv", papers.signed(csv)[1])),
        PaperKind.DEMAND_REQUEST: (papers.write_demand({DAY: 1}),),
        PaperKind.DUIS: (("MA.csv", b'<sr:Request xmlns:sr="http://www.dccinterface.co.uk/x">'),),
        PaperKind.UNKNOWN: (("notes.txt", b"hello"), ("x", b"\x00\x01")),
    }
    for kind, ones in kinds.items():
        for name, octets in ones:
            assert kind_of_paper(name, octets) is kind, name
    assert stem_of(papers.signed(papers.sealed(workbook, phrase))[0]) == workbook[0][:-5]
