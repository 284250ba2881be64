"""What a person asks for at a PPMID: of the ESME by ZSE, of the GSME by PCS01 and PCS02."""

from typing import TYPE_CHECKING, Final

from emulator.codecs.gbcs import gbz
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.gbz import GbzComponent, GbzMessage
from emulator.codecs.gbcs.payload import decode_payload
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode
from emulator.codecs.zcl import account, device_management, foundation, metering, price
from emulator.codecs.zcl.foundation import DefaultResponse, ReadAttributes, Status
from emulator.codecs.zcl.frame import ZclFrame
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.effects import Effect, Note, SendZcl
from emulator.core.errors import KeyNotHeldError, MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.protection import Accepted, open_message, seal
from emulator.devices.ppmid.screen import WANTED, MeterView

if TYPE_CHECKING:
    from emulator.devices.ppmid.ppmid import Ppmid

#: Who brought a top-up: an in-home device. Source: RTDS PCS02.
IN_HOME: Final = 2
_TOP_UP, _SELECT = 0x04, 0x00
_TOP_UP_RESPONSE: Final = 0x03
_FROM_CLIENT: Final = 0x01
_GAS_CODES: Final = frozenset({int(MessageCode.PCS01), int(MessageCode.PCS02)})


# -- electricity -----------------------------------------------------------------------------------


def refresh(device: "Ppmid", meter: Eui64, *, tariff: bool) -> list[Effect]:
    """Ask a meter for what the screen shows."""
    effects: list[Effect] = []
    for cluster, attributes in WANTED.items():
        frame = foundation.encode(
            ReadAttributes(attributes), device.next_sequence(), server_to_client=False
        )
        effects.append(SendZcl(meter, cluster, frame))
    if not tariff:
        return effects
    asked = price.encode(price.GetCurrentPrice(1), device.next_sequence())
    effects.append(SendZcl(meter, price.CLUSTER, asked))
    wanted = device_management.MESSAGING_COMMANDS.encode(
        device_management.GetLastMessage(), device.next_sequence()
    )
    return [*effects, SendZcl(meter, device_management.MESSAGING, wanted)]


def top_up_esme(device: "Ppmid", meter: Eui64, digits: str) -> list[Effect]:
    """PECS: hand a token to the ESME."""
    command = account.ConsumerTopUp(IN_HOME, digits.encode("ascii", "replace"))
    return [SendZcl(meter, account.CLUSTER, account.encode(command, device.next_sequence()))]


def emergency_credit_of_esme(device: "Ppmid", meter: Eui64, now: UtcMs) -> list[Effect]:
    """PECS: ask the ESME for emergency credit."""
    at_s = to_zigbee_seconds(device.local_time(now))
    command = account.SelectAvailableEmergencyCredit(at_s, IN_HOME)
    frame = account.COMMANDS.encode(command, device.next_sequence(), disable_default_response=False)
    return [SendZcl(meter, account.CLUSTER, frame)]


def enable_esme(device: "Ppmid", meter: Eui64) -> list[Effect]:
    """PECS: ask the ESME to switch an armed supply on."""
    command = metering.LocalChangeSupply(metering.SupplyStatus.ON)
    frame = metering.COMMANDS.encode(
        command, device.next_sequence(), disable_default_response=False
    )
    return [SendZcl(meter, metering.CLUSTER, frame)]


def confirm_message(device: "Ppmid", meter: Eui64, number: int, now: UtcMs) -> list[Effect]:
    """Tell a meter that the customer has confirmed its message."""
    at_s = to_zigbee_seconds(device.local_time(now))
    command = device_management.MessageConfirmation(number, at_s, b"")
    frame = device_management.MESSAGING_COMMANDS.encode(command, device.next_sequence())
    return [SendZcl(meter, device_management.MESSAGING, frame)]


