"""What goes wrong with a dongle, in words for the person at the bench; foreign errors end here."""

import asyncio
import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import bellows.ash
import bellows.exception
import serialx
import zigpy.exceptions

from harness.errors import BenchError, HarnessError
from hil.errors import PortError, translation

_DOCTOR: Final = "smetsbench bench doctor FILE"
#: How long bellows waits for the answer to a command, seconds. Source: reference 1.2.
_COMMAND_S: Final = 10
#: What bellows, zigpy, serialx and asyncio raise at a dongle.
FOREIGN: Final = (
    OSError,
    TimeoutError,
    RuntimeError,
    AssertionError,
    asyncio.InvalidStateError,
    zigpy.exceptions.ZigbeeException,
    zigpy.exceptions.RadioException,
    bellows.ash.AshException,
    serialx.SerialException,
)


class DongleError(BenchError):
    """Something is wrong with a dongle: the bench's fault, never the device's."""


class DongleMissingError(DongleError):
    """Nothing is where the dongle should be, or it is held by another program."""


class DongleLostError(DongleError):
    """The dongle went away while it was in use: unplugged, reset, failed."""


class DongleSilentError(DongleLostError):
    """The line is there, and the dongle does not answer."""


class DongleUnfitError(DongleError):
    """The dongle answers, and is not what the bench needs: its version, network or keys."""


class DongleRefusedError(DongleError):
    """The dongle refuses a command that the bench cannot do without."""


def lost(path: str, reason: BaseException | None, detail: str = "") -> DongleLostError:
    """Return the error for a dongle that went away; ``reason`` is what bellows told."""
    if isinstance(reason, bellows.ash.NcpFailure):
        code = getattr(reason.code, "name", str(reason.code)).replace("_", " ").lower()
        return DongleLostError(
            f"the dongle at {path} has reset or failed ({code})",
            where=path,
            cause="it lost power for a moment, its firmware crashed, or somebody reset it",
            next_command=_DOCTOR,
        )
    said = detail or (str(reason) if reason is not None and str(reason) else "no word why")
    return DongleLostError(
        f"the dongle at {path} went away while it was in use ({said})",
        where=path,
        cause="it was unplugged, its hub lost power, or its server ended",
        next_command=_DOCTOR,
    )


def silent(path: str, seconds: float) -> DongleSilentError:
    """Return the error for a dongle that has said nothing for so long."""
    return DongleSilentError(
        f"the dongle at {path} has not answered for {seconds:.0f} s",
        where=path,
        cause="its firmware hangs, or the line is held (flow control)",
        next_command="unplug the dongle and plug it in again",
    )


def unfit(path: str, what: str, cause: str, next_command: str = _DOCTOR) -> DongleUnfitError:
    """Return the error for a dongle that is not what the bench needs."""
    return DongleUnfitError(what, where=path, cause=cause, next_command=next_command)


def refused(path: str, command: str, status: object) -> DongleRefusedError:
    """Return the error for a command that the dongle refuses."""
    name = getattr(status, "name", str(status))
    return DongleRefusedError(
        f"the dongle refuses {command} ({name})",
        where=path,
        cause="its firmware or its present state does not allow it",
        next_command=_DOCTOR,
    )


def translation_of(path: str, error: BaseException, *, opening: bool = False) -> HarnessError:
    """Return our error for one that came out of bellows, zigpy, serialx or the system."""
    if isinstance(error, HarnessError):
        return error
    if isinstance(error, OSError):
        return _of_system(path, error, opening=opening)
    return _of_stack(path, error, opening=opening)


def _of_stack(path: str, error: BaseException, *, opening: bool) -> DongleError:
    if opening and isinstance(error, bellows.ash.AshException | RuntimeError):
        return _no_dongle(path)
    if isinstance(error, bellows.ash.AshException | RuntimeError):
        return lost(path, error)
    if isinstance(error, bellows.exception.InvalidCommandError):
        return refused(path, "a command it does not know", str(error) or "invalidCommand")
    if isinstance(error, bellows.exception.EzspError) and "not running" in str(error):
        return lost(path, error)
    return DongleError(
        f"the dongle's stack gave up: {str(error) or type(error).__name__}",
        where=path,
        cause="a command was refused, or its answer was another than expected",
        next_command=_DOCTOR,
    )


def _no_dongle(path: str) -> DongleMissingError:
    return DongleMissingError(
        f"nothing at {path} answers as a dongle",
        where=path,
        cause="another device or service, another speed, a boot loader, or no power",
        next_command=_DOCTOR,
    )


def _of_system(path: str, error: OSError, *, opening: bool) -> DongleError:
    if isinstance(error, TimeoutError) and error.errno is None:
        return _no_dongle(path) if opening else silent(path, _COMMAND_S)
    if not opening:
        return lost(path, error)
    known = error
    if isinstance(error, PermissionError) and error.errno is None:  # zigpy's word for EBUSY
        known = OSError(errno.EBUSY, str(error))
    told: PortError = translation(path, known, opening=True)
    return DongleMissingError(
        told.what, where=path, cause=told.cause, next_command=told.next_command
    )


@contextmanager
def translated(path: str, *, opening: bool = False) -> Iterator[None]:
    """Turn what bellows, zigpy and serialx raise into errors of this module.

    Args:
        path: The dongle, for the message.
        opening: Whether it was being opened.

    Raises:
        DongleError: As ``translation_of`` says.
    """
    try:
        yield
    except HarnessError:
        raise
    except FOREIGN as error:
        raise translation_of(path, error, opening=opening) from error
