"""5.9.10 as an exact truth table: every row, and every mixture of Certificate IDs behind it."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.rules.migration_certificates import NULL_CERTIFICATE_ID, CertificateId
from harness.rules.migration_rulebook import split_supply_keys
from harness.rules.outcomes import Result
from harness.rules.split_supply import SupplyFacts, is_split, party_of, supply_checks, table_row
from tests.harness.rules.rule_witnesses import book, cohort, judge

ONE = "70-B3-D5-1F-30-00-A0-08"
SAME_PARTY = "70-B3-D5-1F-31-00-A0-17"
OTHER = "70-B3-D5-1F-30-00-B3-08"
REAL, HALF = CertificateId("17", "Issuer"), CertificateId("0", "Issuer")
NULL = NULL_CERTIFICATE_ID
NAMES = (
    "ESMECriticalSupplierCert",
    "ESMENonCriticalSupplierCert",
    "GSMECriticalSupplierCert",
    "GSMENonCriticalSupplierCert",
)
FOC, REST = ("EA", "EB"), ("IOC", "MDS", "DA")


def facts(gis: str | None, ids: tuple[CertificateId, ...], key: str = "EA") -> SupplyFacts:
    rules = cohort(key).split_supply
    names = NAMES if gis else NAMES[:2]
    return SupplyFacts(
        ONE,
        gis,
        gis is not None,
        dict(zip(names, ids, strict=False)),
        rules.allowed,
        rules.require_null_supplier_certificates,
    )


def result(given: SupplyFacts) -> Result:
    return judge().ask("5.9.10", supply_checks(book())["5.9.10"], given).result


def test_the_table_has_every_combination_once() -> None:
    assert set(book().split_supply) == set(split_supply_keys())
    assert len(split_supply_keys()) == 18


@pytest.mark.parametrize("key", split_supply_keys())
def test_every_row_says_what_migration_md_5_3_says(key: tuple[str, str, str, bool]) -> None:
    meters, parties, ids, null_required = key
    fails = parties == "different" and ids != "all-null" and null_required
    assert book().split_supply[key].result == ("fail" if fails else "pass")
    assert meters == "dual" or parties == "none"


@pytest.mark.parametrize("ids", list(itertools.product((NULL, REAL, HALF), repeat=4)))
@pytest.mark.parametrize("key", [*FOC, *REST])
def test_split_supply_passes_with_four_null_ids_only_where_the_cohort_says_so(
    ids: tuple[CertificateId, ...], key: str
) -> None:
    expected = Result.PASSED
    if key in FOC and any(identity != NULL for identity in ids):
        expected = Result.REJECTED
    assert result(facts(OTHER, ids, key)) is expected


@pytest.mark.parametrize("ids", list(itertools.product((NULL, REAL, HALF), repeat=4)))
@pytest.mark.parametrize("gis", [ONE, SAME_PARTY, None])
def test_one_party_passes_with_any_ids(ids: tuple[CertificateId, ...], gis: str | None) -> None:
    assert result(facts(gis, ids)) is Result.PASSED


def test_a_gas_meter_of_an_unknown_party_is_not_taken_for_ones_own() -> None:
    unknown = replace(facts(ONE, (REAL,) * 4), gis_user_id=None)
    assert is_split(unknown, book().settings)
    assert result(unknown) is Result.REJECTED


def test_no_ids_at_all_are_not_null_ids() -> None:
    assert result(facts(OTHER, ())) is Result.REJECTED
    assert table_row(facts(OTHER, ()), book()).supplier_ids == "no-null"


def test_a_rejection_names_the_ids_that_are_not_null_and_the_parties() -> None:
    given = facts(OTHER, (NULL, REAL, NULL, NULL))
    told = judge().ask("5.9.10", supply_checks(book())["5.9.10"], given)
    assert told.subject == (
        "ESMENonCriticalSupplierCertSerial",
        "ESMENonCriticalSupplierCertIssuer",
    )
    assert "00A0" in told.text
    assert "00B3" in told.text
    assert told.evidence.startswith("source:S000")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (ONE, SAME_PARTY, True),
        (ONE, OTHER, False),
        (ONE.lower(), ONE.replace("-", ""), True),
        ("not an EUI", "not an EUI", True),
        ("not an EUI", "another", False),
    ],
)
def test_a_party_is_told_by_two_octets_of_the_user_id(one: str, other: str, same: bool) -> None:
    settings = book().settings
    assert (party_of(one, settings) == party_of(other, settings)) is same
    whole = replace(settings, party_octet_first=1, party_octet_last=8)
    assert party_of(ONE, whole) != party_of(SAME_PARTY, whole)


@given(st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8))
def test_only_the_two_octets_count(one: bytes, other: bytes) -> None:
    settings = book().settings
    same = party_of(one.hex(), settings) == party_of(other.hex(), settings)
    assert same == (one[5:7] == other[5:7])
