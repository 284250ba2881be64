"""The Access Control Broker: adds the MAC to commands, opens what devices send to it.

It holds the key of the transitional change-of-supplier party too, where that one is played: both
are parts of the DCC.
"""

from typing import Any

from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.envelope import Envelope
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyUsage
from emulator.crypto.protection import KeyRing, Opened, add_mac, open_message, sign
from emulator.crypto.signature import verify


class Acb:
    """Holds the broker's keys and its own originator counter.

    Attributes:
        name: How the trace calls it.
        eui64: Its identifier.
        counter: Originator counter of its last own message.
        transitional_cos: The transitional change-of-supplier party; None where nobody plays it.
    """

    def __init__(
        self,
        eui64: Eui64,
        ring: KeyRing,
        *,
        last_counter: int = 0,
        transitional_cos: Eui64 | None = None,
    ) -> None:
        self.name = "ACB"
        self.eui64 = eui64
        self.counter = last_counter
        self.transitional_cos = transitional_cos
        self._ring = ring

    def next_counter(self) -> int:
        """Return the counter of its next own message."""
        self.counter += 1
        return self.counter

    def protect(self, env: Envelope) -> bytes:
        """Return a command with the broker's MAC; a signature it carries stays as it is.

        Raises:
            KeyNotHeldError: No key of the target device is known.
        """
        return envelope.encode(add_mac(env, self._ring, acb=self.eui64))

    def signed(self, env: Envelope) -> Envelope:
        """Return a command of its own, or of the change-of-supplier party, with a signature.

        Raises:
            KeyNotHeldError: The originator's private key is not held.
        """
        return sign(env, self._ring)

    @property
    def own(self) -> frozenset[Eui64]:
        """The parties of the DCC whose keys it holds: what is sent to them, it can judge."""
        return frozenset({self.eui64, self.transitional_cos or self.eui64})

    def certificate_of(self, device: Eui64) -> bytes | None:
        """Return the key-agreement certificate of a device, DER, or None."""
        entry = self._ring.keystore.find(device, KeyUsage.KA)
        return None if entry is None else entry.certificate

    def signature_holds(self, env: Envelope) -> bool:
        """Say whether a command bears the signature of its originator."""
        signer = self._ring.keystore.find(env.header.originator, KeyUsage.DS)
        if signer is None or not env.signature:
            return False
        return verify(signer.public_point, envelope.signed_part(env), env.signature)

    def open(self, message: bytes) -> Opened:
        """Judge a message a device sent.

        Raises:
            MalformedFrameError: The octets are no message.
        """
        return open_message(message, self._ring, acb=self.eui64)

    def dump(self) -> dict[str, Any]:
        """Return its memory (never its keys)."""
        return {"counter": self.counter}

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        self.counter = state["counter"]
