"""Commands read, answers and callbacks written the quick way, as by header and table."""

import pytest

from emulator.codecs.ezsp.frames import (
    NETWORK_INDEX,
    RESPONSE,
    EzspFrame,
    Frame,
    Framing,
    Header,
    callback,
    encode_header,
    response,
)
from emulator.codecs.ezsp.layout import RefusedEzspError
from emulator.codecs.ezsp.protocol import VERSIONS, codec_of
from emulator.codecs.ezsp.values import Nothing, StatusOnly
from emulator.core.chance import Stream
from tests.emulator.codecs.ezsp.ezsp_given import EVERY, value_of


@pytest.mark.parametrize("version", VERSIONS)
def test_answers_and_callbacks_are_written_as_whole_frames_are(version: int) -> None:
    codec = codec_of(version)
    for _version, _frame_id, name, answer in [row for row in EVERY if row[0] == version]:
        layout = codec.layout(name, answer=True)
        if not answer or layout is None:
            continue
        values = value_of(layout, Stream(4, f"{version} {name.value}"))
        for framing in Framing:
            if framing is not Framing.CURRENT and codec.frames[name] > 0xFF:
                continue
            for control in (0, NETWORK_INDEX):
                asked = EzspFrame(name, Nothing(), 7, control, framing)
                whole = codec.encode(response(asked, values))
                assert codec.encode_answer(asked, values) == whole, (name, framing)
        assert codec.encode_callback(name, values, 9) == codec.encode(callback(name, values, 9))


@pytest.mark.parametrize("version", VERSIONS)
def test_commands_are_read_as_by_their_header_whatever_stands_in_it(version: int) -> None:
    codec = codec_of(version)
    for _version, frame_id, name, answer in [row for row in EVERY if row[0] == version]:
        layout = codec.layout(name, answer=False)
        if answer or layout is None:
            continue
        values = value_of(layout, Stream(5, f"{version} {name.value}"))
        for control in (0, NETWORK_INDEX, 0x03):
            octets = encode_header(Header(3, frame_id, control)) + layout.encode(values)
            assert codec.decode(octets) == EzspFrame(name, values, 3, control)
            for cut in range(5):
                with pytest.raises(RefusedEzspError):
                    codec.decode(octets[:cut])
            assert codec.decode(octets).is_response is False
            with pytest.raises(RefusedEzspError):
                codec.decode(octets[:2] + b"\x41" + octets[3:])  # a secured frame


def test_values_of_another_frame_are_refused_whichever_way_they_are_written() -> None:
    codec = codec_of(13)
    asked = EzspFrame(Frame.GET_NODE_ID, Nothing(), 1)
    with pytest.raises(ValueError, match="getNodeId"):
        codec.encode_answer(asked, StatusOnly())
    with pytest.raises(ValueError, match="incomingMessageHandler"):
        codec.encode_callback(Frame.INCOMING_MESSAGE_HANDLER, StatusOnly(), 1)
    assert codec.encode_answer(EzspFrame(Frame.NOP, Nothing(), 1), Nothing())[1] == RESPONSE
