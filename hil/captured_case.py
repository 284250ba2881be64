"""A recorded conversation as a test: our client against it, and an emulated meter against it."""

from dataclasses import dataclass, field
from pathlib import Path

from emulator.core.chance import Stream
from emulator.crypto.dlms_factory import factory_keys
from harness.dlms import from_profile
from harness.dlms.association import Draw
from harness.errors import UsageError
from harness.replay_jobs import Whose, play_client
from harness.replay_player import StrictPlayer
from harness.transcript import Transcript, sessions_of
from harness.transcript_file import load
from hil.replay import Against, against_emulator


@dataclass(frozen=True, slots=True)
class CapturedCase:
    """One capture, replayed both ways.

    Attributes:
        transcript: The recording.
        against: The emulated meter it is held against.
    """

    transcript: Transcript
    against: Against = field(default_factory=Against)

    @classmethod
    def of(cls, name: Path, profile: str = "") -> "CapturedCase":
        """Load a capture.

        Raises:
            UsageError: There is none of this name, or it was changed.
        """
        return cls(load(name), Against(profile))

    def mismatches(self) -> list[str]:
        """Return where our client says something else than it said in the recording.

        Raises:
            UsageError: The recording is of no emulated meter: its credentials are not known.
        """
        told: list[str] = []
        for session in sessions_of(self.transcript):
            player = StrictPlayer(session)
            play_client(session, player, self.clients(), draw_of(session))
            told += [
                f"request {one.number}: recorded {one.expected}; now {one.got}"
                for one in player.mismatches
            ]
            told += [f"{player.left} recorded requests did not come"] if player.left else []
        return told

    def differences(self) -> list[str]:
        """Return where the emulated meter answers otherwise than the recorded one did.

        Raises:
            UsageError: The profile cannot be used.
        """
        found = against_emulator(self.transcript, self.against).differences
        return [f"{one.where}: {one.subject}: was {one.a}; now {one.b}" for one in found]

    def clients(self) -> Whose:
        """Return the credentials of the clients in the recording, by service access point.

        Raises:
            UsageError: As for ``mismatches``.
        """
        about = self.transcript.about
        if about.device_seed is None:
            raise UsageError(
                "the capture is of a real device; its credentials are not known here",
                where="device_seed",
                cause="a test needs a capture of an emulated or loopback device",
                next_command="smetsbench replay NAME --as client --bench FILE",
            )
        meter = self.against.meter(self.transcript)
        dlms = meter.model().dlms
        held = factory_keys(about.device_seed, meter.eui64)
        if dlms is None:
            return {}
        every = [
            from_profile.credentials(dlms, held, one) for one in from_profile.client_names(dlms)
        ]
        return {one.client: one for one in every}


def draw_of(transcript: Transcript) -> Draw:
    """Return the chance that the recorded client drew its challenges from."""
    about = transcript.about
    return Stream(about.seed or 0, about.chance).octets
