"""ZCL commands of gas devices: those of the RTDS come back octet for octet, spoilt ones do not."""

from collections.abc import Iterator
from functools import cache

import pytest

from emulator.codecs.gbcs import envelope, gbz
from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.gbcs.metering import frame_of
from emulator.codecs.gbcs.use_cases import MESSAGES, PayloadKind
from emulator.codecs.zcl import gas
from emulator.codecs.zcl.frame import ZclFrame
from emulator.codecs.zcl.price import PublishBillingPeriod
from emulator.core.errors import MalformedFrameError
from tests.given import needs_rtds, rtds_messages


@cache
def frames() -> tuple[tuple[int, ZclFrame], ...]:
    return tuple(_frames())


def _frames() -> Iterator[tuple[int, ZclFrame]]:
    for _, octets in rtds_messages():
        env = envelope.decode(octets)
        row = MESSAGES[env.header.other.message_code]
        if PayloadKind.GBZ not in row.payload or env.header.cra is Cra.ALERT:
            continue
        for component in gbz.decode(env.payload).components:
            if component.frame_counter is None and component.frame_control & 0x03:
                yield component.cluster, frame_of(component)


@needs_rtds
def test_every_plain_command_comes_back_octet_for_octet() -> None:
    assert len(frames()) > 200
    for cluster, frame in frames():
        assert gas.decode(cluster, frame).encode() == frame.payload


@needs_rtds
def test_a_command_cut_short_is_refused_or_another_one() -> None:
    for cluster, frame in frames():
        cut = ZclFrame(
            True, frame.server_to_client, False, frame.sequence, frame.command, frame.payload[:-1]
        )
        try:
            assert gas.decode(cluster, cut).encode() == cut.payload
        except MalformedFrameError:
            continue
        assert gas.decode(cluster, cut) != gas.decode(cluster, frame)


def test_a_command_of_another_cluster_is_none() -> None:
    frame = ZclFrame(True, False, False, 0, 0x7F, b"")
    for cluster in (0x0702, 0x0500):
        assert not gas.knows(cluster, frame)
        with pytest.raises(MalformedFrameError):
            gas.decode(cluster, frame)


def test_a_value_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="PublishBillingPeriod"):
        gas.encode(0x0700, PublishBillingPeriod(0, 0, 0, 1 << 24, 0, 0), 0, quiet=False)
