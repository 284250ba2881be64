import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.names import (
    MAX_COUNTER,
    AuthorisationName,
    DemandName,
    MigrationFileName,
    WorkbookName,
    parse,
    parse_migration,
)
from harness.formats.migration_files.words import FileType

PUBLISHED = {
    "MA_cgI_70-B3-D5-1F-30-00-A0-08_20190407_182503": AuthorisationName,
    "MAPASSWORD_CGI_70-B3-D5-1F-30-00-A0-08_20190407_182503": AuthorisationName,
    "DC-AAA123_70-B3-D5-1F-30-00-A0-08_CGI_20190121": DemandName,
    "DR_AAA123_70-B3-D5-1F-30-00-A0-08_CGI_20190121": DemandName,
    "SMETS1_Migration_Authorisation_v06a.xlsm": WorkbookName,
    "SMETS1_Dormant_Meter_Migration_Schedule_Notification_v06.xlsm": WorkbookName,
}


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_a_published_sample_name_parses_and_is_written_again_as_it_was(name: str) -> None:
    found = parse(name)
    assert type(found) is PUBLISHED[name]
    assert str(found) == name


def test_the_parts_of_a_published_name_are_what_they_say() -> None:
    found = parse("MA_cgI_70-B3-D5-1F-30-00-A0-08_20190407_182503")
    assert isinstance(found, AuthorisationName)
    assert (found.kind, found.tag, str(found.party)) == ("MA", "cgI", "70-B3-D5-1F-30-00-A0-08")
    demand = parse("DC-AAA123_70-B3-D5-1F-30-00-A0-08_CGI_20190121")
    assert isinstance(demand, DemandName)
    assert (demand.joint, demand.supplier, demand.tag, demand.date) == (
        "-",
        "AAA123",
        "CGI",
        "20190121",
    )


def test_an_eui64_in_lower_case_is_the_same_party() -> None:
    lower = parse("MA_CGI_70-b3-d5-1f-30-00-a0-08_20190407_182503.csv")
    upper = parse("MA_CGI_70-B3-D5-1F-30-00-A0-08_20190407_182503.csv")
    assert lower == upper


NAMES = st.builds(
    MigrationFileName,
    st.sampled_from(FileType),
    st.from_regex(r"[A-Z]{2}", fullmatch=True),
    st.from_regex(r"[0-9A-Za-z]{1,16}", fullmatch=True),
    st.binary(min_size=8, max_size=8).map(Eui64),
    st.integers(0, 253402300799).map(lambda at_s: UtcMs(at_s * 1000)),
    st.integers(0, MAX_COUNTER),
)


@given(NAMES)
def test_any_migration_file_name_is_read_as_it_was_written(name: MigrationFileName) -> None:
    assert parse(str(name)) == name


GOOD = "MCF_EA_BG_70-B3-D5-1F-30-00-A0-08_20260302_060000_0000000041.xml"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "MCF.xml",
        GOOD.replace("MCF", "MXF"),
        GOOD.replace("_EA_", "_ea_"),
        GOOD.replace("0000000041", "41"),
        GOOD.replace("20260302", "20260230"),
        GOOD.replace("060000", "246000"),
        GOOD.replace("-", ""),
        GOOD + "\n",
        "x/" + GOOD,
        GOOD.replace("_BG_", "_B G_"),
        GOOD.replace("41.xml", "41.averylongsuffix"),
        "MA_" + "A" * 300 + "_70-B3-D5-1F-30-00-A0-08_20190407_182503",
        "DC-AAA123_70-B3-D5-1F-30-00-A0-08_CGI_20190132",
        GOOD.replace("20260302", "\uff12\uff10260302"),
    ],
)
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(MigrationFileError) as caught:
        parse_migration(name)
    assert (caught.value.check.code, caught.value.sub_code) == ("X-NAME", "01")


def test_a_published_name_is_no_name_of_a_migration_file_proper() -> None:
    assert parse_migration(GOOD).counter == 41
    for name in PUBLISHED:
        with pytest.raises(MigrationFileError, match="X-NAME 01"):
            parse_migration(name)
