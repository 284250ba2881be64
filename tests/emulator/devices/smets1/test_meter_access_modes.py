"""Access modes: an attribute and the method of its number are two things."""

from typing import Any

from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import Data
from emulator.devices.smets1.esme import Smets1Esme
from emulator.devices.smets1.object_model import Access, CosemObject, ObjectTree
from tests.emulator.devices.smets1.meter_kit import at, member, meter, plain
from tests.emulator.devices.smets1.server_kit import (
    SETUP,
    WRITER,
    Client,
    Setup,
    powered,
)

#: Access modes of version 1. Source: IEC 62056-6-2 Association LN, attribute and method access.
READ, AUTHENTICATED_WRITE = 1, 5
ACCESS, AUTHENTICATED_ACCESS = 1, 2
#: Attribute 2 and method 2 of the security setup, by one descriptor.
MEMBER = member(64, "0-0:43.0.0.255", 2)


def modes(device: Smets1Esme, class_id: int, obis: str) -> tuple[dict[int, int], dict[int, int]]:
    """Modes of attributes and methods of an object, as the management client is told."""
    view = device.tree.find(15, member(15, "0-0:40.0.0.255", 1).obis)
    assert isinstance(view, CosemObject)
    listed: Any = view.read(2, None, at(device))
    assert isinstance(listed, Data)
    name = member(class_id, obis, 1).obis
    access = next(row[3] for row in plain(listed) if (row[0], row[2]) == (class_id, name))
    return {index: mode for index, mode, _ in access[0]}, dict(access[1])


def test_a_method_that_demands_protection_leaves_the_attribute_of_its_number_a_plain_read() -> None:
    attributes, methods = modes(meter("smets1-wrapper"), 64, "0-0:43.0.0.255")
    assert {attributes[index] for index in (1, 2, 3)} == {READ}
    assert set(methods.values()) == {AUTHENTICATED_ACCESS}


def test_an_attribute_that_demands_protection_is_listed_so_and_its_neighbours_are_not() -> None:
    attributes, methods = modes(meter(), 15, "0-0:40.0.0.255")
    assert attributes[7] == AUTHENTICATED_WRITE
    assert {attributes[index] for index in (1, 2, 3, 8, 9)} == {READ}
    assert methods == {1: ACCESS, 2: AUTHENTICATED_ACCESS}


def plain_client(rights: Access) -> Client:
    """A client that protects nothing, at a device where everyone has those rights everywhere."""
    device = powered()
    device.tree = ObjectTree([Setup(SETUP)], lambda _item, _index, _word: rights)
    client = Client(device, WRITER)
    client.associate()
    return client


def test_a_method_that_demands_protection_does_not_hide_the_attribute_from_a_plain_client() -> None:
    client = plain_client(Access(read=True, invoke=True, guarded=True))
    assert isinstance(client.get(MEMBER), Data)
    assert client.act(MEMBER).result is ActionResult.READ_WRITE_DENIED


def test_an_attribute_that_demands_protection_does_not_hide_the_method_from_a_plain_client() -> (
    None
):
    client = plain_client(Access(read=True, invoke=True, protected=True))
    assert client.get(MEMBER) is DataAccessResult.READ_WRITE_DENIED
    assert client.act(MEMBER).result is ActionResult.TYPE_UNMATCHED
