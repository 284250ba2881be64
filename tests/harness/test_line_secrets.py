import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import acse, apdu_action, apdu_set, axdr, hdlc, initiate, wrapper
from emulator.codecs.dlms.acse import AssociationRequest, Authentication
from emulator.codecs.dlms.apdu_action import ActionRequest
from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor
from emulator.codecs.dlms.apdu_set import SetRequest
from emulator.codecs.dlms.hdlc import Address, Frame
from emulator.codecs.dlms.hdlc_control import i_control
from emulator.codecs.dlms.initiate import Conformance, InitiateRequest
from emulator.codecs.dlms.wrapper import WrapperFrame
from harness.line_secrets import SecretMask, masked, spans_of, unmasked
from tests.sampling import examples

SECRET = b"12345678"
ASSOCIATION = bytes((0, 0, 40, 0, 0, 255))


def aarq(mechanism: int = 1, value: bytes = SECRET, key: bytes | None = None) -> bytes:
    offer = InitiateRequest(Conformance.GET, 1024, dedicated_key=key)
    unit = Authentication(mechanism, value)
    return acse.encode_request(
        AssociationRequest(1, initiate.encode_request(offer), authentication=unit)
    )


def in_frames(apdu: bytes, size: int) -> list[bytes]:
    information = hdlc.LLC_COMMAND + apdu
    parts = [information[at : at + size] for at in range(0, len(information), size)]
    return [
        hdlc.encode(
            Frame(
                Address(1),
                Address(2),
                i_control(number, 0, poll=True),
                part,
                number < len(parts) - 1,
            )
        )
        for number, part in enumerate(parts)
    ]


def test_a_low_level_secret_is_masked_and_everything_else_stays() -> None:
    hidden = masked(aarq())
    assert hidden == aarq(value=b"********")


def test_a_challenge_is_no_secret() -> None:
    assert masked(aarq(5, bytes(16))) == aarq(5, bytes(16))


def test_a_dedicated_key_in_clear_is_masked() -> None:
    key = bytes(range(16))
    apdu = aarq(5, b"challenge-of-16-", key)
    assert key not in masked(apdu)
    assert [span.what for span in spans_of(apdu)] == ["dedicated-key"]


def test_a_secret_that_is_set_or_changed_is_masked() -> None:
    new = axdr.octets(b"87654321")
    write = Attribute(Descriptor(15, ASSOCIATION, 7))
    method = Descriptor(15, ASSOCIATION, 2)
    for apdu in (
        apdu_set.encode_request(SetRequest(0xC1, write, new)),
        apdu_action.encode_request(ActionRequest(0xC1, method, new)),
    ):
        assert b"87654321" not in masked(apdu)
        assert len(masked(apdu)) == len(apdu)


def test_another_attribute_that_is_set_is_no_secret() -> None:
    write = Attribute(Descriptor(1, bytes((0, 0, 96, 1, 0, 255)), 2))
    apdu = apdu_set.encode_request(SetRequest(0xC1, write, axdr.octets(b"87654321")))
    assert masked(apdu) == apdu


def test_a_masked_secret_is_put_back_and_only_where_lengths_agree() -> None:
    assert unmasked(masked(aarq()), SECRET) == aarq()
    assert unmasked(masked(aarq()), b"123") == masked(aarq())


@pytest.mark.parametrize("size", [7, 16, 31, 128])
def test_a_secret_is_masked_in_any_number_of_segments_and_every_frame_checks(size: int) -> None:
    mask = SecretMask()
    frames = [mask.mask(frame) for frame in in_frames(aarq(), size)]
    information = b"".join(hdlc.decode(frame).information for frame in frames)
    assert information == hdlc.LLC_COMMAND + aarq(value=b"********")
    assert mask.found == [("lls-secret", 2)]


def test_a_secret_in_the_wrapper_is_masked() -> None:
    mask = SecretMask()
    octets = mask.mask(wrapper.encode(WrapperFrame(2, 1, aarq())))
    assert wrapper.decode(octets).apdu == aarq(value=b"********")


def test_what_follows_an_association_request_is_left_alone() -> None:
    mask = SecretMask()
    frames = in_frames(aarq(), 128) + in_frames(b"\xc0\x01\xc1", 128)
    assert mask.mask(frames[0]) != frames[0]
    assert mask.mask(frames[1]) == frames[1]


@given(octets=st.binary(max_size=60))
@settings(max_examples=examples(200), derandomize=True)
def test_any_octets_are_masked_without_an_error_and_keep_their_length(octets: bytes) -> None:
    assert len(masked(octets)) == len(octets)
    assert len(masked(b"\x60" + octets)) == len(octets) + 1
    assert SecretMask().mask(octets) == octets or len(SecretMask().mask(octets)) == len(octets)
