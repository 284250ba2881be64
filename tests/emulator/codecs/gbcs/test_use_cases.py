import itertools

import pytest

from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.categories import CATEGORY_RULE
from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.gbcs.payload import kind_of
from emulator.codecs.gbcs.use_cases import (
    MESSAGES,
    Category,
    MessageCode,
    MessageRow,
    PayloadKind,
    Protection,
)
from tests.given import needs_rtds, rtds_messages

BOTH = Protection.SIGNATURE | Protection.MAC
#: gbcs.md section 5: the message codes whose responses carry a date-time.
DATED = {
    *(0x0007, 0x0012, 0x0019, 0x001A, 0x001B, 0x001F, 0x0039, 0x0043, 0x0054, 0x0097, 0x00DE),
    *range(0x0026, 0x002E),
    *(0x006B, 0x006C, 0x006D, 0x006F, 0x0074, 0x0075, 0x00A2, 0x00A3, 0x00B6, 0x00B7, 0x00B8),
    *(0x00BC, 0x00C7, *range(0x0102, 0x010A), 0x011A, 0x0125, 0x0126, 0x012A),
}


def allowed(row: MessageRow, cra: Cra) -> tuple[Protection, ...]:
    return {Cra.COMMAND: row.command, Cra.RESPONSE: row.response, Cra.ALERT: row.alert}[cra]


def test_every_code_has_one_row_and_every_row_its_code() -> None:
    assert set(MESSAGES) == set(MessageCode)
    assert len(MESSAGES) == 235  # 233 of the RTDS, and the two modes of CS02b that it has not
    assert all(code == row.code for code, row in MESSAGES.items())


def test_a_date_time_stands_in_responses_of_these_44_codes_and_no_others() -> None:
    unseen = {MessageCode.CS02B_ROOT_BY_SUPPLIER, MessageCode.CS02B_ROOT_BY_WP}
    dated = {code for code, row in MESSAGES.items() if row.response_date_time}
    assert dated == DATED | unseen


@pytest.mark.parametrize("row", MESSAGES.values(), ids=lambda row: f"{row.code:04x}")
def test_a_row_says_what_its_category_says(row: MessageRow) -> None:
    assert row.use_case
    assert row.title
    assert row.devices
    assert row.command or row.response or row.alert
    assert not (row.alert and (row.command or row.response))
    assert not (row.alert and row.srvs)
    for sets in (row.command, row.response, row.alert):
        assert Protection.NONE not in sets  # nothing is ever accepted without protection
    if row.category is not Category.VARIANT:
        assert CATEGORY_RULE[row.category] == (row.command, row.response, row.alert)


@pytest.mark.parametrize(
    ("code", "command", "response", "alert"),
    [
        (MessageCode.CS06, (BOTH,), (Protection.SIGNATURE,), ()),
        (MessageCode.ECS52, (Protection.MAC,), (Protection.MAC,), ()),
        (MessageCode.CS08, (Protection.MAC,), (Protection.MAC,), ()),
        (MessageCode.CCS08, (), (), (Protection.SIGNATURE,)),
        (MessageCode.CS02B_ACB_BY_ACB, (Protection.MAC,), (Protection.SIGNATURE,), ()),
        (MessageCode.CS02B_ANY_BY_RECOVERY, (Protection.SIGNATURE,), (Protection.SIGNATURE,), ()),
        (
            MessageCode.CS02B_ANY_BY_CONTINGENCY,
            (Protection.SIGNATURE,),
            (Protection.SIGNATURE,),
            (),
        ),
        (MessageCode.GNCA, (), (), (Protection.MAC,)),
    ],
)
def test_the_protection_of_a_message_follows_its_use_case(
    code: MessageCode,
    command: tuple[Protection, ...],
    response: tuple[Protection, ...],
    alert: tuple[Protection, ...],
) -> None:
    row = MESSAGES[code]
    assert (row.command, row.response, row.alert) == (command, response, alert)


def test_the_generic_alerts_alone_come_in_two_languages() -> None:
    two = {code for code, row in MESSAGES.items() if len(row.payload) > 1}
    assert two == {MessageCode.GCA, MessageCode.GNCA}
    assert kind_of(MESSAGES[MessageCode.GCA], b"\x0f") is PayloadKind.DLMS
    assert kind_of(MESSAGES[MessageCode.GCA], b"\x01\x09") is PayloadKind.GBZ


def test_the_table_cannot_be_written_to() -> None:
    with pytest.raises(TypeError):
        MESSAGES[1] = MESSAGES[2]  # type: ignore[index]  # the point of the test


@needs_rtds
def test_the_given_messages_bear_the_table_out() -> None:
    for name, data in rtds_messages():
        env = envelope.decode(data)
        row = MESSAGES[env.header.other.message_code]
        present = Protection.SIGNATURE if env.signature else Protection.NONE
        present |= Protection.MAC if env.mac else Protection.NONE
        if env.signature is not None:
            assert present in allowed(row, env.header.cra), name
        else:
            assert row.command, name
        dated = env.header.cra is Cra.RESPONSE and row.response_date_time
        assert bool(env.header.date_time) is dated, name


@needs_rtds
def test_the_given_names_bear_the_use_cases_out() -> None:
    for name, data in rtds_messages():
        row = MESSAGES[envelope.decode(data).header.other.message_code]
        if not row.alert:
            known = itertools.chain(row.use_case.split("/"))
            assert any(name.startswith(use_case) for use_case in known), name
