"""The table of use cases is that of the code, and what it claims of vectors is in the lists."""

from tests.docs.use_case_table import COLUMNS, PAGE, commands, compared, render, rows


def test_the_page_shows_the_tables_of_today() -> None:
    assert PAGE.read_text("utf-8") == render(), "run: python -m tests.docs.use_case_table > docs/…"


def test_every_command_of_the_message_table_has_its_line() -> None:
    assert len(rows()) == len(commands()) > 200


def test_every_column_has_commands_of_its_own() -> None:
    for place, device in enumerate(COLUMNS, start=4):
        assert any(line[place] == "yes" for line in rows()), device


def test_pairs_are_counted_for_use_cases_of_the_table_only() -> None:
    names = {row.use_case for row in commands()}
    strangers = {use_case for use_case in compared() if use_case not in names}
    assert strangers <= {"family"}, strangers


def test_nearly_all_given_pairs_are_equal() -> None:
    pairs = list(compared().values())
    assert sum(one for one, _ in pairs) >= 0.95 * sum(many for _, many in pairs) > 200
