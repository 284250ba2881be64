"""What an opened migration file must hold (TMAD 5.23, 11.1, Table 11.2.1, 15.3)."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from device_profiles.cohort import CohortEnvelope
from harness.rules.outcomes import Check, NotApplicable, Refusal

#: The two structures that Table 11.2.1 may name (5.23(b)).
STRUCTURES: Final = ("DecryptedS1SPGroupInformation", "DecryptedS1SPDPGroupInformation")


class Opening(enum.StrEnum):
    """How far a cipher text, or a text in the clear, could be opened."""

    ABSENT = "absent"
    NOT_DECRYPTED = "not-decrypted"
    ILL_FORMED = "ill-formed"
    INVALID = "invalid"  # well formed, not valid against the schema
    VALID = "valid"


@dataclass(frozen=True, slots=True)
class Opened:
    """One part, as far as it could be opened.

    Attributes:
        opening: How far.
        root: Name of its root element; empty where it is not well formed.
    """

    opening: Opening = Opening.ABSENT
    root: str = ""


@dataclass(frozen=True, slots=True)
class EnvelopeFacts:
    """What one installation's part of the group files came to.

    Attributes:
        row: The group's row of Table 11.2.1.
        encrypted: EncryptedS1SPGroupInformation.
        plaintext: Group data in the clear.
        protected: ProtectedData inside what the S1SP opened.
        dco_part: Whether there is a part for the DCO.
    """

    row: CohortEnvelope
    encrypted: Opened = Opened()
    plaintext: Opened = Opened()
    protected: Opened = Opened()
    dco_part: bool = False


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
    if facts.encrypted.opening is Opening.ABSENT:
        return NotApplicable("there is nothing to decrypt")
    return Refusal("02") if facts.encrypted.opening is Opening.NOT_DECRYPTED else None


def check_5_23_b(facts: EnvelopeFacts) -> Refusal | NotApplicable | None:
    """The plaintext is well formed, and valid as one of the two structures of Table 11.2.1."""
    part = _plain(facts)
    if part is None:
        return NotApplicable("there is no plaintext")
    if part.opening in {Opening.ILL_FORMED, Opening.NOT_DECRYPTED}:
        return Refusal("01")
    if part.root not in STRUCTURES:
        return Refusal("03", part.root or "(none)")
    return Refusal("02", part.root) if part.opening is Opening.INVALID else None


def check_11_2_1(facts: EnvelopeFacts) -> Refusal | NotApplicable | None:
    """The plaintext is the structure that the group's row names."""
    part = _plain(facts)
    if part is None or part.root not in STRUCTURES:
        return NotApplicable("there is no plaintext of either structure")
    if part.root == facts.row.root:
        return None
    return Refusal("01", f"{part.root} in the place of {facts.row.root}")


def check_dco(facts: EnvelopeFacts) -> Refusal | None:
    """There is a part for the DCO where the group has one, and only there."""
    if facts.dco_part == facts.row.dco_part:
        return None
    return Refusal("01" if facts.row.dco_part else "02")


def check_15_3(facts: EnvelopeFacts) -> Refusal | NotApplicable | None:
    """ProtectedData opens to its structure where the group has it, and is absent elsewhere."""
    if _plain(facts) is None:
        return NotApplicable("there is no plaintext")
    wanted, part = facts.row.protected_data, facts.protected
    if wanted is None:
        return None if part.opening is Opening.ABSENT else Refusal("02")
    if part.opening is Opening.ABSENT:
        return Refusal("01")
    if part.opening is Opening.NOT_DECRYPTED:
        return Refusal("03")
    if part.opening is not Opening.VALID or part.root != wanted:
        return Refusal("04", f"{part.root or '(none)'} in the place of {wanted}")
    return None


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


def _plain(facts: EnvelopeFacts) -> Opened | None:
    """Return what the S1SP can read, or None where it can read nothing."""
    if facts.encrypted.opening is Opening.NOT_DECRYPTED:
        return None
    if facts.encrypted.opening is not Opening.ABSENT:
        return facts.encrypted
    return None if facts.plaintext.opening is Opening.ABSENT else facts.plaintext
