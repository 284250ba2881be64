"""What the DSP makes of where devices hang: bilingual ones, hub exchanges, conflicts."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from device_profiles.cohort import CohortBilingual
from device_profiles.cpl import Cpl
from device_profiles.metadata_layout import MetadataMode
from device_profiles.words import DeviceType, SmetsVersion
from emulator.core.clock import UtcMs, to_datetime
from emulator.core.ids import Eui64
from harness.formats.duis import smets1_bodies
from harness.formats.duis.bodies import RequestBody, UpdateFirmware
from harness.formats.duis.requests import ServiceRequest
from harness.parties.dsp_base import DspBase
from harness.rules.bilingual import association_conflict
from harness.rules.firmware_checks import Category, Objection, untargetable
from harness.rules.inventory import InventoryRecord

#: Device types whose models can be of both generations. Source: S003 §2.
_BILINGUAL: Final = frozenset({DeviceType.PPMID})


@dataclass(frozen=True, slots=True)
class AssociationConflict:
    """A device that SEC A2.13 takes for another generation than the inventory does (F-094).

    Attributes:
        at: When it was noted.
        device: The device.
        hub: The hub it is associated with.
        says: What A2.13 and the inventory say, in a sentence.
    """

    at: UtcMs
    device: Eui64
    hub: Eui64
    says: str

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        names = {"device": str(self.device), "hub": str(self.hub)}
        return {"at": self.at, **names, "says": self.says}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Return it from dumped values."""
        device, hub = Eui64.parse(state["device"]), Eui64.parse(state["hub"])
        return cls(UtcMs(state["at"]), device, hub, state["says"])


