"""Wrong methods of devices whose firmware comes over the HAN; each takes the right one.

What is wrong with each is said in ``defects.DEFECTS``.
"""

from typing import Any

from device_profiles.words import SupplyState
from emulator.codecs import ota_file
from emulator.codecs.gbcs.asn1 import ActivationCode
from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.core.errors import MalformedFrameError
from emulator.crypto.token_memory import TokenMemory
from emulator.devices.defective_methods import Method
from emulator.devices.firmware_slots import PendingImage
from emulator.devices.gsme.wake import SLEEP_TIMER
from emulator.devices.verification import Verdict


def says_nothing(_right: Method) -> Method:
    """Do nothing at all."""
    return lambda _self, *_args, **_kwargs: []


def says_no(_right: Method) -> Method:
    """Answer False."""
    return lambda _self, *_args: False


def no_objection(_right: Method) -> Method:
    """Find no reason against anything."""
    return lambda _self, *_args: ""


def _kept(self: Any, octets: bytes, verdict: Verdict) -> Verdict:
    try:
        image = ota_file.decode(octets, self.profile.firmware.image_kind)
    except MalformedFrameError:
        return verdict
    header = image.header
    pending = PendingImage(
        header.version_octets,
        verdict.calculated_hash,
        len(octets),
        header.image_type,
        header.minimum_hardware,
        header.maximum_hardware,
    )
    return Verdict("", verdict.calculated_hash, pending)


def any_signature_will_do(right: Method) -> Method:
    """Keep what only its signature speaks against."""

    def judge_image(self: Any, octets: bytes) -> Verdict:
        verdict: Verdict = right(self, octets)
        wrong = verdict.why in {"bad-signature", "unknown-signer"}
        return _kept(self, octets, verdict) if wrong else verdict

    return judge_image


def any_image_will_do(right: Method) -> Method:
    """Keep whatever can be taken apart."""

    def judge_image(self: Any, octets: bytes) -> Verdict:
        verdict: Verdict = right(self, octets)
        return _kept(self, octets, verdict) if verdict.why else verdict

    return judge_image


def any_hash_will_do(right: Method) -> Method:
    """Compare no hash."""
    return lambda self, _image_hash: right(self, None)


def never_lacks_an_image(right: Method) -> Method:
    """Call a missing image a success."""

    def refusal(self: Any, image_hash: bytes | None) -> ActivationCode | None:
        return ActivationCode.SUCCESS if self.slots.pending is None else right(self, image_hash)

    return refusal


def done_at_once(right: Method) -> Method:
    """Say that it is done when there is nothing to do."""

    def begin(self: Any, image_hash: bytes | None, running: Any, now: UtcMs) -> Any:
        if self.slots.pending is None:
            return ActivationCode.SUCCESS, []
        return right(self, image_hash, running, now)

    return begin


def drops_the_image(_right: Method) -> Method:
    """Let the image go instead of running it."""

    def take_over(self: Any, image: PendingImage) -> Note:
        self.slots.drop(image)
        return Note("firmware_activated", (("to", self.slots.running.hex()),))

    return take_over


def stays_on_bad_firmware(_right: Method) -> Method:
    """Run the image that failed."""
    return lambda self, image: self.take_over(image)


def always_success(right: Method) -> Method:
    """Answer success for every code."""
    return lambda self, _code: right(self, ActivationCode.SUCCESS)


def tells_success(right: Method) -> Method:
    """Tell of success for every code."""
    return lambda self, _code, now: right(self, ActivationCode.SUCCESS, now)


def no_patience(right: Method) -> Method:
    """Schedule for the beginning of time."""
    return lambda self, command, _offset: right(self, command, command.at)


def cancels_too_much(right: Method) -> Method:
    """Cancel the image, too."""

    def cancel(self: Any) -> Any:
        self.slots.pending = None
        return right(self)

    return cancel


def forgets_activation(right: Method) -> Method:
    """Forget what runs when power goes."""

    def on_power_off(self: Any, now: UtcMs) -> Any:
        self.activation.running = None
        return right(self, now)

    return on_power_off


def takes_lower_versions(right: Method) -> Method:
    """Have nothing against a downgrade."""

    def why_not_offer(self: Any, frame: Any) -> str:
        why: str = right(self, frame)
        return "" if why == "downgrade" else why

    return why_not_offer


def only_forward(right: Method) -> Method:
    """Refuse every lower version."""
    return lambda self, version: version < self.slots.running or right(self, version)


def loses_the_download(right: Method) -> Method:
    """Throw half an image away."""

    def lose_power(self: Any, payload: Any, now: UtcMs) -> Any:
        self.download = None
        return right(self, payload, now)

    return lose_power


def asks_again_at_once(_right: Method) -> Method:
    """Plan the next request for now."""

    def wait(self: Any, _payload: Any, now: UtcMs) -> Any:
        self._wait_until = now
        return self._wait_on(None, now)

    return wait


def forgets_counters(right: Method) -> Method:
    """Hold no counter against a message."""

    def on_message(self: Any, message: bytes, now: UtcMs) -> Any:
        self.accepted.clear()
        return right(self, message, now)

    return on_message


def wrong_version(right: Method) -> Method:
    """Invert the last octet of the version."""

    def reported_version(self: Any) -> bytes:
        version: bytes = right(self)
        return version[:-1] + bytes((version[-1] ^ 0xFF,))

    return reported_version


def closes_the_valve(right: Method) -> Method:
    """Close the valve on the way."""

    def learn_of_image(self: Any, notify: Any, now: UtcMs) -> Any:
        self.valve = SupplyState.OFF
        return right(self, notify, now)

    return learn_of_image


def opens_the_switch(right: Method) -> Method:
    """Open the load switch on the way."""

    def finish_activation(self: Any, now: UtcMs) -> Any:
        self.switch = SupplyState.OFF
        return right(self, now)

    return finish_activation


def never_sleeps(right: Method) -> Method:
    """Let the end of a window pass."""
    return lambda self, name, now: [] if name == SLEEP_TIMER else right(self, name, now)


def forgets_tokens(right: Method) -> Method:
    """Forget the tokens taken before each message."""

    def on_message(self: Any, message: bytes, now: UtcMs) -> Any:
        self.model.tokens = TokenMemory()
        return right(self, message, now)

    return on_message
