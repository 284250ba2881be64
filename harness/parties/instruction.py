"""What the S1SP and the DCO agree on before a device is touched: instruction and countersignature.

Stand-in: how a real S1SP shows a DCO what it is about to do is not public.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final, Self

from device_profiles.dmves import Equivalent, EquivalentStep, StepVerb
from emulator.codecs.dlms import axdr
from emulator.core.ids import Eui64
from emulator.core.values import quick
from emulator.crypto import signature
from harness.smets1.arguments import Arguments, argument_of, selection_of
from harness.smets1.steps import descriptor

#: What every countersignature begins with, so that it is good for nothing else. Source: invented.
_PURPOSE: Final = b"smetsbench DCO countersignature\x00"
_COUNTER_BYTES: Final = 8
_SERVICE_LIMIT: Final = 255


@quick
@dataclass(frozen=True, slots=True)
class Instruction:
    """One request at one device, as it is shown to the DCO.

    Attributes:
        device: The device.
        service: Service request or step of the equivalent-steps table, e.g. ``1.6``.
        digest: SHA-256 over every access with its argument, 32 octets.
    """

    device: Eui64
    service: str
    digest: bytes

    @classmethod
    def of(cls, device: Eui64, equivalent: Equivalent, given: Arguments) -> Self:
        """Return the instruction that a request comes to.

        Raises:
            UsageError: The request lacks a value, or the table holds an unknown word.
        """
        sums = hashlib.sha256()
        for step in equivalent.steps:
            sums.update(_access(step, given))
        return cls(device, equivalent.service, sums.digest())

    def octets(self) -> bytes:
        """Return it as the message that goes to the DCO: device, service, digest."""
        service = self.service.encode()[:_SERVICE_LIMIT]
        return self.device.octets + bytes((len(service),)) + service + self.digest


@quick
@dataclass(frozen=True, slots=True)
class Countersignature:
    """The DCO's part of a critical instruction.

    Attributes:
        signer: Who signed.
        counter: Rises with every countersignature for a device.
        signature: ECDSA P-256 over instruction and counter, r and s, 64 octets.
    """

    signer: Eui64
    counter: int
    signature: bytes = field(repr=False)

    def octets(self) -> bytes:
        """Return it as the message that comes from the DCO: signer, counter, signature."""
        return self.signer.octets + self.counter.to_bytes(_COUNTER_BYTES, "big") + self.signature

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "signer": self.signer.hex,
            "counter": self.counter,
            "signature": self.signature.hex(),
        }


def countersign(
    signer: Eui64, scalar: int, instruction: Instruction, counter: int
) -> Countersignature:
    """Sign an instruction."""
    octets = signature.sign(scalar, _covered(instruction, counter))
    return Countersignature(signer, counter, octets)


def is_signed_by(point: bytes, instruction: Instruction, by: Countersignature) -> bool:
    """Say whether the key of a point (65 octets) signed this instruction with this counter."""
    return signature.verify(point, _covered(instruction, by.counter), by.signature)


def _covered(instruction: Instruction, counter: int) -> bytes:
    return _PURPOSE + instruction.octets() + counter.to_bytes(_COUNTER_BYTES, "big")


def _access(step: EquivalentStep, given: Arguments) -> bytes:
    """Return one access as octets: verb, attribute or method, and what goes with it."""
    one = descriptor(step)
    head = f"{step.verb}/{step.client}/{one.class_id}/{one.obis.hex()}/{one.index}/".encode()
    if step.verb is StepVerb.IMAGE_BLOCKS:
        image = b"" if given.image is None else given.image.octets
        return head + hashlib.sha256(image).digest()
    if step.verb is StepVerb.GET:
        return head + repr(selection_of(step.argument, given)).encode() + b"\x00"
    argument = argument_of(step.argument, given)
    octets = b"" if argument is None else axdr.encode(argument)
    return head + len(octets).to_bytes(4, "big") + octets
