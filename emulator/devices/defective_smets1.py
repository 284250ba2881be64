"""Wrong methods of SMETS1 electricity meters; each takes the right one.

``ROWS`` says what is wrong with each; ``defects.DEFECTS`` holds them as ``s1-esme-…``.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from device_profiles.dlms import Authentication
from emulator.codecs.dlms import acse, axdr
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_ciphered import CIPHERED_TAGS
from emulator.codecs.dlms.apdu_get import GetListResponse
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.crypto import dlms_authentication
from emulator.crypto.dlms_key_transfer import TransferRefusal, read_transfer
from emulator.crypto.dlms_keys import InvocationCounters
from emulator.devices.consumption import DAY_MS
from emulator.devices.defective_methods import Method, Override, on_the_line
from emulator.devices.smets1.security_setup import security_of
from emulator.devices.smets1.switch import ControlState

_ADRIFT_MS: Final = 600_000
#: Time of day (UTC) whose row the load profile lacks.
_GAP_MS: Final = 3 * 3_600_000
_LOST_WH: Final = 1_000


# -- registers, clock, profiles ----------------------------------------------------------------


def scaler_too_high(right: Method) -> Method:
    """Say a scaler of one more."""

    def scaler_unit(self: Any, row: Any) -> tuple[int, int]:
        scaler, unit = right(self, row)
        return scaler + 1, unit

    return scaler_unit


def ten_minutes_fast(right: Method) -> Method:
    """Show a time ten minutes ahead."""
    return lambda self, at: UtcMs(right(self, at) + _ADRIFT_MS)


def forgets_the_time(_right: Method) -> Method:
    """Take a new time and leave the clock as it is."""
    return lambda _self, _shown, _at: None


def other_serial(right: Method) -> Method:
    """Tell a serial number with another last digit, every second time."""

    def serial_text(self: Any) -> str:
        serial: str = right(self)
        self.told_serials = getattr(self, "told_serials", 0) + 1
        wrong = self.told_serials % 2 == 0
        return f"{serial[:-1]}{(int(serial[-1]) + wrong) % 10}"

    return serial_text


def rate_one_too_much(right: Method) -> Method:
    """Count a kilowatt-hour too much on the first rate."""
    return lambda self, rate, at: right(self, rate, at) + (_LOST_WH if rate == 1 else 0)


def misses_a_half_hour(right: Method) -> Method:
    """Lose the row of three o'clock."""
    return lambda self, at: [row for row in right(self, at) if row.shown % DAY_MS != _GAP_MS]


def gives_all_rows(_right: Method) -> Method:
    """Give the whole buffer whatever was selected."""
    return lambda self, _choice: self.table(self.rows, self.columns)


def reads_out_something_else(right: Method) -> Method:
    """Put a total into the read-out that the register does not hold."""

    def read_out(self: Any, now: UtcMs) -> str:
        block: str = right(self, now)
        return re.sub(r"(?m)^1\.8\.0\((\d)", lambda m: f"1.8.0({(int(m[1]) + 1) % 10}", block)

    return read_out


# -- who may what ------------------------------------------------------------------------------


def any_password_will_do(right: Method) -> Method:
    """Put the right secret in the place of whatever came."""

    def on_association_request(self: Any, channel: Any, apdu: bytes) -> Any:
        section = self.door.sections.get(channel.client)
        try:
            request = acse.decode_request(apdu)
        except MalformedFrameError:
            return right(self, channel, apdu)
        proof = request.authentication
        if section is None or section.authentication is not Authentication.LLS or proof is None:
            return right(self, channel, apdu)
        good = replace(proof, value=self.security.secret(section.name))
        return right(self, channel, acse.encode_request(replace(request, authentication=good)))

    return on_association_request


