from collections.abc import Callable
from dataclasses import replace

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import asn1, envelope
from emulator.codecs.gbcs.envelope import Cra, Envelope, OtherInformation
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.formats.duis import bodies, date_time
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import ServiceRequest, request
from harness.formats.duis.transforms.outcome import Context, Device, PreCommand
from harness.formats.duis.transforms.transform import transform
from harness.parties.correlation import Correlated, Mismatch, NotCorrelated, correlate

SUPPLIER = Eui64.parse("90-B3-D5-1F-30-01-00-00")
ESME = Eui64.parse("00-DB-12-34-56-78-90-A0")
OTHER = Eui64.parse("00-DB-12-34-56-78-90-A1")
KNOWN = Context({ESME: Device(DeviceType.ESME)}, UtcMs(0))
HASH = bytes.fromhex("AA758690730934FF0685AA758690730934FF0685657788990011223344556677")
WHEN = UtcMs(1_894_698_000_000)


def asked(at: UtcMs | None = None) -> ServiceRequest:
    return request(bodies.ActivateFirmware(HASH, at), RequestId(SUPPLIER, ESME, 1001))


def pre_command(request: ServiceRequest) -> bytes:
    made = transform(request, KNOWN)
    assert isinstance(made, PreCommand)
    return made.octets


TIMES = [None, WHEN, date_time.CANCEL]


@pytest.mark.parametrize("at", TIMES)
def test_the_pre_command_of_a_request_correlates(at: UtcMs | None) -> None:
    assert isinstance(correlate(asked(at), pre_command(asked(at))), Correlated)


@pytest.mark.parametrize("at", TIMES)
def test_a_pre_command_altered_by_any_one_bit_is_refused_with_a_reason(at: UtcMs | None) -> None:
    right = pre_command(asked(at))
    reasons = set()
    for bit in range(len(right) * 8):
        altered = bytearray(right)
        altered[bit // 8] ^= 1 << bit % 8
        verdict = correlate(asked(at), bytes(altered))
        assert isinstance(verdict, NotCorrelated), f"bit {bit}"
        assert verdict.detail
        reasons.add(verdict.field)
    wanted = {
        Mismatch.MALFORMED,
        Mismatch.USE_CASE,
        Mismatch.ORIGINATOR,
        Mismatch.DEVICE,
        Mismatch.COUNTER,
        Mismatch.PAYLOAD,
        Mismatch.HASH,
        Mismatch.PAYLOAD_COUNTER,
    }
    assert reasons >= wanted | ({Mismatch.EXECUTION_TIME} if at is not None else set())


def test_a_pre_command_shorter_or_longer_by_one_octet_is_refused() -> None:
    right = pre_command(asked())
    for wrong in (right[:-1], right + b"\0", b"\0" + right, right[1:], b""):
        assert isinstance(correlate(asked(), wrong), NotCorrelated)


def header(**changes: object) -> Callable[[Envelope], Envelope]:
    return lambda env: replace(env, header=replace(env.header, **changes))  # type: ignore[arg-type]  # any field


def payload(**changes: object) -> Callable[[Envelope], Envelope]:
    def change(env: Envelope) -> Envelope:
        said = asn1.ActivateFirmware.decode(env.payload)
        return replace(env, payload=replace(said, **changes).encode())  # type: ignore[arg-type]  # any field

    return change


ALTERATIONS: list[tuple[Callable[[Envelope], Envelope], Mismatch]] = [
    (header(target=OTHER), Mismatch.DEVICE),
    (header(originator=OTHER), Mismatch.ORIGINATOR),
    (header(counter=1002), Mismatch.COUNTER),
    (header(other=OtherInformation(MessageCode.ECS52)), Mismatch.USE_CASE),
    (header(other=OtherInformation(MessageCode.CS06, OTHER)), Mismatch.EXTRA_HEADER_FIELD),
    (header(date_time=bytes(12)), Mismatch.EXTRA_HEADER_FIELD),
    (payload(manufacturer_image_hash=bytes(32)), Mismatch.HASH),
    (payload(originator_counter=1002), Mismatch.PAYLOAD_COUNTER),
    (payload(execution_time=WHEN), Mismatch.EXECUTION_TIME),
    (payload(execution_time=asn1.CANCEL_TIME), Mismatch.EXECUTION_TIME),
    (lambda env: replace(env, payload=env.payload + b"\0"), Mismatch.PAYLOAD),
    (lambda env: replace(env, signature=b""), Mismatch.PROTECTED),
    (lambda env: replace(env, signature=bytes(64)), Mismatch.PROTECTED),
    (lambda env: replace(env, signature=b"", mac=bytes(12)), Mismatch.PROTECTED),
]


@pytest.mark.parametrize(("alter", "field"), ALTERATIONS)
def test_each_field_that_differs_is_named(
    alter: Callable[[Envelope], Envelope], field: Mismatch
) -> None:
    altered = envelope.encode(alter(envelope.decode(pre_command(asked()))))
    verdict = correlate(asked(), altered)
    assert isinstance(verdict, NotCorrelated)
    assert verdict.field is field


def test_an_answer_in_place_of_a_command_is_refused() -> None:
    env = envelope.decode(pre_command(asked()))
    answer = replace(env, header=replace(env.header, cra=Cra.RESPONSE), signature=b"")
    verdict = correlate(asked(), envelope.encode(answer))
    assert isinstance(verdict, NotCorrelated)
    assert verdict.field is Mismatch.NOT_A_COMMAND


def test_a_future_date_and_now_and_never_do_not_correlate_with_each_other() -> None:
    for one in TIMES:
        for other in TIMES:
            matches = isinstance(correlate(asked(one), pre_command(asked(other))), Correlated)
            assert matches == (one == other)


def test_a_length_in_a_longer_form_is_refused_although_it_means_the_same() -> None:
    env = envelope.decode(pre_command(asked()))
    body = env.payload[2:]
    for longer in (b"\x30\x81" + bytes((len(body),)), b"\x30\x82\x00" + bytes((len(body),))):
        verdict = correlate(asked(), envelope.encode(replace(env, payload=longer + body)))
        assert isinstance(verdict, NotCorrelated)
        assert verdict.field in {Mismatch.ENCODING, Mismatch.PAYLOAD}
