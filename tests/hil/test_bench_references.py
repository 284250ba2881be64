"""References to secrets: followed to their octets, and never shown."""

from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import factory_keys
from emulator.crypto.dlms_keys import SecurityKeys
from hil.references import NotAReferenceError, Reference, SecretMissingError, Store, Vault

SECRET = "73512890"  # noqa: S105 - made up
KEYS = bytes(range(48))
HEX = KEYS.hex()


def vault(folder: Path, **environment: str) -> Vault:
    return Vault(folder, environment)


def key_file(folder: Path) -> None:
    made = factory_keys(7, Eui64(bytes(8)))
    lines = [
        f'client_title = "{made.client_title.hex()}"',
        f'server_title = "{made.server_title.hex()}"',
        "[keys]",
        f'unicast = "{made.keys.unicast.hex()}"',
        f'authentication = "{made.keys.authentication.hex()}"',
        f'master = "{made.keys.master.hex()}"',
        "[secrets]",
        f'reader = "{made.secrets["reader"].hex()}"',
    ]
    (folder / "store.toml").write_text("\n".join(lines))


@pytest.mark.parametrize(
    ("text", "store", "name", "field"),
    [
        ("env:READER_SECRET", Store.ENV, "READER_SECRET", ""),
        ("file:keys.toml#reader", Store.FILE, "keys.toml", "reader"),
        ("file:/a/b#c.toml#meter.one.keys", Store.FILE, "/a/b#c.toml", "meter.one.keys"),
        ("keystore:~/meters/one.toml", Store.KEYSTORE, "~/meters/one.toml", ""),
    ],
)
def test_a_reference_reads_as_it_is_written(text: str, store: Store, name: str, field: str) -> None:
    reference = Reference.parse(text)
    assert (reference.store, reference.name, reference.field) == (store, name, field)
    assert str(reference) == text


@pytest.mark.parametrize(
    "text",
    ["", SECRET, "env:", "env:1A", "env:A B", "file:x", "file:#a", "file:x#", "file:x#a b",
     "keystore:", "keystore:x#y", "ENV:A", "vault:x", ":A"],
)  # fmt: skip
def test_what_is_no_reference_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(NotAReferenceError) as caught:
        Reference.parse(text)
    assert SECRET not in str(caught.value)


def test_a_secret_is_the_text_of_a_variable_or_its_hex(tmp_path: Path) -> None:
    place = vault(tmp_path, PLAIN=SECRET, HEX="hex:00ff10")
    assert place.secret(Reference.parse("env:PLAIN"), "reader") == SECRET.encode()
    assert place.secret(Reference.parse("env:HEX"), "reader") == b"\x00\xff\x10"


def test_a_secret_in_a_file_stands_at_its_field_beside_the_bench_file(tmp_path: Path) -> None:
    (tmp_path / "k.toml").write_text(f'[one]\nreader = "{SECRET}"\n')
    found = vault(tmp_path).secret(Reference.parse("file:k.toml#one.reader"), "reader")
    assert found == SECRET.encode()


def test_keys_are_three_or_four_in_a_row_or_in_a_table(tmp_path: Path) -> None:
    (tmp_path / "k.toml").write_text(
        f'[m]\nunicast = "{HEX[:32]}"\nauthentication = "{HEX[32:64]}"\nmaster = "{HEX[64:]}"\n'
        f'[four]\nunicast = "{HEX[:32]}"\nauthentication = "{HEX[32:64]}"\nmaster = "{HEX[64:]}"\n'
        f'broadcast = "{"ab" * 16}"\n'
    )
    place = vault(tmp_path, THREE=HEX, FOUR=HEX + "ab" * 16)
    three = SecurityKeys(KEYS[:16], KEYS[16:32], KEYS[32:])
    four = SecurityKeys(KEYS[:16], KEYS[16:32], KEYS[32:], b"\xab" * 16)
    assert place.keys(Reference.parse("env:THREE")) == three
    assert place.keys(Reference.parse("env:FOUR")) == four
    assert place.keys(Reference.parse("file:k.toml#m")) == three
    assert place.keys(Reference.parse("file:k.toml#four")) == four


