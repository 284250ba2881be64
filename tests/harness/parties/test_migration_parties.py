"""SMSO, S1SP, S1SPDP and DCO: their keys, the gate, sealed letters, their memories."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest

from device_profiles.cohort import load_cohort
from device_profiles.dmves import load_dmves
from device_profiles.words import DeviceType
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import factory_keys
from emulator.crypto.dlms_key_transfer import NewKey, read_transfer
from emulator.crypto.dlms_keys import KeyId
from emulator.crypto.keystore import KeyStore, KeyUsage
from harness.formats.migration_files.group_information import (
    DcoInformation,
    DeviceSecrets,
    S1spInformation,
    Secret,
)
from harness.formats.migration_files.handover import Handover, hand_over
from harness.formats.migration_files.opening import Opened
from harness.formats.migration_files.parties import TEST_PARTIES, Role, role_keys
from harness.parties.dco import Dco
from harness.parties.instruction import Countersignature, Instruction, countersign
from harness.parties.key_ring import KeyRing
from harness.parties.post import Post
from harness.parties.s1sp import Errand, S1sp
from harness.parties.s1sp_gate import Gate, GateRefusal, critical_services
from harness.parties.s1spdp import S1spdp
from harness.parties.sealed import SealBrokenError, open_secrets, seal_secrets
from harness.parties.smso import Smso
from harness.smets1.arguments import Arguments
from harness.smets1.steps import Account, Done
from tests.harness.migration.engine_play import Play, in_virtual_time, opened

SEED = 5
ESME = Eui64.parse("02-53-01-00-00-00-00-31")
OTHER = Eui64.parse("02-53-01-00-00-00-00-32")
DCO, SMSO = TEST_PARTIES[Role.DCO], TEST_PARTIES[Role.SMSO]
MASTER = bytes(range(16))


class StillClock:
    """A clock that stands."""

    def now(self) -> UtcMs:
        return UtcMs(1_614_578_400_000)

    async def sleep_until(self, at: UtcMs) -> None:
        raise AssertionError(at)


@lru_cache(maxsize=1)
def keys() -> KeyStore:
    return role_keys(Chance(SEED).stream("keys").octets, UtcMs(1_600_000_000_000))


def scalar(party: Eui64, usage: KeyUsage) -> int:
    entry = keys().find(party, usage)
    assert entry is not None
    assert entry.private_scalar is not None
    return entry.private_scalar


def dco(post: Post | None = None) -> Dco:
    party = Dco(DCO, scalar(DCO, KeyUsage.DS), post or Post(StillClock()))
    party.ring.put(ESME, "master", MASTER)
    return party


def gate() -> Gate:
    return Gate(critical_services(), DCO, keys().public(), {})


def instruction(mode: int = 1, device: Eui64 = ESME) -> Instruction:
    equivalent = load_dmves().find("demo-s1-esme", DeviceType.ESME, "1.6")
    return Instruction.of(device, equivalent, Arguments(mode=mode))


def signed(one: Instruction, counter: int = 1) -> Countersignature:
    return countersign(DCO, scalar(DCO, KeyUsage.DS), one, counter)


# -- the gate ----------------------------------------------------------------------------------


def test_what_the_dco_countersigned_passes_once() -> None:
    here, one = gate(), instruction()
    assert here.refusal(one, signed(one)) is None
    assert here.refusal(one, signed(one)) is GateRefusal.REPLAYED
    assert here.refusal(one, signed(one, 2)) is None


def by_smso(one: Instruction) -> Countersignature:
    return countersign(SMSO, scalar(SMSO, KeyUsage.DS), one, 1)


REFUSED: dict[str, tuple[Callable[[Instruction], Countersignature | None], GateRefusal]] = {
    "no part": (lambda _one: None, GateRefusal.MISSING),
    "another signer": (by_smso, GateRefusal.WRONG_SIGNER),
    "another signer under the DCO's name": (
        lambda one: replace(by_smso(one), signer=DCO),
        GateRefusal.WRONG_SIGNER,
    ),
    "other arguments": (lambda _one: signed(instruction(mode=2)), GateRefusal.ALTERED),
    "another device": (lambda _one: signed(instruction(device=OTHER)), GateRefusal.ALTERED),
    "another counter": (lambda one: replace(signed(one), counter=7), GateRefusal.ALTERED),
    "another service": (
        lambda one: signed(replace(one, service="7.2")),
        GateRefusal.ALTERED,
    ),
    "a flipped bit": (
        lambda one: replace(
            signed(one),
            signature=bytes((signed(one).signature[0] ^ 1,)) + signed(one).signature[1:],
        ),
        GateRefusal.ALTERED,
    ),
    "an old counter": (lambda one: signed(one, 0), GateRefusal.REPLAYED),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_gate_names_why_nothing_passes(case: str) -> None:
    part, why = REFUSED[case]
    one = instruction()
    assert gate().refusal(one, part(one)) is why


def test_refusals_of_the_gate_have_codes_of_their_own() -> None:
    assert len({one.value for one in GateRefusal}) == len(GateRefusal)


def test_readings_need_no_part_of_the_dcos() -> None:
    assert gate().refusal(replace(instruction(), service="11.2"), None) is None
    assert {"1.6", "7.2", "rotate-credentials", "rollback-credentials"} <= critical_services()


def test_nothing_reaches_a_device_without_the_dcos_part() -> None:
    async def story() -> None:
        bench, office, sites = opened(Play())
        site = sites[0]
        errand = Errand(
            site.eui64(DeviceType.ESME),
            site.port(DeviceType.ESME, "SMSO"),
            office.clock,
            office.equivalent("demo-s1-esme", DeviceType.ESME, "1.6"),
            site.credentials(DeviceType.ESME),
            Arguments(mode=1),
        )
        bench.take_frames()
        assert await office.s1sp.carry_out_with(errand, None) is GateRefusal.MISSING
        assert await office.s1sp.carry_out(errand) is GateRefusal.MISSING  # the DCO refuses it
        assert list(bench.take_frames()) == []
        office.dco.ring.put(errand.device, "master", MASTER)
        account = await office.s1sp.carry_out(errand)
        assert isinstance(account, Account)
        assert account.done is Done.DONE
        assert list(bench.take_frames()) != []

    in_virtual_time(story)


# -- the DCO -----------------------------------------------------------------------------------


def test_the_dco_countersigns_only_devices_it_has_a_part_of() -> None:
    post = Post(StillClock())
    party = dco(post)
    assert party.countersign(instruction(), "S1SP") is not None
    assert party.countersign(instruction(device=OTHER), "S1SP") is None
    assert [(one.sender, one.receiver) for one in post.letters] == [
        ("S1SP", "DCO"),
        ("DCO", "S1SP"),
    ] * 2


def test_only_the_dco_can_wrap_keys() -> None:
    wanted = (NewKey(KeyId.UNICAST, b"u" * 16), NewKey(KeyId.AUTHENTICATION, b"a" * 16))
    wrapped = dco().wrap(ESME, wanted)
    assert wrapped is not None
    assert read_transfer(MASTER, wrapped) == wanted
    assert dco().wrap(OTHER, wanted) is None


def test_the_s1sp_never_holds_a_master_key() -> None:
    office = opened_office()
    held = json.dumps(office.s1sp.dump()) + json.dumps(office.s1spdp.dump())
    for device in [Eui64.parse(one.eui64) for one in office.installations[0].devices]:
        assert factory_keys(1, device).keys.master.hex() not in held


def opened_office() -> Any:
    found: list[Any] = []

    async def story() -> None:
        _bench, office, sites = opened(Play())
        for site in sites:
            for one in site.holders():
                device = site.eui64(one)
                shared = office.secrets_of(device)
                office.s1sp.take(
                    Opened(
                        device,
                        S1spInformation(device, (shared.s1sp,)),
                        None,
                        DcoInformation(device, (shared.dco,)),
                    )
                )
        found.append(office)

    in_virtual_time(story)
    return found[0]


# -- keys --------------------------------------------------------------------------------------


def s1sp(seed: int) -> S1sp:
    chance, post = Chance(seed), Post(StillClock())
    return S1sp(TEST_PARTIES[Role.S1SP], chance, gate(), S1spdp(chance), dco(post), post)


def test_the_s1sp_makes_its_own_keys_of_each_device_from_the_seed() -> None:
    assert s1sp(1).new_keys(ESME) == s1sp(1).new_keys(ESME)
    assert s1sp(1).new_keys(ESME) != s1sp(2).new_keys(ESME)
    assert s1sp(1).new_keys(ESME) != s1sp(1).new_keys(OTHER)


def test_keys_survive_a_memory_and_never_show() -> None:
    party = s1sp(1)
    before = party.new_keys(ESME)
    state = json.loads(json.dumps(party.dump()))
    other = s1sp(99)
    other.load(state)
    assert other.new_keys(ESME)[0] == before[0]  # the authentication key is the S1SPDP's to keep
    ring = KeyRing()
    ring.put(ESME, "unicast", b"secretsecretsecr")
    assert "secret" not in repr(ring)
    assert "secret" not in repr(DeviceSecrets(ESME, (Secret("unicast", b"secretsecretsecr"),)))


ENVELOPES = {"EA": ("unicast", "authentication", "master"), "DA": ("unicast", "", "master")}


@pytest.mark.parametrize("key", ENVELOPES)
def test_secrets_are_shared_out_as_the_cohort_has_parts_for_them(key: str) -> None:
    envelope = load_cohort(key).envelope
    shared = hand_over(ESME, factory_keys(1, ESME).keys, {"reader": b"12345678"}, envelope)
    names = [{one.name for one in part.secrets} for part in parts(shared)]
    first, second, third = ENVELOPES[key]
    assert first in names[0]
    assert (second in names[1]) if second else not names[1]
    assert names[2] == {third}
    assert ("authentication" in names[0]) == (second == "")
    everything = [one.octets for part in parts(shared) for one in part.secrets]
    assert len(everything) == len(set(everything)) == 4


def parts(shared: Handover) -> tuple[DeviceSecrets, DeviceSecrets, DeviceSecrets]:
    return shared.s1sp, shared.s1spdp, shared.dco


def test_a_cohort_without_a_part_for_the_dco_loses_no_key() -> None:
    envelope = load_cohort("EA").envelope.model_copy(update={"dco_part": False})
    shared = hand_over(ESME, factory_keys(1, ESME).keys, {}, envelope)
    assert shared.dco.secrets == ()
    assert shared.s1spdp.find("master") is not None


# -- sealed letters ----------------------------------------------------------------------------


def letter(device: Eui64 = ESME) -> bytes:
    entry = keys().find(SMSO, KeyUsage.KA)
    assert entry is not None
    secrets = DeviceSecrets(device, (Secret("unicast", b"u" * 16),))
    return seal_secrets(secrets, entry.public_point, "EA", Chance(SEED).stream("seal").octets)


def test_a_sealed_letter_opens_for_its_receiver_alone() -> None:
    opened_letter = open_secrets(letter(), scalar(SMSO, KeyUsage.KA), "EA", ESME)
    assert opened_letter.find("unicast") == b"u" * 16
    assert b"u" * 16 not in letter()
    for wrong in (
        (letter(), scalar(DCO, KeyUsage.KA), "EA", ESME),
        (letter(), scalar(SMSO, KeyUsage.KA), "EB", ESME),
        (letter(), scalar(SMSO, KeyUsage.KA), "EA", OTHER),
        (letter()[:-1], scalar(SMSO, KeyUsage.KA), "EA", ESME),
        (b"", scalar(SMSO, KeyUsage.KA), "EA", ESME),
    ):
        with pytest.raises(SealBrokenError):
            open_secrets(*wrong)


@pytest.mark.parametrize("at", [0, 20, 40, 60, -1])
def test_a_sealed_letter_that_was_changed_opens_for_nobody(at: int) -> None:
    octets = bytearray(letter())
    octets[at] ^= 1
    with pytest.raises(SealBrokenError):
        open_secrets(bytes(octets), scalar(SMSO, KeyUsage.KA), "EA", ESME)


def test_the_smso_forgets_what_it_dropped() -> None:
    party = Smso(
        scalar(SMSO, KeyUsage.KA), Chance(1), 1, load_cohort("EA").envelope, Post(StillClock())
    )
    party.enrol("HOME", [(ESME, factory_keys(1, ESME).keys)])
    assert party.own(ESME) is not None
    assert party.quiesce("HOME")
    assert party.quiesce("HOME") == ()
    party.drop("HOME", [ESME])
    assert party.own(ESME) is None
    assert "HOME" not in party.schedules
