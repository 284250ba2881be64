"""The PPMID: firmware as a hub's display has it, a screen of both meters, and buttons for them."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from device_profiles.schema import DeviceProfile
from device_profiles.words import GBCS_DEVICE_NUMBER, DeviceType
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.asn1 import ActivationCode, PpmidActivationAlert, ResultCode
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.codecs.zcl.foundation import DefaultResponse, ReadAttributesResponse
from emulator.codecs.zcl.frame import ZclFrame
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, SetTimer, ZclIndication
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.protection import KeyRing
from emulator.devices import hands
from emulator.devices.firmware_device import FirmwareDevice
from emulator.devices.handlers import Handling
from emulator.devices.hands import Buttons, asked
from emulator.devices.network import Network
from emulator.devices.ppmid import orders
from emulator.devices.ppmid.handlers import PPMID_HANDLERS
from emulator.devices.ppmid.screen import MeterView
from emulator.devices.saved import Saved, State

#: Timer of the next look at the meters.
REFRESH_TIMER: Final = "ppmid.refresh"
_ESME: Final = GBCS_DEVICE_NUMBER[DeviceType.ESME]
_GSME: Final = GBCS_DEVICE_NUMBER[DeviceType.GSME]


class Ppmid(FirmwareDevice):
    """A prepayment meter interface device.

    It asks its meters when a button is pressed, and every so often where its profile says so. Gas
    is asked of the mirror in the GPF.

    Attributes:
        electricity: What it shows of the ESME.
        gas: What it shows of the GSME.

    Source:
        RTDS CS09 and CS08; activation by the hub's upgrade time: inferred from SECMP0007 (11.4
        covers activation, and there is no CS06 for a PPMID). The receipt of an image is told by
        the hub's CCS08, not by the PPMID.
    """

    device_type: ClassVar[DeviceType] = DeviceType.PPMID
    obeys_upgrade_time: ClassVar[bool] = True

    def __init__(
        self, eui64: Eui64, profile: DeviceProfile, ring: KeyRing, network: Network
    ) -> None:
        super().__init__(eui64, profile, ring, network)
        self.electricity = MeterView()
        self.gas = MeterView()
        self._known: dict[int, Eui64] = {}

    # -- its meters ----------------------------------------------------------------------------

    def know_meters(self, esme: Eui64 | None, gsme: Eui64 | None) -> None:
        """Belong to the meters of a home that was joined when it was built."""
        said = ((_ESME, esme), (_GSME, gsme))
        self._known = {number: eui64 for number, eui64 in said if eui64 is not None}

    @property
    def esme(self) -> Eui64 | None:
        """The electricity meter: the one joined last, else the one it was built with."""
        return self._meter(_ESME)

    @property
    def gsme(self) -> Eui64 | None:
        """The gas meter, likewise."""
        return self._meter(_GSME)

    def _meter(self, number: int) -> Eui64 | None:
        joined = [one.device for one in self.joins.entries.values() if one.device_type == number]
        return joined[-1] if joined else self._known.get(number)

    # -- buttons -------------------------------------------------------------------------------

    def refresh(self) -> list[Effect]:
        """Ask the meters for what the screen shows."""
        effects: list[Effect] = []
        if not self.hears:
            return effects
        if self.esme is not None:
            effects += orders.refresh(self, self.esme, tariff=True)
        if self.gsme is not None:
            effects += orders.refresh(self, self.network.gpf, tariff=False)
        return effects

    def top_up(self, digits: str, *, gas: bool = False) -> list[Effect]:
        """Enter a token: for the ESME (PECS), or for the GSME (PCS01)."""
        meter = self.gsme if gas else self.esme
        if not self.hears or meter is None:
            return []
        if gas:
            payload = orders.top_up_payload(digits)
            return orders.ask_gsme(self, meter, MessageCode.PCS01, payload)
        return orders.top_up_esme(self, meter, digits)

    def activate_emergency_credit(self, now: UtcMs, *, gas: bool = False) -> list[Effect]:
        """Ask for emergency credit: of the ESME (PECS), or of the GSME (PCS02)."""
        meter = self.gsme if gas else self.esme
        if not self.hears or meter is None:
            return []
        if gas:
            payload = orders.emergency_credit_payload()
            return orders.ask_gsme(self, meter, MessageCode.PCS02, payload)
        return orders.emergency_credit_of_esme(self, meter, now)

    def enable_supply(self) -> list[Effect]:
        """Ask the ESME to switch an armed supply on (PECS); gas takes a person at the meter."""
        meter = self.esme
        return [] if meter is None or not self.hears else orders.enable_esme(self, meter)

    def confirm_message(self, now: UtcMs) -> list[Effect]:
        """Confirm the message of the ESME that is on the screen."""
        meter, number = self.esme, self.electricity.message_id
        if meter is None or not self.electricity.message or not self.hears:
            return []
        return orders.confirm_message(self, meter, number, now)

    @property
    def buttons(self) -> Buttons:
        """What a person can do at it; what a meter made of it shows on the screen later."""
        return {
            "refresh": lambda _, __: asked(self.refresh()),
            hands.TOP_UP: lambda digits, _: asked(self.top_up(digits)),
            f"gas-{hands.TOP_UP}": lambda digits, _: asked(self.top_up(digits, gas=True)),
            hands.EMERGENCY_CREDIT: lambda _, now: asked(self.activate_emergency_credit(now)),
            f"gas-{hands.EMERGENCY_CREDIT}": lambda _, now: asked(
                self.activate_emergency_credit(now, gas=True)
            ),
            hands.ENABLE_SUPPLY: lambda _, __: asked(self.enable_supply()),
            "confirm-message": lambda _, now: asked(self.confirm_message(now)),
        }

    # -- what it hears -------------------------------------------------------------------------

    def on_power_on(self, now: UtcMs) -> list[Effect]:
        """Start up, and look at the meters every so often where the profile says so."""
        return [*super().on_power_on(now), *self._plan(now)]

    def on_timer(self, name: str, now: UtcMs) -> list[Effect]:
        """Take a timer; the screen's asks the meters."""
        if name != REFRESH_TIMER:
            return super().on_timer(name, now)
        return [*self.refresh(), *self._plan(now)]

    def _plan(self, now: UtcMs) -> list[Effect]:
        display = self.profile.display
        every_s = None if display is None else display.refresh_s
        return [] if every_s is None else [SetTimer(REFRESH_TIMER, UtcMs(now + 1000 * every_s))]

    def _view(self, source: Eui64) -> MeterView | None:
        if source == self.esme:
            return self.electricity
        return self.gas if source == self.network.gpf and self.gsme is not None else None

    def on_foundation(
        self, indication: ZclIndication, frame: ZclFrame, command: Any, now: UtcMs
    ) -> list[Effect]:
        """Take a foundation command; what a meter answers goes onto the screen."""
        view = self._view(indication.source)
        if view is not None and isinstance(command, ReadAttributesResponse):
            view.take(indication.cluster, command)
        elif view is not None and isinstance(command, DefaultResponse):
            orders.hear_default(view, indication.cluster, command)
        return super().on_foundation(indication, frame, command, now)

    def on_cluster_frame(
        self, indication: ZclIndication, frame: ZclFrame, now: UtcMs
    ) -> list[Effect]:
        """Take a command; what a meter publishes goes onto the screen."""
        view = self._view(indication.source)
        heard = view is not None and frame.server_to_client
        if heard and view is not None and orders.hear(view, indication.cluster, frame):
            return []
        return super().on_cluster_frame(indication, frame, now)

    def on_message(self, message: bytes, now: UtcMs) -> list[Effect]:
        """Take a GBCS message: an answer of the GSME, or a command."""
        try:
            answered = orders.hear_gsme(self, message, envelope.decode(message).header)
        except MalformedFrameError:
            answered = None
        return super().on_message(message, now) if answered is None else answered

    @property
    def use_cases(self) -> Mapping[int, Handling[Any]]:
        """Message code -> what carries it out and who may ask."""
        return PPMID_HANDLERS.rows

    def tell_receipt(self, code: AlertCode, image_hash: bytes, now: UtcMs) -> list[Effect]:  # noqa: ARG002 - others use it
        """Say nothing: the Upgrade End Request tells the hub, and the hub tells by CCS08."""
        return []

    def tell_critical(self, code: AlertCode, now: UtcMs) -> list[Effect]:  # noqa: ARG002 - others use it
        """Say nothing: CS09 says it."""
        return []

    def tell_upgrade(self, code: ActivationCode, now: UtcMs) -> list[Effect]:
        """Send CS09 (8F8B) to the ACB: what came of the activation, and what runs now."""
        good = code is ActivationCode.SUCCESS
        body = PpmidActivationAlert(
            AlertCode.PPMID_FIRMWARE_ACTIVATION,
            self.local_time(now),
            self.reported_version(),
            ResultCode.SUCCESS if good else ResultCode.FAILURE,
        ).encode()
        return self.alert(MessageCode.CS09, self.network.acb, lambda _: body)

    # -- dump, load, rows ----------------------------------------------------------------------

    def dump(self) -> State:
        """Return the whole state as JSON values."""
        known: State = {str(number): eui64.hex for number, eui64 in self._known.items()}
        return {
            **super().dump(),
            "electricity": self.electricity.dump(),
            "gas": self.gas.dump(),
            "known": known,
        }

    def load_saved(self, saved: Saved) -> None:
        """Take over what ``saved`` holds."""
        super().load_saved(saved)
        self.electricity = MeterView.restore(saved.part("electricity"))
        self.gas = MeterView.restore(saved.part("gas"))
        known = saved.part("known")
        self._known = {int(number): known.eui64(number) for number in saved.table("known")}

    def rows(self) -> dict[str, str]:
        """Return the state for a reader."""
        shown = {**self.electricity.rows("electricity"), **self.gas.rows("gas")}
        return {**super().rows(), **shown}
