import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.codecs.gbcs import dates
from emulator.codecs.gbcs.dates import ClockStatus
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError

AT_2015 = UtcMs(1_420_070_400_000)
MOMENTS = st.integers(0, int(dates.CANCEL_TIME) // 1000).map(lambda s: UtcMs(s * 1000))


@pytest.mark.parametrize("status", ClockStatus)
def test_a_date_time_has_the_form_of_the_given_messages(status: ClockStatus) -> None:
    octets = dates.encode_date_time(AT_2015, status)
    assert octets.hex() == f"07df0101ff00000000800 0{status:02x}".replace(" ", "")
    assert dates.decode_date_time(octets) == (AT_2015, status)


def test_the_words_now_and_never_are_no_moments() -> None:
    assert dates.NOW.hex() == "0000000000000000008000ff"
    assert dates.NEVER.hex() == "ffffffffffffffffff8000ff"
    for octets in (dates.NOW, dates.NEVER):
        with pytest.raises(MalformedFrameError):
            dates.decode_date_time(octets)


@given(at=MOMENTS, status=st.integers(0, 255))
def test_every_second_survives_both_forms(at: UtcMs, status: int) -> None:
    assert dates.decode_date_time(dates.encode_date_time(at, status)) == (at, status)
    assert dates.decode_generalized_time(dates.encode_generalized_time(at)) == at


@pytest.mark.parametrize(
    "octets",
    [
        "07df0101ff000000008000",
        "07df0101ff0000000080000000",
        "07df0d01ff00000000800000",
        "07df0101ff18000000800000",
        "07df0101ff00000001800000",
        "07df0101ff00000000003c00",
    ],
)
def test_what_is_no_second_of_utc_is_refused(octets: str) -> None:
    with pytest.raises(MalformedFrameError) as caught:
        dates.decode_date_time(bytes.fromhex(octets))
    assert caught.value.layer == "gbcs.dlms_date_time"


def test_the_cancelling_time_is_the_last_second_of_9999() -> None:
    assert dates.encode_generalized_time(dates.CANCEL_TIME) == b"99991231235959Z"
    assert dates.decode_generalized_time(b"99991231235959Z") == dates.CANCEL_TIME


@pytest.mark.parametrize(
    "text", [b"", b"20150101000000", b"20150101000000z", b"20151301000000Z", b"2015010100000 Z",
             b"20150101000000Z ", b"201501010000.0Z", b"20150229000000Z"]
)  # fmt: skip
def test_any_other_form_of_generalized_time_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedFrameError) as caught:
        dates.decode_generalized_time(text)
    assert caught.value.layer == "gbcs.generalized_time"
