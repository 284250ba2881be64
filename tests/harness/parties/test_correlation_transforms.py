"""The supplier's judgement of pre-commands that are not 11.3."""

from dataclasses import replace

import pytest

from emulator.core.clock import UtcMs
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import ServiceRequest, request
from harness.formats.duis.smets1_bodies import (
    Credit,
    DisableSupply,
    EnableSupply,
    ReadSupplyStatus,
    SynchroniseClock,
    UpdatePaymentMode,
)
from harness.formats.duis.transforms import account_bodies as account
from harness.formats.duis.transforms import load_bodies as load
from harness.formats.duis.transforms import other_bodies as other
from harness.formats.duis.transforms.outcome import Context, PreCommand
from harness.formats.duis.transforms.transform import transform
from harness.parties.correlation import Correlated, Mismatch, NotCorrelated, correlate
from tests.given import needs_duis, needs_rtds
from tests.harness.formats.transforms import transforms_given as given

ESME = RequestId(given.SUPPLIER, given.ESME, 1001)
GSME = RequestId(given.SUPPLIER, given.GSME, 1001)
MINUTE_MS = 60_000
RESET = account.UpdateMeterBalance(
    balance=account.PrepaymentBalance(change=account.Reset()),
)
ASKED: dict[str, ServiceRequest] = {
    "7.1 ESME": request(EnableSupply(), ESME),
    "7.2 GSME": request(DisableSupply(), GSME),
    "1.6 ESME": request(UpdatePaymentMode(Credit()), ESME),
    "1.6 GSME": request(UpdatePaymentMode(Credit(), given.NOW), GSME),
    "6.11 GSME": request(SynchroniseClock(given.NOW, 60), GSME),
    "1.5 GSME": given.asked("1.5", RESET, GSME),
    "7.12 ESME": given.asked("7.12", load.SetOffsetLimit(limit_s=900), ESME),
    "6.17 ESME": given.asked("6.17", other.IssueCredentials(credential="Key Agreement"), ESME),
}


def made(asked: ServiceRequest, context: Context) -> bytes:
    found = transform(asked, context)
    assert isinstance(found, PreCommand), found
    return found.octets


@pytest.mark.parametrize("name", ASKED)
def test_the_pre_command_of_a_request_correlates(name: str) -> None:
    asked, known = ASKED[name], given.context()
    assert isinstance(correlate(asked, made(asked, known), known), Correlated)


@pytest.mark.parametrize("name", ASKED)
def test_a_pre_command_altered_by_any_one_bit_is_refused_with_a_reason(name: str) -> None:
    asked, known = ASKED[name], given.context()
    right = made(asked, known)
    for bit in range(len(right) * 8):
        altered = bytearray(right)
        altered[bit // 8] ^= 1 << bit % 8
        verdict = correlate(asked, bytes(altered), known)
        assert isinstance(verdict, NotCorrelated), f"bit {bit}"
        assert verdict.detail


@pytest.mark.parametrize("name", ASKED)
def test_a_pre_command_cut_short_or_made_longer_is_refused(name: str) -> None:
    asked, known = ASKED[name], given.context()
    right = made(asked, known)
    for octets in (right[:-1], right + b"\0", b""):
        assert isinstance(correlate(asked, octets, known), NotCorrelated)


@needs_duis
@needs_rtds
def test_the_given_pre_commands_correlate_with_their_samples() -> None:
    equal = [row["sample"] for row in given.rows() if row["verdict"] == "equal"]
    for name in equal:
        asked = given.renumbered(
            given.document(name), given.identity_of(given.vector(f"{name}_PRECOMMAND")).counter
        )
        verdict = correlate(asked, given.vector(f"{name}_PRECOMMAND"), given.context_of(name))
        assert isinstance(verdict, Correlated), name


def test_a_gas_command_may_be_stamped_a_little_earlier_and_no_more() -> None:
    asked, known = ASKED["7.2 GSME"], given.context()
    stamped = made(asked, known)
    later = replace(known, at=UtcMs(known.at + MINUTE_MS))
    assert isinstance(correlate(asked, stamped, later, within_s=60), Correlated)
    assert isinstance(correlate(asked, stamped, later, within_s=59), NotCorrelated)
    assert isinstance(correlate(asked, stamped, later), NotCorrelated)
    earlier = replace(known, at=UtcMs(known.at - MINUTE_MS))
    assert isinstance(correlate(asked, stamped, earlier, within_s=600), NotCorrelated)


def test_a_request_that_becomes_no_pre_command_correlates_with_none() -> None:
    known = given.context()
    right = made(ASKED["7.1 ESME"], known)
    verdict = correlate(request(ReadSupplyStatus(), ESME), right, known)
    assert isinstance(verdict, NotCorrelated)
    assert verdict.field is Mismatch.REQUEST
