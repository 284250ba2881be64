"""Secrets, keys and counters: SER-009, SER-011, SER-012 and SER-016."""

from dataclasses import replace
from typing import Final

from emulator.codecs.dlms import apdu_exception, apdu_get
from emulator.codecs.dlms.acse import UserDiagnostic
from emulator.codecs.dlms.apdu_ciphered import Form
from emulator.codecs.dlms.apdu_get import GetRequest
from emulator.codecs.dlms.apdu_parts import Attribute
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.errors import MalformedFrameError
from emulator.crypto.dlms_key_transfer import NewKey, transfer_parameters
from emulator.crypto.dlms_keys import InvocationCounters, KeyId, SecurityKeys
from emulator.crypto.dlms_security import SecurityContext
from harness.meter import Association, Credentials, Unanswered
from harness.run import Run
from harness.scenario import step
from harness.scenarios.serial.actions import (
    MANAGEMENT,
    READER,
    associate,
    knows_client,
    meter,
    octets,
    read,
    read_value,
    word_of,
)
from harness.scenarios.serial.objects import (
    DATA,
    SECURITY,
    SECURITY_SETUP,
    SERIAL_NUMBER,
    attribute,
    method,
)
from harness.scenarios.serial.row import meter_row

_SERIAL: Final = attribute(DATA, SERIAL_NUMBER)
_TRANSFER: Final = 2
#: Invoke id and priority of the requests made by hand: number 1, confirmed, high priority.
_INVOKE: Final = 0xC1


def credentials(run: Run, name: str) -> Credentials:
    """Return how a client presents itself; the step is skipped where the model knows none."""
    if not knows_client(run, name):
        run.skip(f"the model knows no client {name!r}")
    return run.bench.credentials("ESME", name)


def _wrong(octets_: bytes) -> bytes:
    return bytes([octets_[0] ^ 1]) + octets_[1:]


@step("A wrong password is refused", "IEC 62056-5-3 AARQ", timeout_s=120)
async def refuses_password(run: Run) -> None:
    """One octet of the low-level secret is wrong; then the right one works."""
    right = credentials(run, READER)
    answer = await meter(run).associate(replace(right, secret=_wrong(right.secret or b"?")))
    run.check("association with a wrong secret", False, answer.accepted)
    run.check("diagnostic", int(UserDiagnostic.AUTHENTICATION_FAILURE), answer.diagnostic)
    run.check("reading without an association", True, await _reads_nothing(run))
    run.event("password-refused")
    again = await meter(run).associate(right)
    run.check("association with the right secret", True, again.accepted)


@step("A wrong key is refused", "IEC 62056-5-3 AARQ", "IEC 62056-5-3 ciphering", timeout_s=120)
async def refuses_key(run: Run) -> None:
    """One octet of the encryption key is wrong; then the right one works."""
    right = credentials(run, MANAGEMENT)
    if right.keys is None:
        run.skip("this client has no keys")
    bad = replace(right.keys, unicast=_wrong(right.keys.unicast))
    answer = await meter(run).associate(replace(right, keys=bad))
    run.check("association with a wrong key", False, answer.accepted)
    run.check("reading without an association", True, await _reads_nothing(run))
    run.event("key-refused")
    again = await meter(run).associate(right)
    run.check("association with the right key", "", again.why)
    run.outcome("REFUSED")
    await meter(run).release()


async def _reads_nothing(run: Run) -> bool:
    return octets(await read(run, _SERIAL)) is None


SER_009: Final = meter_row(
    id="SER-009",
    title="Wrong password and wrong key",
    outcome="REFUSED",
    steps=(refuses_password, refuses_key),
    saboteur="s1-esme-any-password",
    expected_events=("password-refused?", "key-refused"),
)


def _plain_get(wanted: Attribute) -> bytes:
    return apdu_get.encode_request(GetRequest(_INVOKE, wanted))


def _answers(octets_: bytes | Unanswered) -> str:
    """Return what a raw answer is: ``refused``, ``silent``, or ``answered`` for anything else."""
    if isinstance(octets_, Unanswered):
        return "silent"
    try:
        apdu_exception.decode(octets_)
    except MalformedFrameError:
        return "answered"
    return "refused"


@step("A request without protection is not executed", "IEC 62056-5-3 ciphering", timeout_s=120)
async def refuses_plain(run: Run) -> None:
    """In an association that demands protection, send a plain GET; then a protected one works."""
    await associate(run, MANAGEMENT)
    answer = await meter(run).exchange(_plain_get(_SERIAL))
    run.check("a plain request", "refused", _answers(answer))
    run.event("plain-refused")
    run.check("a protected request after it", "a value", word_of(await read(run, _SERIAL)))


@step("The public client cannot lower the policy", "IEC 62056-5-3 ciphering", timeout_s=120)
async def refuses_public(run: Run) -> None:
    """As the public client, try to set the security policy to none."""
    await associate(run)
    answer = await meter(run).action(method(SECURITY_SETUP, SECURITY, 1), Data(Tag.ENUM, 0))
    run.check("a key verb by the public client", True, word_of(answer) != "success")
    run.outcome("NOT-DOWNGRADED")
    await meter(run).release()


