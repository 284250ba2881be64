"""What an access does: the table row by row, and the strictest verb for all it does not know."""

import pytest

from emulator.codecs.dlms import acse_release, apdu_action, apdu_get, apdu_set, axdr
from emulator.codecs.dlms.apdu_action import (
    ActionBlockRequest,
    ActionListRequest,
    ActionNextRequest,
    ActionRequest,
)
from emulator.codecs.dlms.apdu_get import GetListRequest, GetNextRequest, GetRequest
from emulator.codecs.dlms.apdu_parts import Attribute, DataBlock, Descriptor
from emulator.codecs.dlms.apdu_set import SetFirstBlockRequest, SetListRequest, SetRequest
from hil.verbs import CONFIRMED, ROWS, STRICTEST, Service, Verb, accesses_of, verb_of

NULL = axdr.decode(b"\x00")


def obis(text: str) -> bytes:
    return bytes(int(part) for part in text.replace("-", ".").replace(":", ".").split("."))


def target(class_id: int, name: str, index: int) -> Descriptor:
    return Descriptor(class_id, obis(name), index)


CLOCK = target(8, "0-0:1.0.0.255", 2)
SWITCH_OFF = target(70, "0-0:96.3.10.255", 1)
KEY_TRANSFER = target(64, "0-0:43.0.0.255", 2)

KNOWN = [
    (Service.SET, target(8, "0-0:1.0.0.255", 2), Verb.CLOCK),
    (Service.ACTION, target(8, "0-0:1.0.0.255", 6), Verb.CLOCK),
    (Service.SET, target(1, "0-2:96.13.1.255", 2), Verb.WRITE),
    (Service.SET, target(20, "0-0:13.0.0.255", 7), Verb.WRITE),
    (Service.ACTION, target(20, "0-0:13.0.0.255", 1), Verb.WRITE),
    (Service.SET, target(11, "0-0:11.0.0.255", 2), Verb.WRITE),
    (Service.SET, target(113, "0-0:19.20.0.255", 6), Verb.WRITE),
    (Service.ACTION, target(115, "0-0:19.40.0.255", 1), Verb.WRITE),
    (Service.ACTION, target(7, "1-0:99.1.0.255", 1), Verb.WRITE),
    (Service.ACTION, target(3, "1-0:1.8.0.255", 1), Verb.WRITE),
    (Service.ACTION, target(70, "0-0:96.3.10.255", 1), Verb.SUPPLY),
    (Service.ACTION, target(70, "0-0:96.3.10.255", 2), Verb.SUPPLY),
    (Service.SET, target(70, "0-0:96.3.10.255", 4), Verb.SUPPLY),
    (Service.SET, target(71, "0-0:17.0.0.255", 4), Verb.SUPPLY),
    (Service.ACTION, target(9, "0-0:10.0.106.255", 1), Verb.SUPPLY),
    (Service.SET, target(10, "0-0:12.0.0.255", 2), Verb.SUPPLY),
    (Service.SET, target(21, "0-0:16.0.11.255", 2), Verb.SUPPLY),
    (Service.SET, target(22, "0-0:15.0.0.255", 4), Verb.SUPPLY),
    (Service.SET, target(111, "0-0:19.0.0.255", 2), Verb.SUPPLY),
    (Service.ACTION, target(112, "0-0:19.10.1.255", 3), Verb.SUPPLY),
    (Service.SET, target(115, "0-0:19.40.0.255", 4), Verb.SUPPLY),
    (Service.ACTION, target(64, "0-0:43.0.0.255", 2), Verb.KEYS),
    (Service.SET, target(64, "0-0:43.0.0.255", 2), Verb.KEYS),
    (Service.SET, target(15, "0-0:40.0.0.255", 7), Verb.KEYS),
    (Service.ACTION, target(15, "0-0:40.0.0.255", 2), Verb.KEYS),
    (Service.ACTION, target(15, "0-0:40.0.0.255", 1), Verb.READ),
    (Service.SET, target(15, "0-0:40.0.0.255", 1), Verb.KEYS),
    (Service.ACTION, target(18, "0-0:44.0.0.255", 1), Verb.FIRMWARE),
    (Service.ACTION, target(18, "0-0:44.0.0.255", 4), Verb.FIRMWARE),
    (Service.SET, target(18, "0-0:44.0.0.255", 5), Verb.FIRMWARE),
]


@pytest.mark.parametrize(("service", "what", "verb"), KNOWN)
def test_each_known_write_has_its_verb(service: Service, what: Descriptor, verb: Verb) -> None:
    assert verb_of(service, what) is verb


