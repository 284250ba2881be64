"""What hubs, meters and displays of SMETS1 homes do wrong with images; each takes the right method.

``ROWS`` says what is wrong and which devices can have it; ``defects.DEFECTS`` holds them as
``s1-chf-…``.
"""

from dataclasses import replace
from typing import Any, Final

from device_profiles.words import DeviceType
from emulator.codecs.dlms.hub_image import Reason, Stage
from emulator.codecs.zcl.ota import UpgradeEndResponse
from emulator.core.clock import to_zigbee_seconds
from emulator.devices import defective_hub as smets2
from emulator.devices.chf.delivery_table import FREE, DeliveryEvent
from emulator.devices.chf.image_store import StoredImage
from emulator.devices.chf.ota_server import UPGRADE_DELAY_S
from emulator.devices.defective_methods import Method, Override, Row
from emulator.devices.smets1.hub_metadata import Verdict
from emulator.devices.smets1.meter_images import IGNORES_BATTERY


def _answers(value: object) -> Override:
    """Return what answers the same whatever it is asked."""
    return lambda _right: lambda *_args, **_named: value


def refuses_at_the_limit(_right: Method) -> Method:
    """Take an image of exactly the limit for one that exceeds it."""
    return lambda self, size_bytes: size_bytes >= self.store.limit_bytes


def no_metadata_asked(_right: Method) -> Method:
    """Find every image's metadata in order."""
    return lambda self, *_args: Verdict(Reason.NONE, "", self.layout_id)


def channel_always_open(right: Method) -> Method:
    """Take metadata over the channel in tactical mode, and look at them alone."""

    def take(self: Any, record: Any) -> bool:
        mode = type(self.mode)
        self.mode = mode.ENDURING
        return bool(right(self, record))

    return take


def keeps_what_it_discards(right: Method) -> Method:
    """Give a device the image that was discarded because of its metadata."""

    def judged(self: Any, octets: bytes, header: Any, objection: str) -> Any:
        ticket = self.staging
        reason = right(self, octets, header, objection)
        device_type = None if ticket is None else self.type_of(ticket.target)
        if not reason.is_metadata or device_type in {None, DeviceType.CHF}:
            return reason
        self._number += 1
        delivery = self.server.delivery(ticket.target, device_type)
        if delivery.state in FREE:
            self.do(self.server.handle(DeliveryEvent.OFFERED, delivery, None, self.now))
            image = StoredImage.of(self._number, "", octets, (ticket.target,))
            self.store.held[self._number] = image
            self.do(self.server.handle(DeliveryEvent.HELD, delivery, self._number, self.now))
        return reason

    return judged


def forgets_outcomes(_right: Method) -> Method:
    """Take what has ended out of the log, and tell nobody."""

    def tell_outcome(self: Any, entries: Any, _now: Any) -> None:
        for entry in entries:
            if entry.stage is not Stage.DONE and entry in self.log.entries:
                self.log.entries.remove(entry)

    return tell_outcome


def all_delivered(right: Method) -> Method:
    """Tell of every image that it was delivered."""
    return lambda self: [
        replace(row, stage=Stage.DONE, reason=Reason.NONE) if row.final else row
        for row in right(self)
    ]


def oversize_blocks(right: Method) -> Method:
    """Take no image any more once one was too large."""

    def offered(self: Any, ticket: Any, size_bytes: int) -> Any:
        reason = right(self, ticket, size_bytes)
        self._blocked = self._blocked or reason is Reason.SIZE
        return reason

    return offered


def never_replaces(right: Method) -> Method:
    """Keep the first image whatever a ticket says."""
    return lambda self, ticket: right(self, replace(ticket, force_replace=False))


def upgrades_at_once(_right: Method) -> Method:
    """Name a time to every device whose download has ended."""

    def upgrade_end_response(_self: Any, _delivery: Any, command: Any, now: Any) -> Any:
        seconds = to_zigbee_seconds(now)
        image = (command.manufacturer_code, command.image_type, command.file_version)
        return UpgradeEndResponse(*image, seconds, seconds + UPGRADE_DELAY_S)

    return upgrade_end_response


def only_says_so(right: Method) -> Method:
    """Say that the new version runs, and run the old one."""

    def finish(self: Any, *args: Any) -> Any:
        before = self.running
        outcome = right(self, *args)
        self.running = before
        return outcome

    return finish


