"""Errors of the harness, written for the person at the bench."""


class HarnessError(Exception):
    """Something the user can act on: what, where, likely cause, next command.

    Attributes:
        what: One sentence: what failed.
        where: Device, step, file, line or clause.
        cause: The likely cause, or empty.
        next_command: The command to try next, or empty.
    """

    exit_code = 2

    def __init__(
        self, what: str, *, where: str = "", cause: str = "", next_command: str = ""
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.cause = cause
        self.next_command = next_command

    def lines(self) -> list[str]:
        """Return the message as lines for a terminal."""
        rows = [f"error: {self.what}"]
        rows += [f"  where: {self.where}"] if self.where else []
        rows += [f"  likely cause: {self.cause}"] if self.cause else []
        rows += [f"  next: {self.next_command}"] if self.next_command else []
        return rows


class UsageError(HarnessError):
    """The command line or a configuration file is wrong (exit code 2)."""


class NotPermittedError(UsageError):
    """A bench does not let this be done to a device of its own (exit code 2).

    Nothing of it was done. What would have to be there for it, the message says.
    """


class BenchError(HarnessError):
    """The bench or the harness broke; nothing was learnt of the device (exit code 3)."""

    exit_code = 3
