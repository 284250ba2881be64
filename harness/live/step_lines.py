"""How far packing or checking a run is, on the terminal: one line that changes, or a few."""

from typing import Final

from rich.console import Console

#: Work of fewer pieces is over before anybody wonders. Source: invented.
_MANY: Final = 1_500
_TENTHS: Final = 10


def step_text(what: str, done: int, of: int) -> str:
    """Return one line on how far a piece of work is."""
    return f"{what}: {done:,} of {of:,}" if of else what


class StepLines:
    """Prints a line a tenth of whatever has many pieces; once it did, of all that follows."""

    def __init__(self, console: Console) -> None:
        """Take where to print: standard error."""
        self._console = console
        self._what = ""
        self._tenth = 0
        self._has_many = False

    def __call__(self, what: str, done: int, of: int) -> None:
        """Take note of how far a piece of work is; 0 of 0: nobody knows."""
        self._has_many = self._has_many or of >= _MANY
        tenth = done * _TENTHS // of if of else 0
        is_news = what != self._what or (tenth != self._tenth and of >= _MANY)
        self._what, self._tenth = what, tenth
        if self._has_many and is_news:
            text = step_text(what, done, of)
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)
