import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.envelope import Cra, Envelope, OtherInformation
from emulator.codecs.gbcs.use_cases import MESSAGES, Category, MessageCode, MessageRow, Protection
from emulator.core.errors import KeyNotHeldError, MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto import protection
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.protection import (
    Accepted,
    KeyRing,
    Opened,
    Refusal,
    Refused,
    Unauthenticated,
    add_mac,
    decrypt_block,
    encrypt_block,
    mac_parties,
    open_message,
    seal,
    sign,
)
from tests.emulator.crypto.own_messages import (
    ACB,
    ALL_SETS,
    ESME,
    OTHER_SUPPLIER,
    PPMID,
    STORE,
    SUPPLIER,
    Made,
    allowed,
    draft,
    made_messages,
    new_ring,
    with_supplementary,
)

RING = new_ring()
MADE = made_messages()
CRITICAL = MESSAGES[MessageCode.CS06]
NON_CRITICAL = MESSAGES[MessageCode.ECS52]
BOTH = Protection.SIGNATURE | Protection.MAC
STRANGER = Eui64.parse("02-53-42-09-00-00-00-09")


def opened(data: bytes, ring: KeyRing = RING) -> Opened:
    return open_message(data, ring, acb=ACB)


def reason(data: bytes, ring: KeyRing = RING) -> Refusal | None:
    result = opened(data, ring)
    return result.reason if isinstance(result, Refused) else None


def holding(*keep: tuple[Eui64, KeyUsage, bool]) -> KeyRing:
    """A ring with some keys alone: party, usage, private or not."""
    entries = []
    for eui64, usage, private in keep:
        entry = STORE.find(eui64, usage)
        assert entry is not None
        entries.append(entry if private else entry.public())
    return KeyRing(KeyStore(entries))


def test_every_kind_of_message_is_accepted_under_the_protection_its_row_allows() -> None:
    assert len(MADE) > 400
    for made in MADE:
        result = opened(made.data)
        assert isinstance(result, Accepted), (made.name, result)
        assert result.row is made.row
        assert result.envelope.payload == made.envelope.payload
        assert result.envelope.header == made.envelope.header


@pytest.mark.parametrize("cra", Cra)
@pytest.mark.parametrize("given", ALL_SETS)
def test_a_protection_set_is_accepted_if_and_only_if_the_row_allows_it(
    given: Protection, cra: Cra
) -> None:
    for row in MESSAGES.values():
        if given is Protection.NONE and cra is not Cra.COMMAND:
            data = envelope.encode(replace(draft(row, cra), signature=b""))
        else:
            data = seal(draft(row, cra), RING, protection=given, acb=ACB)
        result = opened(data)
        if given in allowed(row, cra):
            assert isinstance(result, Accepted)
        elif not allowed(row, cra):
            assert reason(data) is Refusal.WRONG_DIRECTION
        elif given is Protection.NONE and cra is Cra.COMMAND:
            assert isinstance(result, Unauthenticated)
        else:
            assert isinstance(result, Refused), row.use_case


def test_no_row_allows_a_set_that_is_part_of_another() -> None:
    for row, cra in itertools.product(MESSAGES.values(), Cra):
        for one, other in itertools.permutations(allowed(row, cra), 2):
            assert one & other != one, row.use_case


def test_a_table_that_allowed_a_lesser_set_would_still_demand_the_greater() -> None:
    loose = replace(
        CRITICAL, command=(BOTH, Protection.SIGNATURE, Protection.NONE), response=(), alert=()
    )
    assert protection._demanded(loose, Cra.COMMAND) == (BOTH,)
    assert protection._demanded(loose, Cra.RESPONSE) == ()
    either = replace(loose, command=(Protection.MAC, Protection.SIGNATURE))
    assert set(protection._demanded(either, Cra.COMMAND)) == set(either.command)


def stripped(env: Envelope) -> dict[str, Envelope]:
    """Every way to take a protection away without a key."""
    ways = {
        "mac": replace(env, mac=None),
        "signature": replace(env, signature=b""),
        "both": replace(env, signature=b"", mac=None),
        "zero mac": replace(env, mac=bytes(12)),
        "zero signature": replace(env, signature=bytes(64)),
    }
    if env.header.cra is Cra.COMMAND:
        ways["field"] = replace(env, signature=None, mac=None)
    return {name: way for name, way in ways.items() if way != env}


