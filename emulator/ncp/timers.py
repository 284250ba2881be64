"""Timers of emulated nodes: named, replaceable, in the order they are due."""


class Timers:
    """Names and when they are due, in milliseconds of the NCP's clock.

    Attributes:
        deadline: When the first is due; None: there is none.
    """

    __slots__ = ("_due", "deadline")

    def __init__(self) -> None:
        """Begin with none."""
        self._due: dict[tuple[str, str], int] = {}
        self.deadline: int | None = None

    def start(self, kind: str, name: str, at: int) -> None:
        """Set a timer; replaces one of that name."""
        self.stop(kind, name)
        self._due[kind, name] = at
        if self.deadline is None or at < self.deadline:
            self.deadline = at

    def stop(self, kind: str, name: str) -> None:
        """Forget a timer."""
        at = self._due.pop((kind, name), None)
        if at is not None and at == self.deadline:
            self._look()

    def stop_kind(self, kind: str) -> None:
        """Forget all timers of a kind."""
        self._due = {key: at for key, at in self._due.items() if key[0] != kind}
        self._look()

    def is_due(self, now: int) -> bool:
        """Say whether ``take`` has something to give."""
        return self.deadline is not None and self.deadline <= now

    def take(self, now: int) -> list[tuple[str, str]]:
        """Return and forget those that are due, the earliest first."""
        if not self.is_due(now):
            return []
        due = sorted((at, key) for key, at in self._due.items() if at <= now)
        for _at, key in due:
            del self._due[key]
        self._look()
        return [key for _at, key in due]

    def _look(self) -> None:
        self.deadline = min(self._due.values(), default=None)
