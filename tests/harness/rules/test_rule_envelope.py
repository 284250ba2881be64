"""11.1, 5.23(a), 5.23(b), Table 11.2.1, 15.3: every opening against every group's row."""

import itertools

import pytest

from device_profiles.cohort import CohortEnvelope
from harness.rules.migration_envelope import (
    ENVELOPE_CHECKS,
    STRUCTURES,
    EnvelopeFacts,
    Opened,
    Opening,
)
from harness.rules.outcomes import Result
from tests.harness.rules.rule_witnesses import cohort, judge

S1SP, DP = STRUCTURES
#: What a text in the clear can come to: nobody decrypts it.
IN_THE_CLEAR = sorted(set(Opening) - {Opening.CLOSED, Opening.BAD_POINT, Opening.NOT_DECRYPTED})
DCO = Opened(Opening.VALID, "DecryptedDCOGroupInformation")


def rejected(facts: EnvelopeFacts) -> list[tuple[str, str]]:
    outcomes = judge().run(ENVELOPE_CHECKS, facts)
    return [(one.code, one.sub_code) for one in outcomes if one.rejected]


def row(root: str = S1SP, protected: str | None = DP, plain: bool = False) -> CohortEnvelope:
    return CohortEnvelope(
        root=root, protected_data=protected, dco_part=True, plaintext_allowed=plain
    )


def opened(
    root: str = S1SP, opening: Opening = Opening.VALID, protected: str | None = DP
) -> dict[str, Opened]:
    inner = Opened() if protected is None else Opened(Opening.VALID, protected)
    return {"encrypted": Opened(opening, root), "protected": inner}


@pytest.mark.parametrize(("wanted", "root"), list(itertools.product(STRUCTURES, repeat=2)))
def test_the_group_decides_which_of_the_two_structures_is_right(wanted: str, root: str) -> None:
    found = rejected(EnvelopeFacts(row(wanted), **opened(root), dco=DCO))
    assert found == ([] if wanted == root else [("X-11.2.1", "01")])


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Opened(Opening.BAD_POINT), [("X-5.23A", "01")]),
        (Opened(Opening.NOT_DECRYPTED), [("X-5.23A", "02")]),
        (Opened(Opening.NOT_CANONICAL, S1SP), [("X-5.23B", "04")]),
        (Opened(Opening.OTHER_HUB, S1SP), [("X-5.23B", "05")]),
        (Opened(Opening.BAD_VALUE, S1SP), [("X-5.23B", "06")]),
        (Opened(Opening.CLOSED), []),
        (Opened(Opening.ILL_FORMED), [("X-5.23B", "01")]),
        (Opened(Opening.INVALID, S1SP), [("X-5.23B", "02")]),
        (Opened(Opening.VALID, "Something"), [("X-5.23B", "03")]),
        (Opened(Opening.VALID, DP), [("X-11.2.1", "01")]),
        (Opened(Opening.VALID, S1SP), []),
        (Opened(), [("X-11.1", "02")]),
    ],
)
def test_every_failure_of_the_envelope_has_a_code_of_its_own(
    part: Opened, expected: list[tuple[str, str]]
) -> None:
    facts = EnvelopeFacts(row(), encrypted=part, protected=Opened(Opening.VALID, DP), dco=DCO)
    assert rejected(facts) == expected


@pytest.mark.parametrize(
    ("wanted", "part", "expected"),
    [
        (DP, Opened(), "01"),
        (None, Opened(Opening.VALID, DP), "02"),
        (DP, Opened(Opening.NOT_DECRYPTED), "03"),
        (DP, Opened(Opening.BAD_POINT), "03"),
        (DP, Opened(Opening.OTHER_HUB, DP), "04"),
        (DP, Opened(Opening.CLOSED), ""),
        (DP, Opened(Opening.ILL_FORMED), "04"),
        (DP, Opened(Opening.INVALID, DP), "04"),
        (DP, Opened(Opening.VALID, S1SP), "04"),
        (DP, Opened(Opening.VALID, DP), ""),
        (None, Opened(), ""),
    ],
)
def test_protected_data_is_there_and_right_where_the_group_has_it(
    wanted: str | None, part: Opened, expected: str
) -> None:
    facts = EnvelopeFacts(
        row(protected=wanted),
        encrypted=Opened(Opening.VALID, S1SP),
        protected=part,
        dco=DCO,
    )
    assert rejected(facts) == ([("X-15.3", expected)] if expected else [])


@pytest.mark.parametrize("key", ["IOC", "MDS", "DA", "EA", "EB"])
def test_group_data_in_the_clear_are_for_eb_alone(key: str) -> None:
    envelope = cohort(key).envelope
    protected = Opened() if envelope.protected_data is None else Opened(Opening.VALID, DP)
    facts = EnvelopeFacts(
        envelope,
        plaintext=Opened(Opening.VALID, envelope.root),
        protected=protected,
        dco=DCO if envelope.dco_part else Opened(),
    )
    assert rejected(facts) == ([] if key == "EB" else [("X-11.1", "01")])
    both = EnvelopeFacts(
        cohort("EB").envelope,
        encrypted=Opened(Opening.VALID, S1SP),
        plaintext=Opened(Opening.VALID, S1SP),
        protected=Opened(Opening.VALID, DP),
        dco=DCO,
    )
    assert rejected(both) == [("X-11.1", "03")]


@pytest.mark.parametrize(("has", "wanted"), list(itertools.product((False, True), repeat=2)))
def test_the_part_for_the_dco_is_there_where_the_group_has_one(has: bool, wanted: bool) -> None:
    changed = row().model_copy(update={"dco_part": wanted})
    found = rejected(EnvelopeFacts(changed, **opened(), dco=DCO if has else Opened()))
    expected = {(False, True): [("X-DCO", "01")], (True, False): [("X-DCO", "02")]}
    assert found == expected.get((has, wanted), [])


@pytest.mark.parametrize("opening", list(Opening))
@pytest.mark.parametrize("inner", list(Opening))
@pytest.mark.parametrize("plain", IN_THE_CLEAR)
def test_no_mixture_of_openings_passes_but_the_right_ones(
    opening: Opening, inner: Opening, plain: Opening
) -> None:
    facts = EnvelopeFacts(
        row(plain=True),
        encrypted=Opened(opening, S1SP),
        plaintext=Opened(plain, S1SP),
        protected=Opened(inner, DP),
        dco=DCO,
    )
    right = ({Opening.VALID, Opening.ABSENT}, {Opening.CLOSED, Opening.ABSENT})
    readable = {opening, plain} in right
    outcomes = judge().run(ENVELOPE_CHECKS, facts)
    passed = not any(one.result is Result.REJECTED for one in outcomes)
    closed = opening is Opening.CLOSED
    assert passed == (readable and (closed or inner in {Opening.VALID, Opening.CLOSED}))
