"""The optical port before HDLC: sign-on, read-out, and why nothing may have answered."""

from dataclasses import dataclass
from typing import Final

from emulator.codecs.dlms import mode_e_sign_on as sign_on
from emulator.codecs.dlms.mode_e import OPENING_BAUD, Identification, SignOn, with_even_parity
from emulator.codecs.dlms.mode_e_sign_on import ReaderSignOn
from harness.dlms.jobs import SetSpeed, Write
from harness.dlms.settings import LineSettings, line_ms
from harness.meter import SignOnReport

#: Longest gap between two octets of one message. Source: reference serial-dlms.md 6.3, known.
_GAP_MS: Final = 1_500


@dataclass(frozen=True, slots=True)
class SignedOn:
    """The sign-on has ended.

    Attributes:
        report: What it came to.
        baud: Speed at which HDLC now has the line, or may have it where the meter was told to open
            it and its confirmation did not come; None where it has not.
    """

    report: SignOnReport
    baud: int | None


OpeningOutput = Write | SetSpeed | SignedOn


class Opening:
    """One sign-on, until ``SignedOn``. All octets are 7E1, made in software on an 8N1 line."""

    def __init__(self, settings: LineSettings, *, read_out: bool) -> None:
        """Make a sign-on; ``read_out`` asks for mode C even where mode E is offered."""
        self._machine = ReaderSignOn(
            settings.device_address, read_out=read_out, retries=settings.sign_on_retries
        )
        self._start_baud = settings.sign_on_baud
        self._address = settings.device_address
        self._request = with_even_parity(SignOn(settings.device_address).encode())
        self._wants_read_out = read_out
        self._identification: Identification | None = None
        self._heard = bytearray()
        self._heard_ms: int | None = None
        self._sending_ms = 0

    @property
    def deadline_ms(self) -> int | None:
        """When ``expire`` is due; the time that octets take on the line is allowed for."""
        due = self._machine.deadline_ms
        if due is None:
            return None
        due += self._sending_ms
        if self._heard_ms is None:
            return due
        return max(due, min(self._heard_ms + _GAP_MS, due + _GAP_MS))

    def begin(self, now_ms: int) -> list[OpeningOutput]:
        """Send the request."""
        return self._told(self._machine.begin(now_ms))

    def receive(self, octets: bytes, now_ms: int) -> list[OpeningOutput]:
        """Take octets of the line."""
        self._heard += octets[: 4 * len(self._request)]
        del self._heard[64:]
        self._heard_ms = now_ms
        return self._told(self._machine.receive(octets, now_ms))

    def expire(self, now_ms: int) -> list[OpeningOutput]:
        """Note that time has passed."""
        due = self.deadline_ms
        return [] if due is None or now_ms < due else self._told(self._machine.expire(now_ms))

    def _told(self, outputs: list[sign_on.Output]) -> list[OpeningOutput]:
        out: list[OpeningOutput] = []
        for output in outputs:
            match output:
                case sign_on.Transmit():
                    baud = self._start_baud if output.baud == OPENING_BAUD else output.baud
                    self._sending_ms = line_ms(len(output.octets), baud)
                    out += [SetSpeed(baud), Write(output.octets)]
                case sign_on.Listen(baud):
                    out.append(SetSpeed(baud))
                case sign_on.Identified(identification):
                    self._identification = identification
                case sign_on.Opened(baud):
                    out += [SetSpeed(baud), SignedOn(self._report(), baud)]
                case sign_on.ReadOut(block):
                    kept = block if self._wants_read_out else None
                    out.append(SignedOn(self._report(read_out=kept), None))
                case sign_on.Failed(why):
                    out.append(SignedOn(self._failure(why), self._half_open_baud()))
        return out

    def _report(self, read_out: str | None = None, causes: tuple[str, ...] = ()) -> SignOnReport:
        found = self._identification
        if found is None:
            return SignOnReport(answered=False, causes=causes)
        return SignOnReport(
            answered=True,
            manufacturer=found.manufacturer,
            baud=found.baud or self._start_baud,
            mode=found.mode,
            name=found.name,
            read_out=read_out,
            causes=causes,
        )

    def _half_open_baud(self) -> int | None:
        """Return the speed of a meter that was told to open mode E and whose word got lost."""
        found = self._identification
        asked = found is not None and found.mode == "E" and not self._wants_read_out
        return found.baud if found is not None and asked else None

    def _failure(self, why: str) -> SignOnReport:
        found = self._identification
        if found is None:
            return self._report(causes=self._causes())
        if found.mode == "E" and not self._wants_read_out:
            return self._report(
                causes=(
                    f"the meter offers mode E and did not confirm it ({why})",
                    f"the head or the port cannot follow the change to {found.baud} bit/s",
                )
            )
        return self._report(
            causes=(
                f"the meter identified itself and gave no usable read-out ({why})",
                "the model has no mode C read-out",
                f"the head or the port cannot follow the change to {found.baud} bit/s",
            )
        )

    def _causes(self) -> tuple[str, ...]:
        """Return what may be behind a sign-on without identification, most likely first."""
        heard = bytes(self._heard)
        speed = f"{self._start_baud} bit/s"
        if not heard:
            return (
                "the head is misplaced: turn it so that its cable points down, clean the window",
                "the model has no optical port, or it is switched off",
                "the port is not that of the optical head, or the head has no power",
                "the meter needs to be woken up first (a button, or its display lit)",
                f"the meter begins at another speed than {speed}",
                "the meter speaks another mode: HDLC at once (framing hdlc), or mode D",
                f"the meter listens to another device address than {self._address or '(any)'}",
            )
        if heard.startswith(self._request[: len(heard)]):
            return (
                "only the head's echo of our own request came: it is misplaced or sees a mirror",
                "the model has no optical port, or it is switched off",
                "the meter needs to be woken up first (a button, or its display lit)",
            )
        return (
            f"octets came, but no identification: the meter answers at another speed than {speed}",
            "stray light, or a head that is not quite in place",
            "the meter speaks another mode: HDLC at once (framing hdlc), or mode D",
            "the port is that of another device",
        )
