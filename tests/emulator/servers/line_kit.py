"""A scripted DLMS device, and a client that speaks the framings, for tests of the lines between."""

from dataclasses import dataclass, field
from typing import Any

from device_profiles.dlms import DlmsSection
from device_profiles.loader import load_profile
from device_profiles.schema import DeviceProfile
from emulator.codecs.dlms import hdlc, mode_e, wrapper
from emulator.codecs.dlms.hdlc import Address, Frame
from emulator.codecs.dlms.hdlc_control import Kind, control, i_control
from emulator.codecs.dlms.hdlc_splitter import FrameSplitter
from emulator.core.clock import UtcMs
from emulator.core.effects import (
    CloseDlms,
    DeviceEvent,
    DlmsChannel,
    DlmsIndication,
    Effect,
    Note,
    Payload,
    SendDlms,
    SetTimer,
)
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.servers.line_parts import HangUp, LineOutput, SetSpeed, Transmit

START = UtcMs(1_767_603_600_000)  # 2026-01-05T09:00Z
EUI64 = Eui64(bytes.fromhex("0253420300000001"))
PUBLIC, SERVER = 16, 1
GET = bytes.fromhex("c001c100030100010800ff0200")
ANSWER = bytes.fromhex("c401c1000600000539")
#: Orders to the scripted device; not DLMS.
CLOSE_ME, CLOSE_ALL, MUTE, TELL_LATER, BROKEN = b"\xf1", b"\xf2", b"\xf3", b"\xf4", b"\xf5"


def profile(
    *,
    sign_on: dict[str, Any] | None = None,
    hdlc_: dict[str, Any] | None = None,
    **changes: Any,
) -> DeviceProfile:
    """A SMETS1 ESME whose DLMS section is small and may be changed."""
    section = {
        "logical_device": SERVER,
        "wan_port": 1,
        "logical_device_name": "SBC0000000000001",
        "associations": [
            {
                "client": PUBLIC,
                "name": "public",
                "authentication": "none",
                "ciphered": False,
                "rights": "public",
            }
        ],
        "suite": 0,
        "conformance": ["get"],
        "max_pdu_bytes": 512,
        "hdlc": {
            "address_bytes": 1,
            "max_information_bytes": 128,
            "window": 1,
            "inactivity_s": 120,
            "max_links": 4,
        }
        | (hdlc_ or {}),
        "sign_on": sign_on,
        "objects": "none",
        "firmware_obis": "1-0:0.2.0.255",
        "capture_period_s": 1800,
        "profile_entries": 10,
        "log_entries": 10,
        "clock_drift_ppm": 0,
        "first_counter": 0,
    } | changes
    found = load_profile("demo-s1-esme")
    return found.model_copy(update={"dlms": DlmsSection.model_validate(section)})


SIGN_ON = {
    "manufacturer": "SBC",
    "baud_character": "5",
    "name": "DEMO S1",
    "mode_c": True,
    "mode_e": True,
    "start_baud": 300,
}


@dataclass
class ScriptedDevice:
    """Answers a GET with one register's value, and a few orders as told above."""

    profile: DeviceProfile = field(default_factory=profile)
    eui64: Eui64 = EUI64
    heard: list[bytes] = field(default_factory=list)
    gone: list[DlmsChannel] = field(default_factory=list)
    power: list[bool] = field(default_factory=list)
    value: int = 0x539
    at: list[UtcMs] = field(default_factory=list)
    told: DlmsChannel | None = None

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        self.at.append(now)
        if event is DeviceEvent.DLMS and isinstance(payload, DlmsIndication):
            return self._asked(payload.channel, payload.apdu, now)
        if event is DeviceEvent.DLMS_GONE and isinstance(payload, DlmsChannel):
            self.gone.append(payload)
        if event in {DeviceEvent.POWER_ON, DeviceEvent.POWER_OFF}:
            self.power.append(event is DeviceEvent.POWER_ON)
            return [Note("power", (("on", self.power[-1]),))]
        if event is DeviceEvent.TIMER and self.told is not None:
            return [SendDlms(self.told, b"\x0fnews")]
        return []

    def _asked(self, channel: DlmsChannel, apdu: bytes, now: UtcMs) -> list[Effect]:
        self.heard.append(apdu)
        if apdu == BROKEN:
            raise MalformedFrameError("test", apdu, "told to")
        if apdu == MUTE:
            return [Note("asked")]
        if apdu == TELL_LATER:
            self.told = channel
            return [SendDlms(channel, b"\xff"), SetTimer("news", UtcMs(now + 1000))]
        closing = {CLOSE_ME: [CloseDlms(channel)], CLOSE_ALL: [CloseDlms(None)]}
        self.value += apdu[:1] == b"\xc1"
        answer = ANSWER[:-4] + self.value.to_bytes(4, "big") if apdu[:1] in b"\xc0\xc1" else apdu
        return [Note("asked"), SendDlms(channel, answer), *closing.get(apdu, [])]

    def read_out(self, now: UtcMs) -> str:
        return f"1.8.0({self.value}*Wh)\r\n0.9.0({now % 100000})\r\n"

    def dump(self) -> dict[str, Any]:
        return {"value": self.value, "powered": bool(self.power and self.power[-1])}

    def load(self, state: Any) -> None:
        self.value = state["value"]


