"""What a user is told of what a bench cannot do."""

from typing import ClassVar

from emulator.core.faults import FaultError
from harness.errors import BenchError, UsageError
from harness.ports import KeypadAnswer


def fault_error(error: FaultError, where: str) -> UsageError:
    """Return what is said of a fault that means nothing."""
    return UsageError(
        f"a fault means nothing: {error}",
        where=where,
        cause="a mistyped name, key or link",
        next_command="smetsbench faults",
    )


def no_sim(role: str, cause: str, where: str = "") -> BenchError:
    """Return what is said where there is no hub whose SIM could be moved."""
    return BenchError(
        f"the bench has no {role} whose SIM could be moved",
        where=where,
        cause=cause,
        next_command="smetsbench scenarios 'MIG-*'   (without --bench: emulated hubs)",
    )


def no_keypad(role: str, cause: str, where: str = "") -> BenchError:
    """Return what is said where no code can be entered at a meter."""
    return BenchError(
        f"no code can be entered at the {role} of this bench",
        where=where,
        cause=cause,
        next_command="smetsbench scenarios 'MIG-*'   (without --bench: emulated SMETS1 meters)",
    )


def not_restored(bench: str, state: bytes, where: str) -> BenchError:
    """Return what is said where devices cannot be put back to a stored state."""
    return BenchError(
        f"{bench} cannot be put back to a state of {len(state)} octets",
        where=where,
        cause="the run was begun on an emulated bench",
        next_command="smetsbench run (afresh) instead of resume",
    )


class WithoutKeypad:
    """A bench at whose meters nobody can enter a code.

    Attributes:
        hands: Why not.
    """

    hands: ClassVar[str]

    async def key_in(self, role: str, digits: str) -> KeypadAnswer:
        """Refuse to enter a code.

        Raises:
            BenchError: Always.
        """
        del digits
        raise no_keypad(role, self.hands)
