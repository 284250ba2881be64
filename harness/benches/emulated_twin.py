"""Asks a copy of a device whether it would let a client in: a whole association, no trace."""

import copy
from dataclasses import replace

from emulator.codecs.dlms import wrapper
from emulator.codecs.dlms.wrapper import WrapperFrame
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, DlmsChannel, DlmsIndication, SendDlms
from emulator.crypto.dlms_factory import FactoryKeys
from emulator.devices.saved import State
from emulator.devices.smets1.device import Smets1Device
from harness.dlms import from_profile
from harness.dlms.jobs import AssociateJob, Done, Output, Write
from harness.dlms.line import ReaderLine
from harness.errors import BenchError
from harness.meter import Association, Credentials

_LINE = "twin"


class Twin:
    """A spare of one device, which takes over that device's keys whenever it is asked."""

    def __init__(self, spare: Smets1Device, keys: FactoryKeys) -> None:
        """Take the spare, which is in no world, and the keys it left the factory with."""
        self._device = spare
        self._keys = keys
        self._state: State = {}
        self._asked: list[tuple[Credentials, bool]] = []

    def opens_to(self, state: State, credentials: Credentials, now: UtcMs) -> bool:
        """Say whether a device in this state would associate with these credentials.

        Args:
            state: The device's dumped state.
            credentials: How the client presents itself.
            now: The present moment.

        What it would do follows from the state (keys, counters, secrets, chance) and the
        credentials, and from nothing else. So a device that nobody spoke with since it was last
        asked, and whose state is therefore the very same, is not asked the same again.

        Raises:
            BenchError: The credentials lack what their mechanism needs.
        """
        if state != self._state:
            self._state, self._asked = copy.deepcopy(state), []
        for asked, answer in self._asked:
            if asked == credentials:
                return answer
        answer = self._associates(state, credentials, now)
        self._asked.append((credentials, answer))
        return answer

    def _associates(self, state: State, credentials: Credentials, now: UtcMs) -> bool:
        """Have the spare take over a state, and associate with it."""
        device = self._device
        device.load_access(state)
        settings = from_profile.wan_settings(device.settings)
        line = ReaderLine(settings, Stream(0, f"twin/{device.eui64.hex}").octets)
        if credentials.keys is not None:
            known = device.security.counters.expected(credentials.keys.unicast, credentials.title)
            line.resume_counter(credentials.keys, credentials.title, max(known - 1, 0))
        job = AssociateJob(
            replace(credentials, server=device.settings.logical_device),
            from_profile.signing(self._keys, credentials),
        )
        try:
            outputs = line.begin(job, now)
        except ValueError as error:
            raise BenchError(
                f"nobody can associate as {credentials.name!r}: {error}",
                cause="credentials that were put together by hand",
            ) from error
        return self._carried(line, outputs, now)

    def _carried(self, line: ReaderLine, outputs: list[Output], now: UtcMs) -> bool:
        """Carry octets to and fro until the client knows."""
        while True:
            for output in outputs:
                if isinstance(output, Done):
                    return isinstance(output.value, Association) and output.value.accepted
            said = [item.octets for item in outputs if isinstance(item, Write)]
            answers = [answer for octets in said for answer in self._answers(octets, now)]
            outputs = [item for octets in answers for item in line.receive(octets, now)]
            if not answers:
                outputs = line.expire(line.deadline_ms or now)

    def _answers(self, octets: bytes, now: UtcMs) -> list[bytes]:
        frame = wrapper.decode(octets)
        channel = DlmsChannel(_LINE, frame.source, self._device.settings.logical_device)
        effects = self._device.handle(DeviceEvent.DLMS, DlmsIndication(channel, frame.apdu), now)
        port = self._device.settings.wan_port
        return [
            wrapper.encode(WrapperFrame(port, frame.source, effect.apdu))
            for effect in effects
            if isinstance(effect, SendDlms)
        ]
