"""Emergency credit of an ESME: who gets it, and when."""

from typing import TYPE_CHECKING

from emulator.core.clock import UtcMs
from emulator.core.effects import Effect
from emulator.devices.esme.events import EventCode, happened
from emulator.devices.esme.model.account import PREPAYMENT_MODE, mode_of

if TYPE_CHECKING:
    from emulator.devices.esme.esme import Esme
    from emulator.devices.esme.model.model import EsmeModel


def is_offered(model: "EsmeModel", now: UtcMs) -> bool:
    """Say whether emergency credit may be activated: none is owed, and the balance is low."""
    if mode_of(model.store) != PREPAYMENT_MODE:
        return False
    model.ledger.settle(now)
    account = model.ledger.account
    threshold = model.store.number("emergency_credit_threshold_millipence")
    return not account.granted and account.parts["balance"] <= threshold


def grant_emergency_credit(device: "Esme", now: UtcMs) -> list[Effect] | None:
    """Grant emergency credit and tell of it; None where it is not offered."""
    model = device.model
    if not is_offered(model, now):
        return None
    model.ledger.account.grant(model.store.number("emergency_credit_limit_millipence"))
    return happened(device, EventCode.EMERGENCY_CREDIT_ACTIVATED, "", now)
