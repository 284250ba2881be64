"""Five layouts and bare images at five hubs and one that asks for none, in both modes."""

import hashlib
from functools import cache

import pytest

from device_profiles.metadata_makers import HubMaker, load_makers
from device_profiles.words import ImageKind
from emulator.codecs import ota_file
from emulator.codecs.chf_metadata import codec_of, image_hash
from emulator.codecs.dlms import hub_image
from emulator.codecs.dlms.apdu_parts import DataAccessResult
from emulator.codecs.dlms.hub_image import ImageTicket, Reason, Stage
from tests.emulator.devices.smets1.image_home import (
    ENDURING,
    ESME,
    HUB,
    NEW,
    PPMID,
    TACTICAL,
    ImageHome,
    image_for,
    metadata_for,
)

HUBS = [one.profile for one in load_makers().asking()]
PAIRS = [(layout, hub) for layout in HUBS for hub in HUBS]


@cache
def wrapped(layout: str, role: str = "PPMID", model: str = "demo-s1-ppmid") -> bytes:
    return image_for(role, model, layout=layout)


@cache
def tactical(hub: str) -> ImageHome:
    """One home a hub for the whole matrix: what is discarded blocks nothing."""
    return ImageHome(hub)


def verdict(layout: str, hub: str) -> tuple[str, str]:
    home = tactical(hub)
    home.stage(PPMID, wrapped(layout), force_replace=True)
    row = home.log()[-1]
    if row.stage is Stage.DISCARDED:
        return row.stage.name, row.reason.kind
    return "accepted", ""


def test_five_hubs_ask_for_five_layouts() -> None:
    assert len(HUBS) == 5


@pytest.mark.parametrize(("layout", "hub"), PAIRS)
def test_a_hub_takes_the_images_of_its_own_layout_alone(layout: str, hub: str) -> None:
    wanted = ("accepted", "") if layout == hub else ("DISCARDED", "metadata")
    assert verdict(layout, hub) == wanted


def test_exactly_five_of_twenty_five_are_accepted() -> None:
    found = [verdict(layout, hub)[0] for layout, hub in PAIRS]
    assert (found.count("accepted"), found.count("DISCARDED")) == (5, 20)


@pytest.mark.parametrize("hub", HUBS)
def test_a_bare_image_is_discarded_in_tactical_mode(hub: str) -> None:
    assert verdict("", hub) == ("DISCARDED", "metadata")


@pytest.mark.parametrize("hub", HUBS)
def test_nothing_reaches_a_device_whose_image_was_discarded(hub: str) -> None:
    other = next(one for one in HUBS if one != hub)
    home = ImageHome(hub)
    home.stage(ESME, wrapped(other, "ESME", "demo-s1-esme"))
    home.pass_hours(2)
    assert home.last()[0] == "DISCARDED"
    assert home.hub.images.store.held == {}
    assert home.meter().image.transfer is None
    assert [row.reason.is_metadata for row in home.notices()] == [True] * 3  # and each hour again


def test_a_hub_without_a_layout_takes_bare_images_and_all_others() -> None:
    home = ImageHome("demo-s1-chf")
    for layout in ("", HUBS[0]):
        home.stage(PPMID, wrapped(layout), force_replace=True)
        assert home.log()[-1].stage is not Stage.DISCARDED


# -- enduring mode -----------------------------------------------------------------------------


@pytest.mark.parametrize("hub", HUBS)
def test_one_bare_image_is_taken_by_all_when_the_right_metadata_came_by_the_channel(
    hub: str,
) -> None:
    home = ImageHome(hub, mode=ENDURING)
    bare = wrapped("")
    ticket = ImageTicket(PPMID, NEW)
    metadata = metadata_for("demo-s1-ppmid", bare, hub)
    assert home.hand_over(ticket, metadata) is DataAccessResult.SUCCESS
    home.stage(PPMID, bare)
    home.pass_s(60)
    assert home.last() == ("DONE", "none")


@pytest.mark.parametrize("hub", HUBS)
def test_in_enduring_mode_an_image_without_metadata_from_the_channel_is_discarded(hub: str) -> None:
    home = ImageHome(hub, mode=ENDURING)
    home.stage(PPMID, wrapped(""))
    assert home.last() == ("DISCARDED", "metadata-not-supplied")


@pytest.mark.parametrize(("maker", "hub"), [pair for pair in PAIRS if pair[0] != pair[1]])
def test_metadata_of_another_maker_over_the_channel_are_refused(maker: str, hub: str) -> None:
    home = _enduring(hub)
    bare = wrapped("")
    home.hand_over(ImageTicket(PPMID, NEW), metadata_for("demo-s1-ppmid", bare, maker))
    home.stage(PPMID, bare, force_replace=True)
    row = home.log()[-1]
    assert (row.stage, row.reason.kind) == (Stage.DISCARDED, "metadata")


@cache
def _enduring(hub: str) -> ImageHome:
    return ImageHome(hub, mode=ENDURING)