def hear(view: MeterView, cluster: int, frame: ZclFrame) -> bool:
    """Take a command of a meter's cluster onto the screen; False where it shows nothing of it.

    Raises:
        MalformedFrameError: It cannot be read.
    """
    if cluster == account.CLUSTER:
        command = account.decode(frame)
        if isinstance(command, account.ConsumerTopUpResponse):
            view.top_up = "rejected" if command.result else f"{command.value / 1000:.2f} p accepted"
            return True
    elif cluster == price.CLUSTER:
        command = price.decode(frame)
        if isinstance(command, price.PublishPrice):
            view.price = command.price
            return True
    elif cluster == device_management.MESSAGING:
        command = device_management.MESSAGING_COMMANDS.decode(frame)
        if isinstance(command, device_management.DisplayMessage):
            view.message = command.text.decode("utf-8", "replace")
            view.message_id = command.message_id
            return True
    return False


def hear_default(view: MeterView, cluster: int, answer: DefaultResponse) -> None:
    """Show what became of a button."""
    shown = {
        (account.CLUSTER, _SELECT): "emergency credit",
        (metering.CLUSTER, 0x0C): "enable supply",
    }
    name = shown.get((cluster, answer.command))
    if name is not None:
        view.action = f"{name}: {'done' if answer.status == Status.SUCCESS else 'refused'}"


# -- gas -------------------------------------------------------------------------------------------


def ask_gsme(device: "Ppmid", meter: Eui64, code: MessageCode, payload: bytes) -> list[Effect]:
    """Send PCS01 or PCS02 to the GSME, under the key that both share.

    Source:
        RTDS PCS02; PCS01 as CS01b with another origin: inferred.
    """
    command = _TOP_UP if code is MessageCode.PCS01 else _SELECT
    message = gbz.encode(
        GbzMessage((GbzComponent(account.CLUSTER, _FROM_CLIENT, 0, command, payload),))
    )
    counter = device.next_counter
    header = GroupingHeader(Cra.COMMAND, counter, device.eui64, meter, OtherInformation(int(code)))
    protection = MESSAGES[int(code)].command[0]
    try:
        sealed = seal(
            Envelope(header, message), device.ring, protection=protection, acb=device.network.acb
        )
    except KeyNotHeldError:
        return [Note("order_not_sent", (("why", "no key shared with the GSME"),))]
    device.next_counter += 1
    return [device.outgoing(sealed), Note("message_sent", (("code", f"{int(code):04x}"),))]


def top_up_payload(digits: str) -> bytes:
    """Return the payload of PCS01."""
    return account.ConsumerTopUp(IN_HOME, digits.encode("ascii", "replace")).encode()


def emergency_credit_payload() -> bytes:
    """Return the payload of PCS02. Source: RTDS PCS02 (the time is not said)."""
    return account.SelectAvailableEmergencyCredit(0, IN_HOME).encode()


def hear_gsme(device: "Ppmid", message: bytes, header: GroupingHeader) -> list[Effect] | None:
    """Take the GSME's answer; None where a message is none."""
    code = header.other.message_code
    is_answer = header.cra is Cra.RESPONSE and code in _GAS_CODES
    if not is_answer or header.originator != device.gsme or header.target != device.eui64:
        return None
    try:
        opened = open_message(message, device.ring, acb=device.network.acb)
        if not isinstance(opened, Accepted):
            return [Note("message_refused", (("reason", "not authentic"),))]
        value = decode_payload(opened.row, header.cra, opened.envelope.payload)
    except MalformedFrameError as error:
        return [Note("message_refused", (("reason", "malformed"), ("detail", str(error))))]
    if isinstance(value, GbzMessage):
        _show_gas(device.gas, value.components[0])
    return [Note("message_accepted", (("use_case", opened.row.use_case),))]


def _show_gas(view: MeterView, component: GbzComponent) -> None:
    if component.command == _TOP_UP_RESPONSE:
        answer = account.ConsumerTopUpResponse.decode(component.payload)
        view.top_up = "rejected" if answer.result else f"{answer.value / 1000:.2f} p accepted"
        return
    good = component.payload[1:2] == b"\x00"
    view.action = f"emergency credit: {'done' if good else 'refused'}"