def test_a_key_store_holds_secrets_keys_and_our_title(tmp_path: Path) -> None:
    key_file(tmp_path)
    made = factory_keys(7, Eui64(bytes(8)))
    reference = Reference.parse("keystore:store.toml")
    place = vault(tmp_path)
    assert place.secret(reference, "reader") == made.secrets["reader"]
    assert place.keys(reference).unicast == made.keys.unicast
    assert place.title(reference) == made.client_title
    assert place.title(Reference.parse("env:A")) == b""


Ask = Callable[[Vault, Reference], object]


def as_secret(place: Vault, reference: Reference) -> object:
    return place.secret(reference, "installer")


def as_keys(place: Vault, reference: Reference) -> object:
    return place.keys(reference)


MISSING: dict[str, tuple[str, Ask, str]] = {
    "a variable that is not set": ("env:NOT_SET", as_secret, "no text"),
    "a variable that is empty": ("env:EMPTY", as_secret, "no text"),
    "hex that is none": ("env:BAD", as_secret, "hex digits"),
    "a file that is not there": ("file:none.toml#a", as_secret, "No such file"),
    "a folder": ("file:.#a", as_secret, "directory"),
    "a file that is no TOML": ("file:bad.toml#a", as_secret, "not TOML"),
    "a file without end": ("file:/dev/zero#a", as_secret, "longer than"),
    "a field that is not there": ("file:good.toml#b.c", as_secret, "no text"),
    "a field below a text": ("file:good.toml#a.b", as_secret, "no text"),
    "a number": ("file:good.toml#n", as_secret, "no text"),
    "keys too short": ("env:SHORT", as_keys, "3 or 4 keys"),
    "keys of uneven length": ("env:UNEVEN", as_keys, "3 or 4 keys"),
    "a table without master": ("file:good.toml#part", as_keys, "hex digits"),
    "a table with keys of 15 and 17 octets": ("file:good.toml#skew", as_keys, "3 or 4 keys"),
    "keys from nothing": ("env:NOT_SET", as_keys, "no table"),
    "a key store that is not there": ("keystore:none.toml", as_keys, "No such file"),
    "a key store that is no TOML": ("keystore:bad.toml", as_keys, "not TOML"),
    "an association the key store has not": ("keystore:store.toml", as_secret, "installer"),
}


@pytest.mark.parametrize("name", MISSING)
def test_a_secret_that_is_not_there_names_the_place_and_nothing_of_its_content(
    tmp_path: Path, name: str
) -> None:
    key_file(tmp_path)
    (tmp_path / "bad.toml").write_text(f"a = {SECRET} {SECRET}\n")
    skew = f'unicast = "{HEX[:30]}"\nauthentication = "{HEX[30:64]}"\nmaster = "{HEX[64:]}"\n'
    (tmp_path / "good.toml").write_text(
        f'a = "{SECRET}"\nn = {SECRET}\n[part]\nunicast = "{HEX[:32]}"\n'
        f'authentication = "{HEX[32:64]}"\n[skew]\n{skew}'
    )
    text, ask, why = MISSING[name]
    place = vault(tmp_path, EMPTY="", BAD=f"hex:{SECRET}x", SHORT=HEX[:32], UNEVEN=HEX + "ab")
    with pytest.raises(SecretMissingError, match=why) as caught:
        ask(place, Reference.parse(text))
    told = "\n".join([*caught.value.lines(), repr(caught.value), str(caught.value.__cause__)])
    assert text in told
    for part in (SECRET, HEX[:16]):
        assert part not in told


def test_a_vault_and_what_it_gives_show_no_secret(tmp_path: Path) -> None:
    place = vault(tmp_path, THREE=HEX)
    assert HEX[:8] not in repr(place.keys(Reference.parse("env:THREE")))
