"""Image tickets, metadata records, rows of the distribution log: there and back, and damaged."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.chf_metadata_check import MetadataRefusal
from emulator.codecs.dlms import axdr, data_notification, hub_image
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.hub_image import (
    OUTCOMES,
    DistributionRow,
    ImageTicket,
    MetadataRecord,
    Reason,
    Stage,
)
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from tests.sampling import examples

TICKET = ImageTicket(Eui64(bytes(range(1, 9))), 0x10000002, force_replace=True)
ROW = DistributionRow(TICKET, Stage.DISCARDED, Reason.SIZE, 0, bytes(range(12)))
EUI64S = st.binary(min_size=8, max_size=8).map(Eui64)
TICKETS = st.builds(ImageTicket, EUI64S, st.integers(0, 0xFFFF_FFFF), st.booleans(), st.booleans())
ROWS = st.builds(
    DistributionRow,
    TICKETS,
    st.sampled_from(Stage),
    st.sampled_from(Reason),
    st.integers(0, 0xFFFF_FFFF),
    st.binary(min_size=12, max_size=12),
)


@settings(max_examples=examples(200))
@given(TICKETS)
def test_a_ticket_comes_back_from_its_fourteen_octets(ticket: ImageTicket) -> None:
    octets = hub_image.encode_ticket(ticket)
    assert len(octets) == hub_image.TICKET_BYTES
    assert hub_image.decode_ticket(octets) == ticket
    assert int.from_bytes(ticket.version_octets, "big") == ticket.file_version


def test_a_ticket_is_version_flags_target_and_version_of_the_image() -> None:
    assert hub_image.encode_ticket(TICKET).hex() == "0101" + "0102030405060708" + "10000002"


@pytest.mark.parametrize("length", [*range(14), 15, 28])
def test_a_ticket_of_another_length_is_refused(length: int) -> None:
    octets = (hub_image.encode_ticket(TICKET) * 2)[:length]
    with pytest.raises(MalformedFrameError) as refused:
        hub_image.decode_ticket(octets)
    assert refused.value.layer == hub_image.LAYER


@pytest.mark.parametrize("bit", range(14 * 8))
def test_a_flipped_bit_of_a_ticket_is_refused_or_another_ticket(bit: int) -> None:
    octets = bytearray(hub_image.encode_ticket(TICKET))
    octets[bit // 8] ^= 1 << (bit % 8)
    meaningless = bit < 8 or 10 <= bit < 16  # the format's version, flags that mean nothing
    if meaningless:
        with pytest.raises(MalformedFrameError):
            hub_image.decode_ticket(bytes(octets))
        return
    found = hub_image.decode_ticket(bytes(octets))
    assert found != TICKET
    assert hub_image.encode_ticket(found) == octets


@pytest.mark.parametrize("version", [-1, 1 << 32])
def test_a_version_beyond_32_bits_makes_no_ticket(version: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        hub_image.encode_ticket(ImageTicket(TICKET.target, version))


def test_tickets_that_differ_in_flags_alone_name_the_same_image() -> None:
    plain = ImageTicket(TICKET.target, TICKET.file_version)
    assert plain.names_same(TICKET)
    assert not plain.names_same(ImageTicket(TICKET.target, 1))
    assert not plain.names_same(ImageTicket(Eui64(bytes(8)), TICKET.file_version))


@settings(max_examples=examples(100))
@given(TICKETS, st.binary(min_size=1, max_size=70))
def test_metadata_come_back_with_their_ticket(ticket: ImageTicket, metadata: bytes) -> None:
    record = MetadataRecord(ticket, metadata)
    assert hub_image.decode_metadata(hub_image.encode_metadata(record)) == record


@pytest.mark.parametrize("length", range(15))
def test_a_metadata_record_without_metadata_is_refused(length: int) -> None:
    octets = hub_image.encode_metadata(MetadataRecord(TICKET, b"m"))
    with pytest.raises(MalformedFrameError):
        hub_image.decode_metadata(octets[:length])


def test_a_record_of_no_metadata_is_not_made() -> None:
    with pytest.raises(ValueError, match="no metadata"):
        hub_image.encode_metadata(MetadataRecord(TICKET, b""))


@settings(max_examples=examples(100))
@given(st.lists(ROWS, max_size=4))
def test_a_log_comes_back_row_by_row(rows: list[DistributionRow]) -> None:
    octets = axdr.encode(hub_image.encode_log(rows))
    assert hub_image.decode_log(axdr.decode(octets)) == tuple(rows)


@settings(max_examples=examples(100))
@given(ROWS, st.integers(0, (1 << 24) - 1))
def test_a_notified_outcome_is_the_row_itself(row: DistributionRow, number: int) -> None:
    apdu = hub_image.encode_outcome(row, number)
    assert hub_image.decode_outcome(apdu) == row
    notice = data_notification.decode(apdu)
    assert (notice.invoke_id, notice.date_time) == (number, row.since)


def test_every_cut_of_a_notified_outcome_and_an_octet_too_many_are_refused() -> None:
    apdu = hub_image.encode_outcome(ROW, 1)
    for length in range(len(apdu)):
        with pytest.raises(MalformedFrameError):
            hub_image.decode_outcome(apdu[:length])
    with pytest.raises(MalformedFrameError):
        hub_image.decode_outcome(apdu + b"\0")


def test_every_flipped_bit_of_a_notified_outcome_is_refused_or_tells_something_else() -> None:
    apdu = hub_image.encode_outcome(ROW, 1)
    for bit in range(len(apdu) * 8):
        octets = bytearray(apdu)
        octets[bit // 8] ^= 1 << (bit % 8)
        try:
            found = hub_image.decode_outcome(bytes(octets))
        except MalformedFrameError:
            continue
        in_envelope = 1 <= bit // 8 <= 17  # invoke id, length and date-time around the row
        assert found != ROW or in_envelope


@pytest.mark.parametrize(
    "body",
    [
        axdr.structure(axdr.octets(bytes(8)), axdr.octets(b"10000001")),  # a first contact
        axdr.structure(*hub_image.encode_row(ROW).value[:4]),  # type: ignore[index]  # a tuple
        Data(Tag.ARRAY, (hub_image.encode_row(ROW),)),
        axdr.NULL,
    ],
)
def test_other_notifications_are_no_outcomes(body: Data) -> None:
    apdu = data_notification.encode(data_notification.Notification(1, body))
    with pytest.raises(MalformedFrameError):
        hub_image.decode_outcome(apdu)


def _parts() -> list[Data]:
    value = hub_image.encode_row(ROW).value
    assert isinstance(value, tuple)
    return [*value]


@pytest.mark.parametrize(("place", "number"), [(1, 0), (1, 11), (2, 31), (2, 200)])
def test_unknown_stages_and_reasons_are_refused(place: int, number: int) -> None:
    parts = _parts()
    parts[place] = Data(Tag.ENUM, number)
    with pytest.raises(MalformedFrameError):
        hub_image.decode_row(Data(Tag.STRUCTURE, tuple(parts)))


@pytest.mark.parametrize("since", [b"", bytes(11), bytes(13)])
def test_a_row_needs_a_moment_of_twelve_octets(since: bytes) -> None:
    with pytest.raises(ValueError, match="12 octets"):
        hub_image.encode_row(DistributionRow(TICKET, Stage.DONE, Reason.NONE, 0, since))
    parts = _parts()
    parts[4] = axdr.octets(since)
    with pytest.raises(MalformedFrameError):
        hub_image.decode_row(Data(Tag.STRUCTURE, tuple(parts)))


def test_what_is_no_array_is_no_log() -> None:
    with pytest.raises(MalformedFrameError):
        hub_image.decode_log(axdr.octets(b""))


def test_each_refusal_of_the_metadata_check_has_a_reason_of_its_own() -> None:
    reasons = [Reason.of_word(refusal.value) for refusal in MetadataRefusal]
    assert len({*reasons}) == len(MetadataRefusal)
    assert all(reason.is_metadata and reason.kind == "metadata" for reason in reasons)
    assert [reason.word for reason in reasons] == [refusal.value for refusal in MetadataRefusal]
    others = [reason for reason in Reason if reason not in reasons]
    assert not any(reason.is_metadata for reason in others)
    assert all(reason.kind == reason.word for reason in others)


def test_stages_on_the_way_are_no_outcomes() -> None:
    on_the_way = {Stage.STAGING, Stage.STAGED, Stage.NOTIFIED, Stage.SERVING}
    assert {*Stage} - on_the_way == OUTCOMES
    assert ROW.final
