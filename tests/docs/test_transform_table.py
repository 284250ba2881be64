"""The table of transforms is that of the code, and what it claims of samples is in the lists."""

from harness.formats.duis.transforms.table import RULES
from tests.docs.transform_table import PAGE, render, rows


def test_the_page_is_what_the_table_and_the_lists_say() -> None:
    committed = PAGE.read_text("utf-8")
    assert committed == render(), "run: python -m tests.docs.transform_table > docs/transforms.md"


def test_every_transform_has_a_line_and_says_how_well_it_is_known() -> None:
    assert sum(len(devices.split()) for _, _, devices, *_ in rows()) == len(RULES)
    checked = {mark for *_, check, mark in rows() if check == "use-case table"}
    assert not any(mark == "source:RTDS 4.5.0" for mark in checked), "RTDS is no source there"