class Associations(DspBase):
    """Keeps apart what a device was pre-notified as and where it hangs.

    Attributes:
        bilingual: What decides over the kind of a bilingual device, by day; None: pre-notification.
        conflicts: Every association conflict that was noted, in order.
    """

    bilingual: CohortBilingual | None = None
    conflicts: tuple[AssociationConflict, ...] = ()

    def follows_hub(self, record: InventoryRecord) -> bool:
        """Say whether a device is of the generation of its hub, whatever it was announced as (B8).

        Source:
            S003 §2 (tactical: the pre-notification fixes it; enduring: either kind, by the hub).
        """
        if self.bilingual is None or record.device_type not in _BILINGUAL:
            return False
        day = to_datetime(self.now).date()
        return self.bilingual.mode_on(day) is MetadataMode.ENDURING

    def settled(self, device: Eui64) -> InventoryRecord | None:
        """Return the record of a device; one that follows its hub is of its kind from now on."""
        record = self.inventory.find(device)
        hub = self._hub_of(record)
        if record is None or hub is None or record.smets is hub.smets:
            return record
        if not self.follows_hub(record):
            return record
        of_smets1 = hub.smets is SmetsVersion.SMETS1
        version = _version_as(self.cpl, record, hub.smets)
        record = replace(
            record,
            smets=hub.smets,
            s1sp=hub.s1sp if of_smets1 else "",
            firmware_version=version,
        )
        self.inventory.put(record)
        return record

    def settle(self, asked: ServiceRequest) -> None:
        """Have every device that a request is about be of the kind it is today."""
        for device in _subjects(asked):
            self.settled(device)

    def stray(self, asked: ServiceRequest) -> Objection | None:
        """Say that a device was pre-notified as of the other generation than its home's, or None.

        Source:
            S003 §2: such a device cannot be the target of any service request (B3).
        """
        record = self.inventory.find(asked.request_id.target)
        hub = self._hub_of(record)
        if record is None or hub is None or record.smets is hub.smets:
            return None
        return untargetable(record, hub)

    def not_announced(self, body: RequestBody) -> Objection | None:
        """Say that a device is to join that nobody has pre-notified, or None (D10)."""
        if not isinstance(body, smets1_bodies.UpdateHanDeviceLog):
            return None
        joins = body.change is smets1_bodies.LogChange.ADD
        if not joins or self.inventory.find(body.device) is not None:
            return None
        return Objection(Category.UNKNOWN_DEVICE, f"{body.device} is not pre-notified: no join")

    def placed_elsewhere(self, asked: ServiceRequest) -> Objection | None:
        """Say that a request names another place than the device's, or None.

        8.11: what is to join stands on another hub's log, or brings another's meter point. Without
        this a device would move from its home to another in the inventory, commissioned as it is,
        and two meters would answer for one meter point. 6.23: the meter has another meter point,
        as at SMETS2+ homes.

        Source:
            inferred from the inventory: a device has one hub, a meter point one meter; which
            response code of 8.11 says so is not public.
        """
        body = asked.body
        if isinstance(body, smets1_bodies.UpdateCredentialsCos):
            meter = self.inventory.find(asked.request_id.target)
            if meter is None or meter.mpxn in {"", body.mpxn}:
                return None
            return Objection(Category.NOT_REGISTERED, f"{meter.device} has another meter point")
        if isinstance(body, smets1_bodies.UpdateHanDeviceLog):
            return self._joins_elsewhere(body, asked.request_id.target)
        return None

    def _joins_elsewhere(
        self, body: smets1_bodies.UpdateHanDeviceLog, hub: Eui64
    ) -> Objection | None:
        if body.change is not smets1_bodies.LogChange.ADD:
            return None
        record = self.inventory.find(body.device)
        if record is not None and record.hub not in {None, hub}:
            says = f"{body.device} is on the log of {record.hub}: remove it there first"
            return Objection(Category.BAD_REQUEST, says)
        mpxn = None if body.whitelisting is None else body.whitelisting.mpxn
        meter = self.inventory.of_mpxn(mpxn) if mpxn else None
        if meter is None or meter.device == body.device or meter.hub is None:
            return None
        return Objection(Category.BAD_REQUEST, f"the meter point of {body.device} is another's")

    def associate(self, device: Eui64, hub: Eui64) -> AssociationConflict | None:
        """Note that a device hangs on a hub, as something other than a request of ours had it.

        Args:
            device: The device, which is in the inventory.
            hub: The hub, likewise.

        Returns:
            The conflict with the inventory, or None.

        Raises:
            ValueError: One of them is not in the inventory.
        """
        record, of_hub = self.inventory.find(device), self.inventory.find(hub)
        if record is None or of_hub is None:
            raise ValueError(f"{device} or {hub} is not in the inventory")
        self.inventory.put(replace(record, hub=hub))
        found = self.settled(device) or record
        says = association_conflict(of_hub.smets, found.smets)
        if not says:
            return None
        conflict = AssociationConflict(self.now, device, hub, f"{device}: {says}")
        self.conflicts = (*self.conflicts, conflict)
        return conflict

    def note_hub_exchange(self, old: Eui64, new: Eui64) -> tuple[AssociationConflict, ...]:
        """Note that a hub was exchanged on site: what hung on the old one hangs on the new one.

        Only what can be of both generations goes with it; the old hub keeps itself and its GPF.

        Returns:
            The conflicts that come of it (F-094).

        Raises:
            ValueError: The new hub is not in the inventory.
        """
        own = {DeviceType.CHF, DeviceType.GPF}
        moved = [one.device for one in self.inventory.of_hub(old) if one.device_type not in own]
        found = [self.associate(device, new) for device in moved]
        return tuple(one for one in found if one is not None)

    def _hub_of(self, record: InventoryRecord | None) -> InventoryRecord | None:
        return None if record is None or record.hub is None else self.inventory.find(record.hub)

    # --- memory -----------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return its memory; what decides comes from the scenario again."""
        return {**super().dump(), "conflicts": [one.dump() for one in self.conflicts]}

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        super().load(state)
        self.conflicts = tuple(AssociationConflict.restore(one) for one in state["conflicts"])


def _subjects(asked: ServiceRequest) -> Iterable[Eui64]:
    body = asked.body
    listed = body.devices if isinstance(body, UpdateFirmware) else ()
    return (asked.request_id.target, *dict.fromkeys(listed))


def _version_as(cpl: Cpl, record: InventoryRecord, smets: SmetsVersion) -> str:
    """Return the version under which the list has a device's firmware for another generation.

    The one entry of the other kind, or of several the one with the same image; else as it is.
    """
    pairs = [
        (one, other) if one.smets is record.smets else (other, one)
        for one, other in cpl.bilingual()
        if (one.manufacturer_id, one.model_hex) == (record.manufacturer, record.model)
        and one.device_type is record.device_type
    ]
    mine = [pair for pair in pairs if pair[0].firmware_version == record.firmware_version]
    others = {other.firmware_version for _own, other in mine if other.smets is smets}
    if len(others) > 1:
        others = {
            other.firmware_version
            for own, other in mine
            if own.manufacturer_image_hash
            and own.manufacturer_image_hash == other.manufacturer_image_hash
        }
    return others.pop() if len(others) == 1 else record.firmware_version
