"""Use cases on a device's own log of devices: CS03 joins, CS04 parts, CS07 reads."""

from typing import TYPE_CHECKING, Any, Final

from device_profiles.words import DeviceType
from emulator.codecs import der
from emulator.codecs.gbcs import joins as wire
from emulator.codecs.gbcs.joins import JoinCode, JoinDevice, JoinMethod, UnjoinCode
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto import certificate
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.protection import KeyRing
from emulator.devices.asn1_commands import read_payload
from emulator.devices.checks import Command
from emulator.devices.handlers import ACB, READERS, SUPPLIER, Answer, HandlerTable
from emulator.devices.joins.log import JoinedDevice, letter_of

if TYPE_CHECKING:
    from emulator.devices.base import Device

C, D, M = MessageCode, DeviceType, JoinMethod
#: Message code -> method it is for. Source: titles of the use cases, RTDS 4.5.0.
_METHOD_OF: Final = {
    C.CS03A1: M.A_INITIATOR,
    C.CS03A2: M.A_RESPONDER,
    C.CS03B: M.B,
    C.CS03C: M.C,
}
#: Message code -> letters of the methods whose joins it ends.
_LETTERS_OF: Final = {C.CS04AC: "AC", C.CS04B: "B"}
#: Type of device -> joins it takes. Source: reference gbcs.md section 17 (the devices of the
#: vectors); method B at ESME and GPF, which a Type 2 device joins: inferred.
_JOINS_OF: Final = {
    D.ESME: (C.CS03A1, C.CS03B),
    D.GSME: (C.CS03B, C.CS03C),
    D.GPF: (C.CS03B,),
    D.HCALCS: (C.CS03A2,),
    D.PPMID: (C.CS03A2, C.CS03C),
}
#: Event codes (failed, succeeded). Source: NP (alert codes).
_JOINED: Final = (0x8F48, 0x8F49)
_PARTED: Final = (0x8F4A, 0x8F4B)


def enter(table: "HandlerTable[Any]", device_type: DeviceType) -> None:
    """Enter the use cases on the log that a type of device has."""
    codes = _JOINS_OF.get(device_type, ())
    by = SUPPLIER | ACB
    if codes:
        table.handles(*codes, by=by)(join)
        table.handles(C.CS04AC, C.CS04B, by=by)(part)
        table.handles(C.CS07, by=READERS)(show_log)


def join(device: "Device", command: Command, now: UtcMs) -> Answer:
    """CS03: enter a device into the log, with its key where the method brings one.

    Raises:
        CommandRefusedError: The payload has another layout.
    """
    asked = read_payload(command, JoinDevice.read)
    code = _join(device, asked, C(command.row.code))
    return _answer(device, asked.device, code, _JOINED, now)


def _answer(
    device: "Device",
    who: Eui64,
    code: JoinCode | UnjoinCode,
    events: tuple[int, int],
    now: UtcMs,
) -> Answer:
    """Answer what became of an order, note it in the security log, and tell of a changed log."""
    good = code == JoinCode.SUCCESS
    note = device.log(events[good], f"{who}: {code.name.lower()}", now, security=True)
    told = device.joins_changed(now) if good else []
    return Answer(der.integer(code), after=(note, *told))


def _join(device: "Device", asked: JoinDevice, message: MessageCode) -> JoinCode:
    if asked.method not in set(JoinMethod):
        return JoinCode.INVALID_METHOD
    method = JoinMethod(asked.method)
    if method is not _METHOD_OF[message]:
        return JoinCode.WRONG_MESSAGE_FOR_METHOD
    peer = _peer_key(device, asked)
    if method is M.C and peer is None:
        return JoinCode.INVALID_CERTIFICATE
    brought = None if peer is None else peer.certificate
    entry = JoinedDevice(asked.device, asked.device_type, letter_of(method), brought)
    code = device.joins.add(entry, device.profile.limits)
    if code is JoinCode.SUCCESS and peer is not None:
        device.take_ring(KeyRing(device.ring.keystore.merged(KeyStore([peer]))))
    return code


def _peer_key(device: "Device", asked: JoinDevice) -> KeyEntry | None:
    """Return the key that a certificate brings; None where there is none that will do."""
    if asked.certificate is None:
        return None
    try:
        found = certificate.read(asked.certificate)
    except MalformedFrameError:
        return None
    fits = found.usage is KeyUsage.KA and found.eui64 is not None
    if not fits or (device.joins.checks_identity and found.eui64 != asked.device):
        return None
    return KeyEntry(
        asked.device, KeyUsage.KA, False, found.public_point, certificate=asked.certificate
    )


def part(device: "Device", command: Command, now: UtcMs) -> Answer:
    """CS04: take a device out of the log, and forget the key that its join brought.

    Raises:
        CommandRefusedError: The payload has another layout.
    """
    who = read_payload(command, wire.unjoined_device)
    held = device.joins.entries.get(who)
    code = device.joins.remove(who, _LETTERS_OF[C(command.row.code)])
    if code is UnjoinCode.SUCCESS and held is not None and held.certificate is not None:
        forget_key(device, who)
    return _answer(device, who, code, _PARTED, now)


def forget_key(device: "Device", who: Eui64) -> None:
    """Take the keys of a device out of the ring."""
    kept = [entry for entry in device.ring.keystore.entries() if entry.eui64 != who]
    device.take_ring(KeyRing(KeyStore(kept)))


def show_log(device: "Device", command: Command, now: UtcMs) -> Answer:  # noqa: ARG001 - table
    """CS07: read the log.

    Raises:
        CommandRefusedError: The payload is not NULL.
    """
    read_payload(command, wire.check_read)
    return Answer(wire.join_details(device.joins.listed()))


def reinstall(device: "Device") -> None:
    """Put the keys of a loaded log into effect."""
    peers = []
    for entry in device.joins.entries.values():
        if entry.certificate is not None:
            point = certificate.public_point(entry.certificate)
            peers.append(
                KeyEntry(entry.device, KeyUsage.KA, False, point, certificate=entry.certificate)
            )
    if peers:
        device.take_ring(KeyRing(device.ring.keystore.merged(KeyStore(peers))))