def starts_unasked(right: Method) -> Method:
    """Start an image as soon as it is verified."""

    def verify(self: Any, now: Any) -> Any:
        effects = right(self, now)
        return [*effects, *(self.start(now) if self.waiting is not None else [])]

    return verify


def _on_the_line(word: str) -> Override:
    """Return what adds a word to what is wrong with a device."""
    return lambda right: right | {word}  # type: ignore[operator]  # a set of words, not a method


_C, _E, _G, _P = DeviceType.CHF, DeviceType.ESME, DeviceType.GSME, DeviceType.PPMID
ROWS: Final[tuple[Row, ...]] = (
    (
        "skips-size-check",
        (_C,),
        "takes images that are larger than its image storage.",
        {"images.exceeds": _answers(False), "images.has_room": _answers(True)},
    ),
    (
        "refuses-at-the-limit",
        (_C,),
        "refuses an image of exactly as many octets as its storage has.",
        {"images.exceeds": refuses_at_the_limit},
    ),
    (
        "skips-metadata-check",
        (_C,),
        "takes images whatever metadata they carry.",
        {"metadata.judge": no_metadata_asked},
    ),
    (
        "channel-always-open",
        (_C,),
        "takes metadata over the channel although they belong inside the image.",
        {"metadata.take": channel_always_open},
    ),
    (
        "keeps-discarded",
        (_C,),
        "gives a device an image that it says it has discarded.",
        {"images.judged": keeps_what_it_discards},
    ),
    (
        "forgets-outcome",
        (_C,),
        "has no row of an image that came to nothing, and tells nobody of any.",
        {"images.tell_outcome": forgets_outcomes},
    ),
    (
        "silent-about-outcome",
        (_C,),
        "does not tell of itself what became of an image.",
        {"images.tell_outcome": _answers(None)},
    ),
    (
        "claims-delivery",
        (_C,),
        "says of every image in its distribution log that it was delivered.",
        {"images.rows_of_log": all_delivered},
    ),
    (
        "oversize-blocks-for-good",
        (_C,),
        "takes no image any more once it has refused one that is too large.",
        {"images.offered": oversize_blocks},
    ),
    (
        "ignores-force-replace",
        (_C,),
        "keeps the first image for a device whatever the ticket says.",
        {"images.may_take": never_replaces},
    ),
    (
        "always-replaces",
        (_C,),
        "replaces an image that is held for a device although the ticket does not say so.",
        {"images.may_take": _answers(True)},
    ),
    (
        "serves-wrong-hardware",
        (_C,),
        "offers an image to a device outside its hardware range.",
        {"server.fit": smets2.everything_fits},
    ),
    (
        "damages-a-block",
        (_C,),
        "inverts the first octet of the seventh block it serves.",
        {"server._give": smets2.damages_block_seven},
    ),
    (
        "upgrades-at-once",
        (_C,),
        "names a time for the activation at the end of every download.",
        {"server.upgrade_end_response": upgrades_at_once},
    ),
    (
        "takes-any-image",
        (_E, _G),
        "verifies every image, whatever device, hardware or content it is of.",
        {"image.why_not": _answers("")},
    ),
    (
        "takes-any-image",
        (_P,),
        "verifies every image, whatever device, hardware or content it is of.",
        {"images.why_not": _answers("")},
    ),
    (
        "keeps-old-version",
        (_C, _E, _G),
        "says that it activated an image and goes on running the old one.",
        {"image.finish_activation": only_says_so},
    ),
    (
        "keeps-old-version",
        (_P,),
        "says that it activated an image and goes on running the old one.",
        {"images.finish": only_says_so},
    ),
    (
        "activates-at-once",
        (_P,),
        "starts an image as soon as it is verified, without an order.",
        {"images.verify": starts_unasked},
    ),
    (
        "ignores-upgrade-time",
        (_P,),
        "does not start an image when the hub's upgrade time has come.",
        {"images.start": _answers(())},
    ),
    (
        "never-rejoins",
        (_P,),
        "does not join again after the hub or it itself has started.",
        {"_call": _answers(())},
    ),
    (
        "downloads-on-low-battery",
        (_P,),
        "downloads although its battery is low.",
        {"images.why_postpone": _answers("")},
    ),
    (
        "downloads-on-low-battery",
        (_G,),
        "downloads although its battery is low.",
        {"line_defects": _on_the_line(IGNORES_BATTERY)},
    ),
)
