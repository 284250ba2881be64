"""Timers of emulated nodes: named, replaceable, in the order they are due."""


class Timers:
    """Names and when they are due, in milliseconds of the NCP's clock."""

    def __init__(self) -> None:
        """Begin with none."""
        self._due: dict[tuple[str, str], int] = {}

    @property
    def deadline(self) -> int | None:
        """When the first is due; None: there is none."""
        return min(self._due.values(), default=None)

    def start(self, kind: str, name: str, at: int) -> None:
        """Set a timer; replaces one of that name."""
        self._due[kind, name] = at

    def stop(self, kind: str, name: str) -> None:
        """Forget a timer."""
        self._due.pop((kind, name), None)

    def stop_kind(self, kind: str) -> None:
        """Forget all timers of a kind."""
        self._due = {key: at for key, at in self._due.items() if key[0] != kind}

    def take(self, now: int) -> list[tuple[str, str]]:
        """Return and forget those that are due, the earliest first."""
        due = sorted((at, key) for key, at in self._due.items() if at <= now)
        for _at, key in due:
            del self._due[key]
        return [key for _at, key in due]
