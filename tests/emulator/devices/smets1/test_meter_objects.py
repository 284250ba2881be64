"""The objects of the shipped catalogues: attributes, rights, the association view, refusals."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device_profiles.dlms import DeviationSection
from device_profiles.dlms_catalogue import load_catalogue
from device_profiles.errors import DataError, InconsistentDataError, InvalidValueError
from device_profiles.files import SHIPPED
from device_profiles.words import DeviceType
from emulator.codecs.dlms import apdu_get, axdr
from emulator.codecs.dlms.access import Selection
from emulator.codecs.dlms.apdu_parts import ActionResult, Attribute, DataAccessResult
from emulator.codecs.dlms.axdr import NULL, Data, Tag
from emulator.core.effects import DeviceEvent
from emulator.devices.smets1 import registry
from emulator.devices.smets1.catalogue import BINDINGS
from emulator.devices.smets1.esme import Smets1Esme
from emulator.devices.smets1.object_model import CosemObject
from tests.emulator.devices.smets1.meter_kit import (
    Person,
    at,
    changed,
    made,
    manager,
    member,
    meter,
    plain,
    profile,
    read,
)
from tests.emulator.devices.smets1.server_kit import (
    EUI64,
    NOW,
    PUBLIC,
    READER,
    SEED,
    WRITER,
)

MODELS = ("smets1", "smets1-strict", "smets1-wrapper", "smets1-quirks", "demo-s1-esme")
WORDS = ("public", "reader", "installer", "management", "strict-public")
VIEW = member(15, "0-0:40.0.0.255", 2)
CLOCK = member(8, "0-0:1.0.0.255", 2)
#: What section 8.2 of serial-dlms.md lists: class, logical name, attributes, methods.
REFERENCE = (
    (1, "0-0:42.0.0.255", (2,), ()),
    (15, "0-0:40.0.0.255", (2,), (1,)),
    (17, "0-0:41.0.0.255", (2,), ()),
    (64, "0-0:43.0.0.255", (2, 3, 5), (2,)),
    (1, "0-0:43.1.0.255", (2,), ()),
    (8, "0-0:1.0.0.255", (2, 3, 4), (1, 2, 3, 4, 5, 6)),
    (1, "0-0:96.1.0.255", (2,), ()),
    (1, "0-0:96.1.1.255", (2,), ()),
    (1, "1-0:0.2.0.255", (2,), ()),
    *((3, f"1-0:{register}.255", (2, 3), ()) for register in ("1.8.0", "2.8.0", "3.8.0", "4.8.0")),
    *((3, f"1-0:1.8.{rate}.255", (2, 3), ()) for rate in range(1, 49)),
    *((3, f"1-0:{register}.255", (2, 3), ()) for register in ("1.7.0", "32.7.0", "31.7.0")),
    (4, "1-0:1.6.0.255", (2, 3, 5), (1,)),
    (7, "1-0:99.1.0.255", (2, 3, 4, 7, 8), ()),
    (7, "1-0:98.1.0.255", (2,), ()),
    (7, "0-0:99.98.0.255", (2,), ()),
    (7, "0-0:99.98.1.255", (2,), ()),
    (20, "0-0:13.0.0.255", tuple(range(2, 11)), (1,)),
    (11, "0-0:11.0.0.255", (2,), (1, 2)),
    (9, "0-0:10.0.100.255", (2,), ()),
    (70, "0-0:96.3.10.255", (2, 3, 4), (1, 2)),
    (71, "0-0:17.0.0.255", (4, 6, 7), ()),
    (111, "0-0:19.0.0.255", (2,), ()),
    *((112, f"0-0:19.10.{n}.255", (2,), ()) for n in range(3)),
    *((113, f"0-0:19.20.{n}.255", (5,), ()) for n in range(5)),
    (115, "0-0:19.40.0.255", (6,), (1,)),
    (18, "0-0:44.0.0.255", (2, 3, 4, 5, 6, 7), (1, 2, 3, 4)),
    (23, "0-0:22.0.0.255", tuple(range(2, 10)), ()),
    (19, "0-0:20.0.0.255", tuple(range(2, 7)), ()),
)


def readable(name: str, word: str) -> Iterator[tuple[CosemObject, int]]:
    device = meter(name)
    for item in device.tree.objects():
        for index in item.attributes():
            if device.tree.rights(item, index, word).read:
                yield item, index


@pytest.mark.parametrize(("class_id", "obis", "attributes", "methods"), REFERENCE)
def test_every_row_of_the_reference_is_there(
    class_id: int, obis: str, attributes: tuple[int, ...], methods: tuple[int, ...]
) -> None:
    item = made().tree.find(class_id, member(class_id, obis, 1).obis)
    assert isinstance(item, CosemObject)
    assert {1, *attributes} <= set(item.attributes())
    assert set(methods) <= set(item.methods())


@pytest.mark.parametrize(
    ("name", "word"), [*((name, "management") for name in MODELS), *(("smets1", w) for w in WORDS)]
)
def test_whatever_may_be_read_yields_data_that_can_be_sent(name: str, word: str) -> None:
    device = meter(name)
    seen = 0
    for item, index in readable(name, word):
        if item.class_id == 7 and index == 2:
            continue  # buffers have tests of their own
        value = item.read(index, None, at(device, word=word))
        assert isinstance(value, Data), (item.name, index)
        assert axdr.decode(axdr.encode(value)) == value
        seen += 1
    assert seen > 10


@pytest.mark.parametrize(
    ("kind", "name"), [(DeviceType.GSME, "demo-s1-gsme"), (DeviceType.CHF, "demo-s1-chf")]
)
def test_gas_meter_and_hub_are_servers_too(kind: DeviceType, name: str) -> None:
    device = registry.build(kind, EUI64, profile(name), SEED, NOW)
    device.handle(DeviceEvent.POWER_ON, None, NOW)
    for item in device.tree.objects():
        for index in item.attributes():
            if device.tree.rights(item, index, "reader").read:
                value = item.read(index, None, at(device, word="reader"))  # type: ignore[arg-type]  # has what at() takes
                assert isinstance(value, Data), (item.name, index)


def test_the_strict_public_client_reads_five_things_and_their_clock() -> None:
    found = {(item.class_id, item.obis) for item, _ in readable("smets1-strict", "strict-public")}
    names = [
        (1, "0-0:42.0.0.255"), (1, "0-0:43.1.0.255"), (8, "0-0:1.0.0.255"),
        (1, "0-0:96.1.0.255"), (1, "1-0:0.2.0.255"),
    ]  # fmt: skip
    assert found == {(class_id, member(1, obis, 1).obis) for class_id, obis in names}


def test_nobody_but_the_management_may_call_what_matters() -> None:
    device = meter()
    allowed = {
        word: {
            (item.class_id, index)
            for item in device.tree.objects()
            for index in item.methods()
            if device.tree.rights(item, index, word).invoke
        }
        for word in WORDS
    }
    assert allowed["public"] == allowed["reader"] == allowed["strict-public"] == set()
    assert allowed["installer"] < allowed["management"]
    assert not {(64, 2), (70, 1), (70, 2), (112, 1), (113, 2)} & allowed["installer"]


# -- the association view ----------------------------------------------------------------------


def view_of(device: Smets1Esme, word: str) -> dict[tuple[int, bytes], Any]:
    """Class and name -> version, attribute rights, method rights."""
    item = device.tree.find(15, VIEW.obis)
    assert isinstance(item, CosemObject)
    found = item.read(2, None, at(device, word=word))
    assert isinstance(found, Data)
    return {
        (class_id, obis): (version, *access) for class_id, version, obis, access in plain(found)
    }


@pytest.mark.parametrize("word", WORDS)
def test_the_view_says_what_the_server_enforces(word: str) -> None:
    device = meter("smets1")
    listed = view_of(device, word)
    for item in device.tree.objects():
        members = (*item.attributes(), *item.methods())
        rights = {index: device.tree.rights(item, index, word) for index in members}
        may = any(each.read or each.write or each.invoke for each in rights.values())
        assert may == ((item.class_id, item.obis) in listed)
        if not may:
            continue
        version, attributes, methods = listed[item.class_id, item.obis]
        assert version == item.version
        assert tuple(index for index, *_ in attributes) == item.attributes()
        assert tuple(index for index, _ in methods) == item.methods()
        for index, mode, _ in attributes:
            expected = rights[index].read + 2 * rights[index].write
            assert mode == (expected + 3 if rights[index].protected and expected else expected)
        for index, mode in methods:
            assert mode == rights[index].invoke * (1 + rights[index].guarded)


def test_the_view_names_the_selectors_of_profiles_and_of_nothing_else() -> None:
    for (class_id, _), (_, attributes, _) in view_of(meter(), "management").items():
        for index, _, selectors in attributes:
            assert selectors == ((1, 2) if (class_id, index) == (7, 2) else None)


def test_the_view_crosses_in_blocks() -> None:
    person = Person(meter(), PUBLIC)
    person.associate()
    first = person.exchange(apdu_get.GetRequest(0xC1, Attribute(VIEW)))
    octets, number = first.block.octets, 1
    while not first.block.last:
        first = person.exchange(apdu_get.GetNextRequest(0xC1, number))
        octets, number = octets + first.block.octets, number + 1
    assert number > 1
    listed = {(row[0], row[2]) for row in plain(axdr.decode(octets))}
    assert listed == set(view_of(meter(), "public"))


def test_the_association_tells_who_asks() -> None:
    person = manager(meter())
    assert [item.value for item in person.value(member(15, "0-0:40.0.0.255", 3))] == [1, 1]
    assert [item.value for item in person.value(member(15, "0-0:40.0.2.255", 3))] == [2, 1]
    assert person.value(member(15, "0-0:40.0.0.255", 4))[6].value == 3
    assert person.value(member(15, "0-0:40.0.0.255", 6))[6].value == 5
    assert person.value(member(15, "0-0:40.0.2.255", 6))[6].value == 1
    assert person.value(member(15, "0-0:40.0.0.255", 8)) == 2
    assert person.value(member(15, "0-0:40.0.2.255", 8)) == 0
    assert person.value(member(15, "0-0:40.0.0.255", 9)) == bytes((0, 0, 43, 0, 0, 255))
    xdlms = person.value(member(15, "0-0:40.0.0.255", 5))
    assert xdlms[1].value == 1024
    assert person.value(member(17, "0-0:41.0.0.255", 2))[0].value[1].value == b"SBCS1ESME0000001"


# -- reading, writing, calling through the server ------------------------------------------------


@pytest.mark.parametrize(
    ("where", "result"),
    [
        (member(3, "1-0:1.8.99.255", 2), DataAccessResult.OBJECT_UNDEFINED),
        (member(1, "1-0:1.8.0.255", 2), DataAccessResult.OBJECT_CLASS_INCONSISTENT),
        (member(3, "1-0:1.8.0.255", 9), DataAccessResult.OBJECT_UNDEFINED),
        (member(112, "0-0:19.10.0.255", 2), DataAccessResult.READ_WRITE_DENIED),
    ],
)
def test_what_the_public_client_cannot_have_has_its_result(
    where: object, result: DataAccessResult
) -> None:
    person = Person(meter(), PUBLIC)
    person.associate()
    assert person.get(where) is result  # type: ignore[arg-type]  # a descriptor


def test_a_part_of_a_value_that_has_none_is_out_of_scope() -> None:
    person = Person(meter(), PUBLIC)
    person.associate()
    found = person.get(CLOCK, Selection(1, NULL))
    assert found is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED


def test_a_secret_is_written_and_never_read() -> None:
    device = meter()
    assert (
        manager(device).get(member(15, "0-0:40.0.2.255", 7)) is DataAccessResult.READ_WRITE_DENIED
    )


@pytest.mark.parametrize("value", [axdr.uint16(5), axdr.octets(b"x"), NULL])
def test_a_value_of_another_type_is_not_taken(value: Data) -> None:
    device = meter()
    before = device.dump()
    item = device.tree.find(8, CLOCK.obis)
    assert isinstance(item, CosemObject)
    assert item.write(2, value, at(device)) is DataAccessResult.TYPE_UNMATCHED
    assert item.write(9, Data(Tag.ENUM, 0), at(device)) is DataAccessResult.READ_WRITE_DENIED
    assert item.write(77, NULL, at(device)) is DataAccessResult.READ_WRITE_DENIED
    assert device.dump() == before


def test_a_stored_value_is_kept_over_a_dump() -> None:
    device = meter()
    person = manager(device)
    where = member(71, "0-0:17.0.0.255", 5)
    assert person.value(where) == 0
    assert person.put(where, Data(Tag.UINT32, 4_000)) is DataAccessResult.SUCCESS
    other = made()
    other.load(device.dump())
    assert read(other, where) == 4_000


def test_methods_that_are_not_there_and_parameters_that_do_not_fit_are_refused() -> None:
    device = meter()
    item = device.tree.find(9, member(9, "0-0:10.0.106.255", 1).obis)
    assert isinstance(item, CosemObject)
    assert item.invoke(1, None, at(device)).result is ActionResult.TYPE_UNMATCHED
    assert item.invoke(1, Data(Tag.UINT8, 1), at(device)).result is ActionResult.TYPE_UNMATCHED
    assert item.invoke(3, None, at(device)).result is ActionResult.OBJECT_UNDEFINED


def test_an_installer_changes_its_own_secret_and_the_management_another_s() -> None:
    device = meter()
    installer = Person(device, WRITER)
    installer.associate()
    own = member(15, "0-0:40.0.0.255", 7)
    for secret, result in (
        (b"short", DataAccessResult.SCOPE_OF_ACCESS_VIOLATED),
        (b"x" * 65, DataAccessResult.SCOPE_OF_ACCESS_VIOLATED),
        (b"new-secret", DataAccessResult.SUCCESS),
    ):
        assert installer.put(own, axdr.octets(secret)) is result
    person = manager(device)
    reader = member(15, "0-0:40.0.2.255", 7)
    assert person.put(reader, axdr.octets(b"87654321")) is DataAccessResult.SUCCESS
    assert device.security.secret("installer") == b"new-secret"
    assert device.security.secret("reader") == b"87654321"
    assert Person(device, READER).request().result != 0


# -- deviations and catalogues of one's own ------------------------------------------------------


def deviation(**values: object) -> DeviationSection:
    return DeviationSection.model_validate(values)


def with_deviation(**values: object) -> Person:
    model = changed("smets1", deviation=[deviation(**values).model_dump()])
    person = Person(meter(model), PUBLIC)
    person.associate()
    return person


def test_a_deviation_gives_another_value_or_result_than_the_catalogue() -> None:
    where = {"class_id": 3, "obis": "1-0:1.8.0.255", "attribute": 2}
    register = member(3, "1-0:1.8.0.255", 2)
    assert with_deviation(**where, value="0600000007").get(register) == Data(Tag.UINT32, 7)
    denied = with_deviation(**where, result=2).get(register)
    assert denied is DataAccessResult.TEMPORARY_FAILURE


def test_a_deviation_alone_opens_what_the_rights_close() -> None:
    balance = member(112, "0-0:19.10.0.255", 2)
    person = with_deviation(class_id=112, obis="0-0:19.10.0.255", attribute=2)
    assert isinstance(person.get(balance), Data)


def test_a_deviation_may_add_an_attribute_or_a_whole_object() -> None:
    person = with_deviation(class_id=1, obis="0-0:96.99.0.255", attribute=2, value="1105")
    assert person.value(member(1, "0-0:96.99.0.255", 2)) == 5
    assert person.value(member(1, "0-0:96.99.0.255", 1)) == bytes((0, 0, 96, 99, 0, 255))
    person = with_deviation(class_id=3, obis="1-0:1.8.0.255", attribute=9, value="1105")
    assert person.value(member(3, "1-0:1.8.0.255", 9)) == 5


@pytest.mark.parametrize("wrong", [{"value": "0600"}, {"result": 99}, {"result": 0}])
def test_a_deviation_that_cannot_be_is_refused_by_its_object(wrong: dict[str, object]) -> None:
    where = {"class_id": 3, "obis": "1-0:1.8.0.255", "attribute": 2}
    with pytest.raises(InconsistentDataError, match=r"deviation of 3 / 1-0:1\.8\.0\.255 a2"):
        made(changed("smets1", deviation=[deviation(**where, **wrong).model_dump()]))


def overlay(tmp_path: Path, old: str, new: str) -> Path:
    text = (SHIPPED / "catalogues" / "dlms-smets1.csv").read_text()
    assert old in text
    lines = [line.replace("stand-in", "") for line in text.replace(old, new).splitlines()]
    folder = tmp_path / "catalogues"
    folder.mkdir()
    (folder / "dlms-smets1.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def build_over(tmp_path: Path, old: str, new: str) -> object:
    folder = overlay(tmp_path, old, new)
    return registry.build(DeviceType.ESME, EUI64, profile("smets1"), SEED, NOW, overlays=(folder,))


def test_a_catalogue_of_an_overlay_is_the_meter_s(tmp_path: Path) -> None:
    device = build_over(tmp_path, "0-0:96.1.0.255,1,0,a2", "0-0:96.1.7.255,1,0,a2")
    assert isinstance(device.tree.find(1, bytes((0, 0, 96, 1, 7, 255))), CosemObject)  # type: ignore[attr-defined]  # a device


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (",energy,import,", ",magic,import,", "is no binding"),
        (",energy,import,", ",energy,steam,", "'steam' is none of"),
        (",energy,import,", ",clock.shift,import,", "is no attribute"),
        ("constant,60,", "constant,sixty,", "invalid literal"),
        ("constant,hex:0100,", "constant,hex:01,", r"dlms\.axdr"),
        ("3/1-0:2.8.0.255/2", "3/1-0:2.8.9.255/2", "nothing that a profile can capture"),
        ("3/1-0:2.8.0.255/2", "70/0-0:96.3.10.255/3", "nothing that a profile can capture"),
        ("3/1-0:2.8.0.255/2", "1-0:2.8.0.255", "not enough values"),
    ],
)
def test_a_row_that_means_nothing_to_its_binding_is_refused(
    tmp_path: Path, old: str, new: str, why: str
) -> None:
    with pytest.raises(InvalidValueError, match=why) as caught:
        build_over(tmp_path, old, new)
    assert "dlms-smets1.csv" in str(caught.value)
    assert "line" in str(caught.value)


def test_rights_without_a_column_are_refused() -> None:
    model = changed("smets1")
    assert model.dlms is not None
    public = model.dlms.associations[0].model_copy(update={"rights": "nobody"})
    section = model.dlms.model_copy(update={"associations": (public,)})
    with pytest.raises(InconsistentDataError, match="'nobody'"):
        made(model.model_copy(update={"dlms": section}))


def test_the_firmware_version_stands_where_the_profile_says() -> None:
    device = meter("smets1-quirks")
    assert read(device, member(1, "1-0:0.2.8.255", 2)) == b"10000001"
    assert (
        device.tree.find(1, member(1, "1-0:0.2.0.255", 2).obis) is DataAccessResult.OBJECT_UNDEFINED
    )


def test_a_model_without_image_transfer_has_no_such_object() -> None:
    device = meter(changed("smets1", image=None))
    assert (
        device.tree.find(18, member(18, "0-0:44.0.0.255", 2).obis)
        is DataAccessResult.OBJECT_UNDEFINED
    )


def test_only_suite_1_agrees_on_keys() -> None:
    for name, methods in (("smets1", (1, 2)), ("smets1-wrapper", (1, 2, 3))):
        item = made(name).tree.find(64, member(64, "0-0:43.0.0.255", 2).obis)
        assert isinstance(item, CosemObject)
        assert item.methods() == methods


def test_every_binding_is_used_by_a_shipped_catalogue() -> None:
    used = {
        row.binding
        for name in ("dlms-smets1", "dlms-smets1-gsme", "dlms-smets1-hub")
        for row in load_catalogue(name).rows
    }
    assert used == set(BINDINGS)


def test_devices_that_are_no_dlms_server_are_refused() -> None:
    with pytest.raises(ValueError, match="no SMETS1 PPMID"):
        registry.build(DeviceType.PPMID, EUI64, profile("smets1"), SEED, NOW)
    with pytest.raises(ValueError, match=r"no \[dlms\]"):
        registry.build(DeviceType.ESME, EUI64, profile("demo-esme"), SEED, NOW)
    with pytest.raises(DataError):
        made(changed("smets1", objects="dlms-none"))
