"""Test certificates: the same in every process of a seed, and of no other authority's making."""

import pytest

from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.crypto import test_certificates as certificates
from emulator.crypto.cbke_outputs import judge_certificate
from emulator.crypto.ecqv import Authority

DEVICE = Eui64.parse("90-B3-D5-1F-00-00-00-11")
HUB = Eui64.parse("90-B3-D5-1F-00-00-00-01")
SUITE = KeySuite.CBKE_163


def test_the_seed_and_the_device_decide_alone() -> None:
    one = certificates.credentials_of(1, SUITE, DEVICE)
    certificates.credentials_of.cache_clear()
    certificates.authority_of.cache_clear()
    assert certificates.credentials_of(1, SUITE, DEVICE) == one
    drawn = Authority.draw(SUITE, Stream(1, "cbke/ca"))
    assert drawn.issue(DEVICE, Stream(1, f"cbke/{DEVICE.hex}")) == one
    assert certificates.credentials_of(2, SUITE, DEVICE) != one
    assert certificates.credentials_of(1, SUITE, HUB) != one


def test_a_device_has_both_suites_the_one_of_great_britain_first() -> None:
    both = certificates.all_credentials(1, DEVICE)
    assert [*both] == [KeySuite.CBKE_283, KeySuite.CBKE_163]
    assert all(each.fit() and each.subject == DEVICE for each in both.values())


def test_another_authority_shows_by_its_name_an_impostor_by_its_key_alone() -> None:
    ours = certificates.credentials_of(1, SUITE, HUB)
    refused = {}
    for name in certificates.ISSUERS:
        theirs = certificates.credentials_of(1, SUITE, DEVICE, authority=name)
        assert theirs.fit()
        verdict = judge_certificate(SUITE, theirs.certificate, ours.certificate, DEVICE)
        refused[name] = verdict is not None
        assert (theirs.authority_key == ours.authority_key) == (name == certificates.TEST)
    assert refused == {"test": False, "other": True, "impostor": False}


def test_there_is_no_further_authority() -> None:
    with pytest.raises(KeyError):
        certificates.credentials_of(1, SUITE, DEVICE, authority="nobody")
