"""A line's way to its device's application: a question in, its answer and the rest out."""

from dataclasses import dataclass

from device_profiles.dlms import DlmsSection
from emulator.core.clock import UtcMs
from emulator.core.effects import (
    DeviceEvent,
    DlmsChannel,
    DlmsIndication,
    Effect,
    Note,
    SendDlms,
)
from emulator.core.errors import IllegalEventError, MalformedFrameError
from emulator.servers.line_parts import MeterDevice


@dataclass(frozen=True, slots=True)
class Reply:
    """What a device did about one APDU.

    Attributes:
        apdu: The answer, or None when it gave none.
        rest: Its other effects, in order.
    """

    apdu: bytes | None
    rest: list[Effect]


class Application:
    """One line's door to the device."""

    def __init__(self, device: MeterDevice, line: str) -> None:
        """Take the device and the name of the line.

        Raises:
            IllegalEventError: The device's profile has no DLMS section.
        """
        section = device.profile.dlms
        if section is None:
            raise IllegalEventError(f"profile {device.profile.name} has no [dlms] section")
        self.section: DlmsSection = section
        self.line = line
        self._device = device

    @property
    def inactivity_ms(self) -> int:
        """Milliseconds without a good frame after which a link is gone."""
        return self.section.hdlc.inactivity_s * 1000

    @property
    def max_apdu_bytes(self) -> int:
        """Longest message a line takes together.

        Twice what the device says it takes, so that the device itself can refuse one that is too
        long for it; memory stays bounded. Source: invented.
        """
        return min(max(2 * self.section.max_pdu_bytes, 2048), 0xFFFF)

    def ask(self, client: int, server: int, apdu: bytes, now: UtcMs) -> Reply:
        """Hand an APDU to the device; the first APDU it sends back to this client is the answer."""
        channel = DlmsChannel(self.line, client, server)
        indication = DlmsIndication(channel, apdu)
        try:
            effects = self._device.handle(DeviceEvent.DLMS, indication, now)
        except MalformedFrameError as error:  # the peer's octets: noted here should a device not
            why = (("event", "dlms"), ("layer", error.layer), ("why", error.why))
            return Reply(None, [Note("malformed_frame", why)])
        for place, effect in enumerate(effects):
            if isinstance(effect, SendDlms) and effect.channel == channel:
                return Reply(effect.apdu, effects[:place] + effects[place + 1 :])
        return Reply(None, effects)

    def repeated(self, client: int, server: int, now: UtcMs) -> list[Effect]:  # noqa: ARG002 -- what a saboteur does otherwise
        """Learn that a client sent its last message again: it was carried out, so do nothing."""
        return []

    def gone(self, client: int, server: int, now: UtcMs) -> list[Effect]:
        """Tell the device that a client's link has ended."""
        return self._device.handle(
            DeviceEvent.DLMS_GONE, DlmsChannel(self.line, client, server), now
        )