def test_metadata_belong_to_the_image_they_came_for() -> None:
    hub = HUBS[0]
    home = ImageHome(hub, mode=ENDURING)
    bare = wrapped("")
    home.hand_over(ImageTicket(PPMID, NEW + 1), metadata_for("demo-s1-ppmid", bare, hub))
    home.hand_over(ImageTicket(ESME, NEW), metadata_for("demo-s1-ppmid", bare, hub))
    home.stage(PPMID, bare)
    assert home.last() == ("DISCARDED", "metadata-not-supplied")


def test_metadata_inside_the_image_do_not_serve_in_enduring_mode() -> None:
    hub = HUBS[0]
    home = ImageHome(hub, mode=ENDURING)
    octets = wrapped(hub)
    home.hand_over(ImageTicket(PPMID, NEW), metadata_for("demo-s1-ppmid", wrapped(""), hub))
    home.stage(PPMID, octets)
    assert home.log()[-1].reason.is_metadata


@pytest.mark.parametrize("hub", ["demo-s1-chf", *HUBS])
def test_the_channel_is_closed_in_tactical_mode(hub: str) -> None:
    home = ImageHome(hub, mode=TACTICAL)
    answer = home.hand_over(ImageTicket(PPMID, NEW), b"metadata")
    assert answer is DataAccessResult.READ_WRITE_DENIED
    assert home.hub.images.metadata.records == {}


def test_what_is_no_record_is_refused_by_the_channel_as_such() -> None:
    home = ImageHome(HUBS[0], mode=ENDURING)
    for octets in (b"", b"\x01" * 14, b"\x02" + bytes(20)):
        assert home.put(hub_image.METADATA_OBIS, octets) is DataAccessResult.TYPE_UNMATCHED


def test_the_channel_keeps_a_bounded_number_of_records() -> None:
    home = ImageHome(HUBS[0], mode=ENDURING)
    for version in range(40):
        home.hand_over(ImageTicket(PPMID, version), b"m")
    assert [version for _target, version in home.hub.images.metadata.records] == [*range(24, 40)]


# -- the hub's own image -----------------------------------------------------------------------


@pytest.mark.parametrize("hub", HUBS)
def test_a_hub_asks_the_same_metadata_of_its_own_image(hub: str) -> None:
    other = next(one for one in HUBS if one != hub)
    home = ImageHome(hub)
    home.stage(HUB, image_for("CHF", hub, layout=other))
    assert home.log()[-1].reason.is_metadata
    home.stage(HUB, image_for("CHF", hub, layout=hub))
    assert home.last() == ("DONE", "none")


def test_a_signature_behind_the_image_is_found_whatever_the_target_is() -> None:
    """Images of all types may come signed; the suffix layout must find its metadata before it."""
    hub = "demo-s1-chf-sec"
    home = ImageHome(hub)
    signed = wrapped(hub, "ESME", "demo-s1-esme")
    assert signed[-65] == ota_file.SIGNATURE_BYTES
    home.stage(ESME, signed)
    assert home.log()[-1].stage is not Stage.DISCARDED
    display = wrapped(hub)
    size = len(display) + ota_file.TRAILER_BYTES
    header = ota_file.decode_header(display)
    head = ota_file.encode_header(
        ota_file.OtaHeader(
            **{
                **{name: getattr(header, name) for name in header.__slots__},
                "total_image_size": size,
            }
        )
    )
    trailer = bytes((0, ota_file.SIGNATURE_BYTES)) + bytes(ota_file.SIGNATURE_BYTES)
    home.stage(PPMID, head + display[header.header_length :] + trailer)
    assert home.log()[-1].stage is not Stage.DISCARDED


# -- hashes ------------------------------------------------------------------------------------


def test_one_manufacturer_image_has_five_hashes_in_tactical_and_one_in_enduring_mode() -> None:
    kind = ImageKind.UNSIGNED
    bare = ota_file.decode(wrapped(""), kind).manufacturer_image
    codecs = {hub: codec_of(maker) for hub, maker in _makers().items()}
    inside = {
        image_hash(codecs[hub], TACTICAL, ota_file.decode(wrapped(hub), kind).manufacturer_image)
        for hub in HUBS
    }
    assert len(inside) == 5
    assert {image_hash(codecs[hub], ENDURING, bare) for hub in HUBS} == {
        hashlib.sha256(bare).digest()
    }


def _makers() -> dict[str, HubMaker]:
    return {one.profile: one for one in load_makers().asking()}


@pytest.mark.parametrize("hub", HUBS)
def test_a_meter_tells_the_hash_of_the_image_with_its_metadata(hub: str) -> None:
    home = tactical(hub)
    octets = wrapped(hub, "ESME", "demo-s1-esme")
    home.stage(ESME, octets, force_replace=True)
    home.pass_s(120)
    image = ota_file.decode(octets, ImageKind.SUPPLIER_SIGNED)
    assert home.meter().image.content_hash() == ota_file.manufacturer_image_hash(image)


def test_the_log_keeps_the_reason_of_the_check_itself() -> None:
    """Each hub says what it missed: constants, digests, lengths."""
    found = {
        (layout, hub): tactical(hub).log()[-1].reason
        for layout, hub in PAIRS
        if layout != hub and verdict(layout, hub)
    }
    assert {*found.values()} >= {Reason.CONST_MISMATCH, Reason.TLV_MISMATCH}
