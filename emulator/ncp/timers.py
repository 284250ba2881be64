"""Timers of emulated nodes: named, replaceable, in the order they are due."""


def earlier(one: int | None, other: int | None) -> int | None:
    """Return the earlier of two deadlines, of which either may not be there."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


class Timers:
    """Names and when they are due, in milliseconds of the NCP's clock."""

    def __init__(self) -> None:
        """Begin with none."""
        self._due: dict[tuple[str, str], int] = {}
        self._first: int | None = None
        self._first_is_known = True

    @property
    def deadline(self) -> int | None:
        """When the first is due; None: there is none."""
        if not self._first_is_known:
            self._first = min(self._due.values(), default=None)
            self._first_is_known = True
        return self._first

    def start(self, kind: str, name: str, at: int) -> None:
        """Set a timer; replaces one of that name."""
        self.stop(kind, name)
        self._due[kind, name] = at
        if self._first_is_known and (self._first is None or at < self._first):
            self._first = at

    def stop(self, kind: str, name: str) -> None:
        """Forget a timer."""
        if self._due.pop((kind, name), None) == self._first:
            self._first_is_known = False

    def stop_kind(self, kind: str) -> None:
        """Forget all timers of a kind."""
        self._due = {key: at for key, at in self._due.items() if key[0] != kind}
        self._first_is_known = False

    def is_due(self, now: int) -> bool:
        """Say whether ``take`` has something to give."""
        first = self._first if self._first_is_known else self.deadline
        return first is not None and first <= now

    def take(self, now: int) -> list[tuple[str, str]]:
        """Return and forget those that are due, the earliest first."""
        if not self.is_due(now):
            return []
        due = sorted((at, key) for key, at in self._due.items() if at <= now)
        for _at, key in due:
            del self._due[key]
        self._first_is_known = False
        return [key for _at, key in due]
