"""What an opened migration file must hold (TMAD 5.23, 11.1, Table 11.2.1, 15.3)."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from device_profiles.cohort import CohortEnvelope
from emulator.core.values import quick
from harness.rules.outcomes import Check, NotApplicable, Refusal

#: The two structures that Table 11.2.1 may name (5.23(b)).
STRUCTURES: Final = ("DecryptedS1SPGroupInformation", "DecryptedS1SPDPGroupInformation")
_NO_KEY: Final = NotApplicable("the key that opens it is not held")


class Opening(enum.StrEnum):
    """How far a cipher text, or a text in the clear, could be opened."""

    ABSENT = "absent"
    CLOSED = "closed"  # it is there; nobody at hand holds the key
    BAD_POINT = "bad-point"  # the ephemeral public key is no point of the curve
    NOT_DECRYPTED = "not-decrypted"
    ILL_FORMED = "ill-formed"
    INVALID = "invalid"  # well formed, not valid against the schema
    NOT_CANONICAL = "not-canonical"
    BAD_VALUE = "bad-value"
    OTHER_HUB = "other-hub"
    VALID = "valid"


_SEALED: Final = frozenset({Opening.BAD_POINT, Opening.NOT_DECRYPTED})


@quick
@dataclass(frozen=True, slots=True)
class Opened:
    """One part, as far as it could be opened.

    Attributes:
        opening: How far.
        root: Name of its root element; empty where it is not well formed.
        why: What stood in the way, in a sentence; empty for a valid part.
    """

    opening: Opening = Opening.ABSENT
    root: str = ""
    why: str = ""


@quick
@dataclass(frozen=True, slots=True)
class EnvelopeFacts:
    """What one installation's part of the group files came to.

    Attributes:
        row: The group's row of Table 11.2.1.
        encrypted: EncryptedS1SPGroupInformation.
        plaintext: Group data in the clear.
        protected: ProtectedData inside what the S1SP opened.
        dco: EncryptedDCOGroupInformation.
    """

    row: CohortEnvelope
    encrypted: Opened = Opened()
    plaintext: Opened = Opened()
    protected: Opened = Opened()
    dco: Opened = Opened()


def check_11_1(facts: EnvelopeFacts) -> Refusal | None:
    """Group data in the clear stand only where the group may have them, and not twice."""
    clear = facts.plaintext.opening is not Opening.ABSENT
    sealed = facts.encrypted.opening is not Opening.ABSENT
    if clear and not facts.row.plaintext_allowed:
        return Refusal("01")
    if not clear and not sealed:
        return Refusal("02")
    return Refusal("03") if clear and sealed else None


def check_5_23_a(facts: EnvelopeFacts) -> Refusal | NotApplicable | None:
    """EncryptedS1SPGroupInformation can be decrypted."""
    opening, why = facts.encrypted.opening, facts.encrypted.why
    if opening is Opening.ABSENT:
        return NotApplicable("there is nothing to decrypt")
    if opening is Opening.CLOSED:
        return _NO_KEY
    if opening is Opening.BAD_POINT:
        return Refusal("01", why)
    return Refusal("02", why) if opening is Opening.NOT_DECRYPTED else None


#: How far it was opened -> sub-code of 5.23(b).
_FORM: Final[Mapping[Opening, str]] = MappingProxyType(
    {
        Opening.INVALID: "02",
        Opening.NOT_CANONICAL: "04",
        Opening.OTHER_HUB: "05",
        Opening.BAD_VALUE: "06",
    }
)


def check_5_23_b(facts: EnvelopeFacts) -> Refusal | NotApplicable | None:
    """The plaintext is well formed, and valid as one of the two structures of Table 11.2.1."""
    part = _plain(facts)
    if part is None:
        return NotApplicable("there is no plaintext")
    if part.opening is Opening.ILL_FORMED:
        return Refusal("01", part.why)
    if part.root not in STRUCTURES:
        return Refusal("03", f"the root element is {part.root or '(none)'}")
    sub_code = _FORM.get(part.opening)
    return None if sub_code is None else Refusal(sub_code, part.why or part.root)


def check_11_2_1(facts: EnvelopeFacts) -> Refusal | NotApplicable | None:
    """The plaintext is the structure that the group's row names."""
    part = _plain(facts)
    if part is None or part.root not in STRUCTURES:
        return NotApplicable("there is no plaintext of either structure")
    if part.root == facts.row.root:
        return None
    return Refusal("01", f"{part.root} in the place of {facts.row.root}")


def check_dco(facts: EnvelopeFacts) -> Refusal | NotApplicable | None:
    """There is a part for the DCO where the group has one, only there, and it opens."""
    part = facts.dco
    if part.opening is Opening.ABSENT:
        return Refusal("01") if facts.row.dco_part else None
    if not facts.row.dco_part:
        return Refusal("02")
    return _inner(part, "DecryptedDCOGroupInformation")


def check_15_3(facts: EnvelopeFacts) -> Refusal | NotApplicable | None:
    """ProtectedData opens to its structure where the group has it, and is absent elsewhere."""
    plain = _plain(facts)
    if plain is None:
        return NotApplicable("there is no plaintext")
    if plain.root != STRUCTURES[0]:
        return NotApplicable("the plaintext is no structure that ProtectedData stands in")
    wanted, part = facts.row.protected_data, facts.protected
    if wanted is None:
        return None if part.opening is Opening.ABSENT else Refusal("02")
    if part.opening is Opening.ABSENT:
        return Refusal("01")
    return _inner(part, wanted)


ENVELOPE_CHECKS: Final[Mapping[str, Check[EnvelopeFacts]]] = MappingProxyType(
    {
        "11.1": check_11_1,
        "5.23(a)": check_5_23_a,
        "5.23(b)": check_5_23_b,
        "11.2.1": check_11_2_1,
        "15.3": check_15_3,
        "DCO": check_dco,
    }
)


def _inner(part: Opened, wanted: str) -> Refusal | NotApplicable | None:
    """Judge a part that is encrypted for a party of its own."""
    if part.opening is Opening.CLOSED:
        return _NO_KEY
    if part.opening in _SEALED:
        return Refusal("03", part.why)
    if part.opening is Opening.VALID and part.root == wanted:
        return None
    return Refusal("04", part.why or f"{part.root or '(none)'} in the place of {wanted}")


def _plain(facts: EnvelopeFacts) -> Opened | None:
    """Return what the S1SP can read, or None where it can read nothing."""
    if facts.encrypted.opening in {*_SEALED, Opening.CLOSED}:
        return None
    if facts.encrypted.opening is not Opening.ABSENT:
        return facts.encrypted
    return None if facts.plaintext.opening is Opening.ABSENT else facts.plaintext
