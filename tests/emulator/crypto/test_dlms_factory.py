from pathlib import Path

import pytest

from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import MAX_FILE_BYTES, FactoryKeys, factory_keys, load_keys
from emulator.crypto.key_entry import KeyStoreError
from emulator.crypto.signature import point_of

METER = Eui64.parse("00-DB-12-34-56-78-90-F0")
OTHER = Eui64.parse("00-DB-12-34-56-78-90-F1")
FILE = {
    "client_title": '"5342433132333435"',
    "server_title": '"00DB1234567890F0"',
    "keys.unicast": f'"{bytes(range(16)).hex()}"',
    "keys.authentication": f'"{bytes(range(16, 32)).hex()}"',
    "keys.master": f'"{bytes(range(32, 48)).hex()}"',
    "secrets.reader": '"3132333435363738"',
}


def _file(tmp_path: Path, **changes: str | None) -> Path:
    named = {name.replace("__", "."): value for name, value in changes.items()}
    lines = {**FILE, **named}
    path = tmp_path / "keys.toml"
    kept = [f"{name} = {value}" for name, value in lines.items() if value is not None]
    path.write_text("\n".join(kept), "utf-8")
    return path


def test_seed_and_identifier_alone_make_the_keys() -> None:
    assert factory_keys(1, METER) == factory_keys(1, METER)
    different = [factory_keys(1, METER), factory_keys(2, METER), factory_keys(1, OTHER)]
    assert len({item.keys.unicast for item in different}) == 3
    assert len({item.keys.master for item in different}) == 3


def test_no_two_keys_of_a_device_are_alike() -> None:
    keys = factory_keys(1, METER).keys
    assert len({keys.unicast, keys.authentication, keys.master, keys.broadcast}) == 4


def test_secrets_are_eight_digits_and_differ_by_association() -> None:
    secrets = factory_keys(1, METER, ("reader", "installer")).secrets
    assert set(secrets) == {"reader", "installer"}
    assert len(set(secrets.values())) == 2
    assert all(len(secret) == 8 and secret.isdigit() for secret in secrets.values())
    assert factory_keys(1, METER, ("reader",)).secrets["reader"] == secrets["reader"]


def test_the_server_title_is_the_identifier_and_the_clients_is_ours() -> None:
    made = factory_keys(1, METER)
    assert made.server_title == METER.octets
    assert len(made.client_title) == 8
    assert made.client_title.startswith(b"SBC")


def test_neither_keys_nor_secrets_are_printed() -> None:
    made = factory_keys(1, METER)
    for octets in (made.keys.unicast, made.keys.master, made.secrets["reader"]):
        assert octets.hex() not in repr(made)
        assert str(octets)[2:-1] not in repr(made)


def test_a_title_has_eight_octets() -> None:
    made = factory_keys(1, METER)
    with pytest.raises(ValueError, match="8 octets"):
        FactoryKeys(made.secrets, made.keys, b"short", made.server_title)


def test_keys_of_a_persons_own_come_out_of_a_file(tmp_path: Path) -> None:
    read = load_keys(_file(tmp_path))
    assert read.client_title == b"SBC12345"
    assert read.server_title == METER.octets
    assert read.keys.unicast == bytes(range(16))
    assert read.keys.authentication == bytes(range(16, 32))
    assert read.keys.master == bytes(range(32, 48))
    assert read.keys.broadcast is None
    assert read.secrets == {"reader": b"12345678"}


def test_a_broadcast_key_may_be_in_it_and_secrets_may_not(tmp_path: Path) -> None:
    path = _file(tmp_path, keys__broadcast=f'"{bytes(16).hex()}"', secrets__reader=None)
    read = load_keys(path)
    assert read.keys.broadcast == bytes(16)
    assert read.secrets == {}


def test_signature_keys_belong_to_their_points() -> None:
    signing = factory_keys(1, METER).signing
    assert signing is not None
    assert signing.server is not None
    assert signing.client is not None
    assert point_of(signing.server) == signing.server_point
    assert point_of(signing.client) == signing.client_point
    assert signing.server != signing.client
    assert str(signing.server) not in repr(signing)


def test_signature_keys_may_be_in_the_file(tmp_path: Path) -> None:
    scalars = {
        f"signing__{end}": f'"{bytes(31).hex()}0{n}"' for end, n in (("server", 1), ("client", 2))
    }
    signing = load_keys(_file(tmp_path, **scalars)).signing
    assert signing is not None
    assert (signing.server, signing.client) == (1, 2)
    assert signing.client_point == point_of(2)
    assert load_keys(_file(tmp_path)).signing is None


@pytest.mark.parametrize("scalar", ["00" * 32, "FF" * 32, "01"])
def test_a_scalar_that_is_none_is_refused(tmp_path: Path, scalar: str) -> None:
    path = _file(tmp_path, signing__server=f'"{scalar}"', signing__client=f'"{"01" * 32}"')
    with pytest.raises(KeyStoreError, match="signing"):
        load_keys(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"client_title": None}, "client_title: 8 octets in hex are due"),
        ({"server_title": '"00"'}, "server_title: 8 octets in hex are due"),
        ({"keys__unicast": '"00"'}, "keys.unicast: 16 octets in hex are due"),
        ({"keys__unicast": '"zz"'}, "keys.unicast: 16 octets in hex are due"),
        ({"keys__unicast": "5"}, "keys.unicast: 16 octets in hex are due"),
        ({"keys__master": None}, "keys.master: 16 octets in hex are due"),
        ({"keys__other": '"00"'}, "keys.other: no such key"),
        ({"secrets__reader": '""'}, "secrets.reader: one or more octets in hex are due"),
        ({"colour": '"red"'}, "colour: no such value"),
        ({"client_title": "'unclosed"}, "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_name(
    tmp_path: Path, changes: dict[str, str | None], message: str
) -> None:
    path = _file(tmp_path, **changes)
    with pytest.raises(KeyStoreError) as caught:
        load_keys(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert bytes(range(16, 32)).hex() not in str(caught.value)


def test_no_keys_at_all_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text('client_title = "00"', "utf-8")
    with pytest.raises(KeyStoreError, match=r"no table \[keys\]"):
        load_keys(path)


def test_a_file_that_cannot_be_read_or_is_endless_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreError, match="No such file"):
        load_keys(tmp_path / "none.toml")
    path = tmp_path / "long.toml"
    path.write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    with pytest.raises(KeyStoreError, match="longer than"):
        load_keys(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(KeyStoreError, match="not TOML"):
        load_keys(path)
