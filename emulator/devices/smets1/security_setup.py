"""Security setup (class 64): policy, suite, titles, and the transfer of keys."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from device_profiles.dlms_catalogue import CatalogueRow
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import ActionResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.effects import Note
from emulator.crypto.dlms_key_agreement import AgreementRefusal, answer_agreement
from emulator.crypto.dlms_key_transfer import (
    NewKey,
    TransferRefusal,
    read_transfer,
    with_new_keys,
)
from emulator.devices.smets1.binding import Binding, number_of, refused
from emulator.devices.smets1.logs import EventCode
from emulator.devices.smets1.object_model import Moment, SecurityView

if TYPE_CHECKING:
    from emulator.devices.smets1.meter import Meter

#: Policy of version 1: requests (4, 8) and responses (32, 64) authenticated and encrypted.
#: Source: IEC 62056-6-2 Security setup version 1 (known).
PROTECTED: Final = 4 | 8 | 32 | 64
KNOWN_POLICY: Final = 4 | 8 | 16 | 32 | 64 | 128
#: Why keys are refused -> result; a client can tell wrong wrapping from wrong shape.
#: Source: invented (the standard names none).
_RESULTS: Final = {
    TransferRefusal.WRONG_SHAPE: ActionResult.TYPE_UNMATCHED,
    TransferRefusal.UNKNOWN_KEY_ID: ActionResult.OBJECT_UNDEFINED,
    TransferRefusal.SAME_KEY_TWICE: ActionResult.SCOPE_OF_ACCESS_VIOLATED,
    TransferRefusal.WRAPPED_LENGTH: ActionResult.TYPE_UNMATCHED,
    TransferRefusal.WRONG_WRAPPING: ActionResult.OTHER_REASON,
}
_AGREEMENT_RESULTS: Final = {
    AgreementRefusal.WRONG_SHAPE: ActionResult.TYPE_UNMATCHED,
    AgreementRefusal.UNKNOWN_KEY_ID: ActionResult.OBJECT_UNDEFINED,
    AgreementRefusal.SAME_KEY_TWICE: ActionResult.SCOPE_OF_ACCESS_VIOLATED,
    AgreementRefusal.WRONG_SIGNATURE: ActionResult.OTHER_REASON,
    AgreementRefusal.OTHER_KEYS: ActionResult.OTHER_REASON,
}
#: Binding of the method that suite 0 does not have.
AGREE: Final = "security.agree"


def security_of(at: Moment) -> SecurityView:
    """Return the device's keys and secrets.

    Raises:
        ValueError: The moment has none: it is none of a device's.
    """
    if at.security is None:
        raise ValueError("these objects belong to a device, which has keys")
    return at.security


def _policy(meter: "Meter", _row: CatalogueRow, _at: Moment) -> int:
    return meter.policy


def _raise_policy(
    meter: "Meter", _row: CatalogueRow, data: Data | None, at: Moment
) -> MethodOutcome:
    policy = number_of(data, Tag.ENUM)
    if policy is None:
        return refused(ActionResult.TYPE_UNMATCHED)
    if policy & ~KNOWN_POLICY or meter.policy & ~policy:
        return refused(ActionResult.SCOPE_OF_ACCESS_VIOLATED)
    meter.policy = policy
    meter.log(EventCode.POLICY_RAISED, at.now)
    return MethodOutcome(ActionResult.SUCCESS)


def _agree(meter: "Meter", _row: CatalogueRow, data: Data | None, at: Moment) -> MethodOutcome:
    signing, security = meter.factory.signing, security_of(at)
    if signing is None:
        return refused(ActionResult.OBJECT_UNAVAILABLE)
    if data is None:
        return refused(ActionResult.TYPE_UNMATCHED)
    agreed = answer_agreement(
        data,
        signing.client_point,
        signing=signing.server,
        client=security.client_title,
        server=security.server_title,
        draw=meter.draw.octets,
    )
    if isinstance(agreed, AgreementRefusal):
        return _keys_refused(meter, agreed.value, _AGREEMENT_RESULTS[agreed], at)
    _take(meter, agreed.keys, at)
    return MethodOutcome(ActionResult.SUCCESS, agreed.returned)


def _transfer(meter: "Meter", _row: CatalogueRow, data: Data | None, at: Moment) -> MethodOutcome:
    return meter.transfer_keys(data, at)


def transfer(meter: "Meter", data: Data | None, at: Moment) -> MethodOutcome:
    """Carry out a key transfer; one that is refused changes no key."""
    if data is None:
        return refused(ActionResult.TYPE_UNMATCHED)
    security = security_of(at)
    keys = read_transfer(security.keys.master, data)
    if isinstance(keys, TransferRefusal):
        return _keys_refused(meter, keys.value, _RESULTS[keys], at)
    _take(meter, keys, at)
    return MethodOutcome(ActionResult.SUCCESS)


def _keys_refused(meter: "Meter", why: str, result: ActionResult, at: Moment) -> MethodOutcome:
    meter.log(EventCode.KEY_CHANGE_REFUSED, at.now)
    at.outbox.put(Note("keys_refused", (("why", why),)))
    return refused(result)


def _take(meter: "Meter", keys: Sequence[NewKey], at: Moment) -> None:
    security = security_of(at)
    security.replace_keys(with_new_keys(security.keys, keys))
    meter.log(EventCode.KEYS_CHANGED, at.now)
    names = " ".join(key.key_id.name.lower() for key in keys)
    at.outbox.put(Note("keys_changed", (("keys", names),)))


#: Binding word -> what it does.
BINDINGS: Final = {
    "security.policy": Binding(_policy),
    "security.suite": Binding(lambda _meter, _row, at: security_of(at).suite),
    "security.client-title": Binding(lambda _meter, _row, at: security_of(at).client_title),
    "security.server-title": Binding(lambda _meter, _row, at: security_of(at).server_title),
    "security.no-certificates": Binding(lambda _meter, _row, _at: Data(Tag.ARRAY, ())),
    "security.activate": Binding(invoke=_raise_policy),
    "security.transfer": Binding(invoke=_transfer),
    AGREE: Binding(invoke=_agree),
    "security.counter": Binding(lambda _meter, _row, at: security_of(at).received_counter()),
}
