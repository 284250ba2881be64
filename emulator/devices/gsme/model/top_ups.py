"""Top-ups of a gas meter: which tokens it takes, and where their money goes."""

from typing import TYPE_CHECKING, Final

from emulator.core.clock import to_zigbee_seconds
from emulator.core.ids import Eui64
from emulator.crypto import prepayment_token
from emulator.crypto.prepayment_token import TokenBits
from emulator.devices.gbz_engine import GbzTurn

if TYPE_CHECKING:
    from emulator.devices.gsme.model.model import GasModel

#: Counters of accepted tokens that are kept. Source: known (GBCS: 100).
KEPT_COUNTERS: Final = 100
#: Entries of the top-up log. Source: known (SMETS2: 5).
LOG_ROWS: Final = 5
_SHIFT: Final = 32
_SPAN: Final = prepayment_token.COUNTER_MASK + 1
_WHOLE_SHARE: Final = 10_000


def take(model: "GasModel", digits: str, turn: GbzTurn) -> int | None:
    """Take a token and return its value in thousandths of a penny; None where it is rejected.

    Rejected are other digits than a UTRN's, a token of another supplier or meter, one taken
    before or older than all that are remembered, and one above the limits.
    """
    bits = prepayment_token.read_token(digits)
    if bits is None:
        return None
    device = model.device
    supplier = device.network.supplier(device.eui64)
    counter = _counter_of(model, bits, turn, supplier)
    if not _is_new(model, counter):
        return None
    if not prepayment_token.is_authentic(
        bits, counter << _SHIFT, supplier, device.eui64, device.ring
    ):
        return None
    value = bits.millipence
    model.ledger.settle(turn.now)
    credit = model.ledger.account.parts["credit"]
    too_much = value > model.store.number("most_top_up_millipence")
    if too_much or credit + value > model.store.number("most_balance_millipence"):
        return None
    _enter(model, digits, counter, value, turn)
    return value


def _counter_of(model: "GasModel", bits: TokenBits, turn: GbzTurn, supplier: Eui64) -> int:
    """Return the counter of a token from its low ten bits: the command's, or the nearest one."""
    header = turn.header
    if header.originator == supplier:
        return header.counter >> _SHIFT
    highest = max(model.token_counters, default=0)
    base = highest - highest % _SPAN + bits.counter_low
    return min((base - _SPAN, base, base + _SPAN), key=lambda one: (one < 0, abs(one - highest)))


def _is_new(model: "GasModel", counter: int) -> bool:
    kept = model.token_counters
    return counter not in kept and (len(kept) < KEPT_COUNTERS or counter > min(kept))


def _enter(model: "GasModel", digits: str, counter: int, value: int, turn: GbzTurn) -> None:
    """Pay the payment-based debt its share, credit the rest, and note the top-up."""
    kept = model.token_counters
    kept.append(counter)
    del kept[: max(len(kept) - KEPT_COUNTERS, 0)]
    ledger, account = model.ledger, model.ledger.account
    account.take(value)
    share = value * model.store.number("debt_3_share") // _WHOLE_SHARE
    at = model.device.local_time(turn.now)
    ledger.pay(2, share, at)
    model.top_ups.append((digits, value, to_zigbee_seconds(at)))
    del model.top_ups[:-LOG_ROWS]
