"""A meter that is to be migrated, looked at before: what any bench with it can do of a migration.

MIG-150. On the emulated bench every step is taken. On a bench with one real meter the steps that
read run on the wire, and each of the others is SKIPPED with its reason.
"""

from dataclasses import replace
from typing import Final

from device_profiles.dmves import Equivalent, StepVerb, load_dmves
from device_profiles.words import DeviceType
from emulator.codecs.dlms import han_log
from emulator.codecs.dlms.access import parse_obis
from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor
from emulator.codecs.dlms.axdr import Data
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.dlms_key_transfer import NewKey
from emulator.crypto.dlms_keys import KeyId
from harness import installed
from harness.errors import HarnessError, NotPermittedError
from harness.meter import Credentials, Unanswered
from harness.ports import Bench
from harness.run import NOT_PROVEN, Run
from harness.scenario import Scenario, step
from harness.scenarios.clauses import clauses, exact
from harness.scenarios.migration.homes import installations
from harness.scenarios.migration.row import Home, MigrationRow
from harness.scenarios.serial.actions import profile
from harness.smets1.arguments import Arguments
from harness.smets1.steps import Account, Done, HeadEnd

_TABLE: Final = "TMAD Table 16.10.2"
_GAS_TABLE: Final = "TMAD Table 16.9.2"
_HAND_OVER: Final = "S000 §5 hand-over"
_OWNER: Final = "smetsbench one-owner"
_CONTACT: Final = "S000 §5 first contact"
_ESME: Final = DeviceType.ESME.value
_MANAGEMENT: Final = "management"
_ROTATE: Final = "rotate-credentials"
_RESTORE: Final = "rollback-credentials"
_INTERROGATE: Final = "interrogate"
_READ_FIRMWARE: Final = "11.2"
_SET_MODE: Final = "1.6"
#: Ways to a device, the one through its hub first.
_WAYS: Final = ("wan@SMSO", "line")
_WAY: Final = "ways"
_LACKING: Final = "lacking"
#: Where a device says its EUI-64; the hub's device log. Source: stand-in.
_EUI64: Final = ("0-0:96.1.1.255", 2)
_LOG: Final = Attribute(Descriptor(104, parse_obis("0-0:35.3.0.255"), 4))
_DAY_MS: Final = 86_400_000
_STAND_IN: Final = (
    "stand-in",
    (
        "What a head end asks of a meter, and which keys change hands how, is our reading of what"
        " DCC published; no public document fixes any maker's objects."
    ),
)
_HOME: Final = MigrationRow("MIG-150", "", _TABLE, "", homes=(Home(ppmid=False),))


def look_around(run: Run) -> None:
    """Note which way leads to which device, and what the bench has not (``Scenario.setup``)."""
    run.facts[NOT_PROVEN] = [list(_STAND_IN)]
    ways, lacking = {}, {}
    for role in (DeviceType.ESME, DeviceType.GSME, DeviceType.CHF):
        try:
            ways[role.value] = _way(run.bench.inner, role.value)
            run.bench.inner.credentials(role.value, _MANAGEMENT)
        except HarnessError as error:
            lacking[role.value] = error.what
    run.facts[_WAY], run.facts[_LACKING] = ways, lacking


def _way(bench: Bench, role: str) -> str:
    """Return the first way that leads to a device.

    Raises:
        HarnessError: None does; that of the last.
    """
    for way in _WAYS[:-1]:
        try:
            bench.meter(role, way)
        except HarnessError:
            continue
        return way
    bench.meter(role, _WAYS[-1])
    return _WAYS[-1]


def _need(run: Run, role: str) -> None:
    """Skip the step where the bench has no such device, or nobody may open it."""
    why = run.facts[_LACKING].get(role)
    if why is not None:
        run.skip(f"{why}: a step for a {role} with its management keys")


def _equivalent(run: Run, role: str, service: str) -> Equivalent:
    table = load_dmves(overlays=installed.overlays(run.options))
    return table.find(profile(run, role).name, DeviceType(role), service)


