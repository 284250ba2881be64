"""Faults by name: what each does to a frame or a device, and how one is written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from emulator.core.fault_keys import KEYS, ROLES, KeyValue
from emulator.core.fault_values import (
    BatteryAt,
    Copy,
    Deaf,
    DeviceAct,
    Fault,
    FaultError,
    FaultLinkError,
    FaultSyntaxError,
    FaultValueError,
    Hand,
    Inject,
    Late,
    PowerCut,
    Refusal,
    SimAct,
    UnknownFaultError,
    UnknownFaultKeyError,
)

__all__ = [
    "CLEAR", "DEVICE_TRIGGERS", "FAULTS", "FRAME_SELECTORS", "LINE_LINKS", "LINKS", "PLACES", "SIM",
    "SIM_SELECTORS", "BatteryAt", "Copy", "Deaf", "DeviceAct", "Fault", "FaultError",
    "FaultLinkError", "FaultRow", "FaultSyntaxError", "FaultValueError", "Hand", "Inject", "Late",
    "PowerCut", "Refusal", "SimAct", "UnknownFaultError", "UnknownFaultKeyError", "cleared_home",
    "in_home", "parse", "parse_clear",
]  # fmt: skip

#: A meter's own line (optical head, TCP connection): towards the meter, from it, and both.
LINE_LINKS: Final = ("line", "line-in", "line-out")
#: Links whose frames a fault can touch; ``wan``, ``csp`` and ``line`` mean both directions.
LINKS: Final = ("han", "wan", "wan-in", "wan-out", "csp", "csp-in", "csp-out", *LINE_LINKS)
#: The SIM of a SMETS1 hub: its moves, and the hub's coming back on the network.
SIM: Final = "sim"
#: Everything that a fault can lie on, and that ``clear@LINK`` can name.
PLACES: Final = (*LINKS, SIM, *ROLES)
#: Order that ends every fault of a place at run time; none of ``--fault``.
CLEAR: Final = "clear"
_CLEAR_HOME: Final = f"{CLEAR}:home="


def drop(frame: bytes, fault: Fault, hand: Hand) -> Sequence[Copy]:  # noqa: ARG001 (one signature for all faults)
    """Lose the frame."""
    return ()


def duplicate(frame: bytes, fault: Fault, hand: Hand) -> Sequence[Copy]:  # noqa: ARG001 (one signature for all faults)
    """Deliver the frame more than once, ``gap_ms`` apart."""
    gap_us = fault.whole("gap_ms", 5) * 1000
    return tuple(Copy(frame, index * gap_us) for index in range(fault.whole("copies", 2)))


def delay(frame: bytes, fault: Fault, hand: Hand) -> Sequence[Copy]:  # noqa: ARG001 (one signature for all faults)
    """Deliver the frame ``ms`` milliseconds late; later frames may overtake it."""
    return (Copy(frame, fault.whole("ms", 500) * 1000),)


def corrupt(frame: bytes, fault: Fault, hand: Hand) -> Sequence[Copy]:
    """Flip one bit and leave the check sequence as it was, so that the receiver notices."""
    return (Copy(_flipped(frame, fault, hand, hand.draw.below(max(len(frame), 1)))),)


def corrupt_payload(frame: bytes, fault: Fault, hand: Hand) -> Sequence[Copy]:
    """Flip one bit of the content and make the check sequence right again: unseen damage."""
    body = frame[: len(frame) - hand.check_bytes]
    return (Copy(hand.seal(_flipped(body, fault, hand, -1))),)


def mute(frame: bytes, fault: Fault, hand: Hand) -> Sequence[Copy]:  # noqa: ARG001 (one signature for all faults)
    """Lose every frame, or those of one role; on ``sim``: the hub never attaches."""
    return ()


def truncate(frame: bytes, fault: Fault, hand: Hand) -> Sequence[Copy]:
    """Cut octets off the end: ``keep`` octets stay, or ``cut`` octets go, or by chance."""
    cut = fault.number("cut")
    keep = fault.number("keep")
    if cut is not None:
        keep = max(len(frame) - cut, 0)
    if keep is None:
        keep = hand.draw.below(max(len(frame), 1))
    return (Copy(frame[: int(keep)]),)


def noise(frame: bytes, fault: Fault, hand: Hand) -> Sequence[Copy]:
    """Put chance octets in front of the frame (``octets`` says how many, else 8)."""
    return (Copy(hand.draw.octets(fault.whole("octets", 8)) + frame),)


def power_cycle(fault: Fault) -> DeviceAct:
    """Take the supply for a moment (``off_s``, 5 seconds unless given)."""
    return PowerCut(fault.number("off_s") or 5.0)


def power_loss(fault: Fault) -> DeviceAct:
    """Take the supply for ``off_s`` seconds (60 unless given; 0: it never returns)."""
    off_s = fault.number("off_s")
    return PowerCut(60.0 if off_s is None else off_s)


def battery_low(fault: Fault) -> DeviceAct:
    """Make the battery read ``days`` days (10 unless given)."""
    return BatteryAt(fault.whole("days", 10))


def self_test_fails(fault: Fault) -> DeviceAct:
    """Make the firmware that is started next fail its self-test."""
    return Inject(fault.name)


def valve_stuck(fault: Fault) -> DeviceAct:
    """Make the valve of a GSME stay where it is."""
    return Inject(fault.name)


def key_write_cut(fault: Fault) -> DeviceAct:
    """Take the supply when a request to change keys has come, before the answer goes out.

    ``effect`` says whether the new keys are in force when the supply is back (``off_s`` later).
    """
    return Inject(f"{fault.name}:{fault.word('effect') or 'lost'}:{fault.number('off_s') or 60.0}")


def refuse(fault: Fault) -> SimAct:  # noqa: ARG001 (one signature for all faults)
    """Leave the SIM where it is."""
    return Refusal()


def late(fault: Fault) -> SimAct:
    """Let the hub's first contact arrive ``s`` seconds after the SIM moved, to the second."""
    return Late(fault.number("s") or 0.0)