def sent(outputs: list[LineOutput]) -> bytes:
    """The octets among outputs."""
    return b"".join(item.octets for item in outputs if isinstance(item, Transmit))


def notes(outputs: list[LineOutput], kind: str) -> list[dict[str, Any]]:
    """The fields of all notes of a kind."""
    return [dict(item.fields) for item in outputs if isinstance(item, Note) and item.kind == kind]


def hang_ups(outputs: list[LineOutput]) -> list[str]:
    return [item.why for item in outputs if isinstance(item, HangUp)]


def speeds(outputs: list[LineOutput]) -> list[int]:
    return [item.baud for item in outputs if isinstance(item, SetSpeed)]


def bauds(outputs: list[LineOutput]) -> list[int | None]:
    """The speeds at which octets go out."""
    return [item.baud for item in outputs if isinstance(item, Transmit)]


def frames(octets: bytes) -> list[Frame]:
    return FrameSplitter().feed(octets)


@dataclass
class HdlcClient:
    """Makes the frames of one client with window 1, and takes the answers apart."""

    called: Address = field(default_factory=lambda: Address(SERVER))
    client: int = PUBLIC
    numbers: tuple[int, int] = (0, 0)

    def frame(self, kind: Kind, information: bytes = b"") -> bytes:
        field_ = control(kind, receive=self.numbers[1]) if kind is Kind.RR else control(kind)
        return hdlc.encode(Frame(self.called, Address(self.client), field_, information))

    def snrm(self) -> bytes:
        self.numbers = (0, 0)
        return self.frame(Kind.SNRM)

    def ask(self, apdu: bytes = GET) -> bytes:
        send, receive = self.numbers
        self.numbers = ((send + 1) % 8, (receive + 1) % 8)
        field_ = i_control(send, receive, poll=True)
        information = hdlc.LLC_COMMAND + apdu
        return hdlc.encode(Frame(self.called, Address(self.client), field_, information))

    def tell(self, apdu: bytes) -> bytes:
        field_ = control(Kind.UI, poll=False)
        information = hdlc.LLC_COMMAND + apdu
        return hdlc.encode(Frame(self.called, Address(self.client), field_, information))

    def disc(self) -> bytes:
        return self.frame(Kind.DISC)


def apdus(octets: bytes) -> list[bytes]:
    """The APDUs in the I frames of a stream (none is segmented)."""
    return [frame.information[3:] for frame in frames(octets) if frame.control.kind is Kind.I]


def kinds(octets: bytes) -> list[Kind]:
    return [frame.control.kind for frame in frames(octets)]


def wrapped(apdu: bytes = GET, client: int = PUBLIC, server: int = SERVER) -> bytes:
    return wrapper.encode(wrapper.WrapperFrame(client, server, apdu))


def text(message: bytes) -> bytes:
    """A sign-on message with its parity."""
    return mode_e.with_even_parity(message)


REQUEST, OPTION_E, OPTION_C = text(b"/?!\r\n"), text(b"\x06252\r\n"), text(b"\x06050\r\n")
IDENTIFICATION = text(b"/SBC5\\2DEMO S1\r\n")


def later(ms: int) -> UtcMs:
    return UtcMs(START + ms)