async def _carry_out(
    run: Run,
    role: str,
    equivalent: Equivalent,
    given: Arguments | None = None,
    by: Credentials | None = None,
) -> Account:
    own = by or run.bench.credentials(role, _MANAGEMENT)
    port = run.bench.meter(role, run.facts[_WAY][role])
    account = await HeadEnd(port, run.bench.clock, lambda _name: own).carry_out(
        equivalent, given or Arguments()
    )
    run.message("SMSO", role, "dlms", b"", f"{equivalent.service}: {account.done}")
    await port.release()
    return account


async def _read(run: Run, role: str, service: str) -> Account:
    whole = _equivalent(run, role, service)
    reading = tuple(one for one in whole.steps if one.verb is StepVerb.GET)
    account = await _carry_out(run, role, replace(whole, steps=reading))
    done = Done.DONE.value
    run.require(
        f"{service} of the {role}", done, done if account.done is Done.DONE else account.says
    )
    return account


def _identity(account: Account) -> str:
    value = account.value(*_EUI64)
    octets = None if value is None else value.value
    return str(Eui64(octets)) if isinstance(octets, bytes) and len(octets) == 8 else ""


def _text(value: Data) -> str:
    """Return a firmware version as Device Models have it: upper-case text, other octets as hex."""
    octets = value.value if isinstance(value.value, bytes) else str(value.value).encode()
    text = octets.decode("ascii", "replace")
    return (text if text.isascii() and text.isprintable() else octets.hex()).upper()


@step("The electricity meter is interrogated, and says who it is", _TABLE, timeout_s=7200)
async def interrogates(run: Run) -> None:
    """Read serial number, EUI-64, firmware version and clock with the SMSO's key."""
    _need(run, _ESME)
    account = await _read(run, _ESME, _INTERROGATE)
    run.check("the meter it says it is", str(run.bench.role(_ESME)), _identity(account))
    run.event("interrogated", role=_ESME)


@step("Its firmware version is that of its Device Model", _TABLE, timeout_s=7200)
async def reads_firmware(run: Run) -> None:
    """Read the firmware version back and compare it with the model's."""
    _need(run, _ESME)
    account = await _read(run, _ESME, _READ_FIRMWARE)
    values = [one.value for one in account.taken if one.value is not None]
    declared = profile(run, _ESME).identity.firmware_version.upper()
    run.check("firmware version", declared, _text(values[-1]) if values else "")
    run.event("read-back", role=_ESME)
    run.outcome("readable")


@step("The checks of the appendix that only read hold for it", _TABLE, timeout_s=7200)
async def reads_only(run: Run) -> None:
    """Its payment mode can be read, and the SMSO's key opens it."""
    _need(run, _ESME)
    account = await _read(run, _ESME, _SET_MODE)
    run.check("a payment mode", "read", "read" if account.taken[-1].value is not None else "none")
    run.check("the SMSO's key opens it", True, account.opened)


@step("The hub's device log names the meter", _HAND_OVER, timeout_s=7200)
async def reads_log(run: Run) -> None:
    """Read the log of the hub; a bench without hub has none."""
    _need(run, DeviceType.CHF.value)
    port = run.bench.meter(DeviceType.CHF.value, run.facts[_WAY][DeviceType.CHF.value])
    opened = await port.associate(run.bench.credentials(DeviceType.CHF.value, _MANAGEMENT))
    run.require("the hub lets the SMSO in", True, opened.accepted)
    answer = await port.get([_LOG])
    await port.release()
    data = None if isinstance(answer, Unanswered) else answer[0]
    rows = han_log.decode_log(data) if isinstance(data, Data) else ()
    run.check("the meter is in the log", True, run.bench.role(_ESME) in {row.eui64 for row in rows})