def deaf(fault: Fault) -> SimAct:  # noqa: ARG001 (one signature for all faults)
    """Do not let the hub attach."""
    return Deaf()


FrameFault = Callable[[bytes, Fault, Hand], Sequence[Copy]]
DeviceFault = Callable[[Fault], DeviceAct]
SimFault = Callable[[Fault], SimAct]


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One row of the table of faults.

    Attributes:
        keys: Keys of its own, besides the selectors.
        example: An order that works.
        frame: The function, for a fault of frames; works on ``LINKS``.
        device: The function, for a fault of devices; works on ``ROLES``.
        sim: The function, for a fault of the SIM; works on ``SIM``.
        only: Links it works on, where these are not all of its sort.
        armed: Whether a device fault lies in wait from the beginning, and needs no trigger.
        needs: Keys that must be given.
    """

    keys: tuple[str, ...]
    example: str
    frame: FrameFault | None = None
    device: DeviceFault | None = None
    sim: SimFault | None = None
    only: tuple[str, ...] = ()
    armed: bool = False
    needs: tuple[str, ...] = ()

    @property
    def on_frames(self) -> bool:
        """Whether it touches frames (and not devices)."""
        return self.frame is not None

    @property
    def sentence(self) -> str:
        """What the fault does."""
        return " ".join(((self.frame or self.device or self.sim).__doc__ or "").split())

    @property
    def links(self) -> tuple[str, ...]:
        """Where it works."""
        if self.only:
            return self.only
        frames = LINKS if self.on_frames else ()
        devices = ROLES if self.device is not None else ()
        return (*frames, *devices, *((SIM,) if self.sim is not None else ()))

    @property
    def selectors(self) -> tuple[str, ...]:
        """Keys that say to which frames, or when, it happens."""
        return tuple(dict.fromkeys(key for link in self.links for key in self.selectors_on(link)))

    def selectors_on(self, link: str) -> tuple[str, ...]:
        """Return the selectors that mean something on a link."""
        if link == SIM:
            return SIM_SELECTORS
        if self.on_frames:
            return FRAME_SELECTORS
        return ("home",) if self.armed else DEVICE_TRIGGERS


#: Which frames: all that match, or the n-th, every n-th, some by chance, so many at most.
FRAME_SELECTORS: Final = ("n", "every", "p", "times", "kind", "from", "to", "role", "home")
#: When: at a time, after some seconds, or when a note of the device says so.
DEVICE_TRIGGERS: Final = ("at", "after_s", "state", "percent", "note", "times", "home")
#: Which moves of the SIM (``mute``: which attempts of the hub to attach).
SIM_SELECTORS: Final = ("n", "every", "p", "times", "party", "home")

FAULTS: Final[Mapping[str, FaultRow]] = {
    "drop": FaultRow((), "drop:kind=tunnel.transfer-data,n=1@han", frame=drop),
    "duplicate": FaultRow(("copies", "gap_ms"), "duplicate:every=10@han", frame=duplicate),
    "delay": FaultRow(("ms",), "delay:ms=2000,n=3@wan-in", frame=delay),
    "corrupt": FaultRow(("octet", "bit"), "corrupt:p=0.01@han", frame=corrupt),
    "corrupt-payload": FaultRow(
        ("octet", "bit"),
        "corrupt-payload:kind=ota.image-block-response,n=7@han",
        frame=corrupt_payload,
    ),
    "truncate": FaultRow(("keep", "cut"), "truncate:cut=1,n=2@csp-in", frame=truncate),
    "noise": FaultRow(("octets",), "noise:octets=3,p=0.1@line", frame=noise, only=LINE_LINKS),
    "power-cycle": FaultRow(("off_s",), "power-cycle:after_s=30@chf", device=power_cycle),
    "power-loss": FaultRow(
        ("off_s",), "power-loss:state=DOWNLOADING,percent=50,off_s=120@esme", device=power_loss
    ),
    "battery-low": FaultRow(("days",), "battery-low:days=5,after_s=1@gsme", device=battery_low),
    "self-test-fails": FaultRow((), "self-test-fails:after_s=1@esme", device=self_test_fails),
    "valve-stuck": FaultRow((), "valve-stuck:after_s=1@gsme", device=valve_stuck),
    "mute": FaultRow((), "mute:role=gsme@han", frame=mute, sim=deaf),
    "refuse": FaultRow((), "refuse:party=SMSO@sim", sim=refuse),
    "late": FaultRow(("s",), "late:s=604799@sim", sim=late, needs=("s",)),
    "key-write-cut": FaultRow(
        ("effect", "off_s"),
        "key-write-cut:effect=taken,off_s=60@esme",
        device=key_write_cut,
        only=("esme", "gsme", "chf"),
        armed=True,
    ),
}


def parse(text: str) -> Fault:
    """Read one order, ``NAME[:key=value,...]@LINK``.

    Args:
        text: For instance ``corrupt:p=0.01@han``.

    Raises:
        FaultSyntaxError: No ``@``, or a key without ``=``, or a key given twice.
        UnknownFaultError: No such fault.
        UnknownFaultKeyError: A key the fault does not know.
        FaultValueError: A value out of range, or a device fault that says not when.
        FaultLinkError: No such link, or not one for this fault.
    """
    head, at_sign, link = text.strip().rpartition("@")
    if not at_sign or not head:
        raise FaultSyntaxError(f"{text!r} is not NAME[:key=value,...]@LINK")
    name, _, listed = head.partition(":")
    if name not in FAULTS:
        raise UnknownFaultError(f"no fault {name!r}; there are: {', '.join(FAULTS)}")
    row = FAULTS[name]
    _check_link(name, row, link)
    keys = _keys(text, row, link, listed)
    timeless = row.armed or link not in ROLES
    if not timeless and not {"at", "after_s", "state", "note"} & keys.keys():
        raise FaultValueError(f"{text!r} says not when: give at=, after_s=, state= or note=")
    lacking = [key for key in row.needs if key not in keys]
    if lacking:
        raise FaultValueError(f"{text!r} lacks {', '.join(f'{key}=' for key in lacking)}")
    return Fault(name, link, tuple(keys.items()), text.strip())


def parse_clear(text: str) -> str | None:
    """Return the place that ``clear@LINK`` names; None where the order is another.

    Where several homes stand beside each other, ``clear:home=REF@LINK`` is for one of them.

    Raises:
        FaultLinkError: There is no such place.
    """
    head, _, link = text.strip().rpartition("@")
    if head != CLEAR and not head.startswith(_CLEAR_HOME):
        return None
    if link not in PLACES:
        raise FaultLinkError(f"{CLEAR}: no link {link!r}; links: {', '.join(PLACES)}")
    return link


def cleared_home(text: str) -> str:
    """Return the home that an order that clears is for; empty: every one."""
    head, _, _link = text.strip().rpartition("@")
    return head.removeprefix(_CLEAR_HOME) if head.startswith(_CLEAR_HOME) else ""


def in_home(faults: Sequence[Fault], ref: str) -> list[Fault]:
    """Return those of the faults that are meant for every home, or for the home of that ref."""
    return [fault for fault in faults if fault.word("home") in {"", ref}]


def _check_link(name: str, row: FaultRow, link: str) -> None:
    if link in row.links:
        return
    known = link in PLACES
    why = f"does not work on {link!r}" if known else f"no link {link!r}"
    more = " (from=ROLE and to=ROLE choose a device's frames)" if row.on_frames and known else ""
    raise FaultLinkError(f"{name}: {why}; links for it: {', '.join(row.links)}{more}")


def _keys(text: str, row: FaultRow, link: str, listed: str) -> dict[str, KeyValue]:
    keys: dict[str, KeyValue] = {}
    known = row.keys + row.selectors_on(link)
    for item in listed.split(",") if listed else ():
        key, equals, value = item.partition("=")
        if not equals or key in keys:
            raise FaultSyntaxError(f"{text!r}: {item!r} is no key=value, or stands there twice")
        if key not in known:
            raise UnknownFaultKeyError(f"{text!r}: no key {key!r}; keys: {', '.join(known)}")
        keys[key] = _read(text, key, value)
    return keys


def _read(text: str, key: str, value: str) -> KeyValue:
    reader = KEYS[key].read
    try:
        return reader(value)
    except ValueError as error:
        raise FaultValueError(f"{text!r}: {key}={value!r}: {error}") from error


def _flipped(frame: bytes, fault: Fault, hand: Hand, default_octet: int) -> bytes:
    """Return ``frame`` with one bit flipped; an octet out of its range means the last one."""
    if not frame:
        return frame
    octet = fault.whole("octet", default_octet)
    octet = octet if -len(frame) <= octet < len(frame) else -1
    bit = fault.number("bit")
    spoilt = bytearray(frame)
    spoilt[octet] ^= 1 << (hand.draw.below(8) if bit is None else int(bit))
    return bytes(spoilt)