@step("A request that was sent before is refused", "IEC 62056-5-3 ciphering", timeout_s=120)
async def refuses_replay(run: Run) -> None:
    """Seal a GET by hand with a counter of the past, and send it; then a fresh one works."""
    right = credentials(run, MANAGEMENT)
    await associate(run, MANAGEMENT)
    first = await read(run, _SERIAL)
    run.require("a fresh request", "a value", word_of(first))
    old = _sealed_before(right)
    answer = await meter(run).exchange(old)
    run.check("a request with an old counter", "refused", _answers(answer))
    run.event("replay-refused")
    run.check("a fresh request after it", "a value", word_of(await read(run, _SERIAL)))
    run.outcome("REPLAY-REFUSED")
    await meter(run).release()


def _sealed_before(right: Credentials) -> bytes:
    """Return a GET protected with the right keys and the very first counter."""
    if right.keys is None:
        raise ValueError("this client has no keys")
    form = right.form if right.form is not Form.PLAIN else Form.GENERAL_GLOBAL
    context = SecurityContext(
        right.keys,
        InvocationCounters(),
        own_title=right.title,
        peer_title=bytes(8),
        suite=right.suite,
    )
    return context.seal(_plain_get(_SERIAL), form)


SER_011: Final = meter_row(
    id="SER-011",
    title="A replayed invocation counter",
    outcome="REPLAY-REFUSED",
    steps=(refuses_replay,),
    saboteur="s1-esme-accepts-replay",
    expected_events=("replay-refused",),
)


def new_keys(run: Run) -> tuple[NewKey, NewKey]:
    """Return the keys of the other party: seeded, the same whenever asked."""
    draw = run.chance.stream("new-keys")
    draw.position = 0
    return NewKey(KeyId.UNICAST, draw.octets(16)), NewKey(KeyId.AUTHENTICATION, draw.octets(16))


def _with(keys: SecurityKeys, new: tuple[NewKey, NewKey]) -> SecurityKeys:
    for item in new:
        keys = keys.with_key(item.key_id, item.key)
    return keys


async def _transfer(run: Run, keys: SecurityKeys, new: tuple[NewKey, NewKey]) -> str:
    parameters = transfer_parameters(keys.master, new)
    answer = await meter(run).action(method(SECURITY_SETUP, SECURITY, _TRANSFER), parameters)
    await meter(run).release()
    return word_of(answer)


async def _associates(run: Run, who: Credentials) -> Association:
    answer = await meter(run).associate(who)
    if answer.accepted:
        await read_value(run, "the serial number", _SERIAL)
    return answer


@step("New keys are transferred", "COSEM security setup", timeout_s=300)
async def transfers(run: Run) -> None:
    """Transfer keys wrapped under a wrong master key (refused), then under the right one."""
    right = credentials(run, MANAGEMENT)
    if right.keys is None:
        run.skip("this client has no keys")
    await associate(run, MANAGEMENT)
    wrong = replace(right.keys, master=_wrong(right.keys.master))
    word = await _transfer(run, wrong, new_keys(run))
    run.check("keys wrapped under a wrong master key are refused", True, word != "success")
    await associate(run, MANAGEMENT)
    run.check("answer to the transfer", "success", await _transfer(run, right.keys, new_keys(run)))
    run.event("keys-transferred")


@step("The new keys work, the old are refused", "COSEM security setup", timeout_s=300)
async def changes_hands(run: Run) -> None:
    """Associate with both sets."""
    right = credentials(run, MANAGEMENT)
    if right.keys is None:
        run.skip("this client has no keys")
    old = await _associates(run, right)
    run.check("association with the old keys", False, old.accepted)
    other = replace(right, keys=_with(right.keys, new_keys(run)))
    new = await _associates(run, other)
    run.check("association with the new keys", "", new.why)
    run.event("hands-changed")


@step("The old keys are brought back", "COSEM security setup", timeout_s=300, always=True)
async def rolls_back(run: Run) -> None:
    """Transfer the old keys with the new ones; then only the old work."""
    right = credentials(run, MANAGEMENT)
    if right.keys is None:
        run.skip("this client has no keys")
    other = replace(right, keys=_with(right.keys, new_keys(run)))
    answer = await meter(run).associate(other)
    run.require("association with the new keys", "", answer.why)
    old = (
        NewKey(KeyId.UNICAST, right.keys.unicast),
        NewKey(KeyId.AUTHENTICATION, right.keys.authentication),
    )
    run.check("answer to the transfer", "success", await _transfer(run, right.keys, old))
    run.check("association with the old keys", "", (await _associates(run, right)).why)
    run.check("association with the new keys", False, (await _associates(run, other)).accepted)
    run.event("rolled-back")
    run.outcome("ROLLED-BACK")
    await meter(run).release()


SER_012: Final = meter_row(
    id="SER-012",
    title="Keys change hands and come back",
    outcome="ROLLED-BACK",
    steps=(transfers, changes_hands, rolls_back),
    saboteur="s1-esme-keeps-old-key",
    expected_events=("keys-transferred", "hands-changed", "rolled-back"),
)


SER_016: Final = meter_row(
    id="SER-016",
    title="No downgrade of security",
    outcome="NOT-DOWNGRADED",
    steps=(refuses_plain, refuses_public),
    saboteur="s1-esme-plain-in-ciphered",
    expected_events=("plain-refused",),
)
