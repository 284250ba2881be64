"""What a user is told of what a bench cannot do."""

from emulator.core.faults import FaultError
from harness.errors import BenchError, UsageError


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
