"""The DSP with its CSP: requests in, commands and images out, device messages back."""

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.formats.duis.alerts import (
    CspFirmwareDeliveryStatus,
    FirmwareDistributionFailure,
    TransferStatus,
)
from harness.parties.dsp_messages import MessageDesk, Routed
from harness.parties.dsp_services import ServiceDesk
from harness.parties.dsp_work import DistributeImage, SendCommand, Work
from harness.parties.post import GBCS, IMAGE
from harness.ports import Hub, StageOrder, StageOutcome
from harness.words import counted

_METERS = frozenset({DeviceType.ESME, DeviceType.GSME})


class Dsp(ServiceDesk, MessageDesk):
    """The data service provider.

    ``submit`` takes a request and answers at once; ``carry_out`` does what was accepted;
    ``route`` brings home what devices say.
    """

    async def carry_out(self, hub: Hub) -> list[Work]:
        """Do all the work that is due for a hub, in order; returns what was done."""
        done: list[Work] = []
        while (work := self._next_due(hub.eui64)) is not None:
            if isinstance(work, SendCommand):
                self.post.hand_over(self.acb.name, "CHF", GBCS, work.message, work.summary)
                await hub.send(work.message)
            else:
                await self.distribute(work, hub)
            self.outbox.remove(work)
            done.append(work)
        return done

    async def route(self, hub: Hub, until: UtcMs) -> Routed | None:
        """Take the next message from a hub and deliver it; None when ``until`` has passed."""
        message = await hub.received(until)
        return None if message is None else self.take(message)

    async def distribute(self, work: DistributeImage, hub: Hub) -> StageOutcome:
        """Have the CSP transfer an image and raise the alerts of its outcome."""
        targets = counted(len(work.targets), "target")
        summary = f"image {work.version}, {len(work.image)} octets, {targets}"
        self.post.hand_over("CSP", "CHF", IMAGE, work.image, summary)
        outcome = await hub.stage(StageOrder(str(work.request_id), work.image, work.targets))
        self.conclude(work, outcome)
        return outcome

    def conclude(self, work: DistributeImage, outcome: StageOutcome) -> None:
        """Raise N60 or N61 for every target; a failed transfer is over."""
        self.staged.append(outcome.reason)
        for target in work.targets:
            self.tell_delivery(work, target, outcome)
        if outcome.delivered:
            return
        for target in work.targets:
            self.transfers.pop(target, None)
        meters = tuple(target for target in work.targets if self._is_meter(target))
        if meters:
            failure = FirmwareDistributionFailure(work.request_id, meters)
            self.raise_alert([work.request_id.originator], failure)

    def tell_delivery(self, work: DistributeImage, target: Eui64, outcome: StageOutcome) -> None:
        """Raise N60 (the hub holds the image) or N61 (it does not) for one target."""
        status = TransferStatus.SUCCESS if outcome.delivered else TransferStatus.FAILURE
        alert = CspFirmwareDeliveryStatus(
            work.request_id, work.hub, target, work.version, outcome.at, status
        )
        self.raise_alert([work.request_id.originator], alert)

    def _next_due(self, hub: Eui64) -> Work | None:
        now = self.now
        for work in self.outbox:
            later = isinstance(work, SendCommand) and (work.not_before or now) > now
            if work.hub == hub and not later:
                return work
        return None

    def _is_meter(self, device: Eui64) -> bool:
        record = self.inventory.find(device)
        return record is not None and record.device_type in _METERS
