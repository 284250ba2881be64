from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from hypothesis import given, settings
from hypothesis import strategies as st

from device_profiles.cohort import Cohort
from device_profiles.errors import InconsistentDataError
from emulator.core.chance import Chance
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyUsage
from emulator.crypto.signature import point_of
from harness.formats.migration_files.checks import shipped_book
from harness.formats.migration_files.encrypted_file import (
    EncryptedFile,
    EncryptedInstallation,
    PlainInformation,
)
from harness.formats.migration_files.envelope import (
    BadPointError,
    Binding,
    Layer,
    NotAuthenticError,
    open_layer,
    seal,
)
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.group_information import (
    S1SP_ROOT,
    S1SPDP_ROOT,
    CipherText,
    DeviceSecrets,
    S1spdpInformation,
    S1spInformation,
    Secret,
)
from harness.formats.migration_files.groups import cohort_of, load_groups
from harness.formats.migration_files.handover import factory_secrets
from harness.formats.migration_files.opening import KeyHolder, Opened, Opener, Opening, to_xml
from harness.formats.migration_files.parties import TEST_PARTIES, Role
from harness.formats.migration_files.words import FileType
from harness.rules.migration_envelope import ENVELOPE_CHECKS
from harness.rules.migration_rulebook import Judge
from harness.rules.outcomes import Outcome, rejection
from tests.harness.formats.migration_files.migration_given import (
    GROUPS,
    SCHEMA,
    SEED,
    USUAL,
    Wanted,
    context,
    device,
    one,
    store,
)
from tests.sampling import examples

HUB = device(2, 1)
OTHER_HUB = device(2, 2)
BINDING = Binding(41, "EA", HUB)
SCALAR = 0x1234567890ABCDEF
POINT = point_of(SCALAR)


def draw(count: int) -> bytes:
    return Chance(SEED).stream("one layer").octets(count)


def sealed(plaintext: bytes = b"<a/>", layer: Layer = Layer.S1SP) -> CipherText:
    return seal(plaintext, POINT, BINDING, layer, draw)


def test_the_additional_data_are_counter_group_hub_and_layer() -> None:
    text = "41|EA|02-53-02-00-00-00-00-01"
    assert BINDING.additional_data(Layer.S1SP) == text.encode()
    assert BINDING.additional_data(Layer.S1SPDP) == f"{text}|DP".encode()
    assert BINDING.additional_data(Layer.DCO) == f"{text}|DCO".encode()


def test_the_layout_of_a_layer_is_the_agreed_one() -> None:
    """Opened with nothing of ours: ECDH, one block of ConcatKDF, AES-GCM of the library."""
    cipher = sealed(b"<a/>", Layer.DCO)
    assert (len(cipher.ephemeral_point), len(cipher.iv)) == (33, 12)
    assert len(cipher.octets) == len(b"<a/>") + 16
    aad = b"41|EA|02-53-02-00-00-00-00-01|DCO"
    own = ec.derive_private_key(SCALAR, ec.SECP256R1())
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), cipher.ephemeral_point)
    z = own.exchange(ec.ECDH(), theirs)
    key = ConcatKDFHash(hashes.SHA256(), 16, cipher.ephemeral_point + aad).derive(z)
    assert AESGCM(key).decrypt(cipher.iv, cipher.octets, aad) == b"<a/>"


@settings(max_examples=examples(30), deadline=None)
@given(st.binary(max_size=300), st.sampled_from(Layer), st.integers(0, 10**10 - 1))
def test_what_was_sealed_is_opened(plaintext: bytes, layer: Layer, counter: int) -> None:
    binding = replace(BINDING, counter=counter)
    cipher = seal(plaintext, POINT, binding, layer, draw)
    assert open_layer(cipher, SCALAR, binding, layer) == plaintext


@pytest.mark.parametrize(
    ("binding", "layer", "scalar"),
    [
        (replace(BINDING, counter=42), Layer.S1SP, SCALAR),
        (replace(BINDING, group_id="EB"), Layer.S1SP, SCALAR),
        (replace(BINDING, hub=OTHER_HUB), Layer.S1SP, SCALAR),
        (BINDING, Layer.S1SPDP, SCALAR),
        (BINDING, Layer.DCO, SCALAR),
        (BINDING, Layer.S1SP, SCALAR + 1),
    ],
)
def test_a_layer_opens_in_one_place_and_with_one_key_only(
    binding: Binding, layer: Layer, scalar: int
) -> None:
    with pytest.raises(NotAuthenticError):
        open_layer(sealed(), scalar, binding, layer)


