"""The work on files, from MCF to outcome: who says what, what is refused, what is remembered."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from device_profiles.words import DeviceType, SupplyShape
from emulator.core.ids import Eui64
from harness.formats.migration_files.checking import Result
from harness.formats.migration_files.document import octets
from harness.formats.migration_files.group_information import DeviceSecrets
from harness.formats.migration_files.parties import SIGNERS
from harness.formats.migration_files.result_files import InstallationOutcome
from harness.formats.migration_files.signing import sign, strip, xml_key
from harness.formats.migration_files.words import (
    Commissioning,
    FileType,
    ProcessingMode,
    Validity,
)
from harness.formats.migration_files.xml_input import parse
from harness.migration.file_work import FileWork
from harness.migration.verdicts import Stage
from harness.rules.migration_certificates import CertificateId
from tests.harness.migration.file_office_given import (
    AT,
    DAY_MS,
    OTHER_RP,
    A,
    B,
    FewerOffice,
    of_another_party,
    office,
    records,
    worked,
)

MIGRATABLE = ("IOC", "MDS", "DA", "EA", "EB")
SHAPES = (SupplyShape.ELECTRICITY_ONLY, SupplyShape.DUAL_FUEL, SupplyShape.SPLIT_SUPPLY)


def resigned(of: FewerOffice, kind: FileType, change: Callable[[Any], None]) -> Any:
    """What the maker of a file could have sent instead: changed, and signed anew."""

    def spoil(data: bytes) -> bytes:
        root = parse(data, of.schema.namespace)
        change(root)
        strip(root)
        role = SIGNERS[kind]
        entry = next(
            one
            for one in of.keys.store.entries()
            if one.eui64 == of.keys.parties[role] and one.usage.name == "XML"
        )
        sign(root, xml_key(entry))
        return octets(root, of.schema)

    return spoil


def put(name: str, text: str) -> Callable[[Any], None]:
    def change(root: etree._Element) -> None:
        next(one for one in root.iter() if etree.QName(one).localname == name).text = text

    return change


def of_hand(files: FileWork) -> dict[str, tuple[str, str, str]]:
    return {
        ref: (str(row.result), f"{row.code} {row.sub_code}".strip(), str(row.level))
        for ref, row in files.hands[-1].results.items()
    }


def only(files: FileWork) -> tuple[str, str, str]:
    (found,) = set(of_hand(files).values())
    return found


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("key", MIGRATABLE)
def test_every_migratable_cohort_and_shape_is_accepted(key: str, shape: SupplyShape) -> None:
    of = office(key, shape=shape)
    files = worked(of)
    hand = files.hands[0]
    assert {row.result for row in hand.results.values()} == {Result.ACCEPTED}
    assert {row.stage for row in hand.results.values()} == {Stage.FILE_SET}
    assert all(row.finding is None for row in hand.verdicts)
    for ref, row in hand.results.items():
        assert row.opened is not None
        holders = {"CHF", "ESME", *(["GSME"] if shape is not SHAPES[0] else [])}
        assert row.opened.s1sp is not None
        assert len(row.opened.s1sp.devices) == len(holders)
        assert (row.opened.s1spdp is None) == (of.cohort.envelope.protected_data is None)
        assert (row.opened.dco is None) is not of.cohort.envelope.dco_part
        assert hand.installations[ref].ref == ref


def test_every_file_in_the_trace_names_sender_and_receiver() -> None:
    of = office()
    files = worked(of)
    hand = files.hands[0]
    files.viable(hand, dict.fromkeys(hand.accepted(), ()))
    named = files.commissioning_file(hand, hand.accepted())
    files.outcome(hand, (), named)
    told = [(one.sender, one.receiver, one.summary.split(",")[0][:3]) for one in of.post.letters]
    assert told == [
        ("NO", "RP", "Cer"),
        ("RP", "MCC", "MCF"),
        ("MCC", "RP", "MVF"),
        ("MCC", "S1SP", "MCF"),
        ("RP", "S1SP", "MGF"),
        ("RP", "S1SP", "MEF"),
        ("RP", "DCO", "MEF"),
        ("RP", "S1SP", "man"),
        ("S1SP", "S1SPDP", "Pro"),
        ("S1SP", "MCC", "VIF"),
        ("S1SP", "CP", "SCF"),
        ("CP", "MCC", "COF"),
    ]
    assert {one.kind for one in of.post.letters} == {"migration-file", "notice"}


def test_evidence_keeps_octets_digest_and_result_of_every_file() -> None:
    files = worked(office())
    hand = files.hands[0]
    assert set(hand.arrived) == {FileType(k) for k in ("MCF", "MVF", "MGF", "MEF", "RFS")}
    for kind, one in hand.arrived.items():
        assert one.octets == hand.files[kind].octets
        assert one.sha256 == hand.files[kind].sha256
    judged = {row.file_type: row.sha256 for row in hand.verdicts}
    assert judged == {kind: one.sha256 for kind, one in hand.arrived.items()}


def test_each_layer_is_opened_by_the_one_party_that_holds_its_key() -> None:
    files = worked(office())
    holders = files._context.opener.holders
    scalars = {layer: holder.scalar for layer, holder in holders.items()}
    assert len(set(scalars.values())) == 3
    assert all(holder.layer is layer for layer, holder in holders.items())
    assert not files.mcc._context.opener.holders, "the MCC opens nothing"


def test_counters_rise_and_one_counter_is_never_used_twice() -> None:
    of = office()
    files = worked(of)
    files.ended([record.ref for record in records(of)])
    worked(of, files)
    assert [hand.counter for hand in files.hands] == [41, 42]
    assert only(files) == ("accepted", "", "installation")


@pytest.mark.parametrize("order", [A, B])
def test_a_counter_used_twice_is_a_sequence_error_of_the_whole_file(order: Any) -> None:
    of = office(order=order)
    files = worked(of)
    files.ended([record.ref for record in records(of)])
    files.rp.counters["EA"] = 40
    hand = files.send_common(records(of))
    first = files.validate(hand)
    early = {(row.result, row.code) for row in first.values()}
    if order is B:
        assert early == {(Result.NOT_PROCESSED, "X-5.9.5")}
        content = hand.files[FileType.MVF].file.content
        assert content.result is Validity.INVALID  # type: ignore[union-attr]  # an MVF's
        files.send_group(hand)
        assert FileType.MGF not in hand.files, "nothing more is sent"
    else:
        assert early == {(Result.ACCEPTED, "")}
        files.send_group(hand)
        files.check(hand)
    assert only(files) == ("not-processed", "X-5.9.5 01", "file")


@pytest.mark.parametrize("order", [A, B])
@pytest.mark.parametrize(
    ("kind", "code"), [("MVF", "X-5.9.6"), ("MGF", "X-5.9.6"), ("MEF", "X-5.9.7")]
)
def test_each_follower_of_another_counter_is_a_sequence_error(
    order: Any, kind: str, code: str
) -> None:
    of = office(order=order, disabled=("NAME",))
    change = put("MigrationCounter", "77")
    files = FileWork(of, tamper={FileType(kind): resigned(of, FileType(kind), change)})
    worked(of, files)
    assert only(files) == ("not-processed", f"{code} 01", "file")
    seen = files.supplier_view(files.hands[0]).values()
    assert {(row.code, row.sub_code) for row in seen} == {("X-SEQUENCE", "")}
    assert not any(text in str([row.as_json() for row in seen]) for text in ("41", "77", "5.9"))


@pytest.mark.parametrize("kind", ["MCF", "MVF", "MGF", "MEF", "RFS"])
def test_a_file_that_is_altered_on_its_way_refuses_its_set_and_no_other(kind: str) -> None:
    of = office()

    def spoil(data: bytes) -> bytes:
        return data.replace(b"2021-W23", b"2021-W24")

    files = FileWork(of, tamper={FileType(kind): spoil})
    worked(of, files)
    assert only(files) == ("not-processed", "X-SIG-BAD 01", "file")
    refused = files.hands[0].file_refusal()
    assert refused is not None
    assert refused.file_type is FileType(kind)
    files.tamper.clear()
    files.ended([record.ref for record in records(of)])
    worked(of, files)
    assert only(files) == ("accepted", "", "installation")


@pytest.mark.parametrize(("order", "refused_at_v2"), [(A, False), (B, True)])
def test_a_spoilt_mvf_starts_no_hand_over(order: Any, *, refused_at_v2: bool) -> None:
    of = office(order=order)

    def spoil(data: bytes) -> bytes:
        return data.replace(b"2021-W23", b"2021-W24")

    files = FileWork(of, tamper={FileType.MVF: spoil})
    hand = files.send_common(records(of))
    verdicts = files.validate(hand)
    assert {row.accepted for row in verdicts.values()} == {not refused_at_v2}
    assert {row.code for row in verdicts.values()} == {"X-SIG-BAD" if refused_at_v2 else ""}


def other_device(of: FewerOffice, role: DeviceType) -> Callable[[Any], None]:
    """Another EUI-64 in the place of one device of the first installation, wherever it stands."""
    old = of.installations[0].of(role)[0].eui64
    new = f"{old[:-2]}EE"

    def change(root: Any) -> None:
        for one in root.iter():
            if (one.text or "") == old:
                one.text = new
            for name, value in one.attrib.items():
                if value == old:
                    one.set(name, new)

    return change


@pytest.mark.parametrize(
    ("kind", "role", "code"),
    [
        ("MGF", DeviceType.CHF, "X-V3 06"),
        ("MGF", DeviceType.ESME, "X-V3 07"),
        ("MGF", DeviceType.GSME, "X-V3 08"),
        ("MEF", DeviceType.CHF, "X-V3 09"),
    ],
)
def test_a_device_that_changed_between_the_files_has_a_code_of_its_own(
    kind: str, role: DeviceType, code: str
) -> None:
    of = office(disabled=("RFS",))
    change = other_device(of, role)
    files = FileWork(of, tamper={FileType(kind): resigned(of, FileType(kind), change)})
    worked(of, files)
    first, second = of_hand(files).values()
    assert first == ("refused", code, "installation")
    assert second == ("accepted", "", "installation"), "one bad installation rejects no other"


def test_secrets_of_another_gas_meter_are_found_behind_the_encryption() -> None:
    of = office()
    gas = of.installations[0].of(DeviceType.GSME)[0].eui64
    plain = of.secrets_of

    def swapped(device: Any) -> Any:
        found = plain(device)
        if str(device) != gas:
            return found
        other = type(device)(device.octets[:-1] + b"\xee")

        def moved(row: DeviceSecrets) -> DeviceSecrets:
            return replace(row, device=other)

        return type(found)(moved(found.s1sp), moved(found.s1spdp), moved(found.dco))

    class Swapped(FewerOffice):
        @property
        def secrets_of(self) -> Any:
            return swapped

    files = worked(Swapped(of.cohort, of.installations))
    first, second = of_hand(files).values()
    assert first == ("refused", "X-V3 10", "installation")
    assert second == ("accepted", "", "installation")


def test_an_installation_in_two_parties_open_files_is_refused_with_a_code_of_its_own() -> None:
    mine = office()
    theirs = of_another_party(mine)
    first = FileWork(mine)
    second = FileWork(theirs, mcc=first.mcc)
    worked(mine, first)
    hand = second.send_common(records(theirs)[:1])
    (row,) = second.validate(hand).values()
    assert (row.result, row.code, row.sub_code) == (Result.REFUSED, "X-OPEN", "01")
    assert hand.header.requesting_party == OTHER_RP
    assert "41" not in str(row.for_suppliers().as_json())
    first.ended([row.ref])
    again = second.send_common(records(theirs)[:1])
    assert [one.accepted for one in second.validate(again).values()] == [True]


def test_the_same_party_names_an_installation_again_only_to_complete_it() -> None:
    of = office()
    files = worked(of)
    ref = of.installations[0].ref
    full = files.send_common(records(of)[:1])
    assert files.validate(full)[ref].code == "X-OPEN"
    complete = files.send_common(records(of)[:1], ProcessingMode.COMPLETE)
    assert files.validate(complete, frozenset({ref}))[ref].accepted


@pytest.mark.parametrize(
    ("key", "mode", "stranded", "code"),
    [
        ("EA", ProcessingMode.COMPLETE, True, ""),
        ("EA", ProcessingMode.COMPLETE, False, "X-5.8A 02"),
        ("EA", ProcessingMode.FULL, True, "X-5.8A 03"),
        ("EA", ProcessingMode.FULL, False, ""),
        ("IOC", ProcessingMode.COMPLETE, True, "X-5.8A 01"),
    ],
)
def test_5_8a_completes_what_is_stranded_and_nothing_else(
    key: str, mode: ProcessingMode, stranded: bool, code: str
) -> None:
    of = office(key, 1)
    files = FileWork(of)
    hand = files.send_common(records(of), mode)
    ref = of.installations[0].ref
    (row,) = files.validate(hand, frozenset({ref} if stranded else ())).values()
    assert f"{row.code} {row.sub_code}".strip() == code
    assert hand.header.mode is mode


def test_a_cohort_that_is_not_migrated_is_refused_with_its_own_reason() -> None:
    of = office("EC", 1)
    files = worked(of)
    assert only(files) == ("not-processed", "X-GROUP 02", "file")
    assert "MAM v3.0" in files.hands[0].results[of.installations[0].ref].findings[0].text


def test_plain_text_is_accepted_from_eb_and_refused_elsewhere() -> None:
    for key, expected in (("EB", "accepted"), ("EA", "refused"), ("DA", "refused")):
        of = office(key, 1)
        files = worked(of, FileWork(of, plaintext=True))
        assert only(files)[0] == expected, key
        assert only(files)[1] == ("" if key == "EB" else "X-11.1 01")


@pytest.mark.parametrize(("key", "code"), [("EA", ""), ("DA", "X-4.15 01")])
def test_an_mvf_of_the_next_migration_week_is_for_cohorts_that_may_run_over(
    key: str, code: str
) -> None:
    of = office(key, 1)
    files = FileWork(of)
    hand = files.send_common(records(of))
    of.clock.move(8 * DAY_MS)
    files.validate(hand)
    assert hand.files[FileType.MVF].file.header.created_at == AT + 8 * DAY_MS
    assert hand.files[FileType.MVF].file.header.migration_week == "2021-W23"
    files.send_group(hand)
    files.check(hand)
    assert only(files)[1] == code


@pytest.mark.parametrize("order", [A, B])
def test_split_supply_with_certificates_is_refused_before_or_after_hand_over(order: Any) -> None:
    """One supplier's certificates, and a gas supplier of another party in the file alone."""
    of = office(shape=SupplyShape.DUAL_FUEL, order=order, disabled=("MAM-6", "RFS"))
    other = "02-53-42-00-00-B3-00-00"  # octets 6 and 7 tell parties apart

    def change(root: Any) -> None:
        found = [one for one in root.iter() if etree.QName(one).localname == "GISUserID"]
        found[0].text = other

    files = FileWork(of, tamper={FileType.MCF: resigned(of, FileType.MCF, change)})
    hand = files.send_common(records(of))
    first, second = (home.ref for home in of.installations)
    early = {row.ref: row.code for row in files.validate(hand).values()}
    assert early == {first: "X-5.9.10" if order is B else "", second: ""}
    files.send_group(hand)
    late = {row.ref: row.code for row in files.check(hand).values()}
    assert late == ({second: ""} if order is B else {first: "X-5.9.10", second: ""})