@pytest.mark.parametrize("made", MADE[:: max(1, len(MADE) // 60)], ids=lambda m: m.name)
def test_no_protection_can_be_taken_away(made: Made) -> None:
    for name, env in stripped(envelope.decode(made.data)).items():
        result = opened(envelope.encode(env))
        assert not isinstance(result, Accepted), name


def test_no_protection_can_be_taken_away_from_any_kind_of_message() -> None:
    for made in MADE:
        for name, env in stripped(envelope.decode(made.data)).items():
            assert not isinstance(opened(envelope.encode(env)), Accepted), (made.name, name)


def sealed(row: MessageRow, cra: Cra, given: Protection) -> Envelope:
    return envelope.decode(seal(draft(row, cra), RING, protection=given, acb=ACB))


def of_stranger(env: Envelope) -> Envelope:
    return replace(env, header=replace(env.header, originator=STRANGER))


def retargeted(env: Envelope) -> Envelope:
    return replace(env, header=replace(env.header, target=STRANGER))


def recoded(env: Envelope) -> Envelope:
    return replace(env, header=replace(env.header, other=OtherInformation(0xFFFF)))


@pytest.mark.parametrize(
    ("expected", "row", "cra", "given", "spoil"),
    [
        (Refusal.UNKNOWN_MESSAGE_CODE, CRITICAL, Cra.COMMAND, BOTH, recoded),
        (Refusal.MISSING_SIGNATURE, CRITICAL, Cra.COMMAND, Protection.MAC, None),
        (Refusal.MISSING_MAC, CRITICAL, Cra.COMMAND, Protection.SIGNATURE, None),
        (Refusal.MISSING_SIGNATURE, CRITICAL, Cra.RESPONSE, Protection.NONE, None),
        (Refusal.UNEXPECTED_PROTECTION, CRITICAL, Cra.RESPONSE, BOTH, None),
        (Refusal.UNEXPECTED_PROTECTION, CRITICAL, Cra.RESPONSE, Protection.MAC, None),
        (Refusal.MISSING_MAC, NON_CRITICAL, Cra.RESPONSE, Protection.NONE, None),
        (Refusal.UNEXPECTED_PROTECTION, NON_CRITICAL, Cra.COMMAND, BOTH, None),
        (Refusal.UNKNOWN_SIGNER, CRITICAL, Cra.RESPONSE, Protection.SIGNATURE, of_stranger),
        (Refusal.BAD_SIGNATURE, CRITICAL, Cra.RESPONSE, Protection.SIGNATURE, retargeted),
        (Refusal.NO_MAC_KEY, NON_CRITICAL, Cra.RESPONSE, Protection.MAC, of_stranger),
        (Refusal.NO_MAC_KEY, NON_CRITICAL, Cra.COMMAND, Protection.MAC, retargeted),
        (Refusal.BAD_MAC, NON_CRITICAL, Cra.COMMAND, Protection.MAC, of_stranger),
        (Refusal.WRONG_DIRECTION, NON_CRITICAL, Cra.ALERT, Protection.MAC, None),
    ],
)
def test_each_refusal_has_its_reason(
    expected: Refusal,
    row: MessageRow,
    cra: Cra,
    given: Protection,
    spoil: Callable[[Envelope], Envelope] | None,
) -> None:
    env = sealed(row, cra, given) if given else replace(draft(row, cra), signature=b"")
    result = opened(envelope.encode(spoil(env) if spoil else env))
    assert isinstance(result, Refused)
    assert result.reason is expected
    assert result.detail
    assert result.envelope == (spoil(env) if spoil else env)


def test_every_reason_of_refusal_is_met_above() -> None:
    marks = test_each_refusal_has_its_reason.pytestmark  # type: ignore[attr-defined]  # pytest's
    assert {row[0] for row in marks[0].args[1]} | {Refusal.BAD_MAC} == set(Refusal)


def test_octets_that_are_no_message_raise_instead_of_returning() -> None:
    with pytest.raises(MalformedFrameError):
        opened(b"\xdd")


def test_another_supplier_cannot_sign_for_the_originator() -> None:
    env = draft(CRITICAL, Cra.COMMAND)
    thief = replace(env, header=replace(env.header, originator=OTHER_SUPPLIER))
    theirs = sign(thief, RING).signature
    data = envelope.encode(add_mac(replace(env, signature=theirs), RING, acb=ACB))
    assert reason(data) is Refusal.BAD_SIGNATURE


def test_the_mac_of_a_command_is_the_acbs_whoever_originates_it() -> None:
    env = draft(NON_CRITICAL, Cra.COMMAND)
    own = envelope.encode(add_mac(env, RING, acb=SUPPLIER))
    assert reason(own) is Refusal.BAD_MAC
    assert isinstance(opened(envelope.encode(add_mac(env, RING, acb=ACB))), Accepted)


def test_the_mac_covers_the_signature_so_the_signature_comes_first() -> None:
    env = draft(CRITICAL, Cra.COMMAND)
    maced = add_mac(env, RING, acb=ACB)
    signed = sign(maced, RING)
    assert signed.mac is None
    late = replace(signed, mac=maced.mac)
    assert reason(envelope.encode(late)) is Refusal.BAD_MAC


def test_a_response_answers_as_the_device_and_not_as_the_acb() -> None:
    header = draft(NON_CRITICAL, Cra.RESPONSE).header
    assert mac_parties(header, NON_CRITICAL, acb=ACB) == (ESME, SUPPLIER)
    header = draft(NON_CRITICAL, Cra.COMMAND).header
    assert mac_parties(header, NON_CRITICAL, acb=ACB) == (ACB, ESME)


def between_devices() -> bytes:
    row = next(row for row in MESSAGES.values() if row.category is Category.BETWEEN_DEVICES)
    return seal(draft(row, Cra.COMMAND), RING, protection=Protection.MAC, acb=ACB)


def test_a_mac_between_devices_is_checked_by_whoever_holds_one_of_their_keys() -> None:
    data = between_devices()
    for held in (ESME, PPMID):
        keys = [(party, KeyUsage.KA, party == held) for party in (ESME, PPMID)]
        assert isinstance(opened(data, holding(*keys)), Accepted)


def test_a_mac_between_devices_is_unauthenticated_for_everybody_else() -> None:
    ring = holding(
        (ACB, KeyUsage.KA, True), (ESME, KeyUsage.KA, False), (PPMID, KeyUsage.KA, False)
    )
    result = opened(between_devices(), ring)
    assert isinstance(result, Unauthenticated)
    assert "no private key" in result.why
    assert reason(between_devices(), holding((PPMID, KeyUsage.KA, False))) is Refusal.NO_MAC_KEY


def test_a_good_signature_alone_is_not_enough_when_the_mac_cannot_be_checked() -> None:
    data = seal(draft(CRITICAL, Cra.COMMAND), RING, protection=BOTH, acb=ACB)
    public = [(party, KeyUsage.KA, False) for party in (ACB, ESME)]
    ring = holding((SUPPLIER, KeyUsage.DS, False), *public)
    assert isinstance(opened(data, ring), Unauthenticated)
    env = envelope.decode(data)
    spoiled = envelope.encode(replace(env, payload=env.payload + b"."))
    assert reason(spoiled, ring) is Refusal.BAD_SIGNATURE


def test_a_device_checks_and_answers_with_its_own_keys_and_public_ones() -> None:
    device = holding(
        (ESME, KeyUsage.DS, True),
        (ESME, KeyUsage.KA, True),
        (ACB, KeyUsage.KA, False),
        (SUPPLIER, KeyUsage.DS, False),
        (SUPPLIER, KeyUsage.KA, False),
    )
    command = seal(draft(CRITICAL, Cra.COMMAND), RING, protection=BOTH, acb=ACB)
    assert isinstance(opened(command, device), Accepted)
    answer = seal(draft(NON_CRITICAL, Cra.RESPONSE), device, protection=Protection.MAC, acb=ACB)
    assert isinstance(opened(answer), Accepted)


@pytest.mark.parametrize("fields", range(4))
def test_supplementary_fields_are_protected_like_everything_else(fields: int) -> None:
    env = with_supplementary(draft(NON_CRITICAL, Cra.RESPONSE), fields)
    data = seal(env, RING, protection=Protection.MAC, acb=ACB)
    assert isinstance(opened(data), Accepted)
    at = data.index(0xDF) + 31
    assert reason(data[:at] + b"\x7f" + data[at + 1 :]) is not None


def test_sealing_without_the_key_says_whose_key_is_missing() -> None:
    public = KeyRing(STORE.public())
    with pytest.raises(KeyNotHeldError, match=str(SUPPLIER)):
        seal(draft(CRITICAL, Cra.COMMAND), public, protection=BOTH, acb=ACB)
    with pytest.raises(KeyNotHeldError, match=str(ACB)):
        seal(draft(NON_CRITICAL, Cra.COMMAND), public, protection=Protection.MAC, acb=ACB)
    with pytest.raises(KeyNotHeldError, match=str(ESME)):
        encrypt_block(b"", draft(NON_CRITICAL, Cra.RESPONSE).header, public)
    with pytest.raises(ValueError, match="ffff is in no table"):
        add_mac(recoded(draft(CRITICAL, Cra.COMMAND)), RING, acb=ACB)
    with pytest.raises(ValueError, match="pre-command"):
        seal(draft(CRITICAL, Cra.RESPONSE), RING, protection=Protection.NONE, acb=ACB)


def test_sealing_twice_gives_the_same_octets() -> None:
    env = draft(CRITICAL, Cra.COMMAND)
    once = seal(env, RING, protection=BOTH, acb=ACB)
    assert seal(envelope.decode(once), new_ring(), protection=BOTH, acb=ACB) == once


@pytest.mark.parametrize("fields", range(4))
def test_a_block_is_for_the_supplementary_party_where_there_is_one(fields: int) -> None:
    header = with_supplementary(draft(NON_CRITICAL, Cra.RESPONSE), fields).header
    block = encrypt_block(b"sensitive", header, RING)
    reader = OTHER_SUPPLIER if fields else SUPPLIER
    parties = {ESME, SUPPLIER, OTHER_SUPPLIER}
    ring = holding(*((party, KeyUsage.KA, party == reader) for party in parties))
    assert decrypt_block(block, header, ring) == b"sensitive"
    other = SUPPLIER if fields else OTHER_SUPPLIER
    with pytest.raises(KeyNotHeldError):
        decrypt_block(
            block, header, holding(*((party, KeyUsage.KA, party == other) for party in parties))
        )
    later = replace(header, counter=header.counter + 1)
    assert (decrypt_block(block, later, RING) is None) == (fields < 3)
