"""The optical port: sign-on at the opening speed, HDLC after mode E, and back again."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from device_profiles.dlms import SignOnSection
from emulator.codecs.dlms import mode_e, mode_e_sign_on
from emulator.codecs.dlms.dumped import Dumped
from emulator.codecs.dlms.hdlc_link import Reason
from emulator.codecs.dlms.mode_e import Identification
from emulator.codecs.dlms.mode_e_sign_on import MeterSignOn, MeterState, Opened
from emulator.core.clock import UtcMs
from emulator.core.effects import CloseDlms, Note, SendDlms
from emulator.servers.application import Application
from emulator.servers.hdlc_port import HdlcPort
from emulator.servers.line_parts import LineOutput, SetSpeed, Transmit

#: Speed of a port that has no sign-on. Source: inferred, the usual speed of HDLC without mode E.
DIRECT_BAUD: Final = 9600
_BITS_AN_OCTET: Final = 10
_DUMPED: Final = frozenset({"sign_on", "hdlc", "hdlc_has_line", "baud"})
#: What ends the HDLC phase once no link is left; a link dropped by the device does not.
_CLOSING: Final = frozenset({Reason.PEER, Reason.INACTIVITY})

#: Returns the data block of a read-out as it is at a moment; None: the device has none.
ReadOut = Callable[[UtcMs], str | None]


class OpticalPort:
    """Sign-on and HDLC on one line.

    With mode E, HDLC has the line from the option select on until the last link is closed or
    nothing good was heard for the inactivity time; sign-ons in between go unheard, as they do on a
    head that listens at another speed. Without mode E, HDLC is there at once, and a sign-on is
    heard beside it while no link stands.

    Attributes:
        baud: Speed it listens at.
    """

    def __init__(self, application: Application, read_out: ReadOut) -> None:
        """Make a port in its first state.

        Args:
            application: The line's door to the device.
            read_out: Gives the data block of a mode C read-out.
        """
        section = application.section.sign_on
        self.baud = DIRECT_BAUD if section is None else section.start_baud
        self._start_baud = self.baud
        self._section = section
        self._read_out = read_out
        self._mode_e = section is not None and section.mode_e
        self._hdlc_has_line = not self._mode_e
        self._identification = None if section is None else _identification(section)
        self._sign_on = self._new_sign_on(None)
        self._hdlc = HdlcPort(application, self.baud, hangs_up=False)

    @property
    def kept_bytes(self) -> int:
        """Octets of an unfinished HDLC frame."""
        return self._hdlc.kept_bytes if self._hdlc_has_line else 0

    @property
    def deadline_ms(self) -> int | None:
        """When ``expire`` is due, or None."""
        signing = None if self._sign_on is None else self._sign_on.deadline_ms
        idle = self._hdlc.idle_ms if self._mode_e and self._hdlc_has_line else None
        due = (signing, idle, self._hdlc.deadline_ms)
        return min((at for at in due if at is not None), default=None)

    def begin(self, now: UtcMs) -> None:
        """Nothing to note: an optical head is there or not, and the port cannot tell."""

    def receive(self, octets: bytes, now: UtcMs) -> list[LineOutput]:
        """Take octets of the line."""
        if not self._hdlc_has_line:
            return self._signing(octets, now)
        beside = not self._mode_e and not self._hdlc.connected
        out = self._after_hdlc(self._hdlc.receive(octets, now))
        if beside and not self._hdlc.connected:
            out += self._signing(octets, now)
        return out

    def silence(self, now: UtcMs) -> list[LineOutput]:
        """Give up an unfinished HDLC frame."""
        return self._after_hdlc(self._hdlc.silence(now)) if self._hdlc_has_line else []

    def expire(self, now: UtcMs) -> list[LineOutput]:
        """Note that time has passed."""
        out: list[LineOutput] = []
        if self._sign_on is not None:
            out += self._signed(self._sign_on.expire(now), now)
        out += self._after_hdlc(self._hdlc.expire(now))
        idle = self._hdlc.idle_ms
        if self._mode_e and self._hdlc_has_line and idle is not None and now >= idle:
            out += self._back_to_sign_on(Reason.INACTIVITY.value)
        return out

    def close(self, order: CloseDlms, now: UtcMs) -> list[LineOutput]:
        """Drop links as the device orders; HDLC keeps the line, so that late polls get DM."""
        return self._hdlc.close(order, now)

    def tell(self, order: SendDlms) -> list[LineOutput]:
        """Tell a client something unasked."""
        return self._hdlc.tell(order)

    def lost(self, now: UtcMs) -> list[LineOutput]:
        """End every link, and listen for a sign-on again."""
        out = self._hdlc.lost(now)
        self.reset()
        return out

    def reset(self) -> None:
        """Forget everything."""
        self.baud = self._start_baud
        self._hdlc.baud = self.baud
        self._hdlc.reset()
        self._hdlc_has_line = not self._mode_e
        self._sign_on = self._new_sign_on(None)

    def dump(self) -> dict[str, Any]:
        """Return both machines and which of them has the line."""
        return {
            "sign_on": None if self._sign_on is None else self._sign_on.dump(),
            "hdlc": self._hdlc.dump(),
            "hdlc_has_line": self._hdlc_has_line,
            "baud": self.baud,
        }

    def load(self, state: Any, path: str) -> None:
        """Take over a ``dump``."""
        dumped = Dumped(state, path, _DUMPED)
        has_line, baud = dumped.flag("hdlc_has_line"), dumped.number("baud", 1)
        if self._sign_on is not None:
            self._sign_on.load(dumped.raw("sign_on"), f"{path}.sign_on")
        self._hdlc.load(dumped.raw("hdlc"), f"{path}.hdlc")
        self._hdlc_has_line, self.baud, self._hdlc.baud = has_line, baud, baud

    # -- sign-on -------------------------------------------------------------------------------

    def _new_sign_on(self, block: str | None) -> MeterSignOn | None:
        if self._identification is None:
            return None
        return MeterSignOn(self._identification, "", block)

    def _signing(self, octets: bytes, now: UtcMs) -> list[LineOutput]:
        if self._sign_on is None or self._identification is None:
            return []
        # The meter waits for the option select once its identification is out, not before.
        said_ms = self._identification.reaction_ms + _line_ms(
            len(self._identification.encode()), self._start_baud
        )
        return self._signed(self._sign_on.receive(octets, now + said_ms), now)

    def _signed(self, outputs: Sequence[mode_e_sign_on.Output], now: UtcMs) -> list[LineOutput]:
        opened = next((item for item in outputs if isinstance(item, Opened)), None)
        out: list[LineOutput] = [
            self._said(item, opened)
            for item in outputs
            if isinstance(item, mode_e_sign_on.Transmit)
        ]
        if opened is not None:
            self._hdlc_has_line = True
            self.baud = self._hdlc.baud = opened.baud
            self._hdlc.begin(now)
            out += [SetSpeed(opened.baud), _speed_note("hdlc", opened.baud, "option select")]
        self._freshen(now)
        return out

    def _said(self, said: mode_e_sign_on.Transmit, opened: Opened | None) -> Transmit:
        opening = opened is None and said.baud == mode_e.OPENING_BAUD
        reaction = 0 if self._identification is None else self._identification.reaction_ms
        return Transmit(said.octets, self._start_baud if opening else said.baud, reaction)

    def _freshen(self, now: UtcMs) -> None:
        """Give a meter that was just called the read-out of this moment."""
        held = self._sign_on
        offers = self._section is not None and self._section.mode_c
        if held is None or not offers or held.state is not MeterState.IDENTIFIED:
            return
        fresh = self._new_sign_on(self._read_out(now))
        if fresh is not None:
            fresh.load(held.dump())
            self._sign_on = fresh

    # -- HDLC ----------------------------------------------------------------------------------

    def _after_hdlc(self, out: list[LineOutput]) -> list[LineOutput]:
        closing = [reason for reason in self._hdlc.ended if reason in _CLOSING]
        if closing and self._mode_e and self._hdlc_has_line and not self._hdlc.connected:
            out += self._back_to_sign_on(closing[-1].value)
        return out

    def _back_to_sign_on(self, why: str) -> list[LineOutput]:
        self.reset()
        return [SetSpeed(self.baud), _speed_note("sign-on", self.baud, why)]


def _identification(section: SignOnSection) -> Identification:
    return Identification(
        section.manufacturer,
        section.baud_character,
        section.name,
        "2" if section.mode_e else "",
    )


def _line_ms(octets: int, baud: int) -> int:
    return -(-octets * _BITS_AN_OCTET * 1000 // baud)


def _speed_note(phase: str, baud: int, why: str) -> Note:
    return Note("line_phase", (("phase", phase), ("baud", baud), ("why", why)))