def any_reply_will_do(right: Method) -> Method:
    """Put the right reply to the challenge in the place of whatever came."""

    def answer_hls(self: Any, _reply: bytes, at: Any) -> Any:
        held = self.door.standing[at.client.channel]
        good = dlms_authentication.hls_reply(
            held.keys,
            InvocationCounters(),
            title=held.title,
            challenge=held.own_challenge,
            suite=self.security.suite,
        )
        return right(self, good, at)

    return answer_hls


def old_key_stays(right: Method) -> Method:
    """Say that the new keys are taken, and go on with the old."""

    def transfer_keys(self: Any, data: Data | None, at: Any) -> Any:
        if data is None:
            return right(self, data, at)
        keys = read_transfer(security_of(at).keys.master, data)
        if isinstance(keys, TransferRefusal):
            return right(self, data, at)
        return MethodOutcome(ActionResult.SUCCESS)

    return transfer_keys


def no_way_back(right: Method) -> Method:
    """Refuse the keys that it left the factory with, once it has others."""

    def transfer_keys(self: Any, data: Data | None, at: Any) -> Any:
        keys = () if data is None else read_transfer(security_of(at).keys.master, data)
        factory = self.factory.keys
        known = {factory.unicast, factory.authentication, factory.master, factory.broadcast}
        if not isinstance(keys, TransferRefusal) and any(new.key in known for new in keys):
            return MethodOutcome(ActionResult.OTHER_REASON)
        return right(self, data, at)

    return transfer_keys


def plain_will_do(right: Method) -> Method:
    """Carry out a request without protection where protection is due."""

    def on_service(self: Any, held: Any, apdu: bytes, now: UtcMs) -> Any:
        if held.security is None or apdu[:1] == b"" or apdu[0] in CIPHERED_TAGS:
            return right(self, held, apdu, now)
        protection, held.security = held.security, None
        try:
            return right(self, held, apdu, now)
        finally:
            held.security = protection

    return on_service


def forgets_received_counters(right: Method) -> Method:
    """Hold no invocation counter against a request."""

    def on_service(self: Any, held: Any, apdu: bytes, now: UtcMs) -> Any:
        counters = self.security.counters.dump()
        self.security.counters.load({**counters, "received": {}})
        return right(self, held, apdu, now)

    return on_service


def leaves_undefined_out(right: Method) -> Method:
    """Leave objects that are not there out of the answer to a list."""

    def answer_get_list(self: Any, asked: Any, request: Any) -> Any:
        response = right(self, asked, request)
        if not isinstance(response, GetListResponse):
            return response
        undefined = DataAccessResult.OBJECT_UNDEFINED
        return replace(response, results=tuple(r for r in response.results if r != undefined))

    return answer_get_list


def lists_what_is_not_there(right: Method) -> Method:
    """List an object that the meter does not have."""

    def object_list(self: Any, at: Any) -> Data:
        rows = right(self, at).value
        modes = [
            axdr.structure(Data(Tag.INT8, index), Data(Tag.ENUM, 1), axdr.NULL) for index in (1, 2)
        ]
        access = axdr.structure(Data(Tag.ARRAY, tuple(modes)), Data(Tag.ARRAY, ()))
        name = axdr.octets(bytes((0, 0, 96, 1, 99, 255)))
        ghost = axdr.structure(axdr.uint16(1), Data(Tag.UINT8, 0), name, access)
        return Data(Tag.ARRAY, (*rows, ghost))

    return object_list


# -- switch, credit, image ---------------------------------------------------------------------


def says_closed(_right: Method) -> Method:
    """Call the switch closed."""
    return lambda _self, _at: True


def says_connected(_right: Method) -> Method:
    """Call the switch connected."""
    return lambda _self, _at: ControlState.CONNECTED


def knows_no_code(_right: Method) -> Method:
    """Remember no code."""
    return lambda _self, _number: False


def drops_every_block(right: Method) -> Method:
    """Lose the blocks of an unfinished image with power."""

    def lose_power(self: Any) -> None:
        right(self)
        if self.transfer is not None and not self.transfer.whole:
            blocks = len(self.transfer.arrived)
            self.transfer.octets = bytearray(len(self.transfer.octets))
            self.transfer.arrived = bytearray(blocks)
            self.transfer.first_missing = 0

    return lose_power


