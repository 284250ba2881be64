"""What an APDU says, as a value; and an APDU's octets decoded, whichever kind they are."""

from dataclasses import dataclass

from emulator.codecs.dlms import apdu as codec
from emulator.codecs.dlms import apdu_ciphered
from emulator.codecs.dlms.apdu import Apdu
from emulator.codecs.dlms.apdu_ciphered import CipheredApdu
from harness.gbcs_view.field import Field

Question = Apdu | CipheredApdu | None


@dataclass(frozen=True, slots=True)
class Told:
    """What an APDU says.

    Attributes:
        label: One line.
        family: APDUs of one family fold in a diagram; empty never folds.
        fields: Everything in it, by name.
        question: What an answer to it is read with; None for answers.
    """

    label: str
    family: str = ""
    fields: tuple[Field, ...] = ()
    question: Question = None


def value_of(octets: bytes) -> Apdu | CipheredApdu:
    """Decode an APDU, plain or protected.

    Raises:
        MalformedFrameError: It is neither.
    """
    if octets[:1] and octets[0] in apdu_ciphered.CIPHERED_TAGS:
        return apdu_ciphered.decode(octets)
    return codec.decode(octets)
