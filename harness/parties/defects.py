"""Named party defects: saboteurs that prove a scenario's checks can fail."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, TypeVar

from lxml import etree

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.envelope import Envelope
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto import signature
from harness.errors import UsageError
from harness.formats.duis import kinds, shape
from harness.formats.duis.bodies import ServiceReference
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import ServiceRequest, read_request
from harness.formats.duis.transforms.outcome import Device, Refused
from harness.formats.duis.transforms.transform import transform as to_pre_command
from harness.formats.duis.xml_input import parse
from harness.parties.acb import Acb
from harness.parties.correlation import Correlated
from harness.parties.dsp import Dsp
from harness.parties.dsp_messages import Routed
from harness.parties.dsp_work import DistributeImage
from harness.parties.supplier import Supplier
from harness.ports import Hub, StageOutcome
from harness.rules import firmware_checks
from harness.rules.firmware_checks import Category, Objection
from harness.rules.inventory import InventoryRecord
from harness.rules.roles import Actor

_Party = TypeVar("_Party", Dsp, Supplier, Acb)


@dataclass(frozen=True, slots=True)
class PartyDefect:
    """One way in which a party does wrong.

    Attributes:
        party: Class it is built into.
        sentence: What it does.
        members: Methods and class attributes that replace the right ones.
    """

    party: type[Any]
    sentence: str
    members: Mapping[str, object]


def apply(party: type[_Party], name: str) -> type[_Party]:
    """Return ``party`` with a defect built in; unchanged where the defect is another party's.

    Raises:
        UsageError: There is no such defect.
    """
    defect = DEFECTS.get(name)
    if defect is None:
        raise UsageError(
            f"there is no party defect {name}",
            cause=f"known: {', '.join(DEFECTS)}",
            next_command="smetsbench faults",
        )
    if not issubclass(party, defect.party):
        return party
    return type(party.__name__, (party,), dict(defect.members))


def _without(*names: str) -> dict[str, object]:
    checks = {name: check for name, check in Dsp.checks.items() if name not in names}
    return {"checks": MappingProxyType(checks)}


# --- DSP -------------------------------------------------------------------------------------


def _judge_command_blindly(
    self: Dsp, service: ServiceReference, actor: Actor, device: Eui64
) -> Objection | None:
    objection = firmware_checks.check_command(service, actor, device, self.inventory)
    blind = objection is not None and objection.category is Category.NOT_APPLICABLE
    return None if blind else objection


def _as_for_a_meter(self: Dsp, asked: ServiceRequest) -> bytes | Refused:
    """Make the pre-command as if the device were a meter."""
    meter = {asked.request_id.target: Device(DeviceType.ESME)}
    made = to_pre_command(asked, replace(self.known(), devices=meter))
    return made if isinstance(made, Refused) else made.octets


def _altered(self: Dsp, asked: ServiceRequest) -> bytes | Refused:
    made = Dsp.transformed(self, asked)
    if isinstance(made, Refused):
        return made
    right = envelope.decode(made)
    payload = bytearray(right.payload)
    payload[-1] ^= 1
    return envelope.encode(replace(right, payload=bytes(payload)))


def _for_another_device(self: Dsp, asked: ServiceRequest) -> bytes | Refused:
    made = Dsp.transformed(self, asked)
    if isinstance(made, Refused):
        return made
    right = envelope.decode(made)
    target = right.header.target.octets
    other = Eui64(target[:-1] + bytes((target[-1] ^ 1,)))
    return envelope.encode(replace(right, header=replace(right.header, target=other)))


def _silent_success(self: Dsp, work: DistributeImage, target: Eui64, outcome: StageOutcome) -> None:
    if not outcome.delivered:
        Dsp.tell_delivery(self, work, target, outcome)


def _silent_failure(self: Dsp, work: DistributeImage, target: Eui64, outcome: StageOutcome) -> None:
    if outcome.delivered:
        Dsp.tell_delivery(self, work, target, outcome)


async def _told_too_early(self: Dsp, work: DistributeImage, hub: Hub) -> StageOutcome:
    for target in work.targets:
        Dsp.tell_delivery(self, work, target, StageOutcome(True, "held", self.now))
    return await Dsp.distribute(self, work, hub)


def _told_already(self: Dsp, work: DistributeImage, target: Eui64, outcome: StageOutcome) -> None:
    if not outcome.delivered:
        Dsp.tell_delivery(self, work, target, outcome)


def _shortened(self: Dsp, document: bytes) -> ServiceRequest:
    try:
        return Dsp.read(self, document)
    except DuisError as error:
        if error.name is not DuisFault.TOO_MANY_DEVICES:
            raise
    root = parse(document)
    for devices in root.iter(shape.tag("DeviceIDList")):
        devices.text = ",".join((devices.text or "").split(",")[: kinds.MAX_DEVICES])
    return read_request(etree.tostring(root))


def _nobody_busy(_self: Dsp) -> frozenset[Eui64]:
    return frozenset()


def _no_mismatch(self: Dsp, record: InventoryRecord, version: str) -> None:
    self.inventory.set_version(record.device, version)


def _any_signature(_self: Dsp, _env: Envelope) -> bool:
    return True


def _hub_in_silence(_self: Dsp, record: InventoryRecord, message: bytes, value: Any) -> Routed:
    return Routed("comms-hub-activation", None, message, value, record.firmware_version)


def _alerts_lost(_self: Dsp, record: InventoryRecord, *rest: Any) -> Routed:
    return Routed("undeliverable", None, rest[1], rest[2], f"alert of {record.device} lost")


def _lists_swapped(self: Dsp, update: Any, devices: tuple[Eui64, ...]) -> Any:
    verdict = Dsp.judge_update(self, update, devices)
    swapped = {
        device: replace(why, category=Category.NOT_COMMISSIONED)
        for device, why in verdict.objections.items()
    }
    return replace(verdict, objections=swapped)


def _all_or_nothing(self: Dsp, update: Any, devices: tuple[Eui64, ...]) -> Any:
    verdict = Dsp.judge_update(self, update, devices)
    first = next(iter(verdict.objections.values()), None)
    return verdict if first is None else replace(verdict, refusal=first)


# --- supplier and broker ---------------------------------------------------------------------


def _signs_anything(
    _self: Supplier, _request_id: RequestId, pre_command: bytes, _at: UtcMs | None = None
) -> Correlated:
    return Correlated(envelope.decode(pre_command))


def _with_other_key(self: Supplier, env: Envelope) -> Envelope:
    scalar = int.from_bytes(hashlib.sha256(self.eui64.octets).digest(), "big") >> 1
    return replace(env, signature=signature.sign(scalar, envelope.signed_part(env)), mac=None)


def _without_mac(_self: Acb, env: Envelope) -> bytes:
    return envelope.encode(replace(env, signature=env.signature or b"", mac=None))


def _with_broken_mac(self: Acb, env: Envelope) -> bytes:
    right = bytearray(Acb.protect(self, env))
    right[-1] ^= 1
    return bytes(right)


def _same_counter(self: Acb) -> int:
    return self.counter


def _defect(party: type[Any], sentence: str, **members: Callable[..., object]) -> PartyDefect:
    return PartyDefect(party, sentence, MappingProxyType(members))


#: Every party defect by name.
DEFECTS: Final[Mapping[str, PartyDefect]] = MappingProxyType(
    {
        "dsp-skips-cpl-check": PartyDefect(
            Dsp, "distributes what the CPL does not list, or lists otherwise", _without("cpl")
        ),
        "dsp-skips-applicability": PartyDefect(
            Dsp,
            "lets 11.3 through to a PPMID, and 11.1 and 11.4 to any device",
            {
                **_without("applicable"),
                "judge_command": _judge_command_blindly,
                "transformed": _as_for_a_meter,
            },
        ),
        "dsp-skips-hub-check": PartyDefect(
            Dsp, "sends PPMID images through hubs that cannot pass them on", _without("hub")
        ),
        "dsp-lets-anyone-update": PartyDefect(
            Dsp, "takes updates from a supplier who is not responsible", _without("responsible")
        ),
        "dsp-skips-status-check": PartyDefect(
            Dsp, "distributes to devices that are not commissioned", _without("commissioned")
        ),
        "dsp-no-n60": _defect(
            Dsp, "does not tell that the hub holds the image", tell_delivery=_silent_success
        ),
        "dsp-no-n61": _defect(
            Dsp, "does not tell that the hub never got the image", tell_delivery=_silent_failure
        ),
        "dsp-n60-before-held": _defect(
            Dsp,
            "tells that the hub holds the image before it does",
            distribute=_told_too_early,
            tell_delivery=_told_already,
        ),
        "dsp-alters-pre-command": _defect(
            Dsp, "returns a pre-command that differs in one bit", transformed=_altered
        ),
        "dsp-redirects-pre-command": _defect(
            Dsp, "returns a pre-command for another device", transformed=_for_another_device
        ),
        "dsp-accepts-any-signature": _defect(
            Dsp, "passes on signed pre-commands unchecked", signature_holds=_any_signature
        ),
        "dsp-ignores-list-limit": _defect(
            Dsp, "cuts a list of more than 50 000 devices and goes on", read=_shortened
        ),
        "dsp-forgets-transfer-in-progress": _defect(
            Dsp, "starts a second transfer to a device", busy_devices=_nobody_busy
        ),
        "dsp-wrong-warning-list": _defect(
            Dsp, "names devices in the wrong warning list", judge_update=_lists_swapped
        ),
        "dsp-all-or-nothing": _defect(
            Dsp, "refuses all targets when one is bad", judge_update=_all_or_nothing
        ),
        "dsp-no-version-mismatch": _defect(
            Dsp, "does not tell that a device runs another version", note_version=_no_mismatch
        ),
        "dsp-no-hub-activation": _defect(
            Dsp,
            "does not tell that a hub runs new firmware",
            hub_activated=_hub_in_silence,
        ),
        "dsp-loses-alerts": _defect(Dsp, "does not pass device alerts on", _alert=_alerts_lost),
        "supplier-signs-anything": _defect(
            Supplier, "signs pre-commands without correlating", judge_pre_command=_signs_anything
        ),
        "supplier-signs-with-other-key": _defect(
            Supplier, "signs with a key that is not its own", signed=_with_other_key
        ),
        "acb-no-mac": _defect(Acb, "sends commands without a MAC", protect=_without_mac),
        "acb-broken-mac": _defect(
            Acb, "sends commands with a MAC that is wrong", protect=_with_broken_mac
        ),
        "acb-repeats-counter": _defect(
            Acb, "uses one originator counter twice", next_counter=_same_counter
        ),
    }
)
