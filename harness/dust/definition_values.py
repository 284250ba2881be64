"""Values of a run definition that other tables know: policies, codes, steps, defects, addresses.

What is misspelt here would otherwise be found in the middle of a run, or never: as a case that
fails for a code that nothing has, or as a defect that is built into nothing.
"""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from device_profiles.duis_services import load_duis_services
from device_profiles.errors import DataError
from device_profiles.participant_codes import load_participant_codes
from harness.door.call_back import Place, is_loopback
from harness.dust.definition_defects import check_defects, may_have
from harness.dust.definition_refusals import meant, wrong
from harness.dust.definition_words import Mode
from harness.dust.retry import load_strategy
from harness.errors import UsageError
from harness.formats.migration_files.words import FileType
from harness.migration.step_table import load_steps
from harness.rules.error_codes import CodeTable, load_codes
from harness.rules.migration_rulebook import load_rule_book

if TYPE_CHECKING:
    from harness.dust.definition import Definition
    from harness.dust.definition_expect import Expect
    from harness.dust.definition_models import DeviceSet

_OFF: Final = "off"
_NO_CODE: Final = "none"
_ANSWER: Final = re.compile(r"[IEW]\d{0,4}")
_ALERTS: Final = frozenset({"alert", "s1sp"})
#: What cases may expect of files, and what is said of them.
_FILES: Final = ("MA outcome", *FileType)
_RESULTS: Final = ("accepted", "repaired", "refused")
_MOST_PORTS: Final = 0xFFFF


def check(definition: "Definition") -> None:
    """Refuse values that no table knows, and those that would be built into nothing.

    Raises:
        DataError: There is one; says the key.
    """
    codes = load_codes(definition.overlays)
    _retry(definition, codes)
    _expected(definition, codes)
    _looked_for(definition)
    check_defects(definition)
    _changes(definition)
    _listen(definition)
    _call_back(definition)


def _retry(definition: "Definition", codes: CodeTable) -> None:
    named = definition.retry
    try:
        load_strategy(named.policy, codes, named.max_attempts or 1, definition.overlays)
    except DataError as error:
        raise wrong(definition, "retry.policy", error.why) from error


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
                raise wrong(definition, f"{key}.code", why)
            if one.step and one.step not in steps:
                why = f"there is no step {one.step} (there are: {', '.join(steps)})"
                raise wrong(definition, f"{key}.step", why)


def _looked_for(definition: "Definition") -> None:
    """What cases look for can be there: answers, alerts, files and devices that nobody has fail."""
    for number, case in enumerate(definition.cases):
        named = map(definition.set_of, definition.refs_of(case))
        sets = {one.name: one for one in named}.values()
        for place, one in enumerate(case.expect):
            for name, why in _not_there(definition, one, sets):
                raise wrong(definition, f"case.{number}.expect.{place}.{name}", why)


def _not_there(
    definition: "Definition", one: "Expect", sets: Iterable["DeviceSet"]
) -> Iterator[tuple[str, str]]:
    """Yield the keys of an expectation that nothing can meet, and why."""
    services, asks = load_duis_services(definition.overlays), definition.participant.asks
    if one.request and one.request not in services:
        yield "request", f"there is no service {one.request}{meant(one.request, services)}"
    if one.request and definition.participant.mode is Mode.SIMULATED and one.request not in asks:
        yield "request", f"the participant does not ask for {one.request} (asks: {', '.join(asks)})"
    if one.answer and not _ANSWER.fullmatch(one.answer):
        yield "answer", f"{one.answer!r} is no response code (I0, E11) or class of it (I, E, W)"
    if one.device is not None and not any(may_have(each, one.device) for each in sets):
        yield "device", f"none of its homes has a {one.device}"
    codes = load_participant_codes(definition.overlays)
    words = {
        "alert": {code for kind, code in codes if kind in _ALERTS},
        "file": _FILES,
        "result": _RESULTS,
    }
    for name, known in words.items():
        told = getattr(one, name)
        if told and told not in known:
            yield name, f"there is no {name} {told!r} (there are: {', '.join(sorted(known))})"


def _changes(definition: "Definition") -> None:
    """No more homes change their supplier than there are."""
    sizes = {one.name: len(one.refs) for one in definition.devices}
    for number, one in enumerate(definition.changes):
        if one.set and not one.refs and one.count > sizes[one.set]:
            why = f"{one.count} of {one.set}, which has {sizes[one.set]}"
            raise wrong(definition, f"change_of_supplier.{number}.count", why)


def _call_back(definition: "Definition") -> None:
    """Refuse a place to post to that is none, or is not of this machine."""
    told = definition.participant.call_back
    if not told:
        return
    try:
        Place.parse(told)
    except UsageError as error:
        raise wrong(definition, "participant.call_back", f"{told!r}: {error.cause}") from error


def _listen(definition: "Definition") -> None:
    """The address is one of this machine; whether it is free is seen when the run begins."""
    named = definition.participant
    if named.mode is not Mode.DROP or named.listen == _OFF:
        return
    host, _colon, port = named.listen.rpartition(":")
    if not is_loopback(host.strip("[]")):
        why = f"{named.listen!r} is no HOST:PORT of this machine (127.0.0.1:0 is any port)"
        raise wrong(definition, "participant.listen", why)
    if not (port.isascii() and port.isdigit() and int(port[:6]) <= _MOST_PORTS):
        raise wrong(definition, "participant.listen", f"{port!r} is no port (0 to {_MOST_PORTS})")