@pytest.mark.parametrize(
    ("serial", "issuer", "code"),
    [
        ("0", "", ""),
        ("0", "someone", "X-NULL 02"),
        ("7", "", "X-NULL 02"),
        ("7", "no one", "X-MAM-6 01"),
    ],
)
def test_half_a_null_certificate_id_refuses_its_installation_alone(
    serial: str, issuer: str, code: str
) -> None:
    of = office(shape=SupplyShape.DUAL_FUEL, order=B)
    first, second = (home.ref for home in of.installations)
    declared = CertificateId(serial, issuer)
    files = FileWork(of)
    files.declared[first] = lambda part: replace(
        part, esme=replace(part.esme, critical_supplier=declared)
    )
    worked(of, files)
    found = of_hand(files)
    assert found[first][1] == code
    assert found[second] == ("accepted", "", "installation")


def test_what_is_excluded_with_gt01_stays_behind_and_is_named() -> None:
    of = office(count=1, shape=SupplyShape.DUAL_FUEL)
    (record,) = records(of)
    record.exclusion = "gas_han_failure"
    files = FileWork(of)
    hand = files.send_common([record])
    part = hand.installations[record.ref]
    assert part.gsme is None
    assert part.excluded_gsme is not None
    assert part.excluded_gsme.reason == "GT01"
    assert [row.accepted for row in files.validate(hand).values()] == [True]