def test_every_row_of_the_table_is_reached_by_some_access_above() -> None:
    reached = {next(row for row in ROWS if row.fits(service, what)) for service, what, _ in KNOWN}
    never = [row for row in ROWS if row not in reached]
    assert {row.class_id for row in never} <= {4, 5}  # like class 3, above


@pytest.mark.parametrize("class_id", [*range(1, 30), 40, 64, 70, 71, 111, 9000])
def test_reading_is_reading_whatever_is_read(class_id: int) -> None:
    assert verb_of(Service.GET, Descriptor(class_id, bytes(6), 2)) is Verb.READ


@pytest.mark.parametrize(
    ("service", "what"),
    [
        (Service.SET, target(1, "0-0:96.1.0.255", 2)),
        (Service.SET, target(1, "0-2:96.13.1.255", 1)),
        (Service.ACTION, target(1, "0-2:96.13.1.255", 1)),
        (Service.SET, target(3, "1-0:1.8.0.255", 2)),
        (Service.ACTION, target(7, "1-0:99.1.0.255", 3)),
        (Service.SET, target(23, "0-0:22.0.0.255", 8)),
        (Service.ACTION, target(9000, "0-0:94.44.10.255", 1)),
        (Service.SET, target(8192, "0-0:0.0.0.0", 2)),
    ],
)
def test_a_write_that_no_row_knows_counts_as_the_strictest(
    service: Service, what: Descriptor
) -> None:
    assert verb_of(service, what) is STRICTEST
    assert STRICTEST in CONFIRMED


# -- APDUs as they stand --------------------------------------------------------------------------


def test_an_apdu_that_reads_reads() -> None:
    one, other = Attribute(CLOCK), Attribute(SWITCH_OFF)
    assert [access.verb for access in accesses_of(apdu_get.encode_request(GetRequest(1, one)))] == [
        Verb.READ
    ]
    listed = accesses_of(apdu_get.encode_request(GetListRequest(1, (one, other))))
    assert [access.target for access in listed] == [CLOCK, SWITCH_OFF]
    assert {access.verb for access in listed} == {Verb.READ}
    following = (
        apdu_get.encode_request(GetNextRequest(1, 1)),
        apdu_action.encode_request(ActionNextRequest(1, 1)),
        acse_release.encode_request(acse_release.ReleaseRequest()),
    )
    for octets in following:
        assert [access.verb for access in accesses_of(octets)] == [Verb.READ]


def test_an_apdu_that_writes_says_what_and_how_gravely() -> None:
    first = DataBlock(False, 1, b"\x00")
    for octets, expected in (
        (apdu_set.encode_request(SetRequest(1, Attribute(CLOCK), NULL)), [(Verb.CLOCK, CLOCK)]),
        (
            apdu_set.encode_request(SetFirstBlockRequest(1, Attribute(CLOCK), first)),
            [(Verb.CLOCK, CLOCK)],
        ),
        (
            apdu_set.encode_request(
                SetListRequest(1, (Attribute(CLOCK), Attribute(KEY_TRANSFER)), (NULL, NULL))
            ),
            [(Verb.CLOCK, CLOCK), (Verb.KEYS, KEY_TRANSFER)],
        ),
        (
            apdu_action.encode_request(ActionRequest(1, SWITCH_OFF)),
            [(Verb.SUPPLY, SWITCH_OFF)],
        ),
        (
            apdu_action.encode_request(ActionListRequest(1, (SWITCH_OFF, CLOCK), (NULL, NULL))),
            [(Verb.SUPPLY, SWITCH_OFF), (Verb.CLOCK, CLOCK)],
        ),
    ):
        assert [(access.verb, access.target) for access in accesses_of(octets)] == expected


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x00",
        b"\xff\x01",
        bytes.fromhex("c001c1"),  # a read cut short
        bytes.fromhex("c8 05 30 00000001 00"),  # ciphered
        bytes.fromhex("db 08 0000000000000000 01 30"),  # ciphered, general form
        apdu_action.encode_request(ActionBlockRequest(1, DataBlock(True, 2, b"\x00"))),
        apdu_get.encode_response(apdu_get.GetResponse(1, NULL)),
    ],
)
def test_an_apdu_nobody_can_judge_counts_as_the_strictest_without_target(octets: bytes) -> None:
    assert [(access.verb, access.target) for access in accesses_of(octets)] == [(STRICTEST, None)]
