"""The drawn state machines are those of the code."""

from tests.docs.state_machines import PAGE, client_arrows, render, server_arrows


def test_the_page_shows_the_tables_of_today() -> None:
    assert PAGE.read_text("utf-8") == render(), "run: python -m tests.docs.state_machines > docs/…"


def test_both_machines_have_arrows_worth_drawing() -> None:
    assert "  DOWNLOADING --> COMPLETE_UNVERIFIED: last_block" in client_arrows()
    assert any(line.startswith("  STAGING --> STAGED") for line in server_arrows())