@step("The gas meter is interrogated, and says who it is", _GAS_TABLE, timeout_s=7200)
async def interrogates_gas(run: Run) -> None:
    """Read the gas meter at its next wake; a bench without one skips it."""
    role = DeviceType.GSME.value
    _need(run, role)
    account = await _read(run, role, _INTERROGATE)
    run.check("the meter it says it is", str(run.bench.role(role)), _identity(account))


@step("Keys are put on the meter, prove themselves, and are taken back", _OWNER, timeout_s=7200)
async def changes_keys(run: Run) -> None:
    """Rotate and restore; a real meter that is not armed for KEYS is left alone."""
    _need(run, _ESME)
    old = run.bench.credentials(_ESME, _MANAGEMENT)
    draw = run.chance.stream("one meter/keys").octets
    new = _with_keys(old, draw(16), draw(16))
    try:
        given = await _carry_out(run, _ESME, _equivalent(run, _ESME, _ROTATE), _transfer(new))
    except NotPermittedError as refused:
        run.skip(f"{refused.what} (next: {refused.next_command})")
    run.require("the new keys are taken", Done.DONE, given.done)
    run.check("who opens it", [False, True], [await _opens(run, one) for one in (old, new)])
    restore = _equivalent(run, _ESME, _RESTORE)
    taken = await _carry_out(run, _ESME, restore, _transfer(old), new)
    run.check("the old keys are taken back", Done.DONE, taken.done)
    run.check("who opens it then", [True, False], [await _opens(run, one) for one in (old, new)])


@step(
    "The SIM moves, the hub is heard on the new network, and it moves back",
    _CONTACT,
    timeout_s=3 * 86_400,
)
async def moves_sim(run: Run) -> None:
    """Move the SIM there and back; a bench without hub cannot."""
    try:
        run.bench.inner.hub_wan()
    except HarnessError as error:
        run.skip(error.what)
    hub = run.bench.hub_wan()
    for party in ("S1SP", "SMSO"):
        moved = await hub.change_sim(party)
        run.require(f"the SIM is the {party}'s", "done", "done" if moved.done else moved.why)
        until = UtcMs(run.bench.clock.now() + _DAY_MS)
        heard = await hub.notified(party, until)
        run.check(f"the {party} hears the hub", True, heard is not None)


def _with_keys(who: Credentials, unicast: bytes, authentication: bytes) -> Credentials:
    if who.keys is None:
        raise LookupError(f"the client {who.name} has no keys")
    keys = who.keys.with_key(KeyId.UNICAST, unicast)
    return replace(who, keys=keys.with_key(KeyId.AUTHENTICATION, authentication))


def _transfer(to: Credentials) -> Arguments:
    if to.keys is None:
        raise LookupError(f"the client {to.name} has no keys")
    keys = [
        NewKey(KeyId.UNICAST, to.keys.unicast),
        NewKey(KeyId.AUTHENTICATION, to.keys.authentication),
    ]
    return Arguments(keys=(to.keys.master, keys))


async def _opens(run: Run, who: Credentials) -> bool:
    port = run.bench.meter(_ESME, run.facts[_WAY][_ESME])
    association = await port.associate(who)
    await port.release()
    return association.accepted


MIG_150: Final = Scenario(
    id="MIG-150",
    title="A meter that is to be migrated, looked at before: reading steps on any bench with it",
    devices=(_ESME,),
    world="SMETS1",
    clauses=clauses(_TABLE, _HAND_OVER, _GAS_TABLE, _OWNER, _CONTACT),
    expectation=exact("readable", _TABLE),
    steps=(
        interrogates,
        reads_firmware,
        reads_only,
        reads_log,
        interrogates_gas,
        changes_keys,
        moves_sim,
    ),
    setup=look_around,
    needs=frozenset({_ESME}),
    saboteur="s1-esme-keeps-old-key",
    settings={"homes": installations(_HOME), "any_device": True},
    silent=(
        "what an SMSO asks of a meter before it hands it over; here: what the S1SP asks later",
    ),
)
