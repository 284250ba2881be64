"""Evidence marks: the vocabulary, and which mark covers which value."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_profiles.errors import BadMarkError
from device_profiles.evidence import EvidenceKind, Mark, leaves, marks_for, nested

VALUES = leaves({"a": {"b": 1, "c": {"d": [1, 2], "e": "x"}}, "ab": {"f": True}})


@pytest.mark.parametrize(
    ("text", "kind", "detail", "firm"),
    [
        ("source:S003 §2.3", EvidenceKind.SOURCE, "S003 §2.3", True),
        ("observed:0123456789abcdef", EvidenceKind.OBSERVED, "0123456789abcdef", True),
        ("user:feed", EvidenceKind.USER, "feed", True),
        ("known", EvidenceKind.KNOWN, "", True),
        ("inferred:a reason: with a colon", EvidenceKind.INFERRED, "a reason: with a colon", False),
        ("stand-in", EvidenceKind.STAND_IN, "", False),
    ],
)
def test_the_six_marks_read_and_print(
    text: str, kind: EvidenceKind, detail: str, firm: bool
) -> None:
    mark = Mark.parse(text)
    assert mark == Mark(kind, detail)
    assert str(mark) == text
    assert mark.is_firm is firm


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no evidence mark"),
        ("guess", "no evidence mark"),
        ("Known", "no evidence mark"),
        ("sourced:S003", "no evidence mark"),
        ("source", "must name a reference"),
        ("source: ", "must name a reference"),
        ("inferred", "must name the reason"),
        ("observed:", "the hash of a capture"),
        ("user", "the hash of a file"),
        ("known:really", "stands alone"),
        ("stand-in:", "stands alone"),
    ],
)
def test_a_text_outside_the_vocabulary_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Mark.parse(text)


def test_tables_flatten_to_key_paths_and_back() -> None:
    assert set(VALUES) == {"a.b", "a.c.d", "a.c.e", "ab.f"}
    assert nested(VALUES) == {"a": {"b": 1, "c": {"d": [1, 2], "e": "x"}}, "ab": {"f": True}}


def test_a_path_covers_what_lies_below_and_the_longest_wins() -> None:
    marks = marks_for(VALUES, {"a": "known", "a.c": "stand-in", "a.c.e": "source:x"}, "f")
    assert {leaf: str(mark) for leaf, mark in marks.items()} == {
        "a.b": "known",
        "a.c.d": "stand-in",
        "a.c.e": "source:x",
    }


def test_a_name_that_only_begins_alike_is_not_covered() -> None:
    assert "ab.f" not in marks_for(VALUES, {"a": "known"}, "f")


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        ({"a.x": "known"}, "covers no value"),
        ({"": "known"}, "covers no value"),
        ({"a": "guess"}, "no evidence mark"),
        ({"a": {"b": "known"}}, "quote the whole key path"),
    ],
)
def test_a_wrong_evidence_table_is_refused_with_its_key(
    evidence: dict[str, object], why: str
) -> None:
    with pytest.raises(BadMarkError, match=why) as caught:
        marks_for(VALUES, evidence, "file.toml")
    assert caught.value.key.startswith("evidence.")
    assert caught.value.file == "file.toml"


KEYS = st.text("abc", min_size=1, max_size=2)
TABLES = st.recursive(
    st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(KEYS, inner, min_size=1, max_size=3),
    max_leaves=12,
)


@settings(derandomize=True, deadline=None)
@given(st.dictionaries(KEYS, TABLES, min_size=1, max_size=3))
def test_any_nested_table_survives_flattening(table: dict[str, object]) -> None:
    assert nested(leaves(table)) == table


@settings(derandomize=True, deadline=None)
@given(st.sampled_from(EvidenceKind), st.text(st.characters(exclude_categories=["C", "Z"])))
def test_any_mark_that_parses_prints_as_it_was(kind: EvidenceKind, detail: str) -> None:
    text = f"{kind}:{detail}" if detail else str(kind)
    try:
        mark = Mark.parse(text)
    except ValueError:
        return
    assert str(mark) == text
