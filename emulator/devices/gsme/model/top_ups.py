"""Top-ups of a gas meter: which tokens it takes, and where their money goes."""

from typing import TYPE_CHECKING, Final

from emulator.core.clock import to_zigbee_seconds
from emulator.core.ids import Eui64
from emulator.crypto import prepayment_token, utrn
from emulator.crypto.prepayment_token import TokenBits
from emulator.crypto.token_memory import TokenAge
from emulator.devices.gbz_engine import GbzTurn

if TYPE_CHECKING:
    from emulator.devices.gsme.model.model import GasModel

#: Entries of the top-up log. Source: known (SMETS2: 5).
LOG_ROWS: Final = 5
#: The low half of an originator counter, which no token says.
_LOW_HALF: Final = 0xFFFF_FFFF
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
    if model.tokens.age(counter) is not TokenAge.NEW:
        return None
    if not prepayment_token.is_authentic(bits, counter, supplier, device.eui64, device.ring):
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
        return header.counter & ~_LOW_HALF
    highest = max(model.tokens.kept, default=0)
    return utrn.counters_of(bits, highest)[0]


def _enter(model: "GasModel", digits: str, counter: int, value: int, turn: GbzTurn) -> None:
    """Pay the payment-based debt its share, credit the rest, and note the top-up."""
    model.tokens.take(counter)
    ledger, account = model.ledger, model.ledger.account
    account.take(value)
    share = value * model.store.number("debt_3_share") // _WHOLE_SHARE
    at = model.device.local_time(turn.now)
    ledger.pay(2, share, at)
    model.top_ups.append((digits, value, to_zigbee_seconds(at)))
    del model.top_ups[:-LOG_ROWS]