def test_envelopes_can_be_bound_to_the_requesting_party_too() -> None:
    of = office()
    settings = replace(of.book.settings, envelope_aad="with-requesting-party")
    of.book = replace(of.book, settings=settings)
    files = worked(of)
    assert only(files) == ("accepted", "", "installation")
    as_reference = FewerOffice(of.cohort, of.installations)
    strict = FileWork(as_reference)
    hand = strict.send_common(records(as_reference))
    strict.validate(hand)
    strict.send_group(hand)
    made = files.hands[0].files[FileType.MEF]
    hand.arrived[FileType.MEF] = replace(hand.arrived[FileType.MEF], octets=made.octets)
    del hand.arrived[FileType.RFS]
    assert {row.code for row in strict.check(hand).values()} == {"X-5.23A"}


def test_a_memory_is_restored_and_secrets_are_in_no_dump() -> None:
    of = office()
    files = worked(of)
    state = json.dumps(files.dump())
    restored = FileWork(of)
    restored.load(json.loads(state))
    assert json.dumps(restored.dump()) == state
    assert restored.hands[0].results == files.hands[0].results, "layers are opened again"
    for home in of.installations:
        for device in home.devices:
            shared = of.secrets_of(Eui64.parse(device.eui64))
            for part in (shared.s1sp, shared.s1spdp, shared.dco):
                for secret in part.secrets:
                    assert secret.octets.hex() not in state
                    assert base64.b64encode(secret.octets).decode() not in state


def test_an_outcome_completes_the_set_and_releases_its_installations() -> None:
    of = office(count=1)
    files = worked(of)
    hand = files.hands[0]
    files.viable(hand, dict.fromkeys(hand.accepted(), ()))
    named = files.commissioning_file(hand, hand.accepted())
    rows = [InstallationOutcome(ref, Commissioning.MIGRATED, ()) for ref in hand.refs]
    files.outcome(hand, rows, named)
    assert any(counter == 41 for _, _, counter in files.ledger.state.completed)
    assert files.mcc.claims == {}
