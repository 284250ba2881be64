import errno
import inspect
import termios
from pathlib import Path

import pytest
import serial

from harness.errors import BenchError, UsageError
from hil import errors
from hil.errors import (
    NotSerialError,
    PortAddressError,
    PortBusyError,
    PortError,
    PortLostError,
    PortMissingError,
    PortRefusedError,
    number_of,
    port_error,
    translated,
)

OPENING = [
    (errno.ENOENT, PortMissingError),
    (errno.ENXIO, PortMissingError),
    (errno.ENODEV, PortMissingError),
    (errno.ECONNREFUSED, PortMissingError),
    (errno.ETIMEDOUT, PortMissingError),
    (errno.EHOSTUNREACH, PortMissingError),
    (errno.EIO, PortMissingError),
    (errno.EACCES, PortRefusedError),
    (errno.EPERM, PortRefusedError),
    (errno.EBUSY, PortBusyError),
    (errno.EAGAIN, PortBusyError),
    (errno.ENOTTY, NotSerialError),
    (errno.EINVAL, NotSerialError),
    (errno.EISDIR, NotSerialError),
    (errno.ENOMEM, PortMissingError),  # what nobody thought of is still an error of ours
]


@pytest.mark.parametrize(("number", "kind"), OPENING)
def test_each_number_of_the_system_has_its_meaning_at_opening(
    number: int, kind: type[PortError]
) -> None:
    for error in (
        OSError(number, "said"),
        serial.SerialException(number, "said"),
        termios.error(number, "said"),
    ):
        with pytest.raises(kind) as found, translated("/dev/x", opening=True):
            raise error
        assert type(found.value) is kind
        assert found.value.where == "/dev/x"
        assert found.value.cause
        assert found.value.next_command
        assert found.value.__cause__ is error


@pytest.mark.parametrize(("number", "kind"), OPENING)
def test_in_use_every_number_means_that_the_port_is_lost(
    number: int, kind: type[PortError]
) -> None:
    with pytest.raises(PortLostError), translated("/dev/x"):
        raise OSError(number, str(kind))


def _as_pyserial_does() -> None:
    try:
        with Path("/dev/null").open("rb") as null:
            termios.tcgetattr(null)
    except termios.error as inner:
        raise serial.SerialException(f"Could not configure port: {inner}")  # noqa: B904 - so does pyserial


def test_what_pyserial_wraps_is_found_again() -> None:
    with pytest.raises(serial.SerialException) as wrapped:
        _as_pyserial_does()
    assert number_of(wrapped.value) == errno.ENOTTY
    assert number_of(ValueError("x")) is None
    assert number_of(serial.SerialException("x")) is None


def test_other_errors_pass_untouched() -> None:
    with pytest.raises(KeyError), translated("/dev/x"):
        raise KeyError("x")
    with pytest.raises(PortBusyError), translated("/dev/x"):
        raise port_error(PortBusyError, "/dev/x")


def test_errors_of_ports_are_the_benchs_fault_and_wrong_addresses_the_users() -> None:
    classes = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, PortError)
    ]
    assert len(classes) > 10
    assert all(BenchError in kind.__mro__ for kind in classes)
    assert {kind.exit_code for kind in classes} == {3}
    assert issubclass(PortAddressError, UsageError)
    assert PortAddressError("x", "why").exit_code == 2


def test_no_error_without_a_cause_and_a_next_command() -> None:
    for kind in errors._WORDS:
        error = port_error(kind, "/dev/x", "detail")
        assert type(error) is kind
        assert "/dev/x" in error.what
        assert "(detail)" in error.what
        assert len(error.lines()) == 4
        assert "{" not in "".join(error.lines())