def test_no_bit_of_a_layer_can_be_changed_nothing_cut_off_or_added() -> None:
    cipher = sealed(b"<a>secret</a>")
    parts = (cipher.ephemeral_point, cipher.iv, cipher.octets)
    for place, octets in enumerate(parts):
        for bit in range(len(octets) * 8):
            flipped = bytearray(octets)
            flipped[bit // 8] ^= 1 << bit % 8
            changed = [*parts[:place], bytes(flipped), *parts[place + 1 :]]
            with pytest.raises((NotAuthenticError, BadPointError)):
                open_layer(
                    CipherText(changed[0], changed[1], changed[2]), SCALAR, BINDING, Layer.S1SP
                )
    for octets in (cipher.octets[:-1], cipher.octets[1:], cipher.octets + b"\0"):
        with pytest.raises(NotAuthenticError):
            open_layer(replace(cipher, octets=octets), SCALAR, BINDING, Layer.S1SP)


def test_a_point_that_is_none_is_told_apart() -> None:
    for point in (b"\2" + b"\xff" * 32, b"\0" * 33, b""):
        with pytest.raises(BadPointError):
            open_layer(replace(sealed(), ephemeral_point=point), SCALAR, BINDING, Layer.S1SP)


# installations


def all_encrypted(wanted: Wanted) -> tuple[EncryptedInstallation, ...]:
    content = one(FileType.MEF, wanted).file.content
    assert isinstance(content, EncryptedFile)
    return content.installations


def encrypted(wanted: Wanted = USUAL) -> EncryptedInstallation:
    return all_encrypted(wanted)[0]


def judged(
    installation: EncryptedInstallation,
    cohort: Cohort | None = None,
    *,
    binding: Binding = BINDING,
    opener: Opener | None = None,
) -> tuple[Outcome | None, Opened]:
    """What the rules say first, and what was opened."""
    how = Opening(cohort or GROUPS[binding.group_id], opener or context().opener, SCHEMA)
    facts, found = how.open(installation, binding)
    judge = Judge(shipped_book(), date(2021, 6, 7))
    return rejection(judge.run(ENVELOPE_CHECKS, facts, stop=True)), found


def opened(*arguments: Any, **named: Any) -> Opened:
    outcome, found = judged(*arguments, **named)
    assert outcome is None, outcome
    return found


def refusal(*arguments: Any, **named: Any) -> str:
    outcome, _found = judged(*arguments, **named)
    assert outcome is not None, "nothing refused it"
    return f"{outcome.code} {outcome.sub_code}"


def with_row(**changes: Any) -> Cohort:
    """Cohort EA with another row of Table 11.2.1."""
    envelope = GROUPS["EA"].envelope.model_copy(update=changes)
    return GROUPS["EA"].model_copy(update={"envelope": envelope})


def key_of(role: Role) -> bytes:
    entry = store().find(TEST_PARTIES[role], KeyUsage.KA)
    assert entry is not None
    return entry.public_point


def only(*roles: Role) -> Opener:
    """The keys of these parties alone."""
    return Opener.of(store(), {role: TEST_PARTIES[role] for role in roles})


def test_all_layers_hold_the_secrets_of_every_holder_of_credentials() -> None:
    found = opened(encrypted())
    secrets_of = factory_secrets(SEED)
    expected = [secrets_of(holder) for holder in (HUB, device(1, 1), device(0, 1))]
    assert found.s1sp is not None
    assert found.s1spdp is not None
    assert found.dco is not None
    assert found.s1sp.devices == tuple(row.s1sp for row in expected)
    assert found.s1spdp.devices == tuple(row.s1spdp for row in expected)
    assert found.dco.devices == tuple(row.dco for row in expected)
    assert found.closed == ()
    assert found.s1sp.devices[0].find("unicast") is not None
    assert found.s1sp.devices[0].find("master") is None


def test_an_esme_only_home_has_no_secrets_of_a_gas_meter() -> None:
    found = opened(encrypted(Wanted(gas=False)))
    assert found.s1sp is not None
    assert [row.device for row in found.s1sp.devices] == [HUB, device(1, 1)]


@pytest.mark.parametrize(
    ("roles", "closed"),
    [
        ((Role.S1SP, Role.S1SPDP, Role.DCO), ()),
        ((Role.S1SP,), (Layer.S1SPDP, Layer.DCO)),
        ((Role.S1SP, Role.DCO), (Layer.S1SPDP,)),
        ((Role.DCO,), (Layer.S1SP,)),
        ((), (Layer.S1SP, Layer.DCO)),
    ],
)
def test_a_party_opens_its_own_layer_and_no_other(
    roles: tuple[Role, ...], closed: tuple[Layer, ...]
) -> None:
    found = opened(encrypted(), opener=only(*roles))
    assert found.closed == closed
    assert (found.s1spdp is None) == (Role.S1SPDP not in roles)


def test_the_s1sp_key_cannot_open_protected_data() -> None:
    s1sp = context().opener.holders[Layer.S1SP]
    as_s1sp = Opener({Layer.S1SP: s1sp, Layer.S1SPDP: KeyHolder(Layer.S1SPDP, s1sp.scalar)})
    assert refusal(encrypted(), opener=as_s1sp) == "X-15.3 03"


def test_no_secret_stands_in_a_repr() -> None:
    found = opened(encrypted())
    assert found.s1sp is not None
    for row in found.s1sp.devices:
        for secret in row.secrets:
            shown = repr((found, found.s1sp, row, secret, context().opener))
            assert secret.octets.hex() not in shown
            assert repr(secret.octets)[2:-1] not in shown


def test_swapped_blobs_are_refused() -> None:
    first, second = all_encrypted(Wanted(homes=2))
    assert refusal(replace(second, hub=first.hub)) == "X-5.23A 02"
    assert refusal(replace(first, dco=second.dco)) == "X-DCO 03"
    later = encrypted(Wanted(counter=42))
    assert refusal(replace(first, s1sp=later.s1sp)) == "X-5.23A 02"
    # The layers of one installation cannot take each other's place either.
    assert refusal(replace(first, s1sp=first.dco)) == "X-5.23A 02"


def information(hub: Eui64 = HUB, protected: CipherText | None = None) -> S1spInformation:
    rows = (DeviceSecrets(hub, (Secret("unicast", bytes(16)),)),)
    return S1spInformation(hub, rows, protected)


def dp_information(hub: Eui64 = HUB) -> S1spdpInformation:
    return S1spdpInformation(hub, (DeviceSecrets(hub, (Secret("master", bytes(16)),)),))


def layer(plaintext: bytes, of: Layer = Layer.S1SP, role: Role = Role.S1SP) -> CipherText:
    return seal(plaintext, key_of(role), BINDING, of, draw)


SIMPLE = with_row(root=S1SP_ROOT, protected_data=None, dco_part=False)


@pytest.mark.parametrize("is_dp", [False, True])
@pytest.mark.parametrize("rules_dp", [False, True])
def test_the_root_is_the_one_the_table_names_for_the_group(is_dp: bool, rules_dp: bool) -> None:
    root = S1SPDP_ROOT if rules_dp else S1SP_ROOT
    rules = with_row(root=root, protected_data=None, dco_part=False)
    structure = dp_information() if is_dp else information()
    installation = EncryptedInstallation(HUB, layer(to_xml(structure, SCHEMA)))
    if is_dp is rules_dp:
        found = opened(installation, rules)
        assert (found.s1spdp if is_dp else found.s1sp) == structure
    else:
        assert refusal(installation, rules) == "X-11.2.1 01"


def text(change: Callable[[str], str] = str, structure: Any = None) -> bytes:
    return change(to_xml(structure or information(), SCHEMA).decode()).encode()


PLAIN: dict[str, tuple[bytes, str]] = {
    "not XML": (b"secret", "X-5.23B 01"),
    "a bomb": (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "X-5.23B 01"),
    "too long": (b" " * 300_000, "X-5.23B 01"),
    "another namespace": (text(lambda t: t.replace("smets1-migration:1", "x")), "X-5.23B 01"),
    "not valid": (text(lambda t: t.replace("unicast", "")), "X-5.23B 02"),
    "neither of the two structures": (
        b'<mig:MigrationCommonFile xmlns:mig="urn:x-bench:smets1-migration:1"/>',
        "X-5.23B 03",
    ),
    "the structure for the DCO": (
        text(lambda t: t.replace("DecryptedS1SPGroup", "DecryptedDCOGroup")),
        "X-5.23B 03",
    ),
    "not canonical": (text(lambda t: t.replace("<mig:Device ", "<mig:Device  ")), "X-5.23B 04"),
    "with a comment": (
        text(lambda t: t.replace("<mig:Device ", "<!--x--><mig:Device ")),
        "X-5.23B 04",
    ),
    "of another hub": (text(structure=information(OTHER_HUB)), "X-5.23B 05"),
    "base64 that is not canonical": (text(lambda t: t.replace("A==<", "B==<")), "X-5.23B 06"),
}


@pytest.mark.parametrize("name", list(PLAIN))
def test_a_plaintext_that_is_not_as_agreed_is_refused_by_code(name: str) -> None:
    plaintext, code = PLAIN[name]
    assert refusal(EncryptedInstallation(HUB, layer(plaintext)), SIMPLE) == code


def test_a_refusal_never_repeats_a_secret() -> None:
    for old, new in (("A==<", "!!!<"), ("A==<", "B==<"), ('Name="unicast"', 'Name=""')):
        plaintext = text().decode().replace(old, new).encode()
        outcome, _found = judged(EncryptedInstallation(HUB, layer(plaintext)), SIMPLE)
        assert outcome is not None
        assert "AAAA" not in outcome.text
        assert "!!!" not in outcome.text


def test_an_ephemeral_point_that_is_none_is_refused_by_code() -> None:
    cipher = replace(layer(text()), ephemeral_point=b"\2" + b"\xff" * 32)
    assert refusal(EncryptedInstallation(HUB, cipher), SIMPLE) == "X-5.23A 01"
    assert refusal(EncryptedInstallation(HUB)) == "X-11.1 02"


def test_protected_data_are_there_where_the_group_has_them_and_nowhere_else() -> None:
    inner = layer(to_xml(dp_information(), SCHEMA), Layer.S1SPDP, Role.S1SPDP)
    without = EncryptedInstallation(HUB, layer(text()))
    with_data = EncryptedInstallation(HUB, layer(text(structure=information(protected=inner))))
    rules = with_row(dco_part=False)
    assert refusal(without, rules) == "X-15.3 01"
    assert refusal(with_data, SIMPLE) == "X-15.3 02"
    assert opened(with_data, rules).s1spdp == dp_information()
    for structure in (information(), dp_information(OTHER_HUB)):
        wrong = layer(to_xml(structure, SCHEMA), Layer.S1SPDP, Role.S1SPDP)
        outer = layer(text(structure=information(protected=wrong)))
        assert refusal(EncryptedInstallation(HUB, outer), rules) == "X-15.3 04"


def test_the_part_for_the_dco_is_there_where_the_group_has_it_and_nowhere_else() -> None:
    whole = encrypted()
    assert refusal(replace(whole, dco=None)) == "X-DCO 01"
    assert refusal(whole, with_row(dco_part=False)) == "X-DCO 02"
    wrong = layer(text(), Layer.DCO, Role.DCO)
    assert refusal(replace(whole, dco=wrong)) == "X-DCO 04"


def test_plain_text_is_for_the_group_that_agreed_on_it_alone() -> None:
    plain = encrypted(Wanted("EB", plaintext=True))
    assert plain.s1sp is None
    at = replace(BINDING, group_id="EB")
    found = opened(plain, binding=at)
    assert found.s1sp is not None
    assert found.s1spdp is not None, "its ProtectedData stays encrypted"
    for group in GROUPS.values():
        if group.cohort.group_id != "EB":
            assert refusal(plain, group) == "X-11.1 01"
    other = PlainInformation(information(OTHER_HUB))
    assert refusal(replace(plain, plain=other), binding=at) == "X-5.23B 05"


def test_secrets_are_unreadable_without_the_key() -> None:
    row = encrypted()
    secret = factory_secrets(SEED)(HUB).s1sp.find("unicast")
    assert secret is not None
    assert row.s1sp is not None
    assert secret not in row.s1sp.octets


# groups


def test_the_rows_of_the_table_are_as_the_seeds_have_them() -> None:
    assert [g for g, row in GROUPS.items() if row.envelope.plaintext_allowed] == ["EB"]
    assert [g for g, row in GROUPS.items() if not row.cohort.migratable] == ["EC"]
    assert {g for g, row in GROUPS.items() if row.envelope.protected_data} == {"EA", "EB", "EC"}
    with pytest.raises(MigrationFileError, match="X-GROUP 01"):
        cohort_of("ZZ", GROUPS)


def test_a_cohort_of_ones_own_wins_over_the_shipped_one_of_its_group() -> None:
    own = with_row(dco_part=False)
    groups = load_groups((), [own])
    assert groups["EA"] is own
    assert groups["EB"] is GROUPS["EB"]
    with pytest.raises(InconsistentDataError, match=r"Table 11\.2\.1"):
        load_groups((), [with_row(root="Other")])
    with pytest.raises(InconsistentDataError, match=r"Table 11\.2\.1"):
        load_groups((), [with_row(protected_data=S1SP_ROOT)])


def test_the_requesting_party_can_be_bound_too_and_by_default_is_not() -> None:
    with_party = replace(BINDING, party=device(7, 7))
    text = "41|EA|02-53-02-00-00-00-00-01|02-53-07-00-00-00-00-07|DP"
    assert with_party.additional_data(Layer.S1SPDP) == text.encode()
    cipher = seal(b"<a/>", POINT, with_party, Layer.S1SP, draw)
    with pytest.raises(NotAuthenticError):
        open_layer(cipher, SCALAR, BINDING, Layer.S1SP)
    assert open_layer(cipher, SCALAR, with_party, Layer.S1SP) == b"<a/>"
