"""Who waits behind whom for one node's acknowledgements."""

from emulator.codecs.zigbee.aps import ApsAck
from emulator.han.aps_sender import ACK_WAIT_US, MAX_REPEATS, ApsSender, Outgoing, Transfer

HUB = 0x0000
REPORT, ANSWER = "metering.report-attributes", "ota.read-attributes-response"


def _transfer(label: str, number: int) -> Transfer:
    return Transfer(HUB, (1, 1), 0x0702, (bytes([number]),), label, 0)


def _drained(sender: ApsSender, first: list[Outgoing]) -> list[int]:
    """Acknowledge whatever goes out until nothing does; returns the payloads in their order."""
    row, outputs = [], first
    while outputs:
        [out] = outputs
        frame = out.frame
        assert not isinstance(frame, ApsAck)
        row.append(frame.payload[0])
        ack = ApsAck(
            frame.source_endpoint, frame.destination_endpoint, frame.cluster, frame.counter
        )
        outputs = [one for one in sender.acknowledged(HUB, ack, 0) if isinstance(one, Outgoing)]
    return row


def test_answers_go_before_what_waits_unasked_and_in_their_own_order() -> None:
    sender = ApsSender(60)
    labels = [REPORT, REPORT, ANSWER, REPORT, ANSWER]
    first: list[Outgoing] = []
    for number, label in enumerate(labels):
        outputs = sender.send_acked(_transfer(label, number), 0)
        first += [one for one in outputs if isinstance(one, Outgoing)]
    assert _drained(sender, first) == [0, 2, 4, 1, 3]


def test_an_answer_waits_for_one_transfer_that_fails_and_not_for_a_row_of_them() -> None:
    sender, now = ApsSender(60), 0
    for number in range(20):
        sender.send_acked(_transfer(REPORT, number), now)
    sender.send_acked(_transfer(ANSWER, 99), now)
    sent: list[int] = []
    for _wait in range(MAX_REPEATS + 1):
        now += ACK_WAIT_US
        sent += [
            one.frame.payload[0]
            for one in sender.expire(HUB, now)
            if isinstance(one, Outgoing) and not isinstance(one.frame, ApsAck)
        ]
    assert sent[-1] == 99
    assert set(sent) == {0, 99}