def calls_it_whole(right: Method) -> Method:
    """Call an unfinished image whole when power comes back."""

    def lose_power(self: Any) -> None:
        right(self)
        if self.transfer is not None:
            blocks = len(self.transfer.arrived)
            self.transfer.arrived = bytearray(b"\x01" * blocks)
            self.transfer.first_missing = blocks

    return lose_power


def starts_anything(_right: Method) -> Method:
    """Agree to start whatever image there is."""
    return lambda self: self.transfer is not None


_SWITCH: Final[dict[str, Override]] = {
    "reported_closed": says_closed,
    "reported_state": says_connected,
}
#: Name without its device -> sentence, and method -> what makes it wrong.
ROWS: Final[Mapping[str, tuple[str, Mapping[str, Override]]]] = {
    "wrong-scaler": (
        "tells a scaler ten times too large.",
        {"scaler_unit": scaler_too_high},
    ),
    "clock-adrift": (
        "shows a time ten minutes ahead, whatever it is set to.",
        {"clock.shows": ten_minutes_fast},
    ),
    "any-password": (
        "lets clients in whatever low-level secret they give.",
        {"on_association_request": any_password_will_do},
    ),
    "any-key": (
        "accepts any reply to its challenge.",
        {"answer_hls": any_reply_will_do},
    ),
    "keeps-old-key": (
        "says that it took new keys and goes on with the old ones.",
        {"transfer_keys": old_key_stays},
    ),
    "rollback-fails": (
        "refuses to take back the keys it left the factory with.",
        {"transfer_keys": no_way_back},
    ),
    "loses-blocks-on-power-loss": (
        "loses the blocks of an unfinished image with power, although its profile keeps them.",
        {"image.lose_power": drops_every_block},
    ),
    "claims-whole-image": (
        "says after a power loss that an unfinished image is whole.",
        {"image.lose_power": calls_it_whole},
    ),
    "activates-unverified": (
        "starts an image that it has not verified.",
        {"image.may_activate": starts_anything},
    ),
    "profile-gap": (
        "has no row for one half hour of each day.",
        {"captures.rows": misses_a_half_hour},
    ),
    "range-ignored": (
        "gives the whole profile whatever part of it is asked for.",
        {"buffer.chosen": gives_all_rows},
    ),
    "tou-does-not-add-up": (
        "has a kilowatt-hour more in its rates than in its total.",
        {"rate_register": rate_one_too_much},
    ),
    "list-drops-undefined": (
        "leaves undefined objects out of the answer to a list instead of saying so.",
        {"answer_get_list": leaves_undefined_out},
    ),
    "view-lies": (
        "lists an object that it does not have.",
        {"object_list": lists_what_is_not_there},
    ),
    "plain-in-ciphered": (
        "carries out requests without protection in a ciphered association.",
        {"on_service": plain_will_do},
    ),
    "accepts-replay": (
        "carries out a protected request as often as it comes.",
        {"on_service": forgets_received_counters},
    ),
    "switch-lies": ("says that its switch is closed when it is open.", _SWITCH),
    "topup-twice": (
        "takes a top-up code as often as it is entered.",
        {"account.knows": knows_no_code},
    ),
    "forgets-clock-set": (
        "answers success to a new time and keeps the old one.",
        {"set_clock": forgets_the_time},
    ),
    "wrong-serial": (
        "tells another serial number every second time it is asked.",
        {"serial_text": other_serial},
    ),
    "executes-repeats": (
        "carries out a message again when the line repeats it.",
        {"line_defects": on_the_line("executes-repeats")},
    ),
    "keeps-idle-links": (
        "never drops a link that nobody uses.",
        {"line_defects": on_the_line("keeps-idle-links")},
    ),
    "read-out-disagrees": (
        "reads out another total than its register holds.",
        {"read_out": reads_out_something_else},
    ),
}
