"""Values of a run definition that other tables know: policies, codes, steps, defects, addresses.

What is misspelt here would otherwise be found in the middle of a run, or never: as a case that
fails for a code that nothing has, or as a defect that is built into nothing.
"""

from typing import TYPE_CHECKING, Final

from device_profiles.errors import DataError, InconsistentDataError
from harness.door.call_back import is_loopback
from harness.door.gbcs_homes import emulated
from harness.dust.definition_words import Mode
from harness.dust.retry import load_strategy
from harness.errors import UsageError
from harness.migration.step_table import load_steps
from harness.rules.error_codes import CodeTable, load_codes
from harness.rules.migration_rulebook import load_rule_book

if TYPE_CHECKING:
    from harness.dust.definition import Definition

_OFF: Final = "off"
_NO_CODE: Final = "none"
_MOST_PORTS: Final = 0xFFFF
#: What the names of defects begin with that the devices of a migration can have.
_SMETS1: Final = "s1-"


def check(definition: "Definition") -> None:
    """Refuse values that no table knows, and those that would be built into nothing.

    Raises:
        DataError: There is one; says the key.
    """
    codes = load_codes(definition.overlays)
    _retry(definition, codes)
    _expected(definition, codes)
    _defects(definition)
    _changes(definition)
    _listen(definition)


def _wrong(definition: "Definition", key: str, why: str) -> DataError:
    return InconsistentDataError(why, file=definition.path, key=key)


def _retry(definition: "Definition", codes: CodeTable) -> None:
    named = definition.retry
    try:
        load_strategy(named.policy, codes, named.max_attempts or 1, definition.overlays)
    except DataError as error:
        raise _wrong(definition, "retry.policy", error.why) from error


def _expected(definition: "Definition", codes: CodeTable) -> None:
    """Codes and steps that cases expect are there: a misspelt one fails whatever happens."""
    rules = load_rule_book(definition.overlays).rules.values()
    steps = load_steps(definition.overlays)
    known = {code for code, _sub in codes.codes} | {rule.code for rule in rules} | {_NO_CODE}
    for number, case in enumerate(definition.cases):
        for place, one in enumerate(case.expect):
            key = f"case.{number}.expect.{place}"
            if one.code and one.code not in known and one.code.partition("-0")[0] not in known:
                why = f"there is no code {one.code} (smetsbench explain CODE says what one means)"
                raise _wrong(definition, f"{key}.code", why)
            if one.step and one.step not in steps:
                why = f"there is no step {one.step} (there are: {', '.join(steps)})"
                raise _wrong(definition, f"{key}.step", why)


def _defects(definition: "Definition") -> None:
    """Defects are of SMETS1 devices: those of parties and of other devices are in no home here."""
    for name in definition.faults.defects:
        try:
            emulated().refuse_unknown_defects([name])
        except UsageError as error:
            raise _wrong(definition, "faults.defects", error.what) from error
        if not name.startswith(_SMETS1):
            why = f"{name}: a run builds in defects of SMETS1 devices ({_SMETS1}…), and no others"
            raise _wrong(definition, "faults.defects", why)


def _changes(definition: "Definition") -> None:
    """No more homes change their supplier than there are."""
    sizes = {one.name: len(one.refs) for one in definition.devices}
    for number, one in enumerate(definition.changes):
        if one.set and not one.refs and one.count > sizes[one.set]:
            why = f"{one.count} of {one.set}, which has {sizes[one.set]}"
            raise _wrong(definition, f"change_of_supplier.{number}.count", why)


def _listen(definition: "Definition") -> None:
    """The address is one of this machine; whether it is free is seen when the run begins."""
    named = definition.participant
    if named.mode is not Mode.DROP or named.listen == _OFF:
        return
    host, _colon, port = named.listen.rpartition(":")
    if not is_loopback(host.strip("[]")):
        why = f"{named.listen!r} is no HOST:PORT of this machine (127.0.0.1:0 is any port)"
        raise _wrong(definition, "participant.listen", why)
    if not (port.isascii() and port.isdigit() and int(port[:6]) <= _MOST_PORTS):
        raise _wrong(definition, "participant.listen", f"{port!r} is no port (0 to {_MOST_PORTS})")
