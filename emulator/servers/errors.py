"""Errors of servers: a person asked for something that cannot be served."""

from emulator.core.errors import EmulatorError


class ListenError(EmulatorError):
    """A place to listen at cannot be had.

    Attributes:
        where: The place as it was asked for.
        why: What is wrong with it.
    """

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where = where
        self.why = why


class StateFileError(EmulatorError):
    """A stored state cannot be read, written, or used for this device.

    Attributes:
        where: The file.
        why: What is wrong with it.
    """

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where = where
        self.why = why
