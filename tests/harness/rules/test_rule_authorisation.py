"""Rules of authorised installations beyond their witnesses: each reason, each cohort."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from device_profiles.errors import DataError
from device_profiles.words import DeviceType, RemoteParty
from harness.formats.authorisation.installation import AuthorisedInstallation
from harness.rules.migration_authorisation import (
    AuthorisationFacts,
    InstalledDevices,
    Places,
    authorisation_checks,
    combination_of,
)
from harness.rules.migration_certificates import (
    NULL_CERTIFICATE_ID,
    CertificateId,
    CertificateRegister,
    RegisteredCertificate,
    canonical_serial,
    render_register,
)
from harness.rules.outcomes import Outcome, Result
from tests.harness.formats import authorisations_made as made
from tests.harness.rules.rule_witnesses import (
    DAY,
    WHOLE,
    authorised,
    authorised_home,
    book,
    cohort,
    facts_of,
    home,
    judge,
    read_one,
)


def ask(rule: str, facts: AuthorisationFacts) -> Outcome:
    return judge(facts.day).ask(rule, authorisation_checks(book())[rule], facts)


def split() -> AuthorisedInstallation:
    return read_one(made.split())


@pytest.mark.parametrize("key", ["IOC", "MDS", "DA"])
def test_the_eis_coordinates_outside_foc(key: str) -> None:
    for authoriser, refused in ((made.EIS, False), (made.GIS, True)):
        told = ask("MAM-4", facts_of(split(), cohort=cohort(key), authoriser=authoriser))
        assert told.rejected == refused
        assert told.sub_code == ("01" if refused else "")


@pytest.mark.parametrize("key", ["EA", "EB"])
def test_in_foc_either_supplier_authorises_and_no_third(key: str) -> None:
    third = "02-53-42-00-00-09-00-00"
    for authoriser, refused in ((made.EIS, False), (made.GIS, False), (third, True)):
        told = ask("MAM-4", facts_of(split(), cohort=cohort(key), authoriser=authoriser))
        assert told.rejected == refused


def test_another_user_id_of_the_same_party_may_authorise() -> None:
    other = made.EIS.replace("02-53", "02-54")
    assert not ask("MAM-4", facts_of(split(), cohort=cohort("DA"), authoriser=other)).rejected
    assert ask("MAM-4", facts_of(split(), authoriser="")).result is Result.SKIPPED


@pytest.mark.parametrize(
    ("earliest", "latest", "day", "sub_code", "result"),
    [
        (date(2021, 3, 2), date(2021, 3, 1), DAY, "01", Result.REJECTED),
        (date(2021, 2, 1), date(2021, 2, 28), DAY, "02", Result.REJECTED),
        (DAY, date(2022, 1, 1), DAY, "03", Result.WARNED),
        (DAY, DAY, DAY, "", Result.PASSED),
    ],
)
def test_windows_are_in_order_open_and_within_the_tmad(
    earliest: date, latest: date, day: date, sub_code: str, result: Result
) -> None:
    changed = replace(authorised(), earliest=earliest, latest=latest)
    told = ask("DATES", facts_of(changed, day=day))
    assert (told.sub_code, told.result) == (sub_code, result)


def test_what_stands_twice_is_told_with_the_other_lines() -> None:
    one, other = authorised(), replace(read_one(made.installation(2)), ref="another")
    gas_twice = replace(other, gsme=one.gsme)
    for changed, sub_code in (
        (replace(other, ref=one.ref), "01"),
        (replace(other, chf_device_id=one.chf_device_id), "02"),
        (gas_twice, "02"),
        (replace(other, esme=replace(other.esme, mpxn=one.esme.mpxn)), "03"),
    ):
        places = Places([(2, one), (7, changed)])
        told = ask("UNIQUE", facts_of(changed, line=7, places=places))
        assert told.sub_code == sub_code
        assert "line 2" in told.text
    assert not ask("UNIQUE", facts_of(other, places=Places([(2, one), (7, other)]))).rejected


def test_one_device_may_not_be_two_of_an_installation() -> None:
    same = replace(authorised(), chf_device_id=authorised().esme.device_id)
    assert ask("UNIQUE", facts_of(same)).sub_code == "02"


def test_the_inventory_says_what_stands_together() -> None:
    installed = InstalledDevices([home()])
    well = authorised_home()
    assert ask("P1", facts_of(well, installed=installed)).result is Result.PASSED
    assert ask("P1", facts_of(well)).result is Result.SKIPPED
    without_gas = replace(well, gsme=None)
    told = ask("P1", facts_of(without_gas, installed=installed))
    assert (told.sub_code, told.result) == ("03", Result.WARNED)
    swapped = replace(well, chf_device_id=well.esme.device_id)
    assert ask("P1", facts_of(swapped, installed=installed)).sub_code == "04"
    elsewhere = home().model_copy(
        update={
            "ref": "elsewhere",
            "devices": tuple(d for d in home().devices if d.role is DeviceType.CHF),
        }
    )
    rest = home().model_copy(
        update={"devices": tuple(d for d in home().devices if d.role is not DeviceType.CHF)}
    )
    apart = InstalledDevices([elsewhere, rest])
    assert ask("P1", facts_of(well, installed=apart)).sub_code == "02"


def test_models_come_from_the_file_or_from_the_inventory() -> None:
    installed = InstalledDevices([home()])
    in_the_home = replace(WHOLE, chf="SYN-DEMO-S1-CHF-FOCT-10000001")
    assert combination_of(authorised_home(), installed) == in_the_home
    assert combination_of(authorised_home(), None) is None
    said = replace(
        authorised_home(),
        chf_cpl_entry="A",
        esme=replace(authorised_home().esme, cpl_entry="B"),
        gsme=None,
        ppmid_cpl_entries=("C",),
    )
    found = combination_of(said, installed)
    assert found is not None
    assert (found.chf, found.esme, found.gsme, found.ppmids) == ("A", "B", None, ("C",))
    unlisted = home().model_copy(
        update={"devices": tuple(d.model_copy(update={"cpl_entry": None}) for d in home().devices)}
    )
    assert combination_of(authorised_home(), InstalledDevices([unlisted])) is None


@pytest.mark.parametrize(
    ("identity", "sub_code"),
    [
        (CertificateId("", ""), "01"),
        (CertificateId("0", "Someone"), "02"),
        (CertificateId("17", ""), "02"),
        (CertificateId("", "Someone"), "02"),
        (NULL_CERTIFICATE_ID, ""),
        (CertificateId("17", "Someone"), ""),
    ],
)
def test_certificate_ids_are_whole_or_null(identity: CertificateId, sub_code: str) -> None:
    changed = replace(authorised(), esme=replace(authorised().esme, non_critical_supplier=identity))
    assert ask("NULL", facts_of(changed)).sub_code == sub_code
    assert sum((identity.is_null, identity.is_half, identity.is_missing)) <= 1


def register(*entries: tuple[str, RemoteParty, str]) -> CertificateRegister:
    return CertificateRegister(
        RegisteredCertificate(CertificateId(serial, made.EIS_ISSUER), role, party)
        for serial, role, party in entries
    )


@pytest.mark.parametrize(
    ("role", "party", "sub_code"),
    [
        (RemoteParty.SUPPLIER, made.EIS, ""),
        (RemoteParty.SUPPLIER, made.GIS, "03"),
        (RemoteParty.NETWORK_OPERATOR, made.EIS, "02"),
    ],
)
def test_supplier_certificates_are_the_suppliers_own(
    role: RemoteParty, party: str, sub_code: str
) -> None:
    known = register(*((serial, role, party) for serial in ("1001", "1002")))
    assert ask("MAM-6", facts_of(authorised(), register=known)).sub_code == sub_code


def test_null_supplier_ids_need_no_certificate() -> None:
    assert ask("MAM-6", facts_of(split(), register=register())).result is Result.PASSED
    assert ask("MAM-6", facts_of(split(), register=None)).result is Result.SKIPPED


@pytest.mark.parametrize(("rule", "fuel"), [("4.47", "esme"), ("4.48", "gsme")])
def test_network_operator_ids_are_right(rule: str, fuel: str) -> None:
    whole = facts_of(authorised())
    assert ask(rule, whole).result is Result.PASSED
    supplier = CertificateId("1001", made.EIS_ISSUER)
    for identity, sub_code in (
        (NULL_CERTIFICATE_ID, "01"),
        (CertificateId("9", "Nobody"), "02"),
        (supplier, "03"),
    ):
        meter = replace(getattr(authorised(), fuel), critical_network_operator=identity)
        told = ask(rule, facts_of(replace(authorised(), **{fuel: meter})))
        assert told.sub_code == sub_code
        blind = facts_of(replace(authorised(), **{fuel: meter}), register=None)
        assert ask(rule, blind).rejected == (sub_code == "01")
    esme_only = facts_of(replace(authorised(), gsme=None))
    assert ask("4.48", esme_only).result is Result.SKIPPED


@pytest.mark.parametrize(
    ("text", "serial"),
    [
        ("17", "17"),
        ("0017", "17"),
        ("0", "0"),
        ("000", "0"),
        ("0x11", "17"),
        ("1f", "31"),
        ("00:11", "17"),
        ("", ""),
        ("x1", "X1"),
    ],
)
def test_serial_numbers_have_one_form(text: str, serial: str) -> None:
    assert canonical_serial(text) == serial


def test_a_register_is_read_from_csv_and_written_back(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(render_register(made.register_certificates()), "utf-8")
    found = CertificateRegister.load(path)
    for entry in made.register_certificates():
        assert found.find(entry.certificate) == entry
        shouted = CertificateId(entry.certificate.serial, entry.certificate.issuer.upper())
        assert found.find(shouted) == entry
    assert found.find(NULL_CERTIFICATE_ID) is None


@pytest.mark.parametrize(
    "text",
    [
        "serial,issuer,role\n1,A,supplier\n",
        "serial,issuer,role,party\n1,A,nobody,X\n",
        "serial,issuer,role,party\n0,,supplier,X\n",
        "serial,issuer,role,party\n1,,supplier,X\n",
        "serial,issuer,role,party\n1,A,supplier,X\n1,a,supplier,X\n",
    ],
)
def test_a_wrong_register_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(DataError):
        CertificateRegister.load(path)
