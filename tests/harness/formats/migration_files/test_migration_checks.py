"""Every check, by code and sub-code, refuses what it is for: one row each, none left out."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from device_profiles.evidence import Mark
from emulator.core.chance import Chance
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyUsage
from harness.errors import HarnessError
from harness.formats.migration_files import xml_input
from harness.formats.migration_files.building import BuiltFile
from harness.formats.migration_files.checking import Result
from harness.formats.migration_files.checks import CHECKS, Check, Level, shipped_book
from harness.formats.migration_files.counters import Ledger
from harness.formats.migration_files.encrypted_file import EncryptedFile, PlainInformation
from harness.formats.migration_files.envelope import Binding, Layer, seal
from harness.formats.migration_files.faults import Finding, MigrationFileError
from harness.formats.migration_files.file_set import REQUIRED
from harness.formats.migration_files.group_file import GroupFile
from harness.formats.migration_files.group_information import (
    CipherText,
    DcoInformation,
    DeviceSecrets,
    S1spdpInformation,
    S1spInformation,
    Secret,
)
from harness.formats.migration_files.opening import Opener, to_xml
from harness.formats.migration_files.parties import TEST_PARTIES, Role
from harness.formats.migration_files.reading import Context
from harness.formats.migration_files.required_set import NamedFile, RequiredSet
from harness.formats.migration_files.result_files import (
    ValidatedInstallation,
    ValidationFile,
    ViableFile,
    ViableInstallation,
)
from harness.formats.migration_files.words import FileType, Validity, Viability
from harness.rules.migration_rulebook import Switches
from tests.harness.formats.migration_files.migration_given import (
    GROUPS,
    OTHER_RP,
    SCHEMA,
    Wanted,
    builder,
    checked,
    codes,
    context,
    delivered,
    device,
    find,
    installation_codes,
    one,
    put,
    resigned,
    seconds,
    store,
)

MCF, MVF, MGF = one(FileType.MCF), one(FileType.MVF), one(FileType.MGF)
MEF, RFS = one(FileType.MEF), one(FileType.RFS)


def spoilt(file: BuiltFile, old: bytes, new: bytes) -> BuiltFile:
    assert old in file.octets
    return replace(file, octets=file.octets.replace(old, new))


def before_the_root(declaration: bytes) -> BuiltFile:
    return spoilt(MCF, b"<mig:MigrationCommonFile", declaration + b"<mig:MigrationCommonFile")


def remade(kind: FileType, content: Any) -> BuiltFile:
    """Make a file of the usual set anew, with another content."""
    answers = MCF if kind is FileType.MVF else None
    return builder().publish(kind, content, after_s=9, answers=answers)


def no_reply(root: etree._Element) -> None:
    element = find(root, "InReplyTo")
    parent = element.getparent()
    assert parent is not None
    parent.remove(element)


def repeat_installation(root: etree._Element) -> None:
    element = find(root, "Installation")
    element.addnext(etree.fromstring(etree.tostring(element)))


def other_root(root: etree._Element) -> None:
    for child in list(root):
        root.remove(child)
    root.tag = f"{{{SCHEMA.namespace}}}DecryptedS1SPDPGroupInformation"
    root.attrib.clear()
    hub = etree.SubElement(root, f"{{{SCHEMA.namespace}}}CHFDeviceID")
    hub.text = "02-53-02-00-00-00-00-01"


def type_in_header(root: etree._Element) -> None:
    put("FileType", "MGF")(root)


def group_of(root: etree._Element) -> None:
    put("GroupID", "EC")(root)


NAME = MCF.name
#: Code and sub-code -> the file that is refused so, when it is checked by itself.
ALONE: dict[str, Callable[[], BuiltFile]] = {
    "X-NAME 01": lambda: replace(MCF, name="common.xml"),
    "X-NAME 02": lambda: replace(MCF, name=NAME.replace("_EA_", "_EB_")),
    "X-SIZE 01": lambda: replace(MCF, octets=b" " * (96 * 1024 * 1024 + 1)),
    "X-SIZE 02": lambda: spoilt(MCF, b"<mig:CHFDetail>", b"<mig:CHFDetail>" * 20),
    "X-SIZE 03": lambda: spoilt(MCF, b"<mig:CHFDetail>", b"<mig:a/>" * 4_600_000),
    "X-SIZE 04": lambda: spoilt(
        MCF, b"<mig:CHFDetail>", b"<mig:a " + b" ".join(b'a%d=""' % n for n in range(17)) + b"/>"
    ),
    "X-DTD 01": lambda: before_the_root(b"<!DOCTYPE a>"),
    "X-DTD 02": lambda: before_the_root(b'<!DOCTYPE a SYSTEM "x">'),
    "X-ENTITY 01": lambda: before_the_root(b'<!DOCTYPE a [<!ENTITY b "c">]>'),
    "X-ENTITY 02": lambda: before_the_root(b'<!DOCTYPE a [<!ENTITY b SYSTEM "c">]>'),
    "X-XML 01": lambda: spoilt(MCF, b"home-1", b"\xff"),
    "X-XML 02": lambda: spoilt(MCF, b"</mig:CHFDetail>", b""),
    "X-XML 03": lambda: spoilt(MCF, b"<mig:CHFDetail>", b"<?a b?><mig:CHFDetail>"),
    "X-NS 01": lambda: spoilt(MCF, b"smets1-migration:1", b"smets1-migration:2"),
    "X-NS 02": lambda: spoilt(MCF, b" xmlns:ds=", b' xmlns:x="urn:x" xmlns:ds='),
    "X-NS-TWICE 01": lambda: spoilt(
        MCF, b" xmlns:ds=", f' xmlns="{SCHEMA.namespace}" xmlns:ds='.encode()
    ),
    "X-NS-TWICE 02": lambda: spoilt(MCF, b"<mig:CHFDetail>", b'<mig:CHFDetail xmlns:ds="urn:x">'),
    "X-SIG-NONE 01": lambda: replace(
        MCF, octets=re.sub(rb"<ds:Signature>.*</ds:Signature>", b"", MCF.octets)
    ),
    "X-SIG-FORM 01": lambda: spoilt(MCF, b"<ds:KeyInfo>", b'<ds:KeyInfo Id="x">'),
    "X-SIG-FORM 02": lambda: spoilt(MCF, b"</ds:DigestValue>", b" </ds:DigestValue>"),
    "X-SIG-FORM 03": lambda: spoilt(MCF, b"</ds:Signature>", b"</ds:Signature><mig:a/>"),
    "X-SIG-UNKNOWN 01": lambda: spoilt(MCF, b"CN=smetsbench", b"CN=other"),
    "X-SIG-BAD 01": lambda: spoilt(MCF, b"home-1", b"home-2"),
    "X-SIG-BAD 02": lambda: replace(
        MCF,
        octets=re.sub(
            rb"<ds:SignatureValue>.*</ds:SignatureValue>",
            b"<ds:SignatureValue>" + b"A" * 86 + b"==</ds:SignatureValue>",
            MCF.octets,
        ),
    ),
    "X-XSD 01": lambda: resigned(MCF, repeat_installation),
    "X-XSD 02": lambda: resigned(MCF, other_root),
    "X-B64 01": lambda: resigned(MEF, put("IV", "A" * 15 + "=")),
    "X-VALUE 01": lambda: resigned(MCF, put("MigrationWeek", "2021-W60")),
    "X-HEADER 01": lambda: resigned(MCF, type_in_header),
    "X-HEADER 02": lambda: resigned(MVF, no_reply, Role.MCC),
    "X-HEADER 03": lambda: resigned(
        MCF, lambda root: find(root, "MigrationHeader").remove(find(root, "ProcessingMode"))
    ),
    "X-SIG-SIGNER 01": lambda: resigned(MCF, lambda _root: None, Role.SMSO),
    "X-SIG-SIGNER 02": lambda: resigned(MCF, lambda _root: None, party=OTHER_RP),
    "X-SIG-CERT 01": lambda: one(FileType.MCF, Wanted(at=seconds(-1))),
    "X-SIG-CERT 02": lambda: one(FileType.MCF, Wanted(at=seconds(86_400 * 3653))),
    "X-GROUP 01": lambda: resigned(MCF, put("GroupID", "ZZ"), name=NAME.replace("_EA_", "_ZZ_")),
    "X-GROUP 02": lambda: resigned(MCF, put("GroupID", "EC"), name=NAME.replace("_EA_", "_EC_")),
}


@pytest.mark.parametrize("code", list(ALONE))
def test_a_file_is_refused_by_the_check_that_is_for_it(code: str) -> None:
    (row,) = checked(ALONE[code]())
    assert row.error is not None
    finding = row.error.finding
    assert f"{finding.code} {finding.sub_code}" == code
    assert finding.step == row.error.check.step
    assert finding.text
    assert row.file is None


def test_a_name_with_another_moment_is_told_with_both_as_the_header_writes_them() -> None:
    late = re.sub(r"_(\d{8})_\d{6}_", r"_\1_235959_", NAME)
    (row,) = checked(replace(MCF, name=late))
    assert row.error is not None
    told = row.error.finding.text
    assert re.search(r"moment: \d{4}-\d\d-\d\dT23:59:59Z in the name, \d{4}-\d\d-\d\dT", told)


def manifest(*rows: NamedFile) -> BuiltFile:
    return remade(FileType.RFS, RequiredSet(rows))


def of_file(file: BuiltFile) -> NamedFile:
    return NamedFile(file.file.header.file_type, file.name, file.sha256)


NAMED = [of_file(file) for file in (MCF, MVF, MGF, MEF)]
AT_41 = Ledger().accepted(MCF.file.header)
AFTER_41 = Ledger().complete(MCF.file.header)
WEEK = Wanted(at=seconds(7 * 86_400))


#: Code and sub-code -> files that come together, ledger; the last file is the refused one.
TOGETHER: dict[str, Callable[[], tuple[list[BuiltFile], Ledger]]] = {
    "X-5.9.5 01": lambda: ([MCF], AT_41),
    "X-5.9.6 01": lambda: ([MCF, one(FileType.MVF, Wanted(counter=42))], Ledger()),
    "X-5.9.6 02": lambda: ([MGF], Ledger()),
    "X-5.9.7 01": lambda: ([MCF, one(FileType.MEF, Wanted(counter=42))], Ledger()),
    "X-5.9.7 02": lambda: ([MEF], Ledger()),
    "X-5.9.7 03": lambda: ([MCF, MEF], AFTER_41),
    "X-SET 01": lambda: ([MCF, one(FileType.MGF, Wanted("EB"))], Ledger()),
    "X-SET 02": lambda: ([MCF, one(FileType.MGF, Wanted(requesting_party=OTHER_RP))], Ledger()),
    "X-SET 03": lambda: ([MCF, one(FileType.MGF, WEEK)], Ledger()),
    "X-SET 04": lambda: ([MCF, answer_to_another()], Ledger()),
    "X-SET 05": lambda: ([MCF, MGF, second_group_file()], Ledger()),
    "X-SET 06": lambda: ([spoilt(MCF, b"home-1", b"home-2"), MVF], Ledger()),
    "X-RFS 01": lambda: ([MCF, MVF, MGF, RFS], Ledger()),
    "X-RFS 02": lambda: (
        [MCF, MVF, MGF, MEF, manifest(*NAMED[:3], replace(NAMED[3], sha256="0" * 64))],
        Ledger(),
    ),
    "X-RFS 03": lambda: (
        [MCF, MVF, MGF, MEF, viable(), manifest(*NAMED[:3], of_file(viable()))],
        Ledger(),
    ),
}


def answer_to_another() -> BuiltFile:
    other = replace(MCF, name=NAME.replace("_BG_", "_XX_"))
    return builder().publish(FileType.MVF, MVF.file.content, after_s=1, answers=other)


def second_group_file() -> BuiltFile:
    return builder().publish(FileType.MGF, MGF.file.content, after_s=9)


def viable() -> BuiltFile:
    rows = (ViableInstallation("home-1", Viability.VIABLE),)
    return builder().publish(FileType.VIF, ViableFile(rows), after_s=60, answers=MEF)


@pytest.mark.parametrize("code", list(TOGETHER))
def test_a_file_is_refused_by_what_came_with_it(code: str) -> None:
    files, ledger = TOGETHER[code]()
    report = delivered(*files, ledger=ledger)
    assert codes(report)[-1] == code
    assert not report.is_clean
    there = {file.file.header.file_type for file in files}
    assert report.missing == tuple(kind for kind in REQUIRED if kind not in there)


ALL_FILES = [MCF, MVF, MGF, MEF, RFS]


def test_a_set_in_order_is_accepted_whatever_the_order_of_its_files() -> None:
    for files in (ALL_FILES, ALL_FILES[::-1], ALL_FILES[2:] + ALL_FILES[:2]):
        report = delivered(*files)
        assert codes(report) == [""] * 5
        assert report.is_clean
        assert report.missing == ()
        assert report.header == MCF.file.header
        assert report.ledger == AT_41


# installations


def encrypted(**changes: Any) -> BuiltFile:
    """The MEF of the usual set, its one installation changed."""
    content = MEF.file.content
    assert isinstance(content, EncryptedFile)
    return remade(FileType.MEF, EncryptedFile((replace(content.installations[0], **changes),)))


def grouped(**changes: Any) -> BuiltFile:
    content = MGF.file.content
    assert isinstance(content, GroupFile)
    return remade(FileType.MGF, GroupFile((replace(content.installations[0], **changes),)))


def validated(*rows: ValidatedInstallation, result: Validity = Validity.VALID) -> BuiltFile:
    return remade(FileType.MVF, ValidationFile(result, (), rows))


def opener(*roles: Role) -> Context:
    parties = {role: TEST_PARTIES[role] for role in roles}
    return replace(context(), opener=Opener.of(store(), parties))


def ruled(**changes: Any) -> Context:
    cohort = GROUPS["EA"]
    envelope = cohort.envelope.model_copy(update=changes)
    return replace(context(), groups={"EA": cohort.model_copy(update={"envelope": envelope})})


def sealed(plaintext: bytes, layer: Layer = Layer.S1SP, role: Role = Role.S1SP) -> CipherText:
    entry = store().find(TEST_PARTIES[role], KeyUsage.KA)
    assert entry is not None
    draw = Chance(1).stream("layer").octets
    return seal(plaintext, entry.public_point, Binding(41, "EA", device(2, 1)), layer, draw)


def information(number: int = 1, protected: CipherText | None = None) -> bytes:
    return to_xml(S1spInformation(device(2, number), (), protected), SCHEMA)


def s1sp(plaintext: bytes) -> list[BuiltFile]:
    return [MCF, MVF, MGF, encrypted(s1sp=sealed(plaintext))]


assert isinstance(MGF.file.content, GroupFile)
ROW = MGF.file.content.installations[0]
OTHER = device(9, 9)
HOLDERS = (device(2, 1), device(1, 1), device(0, 1))


def dco_of(*more: Eui64) -> CipherText:
    """A part for the DCO of the hub and the ESME alone, or of all holders and more devices."""
    of = (*HOLDERS, *more) if more else HOLDERS[:2]
    rows = tuple(DeviceSecrets(one, (Secret("master", b"m"),)) for one in of)
    plain = to_xml(DcoInformation(device(2, 1), rows), SCHEMA)
    return sealed(plain, Layer.DCO, Role.DCO)


INVALID = ValidatedInstallation("home-1", Validity.INVALID, (Finding("V2", "MA110", "", "none"),))
STRANGER = ValidatedInstallation("stranger", Validity.VALID)
DP = to_xml(S1spdpInformation(device(2, 1), ()), SCHEMA)
NOT_VALID = information().replace(b"</mig:CHFDeviceID>", b"</mig:CHFDeviceID><mig:a></mig:a>")
WRONG_BASE64 = to_xml(
    S1spInformation(device(2, 1), (DeviceSecrets(device(2, 1), (Secret("a", b"a"),)),)), SCHEMA
).replace(b"YQ==", b"YR==")
PLAIN = S1spInformation(device(2, 1), (), sealed(DP, Layer.S1SPDP, Role.S1SPDP))

#: Code and sub-code -> files whose one installation is refused so, and what they are checked with.
INSTALLATIONS: dict[str, Callable[[], tuple[list[BuiltFile], Context]]] = {
    "X-V3 01": lambda: ([MCF, MVF, grouped(ref="stranger")], context()),
    "X-V3 02": lambda: ([MCF, validated(INVALID), MGF], context()),
    "X-V3 03": lambda: ([MCF, MVF, remade(FileType.MGF, GroupFile(()))], context()),
    "X-V3 04": lambda: ([MCF, MVF, MGF, remade(FileType.MEF, EncryptedFile(()))], context()),
    "X-V3 05": lambda: ([MCF, validated()], context()),
    "X-V3 06": lambda: ([MCF, MVF, grouped(hub=replace(ROW.hub, device=OTHER))], context()),
    "X-V3 07": lambda: ([MCF, MVF, grouped(esme=replace(ROW.esme, device=OTHER))], context()),
    "X-V3 08": lambda: ([MCF, MVF, grouped(gsme=None)], context()),
    "X-V3 09": lambda: ([MCF, MVF, MGF, encrypted(hub=OTHER)], context()),
    "X-V3 10": lambda: ([MCF, MVF, MGF, encrypted(dco=dco_of(OTHER))], context()),
    "X-V3 11": lambda: ([MCF, MVF, MGF, encrypted(dco=dco_of())], context()),
    "X-11.1 01": lambda: (
        [MCF, MVF, MGF, encrypted(s1sp=None, plain=PlainInformation(PLAIN))],
        context(),
    ),
    "X-KEY 01": lambda: (ALL_FILES, opener()),
    "X-KEY 02": lambda: (ALL_FILES, opener(Role.S1SP, Role.DCO)),
    "X-KEY 03": lambda: (ALL_FILES, opener(Role.S1SP, Role.S1SPDP)),
    "X-5.23A 01": lambda: (
        [MCF, MVF, MGF, encrypted(s1sp=replace(sealed(b""), ephemeral_point=b"\2" + b"\xff" * 32))],
        context(),
    ),
    "X-5.23A 02": lambda: (
        [MCF, MVF, MGF, encrypted(s1sp=sealed(information(), Layer.DCO))],
        context(),
    ),
    "X-5.23B 01": lambda: (s1sp(b"secret"), context()),
    "X-5.23B 02": lambda: (s1sp(NOT_VALID), context()),
    "X-5.23B 03": lambda: (s1sp(DP.replace(b"S1SPDPGroup", b"OtherGroup")), context()),
    "X-5.23B 04": lambda: (s1sp(information() + b"\n"), context()),
    "X-5.23B 05": lambda: (s1sp(information(2)), context()),
    "X-5.23B 06": lambda: (s1sp(WRONG_BASE64), context()),
    "X-11.2.1 01": lambda: (s1sp(DP), context()),
    "X-15.3 01": lambda: (s1sp(information()), context()),
    "X-15.3 02": lambda: (ALL_FILES, ruled(protected_data=None)),
    "X-15.3 03": lambda: (s1sp(information(protected=sealed(DP))), context()),
    "X-15.3 04": lambda: (
        s1sp(information(protected=sealed(information(), Layer.S1SPDP, Role.S1SPDP))),
        context(),
    ),
    "X-DCO 01": lambda: ([MCF, MVF, MGF, encrypted(dco=None)], context()),
    "X-DCO 02": lambda: (ALL_FILES, ruled(dco_part=False)),
    "X-DCO 03": lambda: ([MCF, MVF, MGF, encrypted(dco=sealed(DP))], context()),
    "X-DCO 04": lambda: (
        [MCF, MVF, MGF, encrypted(dco=sealed(DP, Layer.DCO, Role.DCO))],
        context(),
    ),
}


@pytest.mark.parametrize("code", list(INSTALLATIONS))
def test_an_installation_is_refused_and_its_files_are_not(code: str) -> None:
    files, at = INSTALLATIONS[code]()
    report = delivered(*files, at=at)
    assert codes(report) == [""] * len(files)
    assert code in installation_codes(report)
    assert not report.is_clean
    incomplete = code.startswith("X-KEY")
    results = {row.result for row in report.installations if row.findings}
    assert (Result.INCOMPLETE in results) is incomplete
    assert (Result.REFUSED in results) is not incomplete


#: What no switch changes: a root element that is no file at all leaves nothing to go on with.
ALWAYS = {"X-XSD 02"}


@pytest.mark.parametrize("code", list(INSTALLATIONS))
def test_an_installation_check_that_is_switched_off_changes_the_verdict(code: str) -> None:
    files, at = INSTALLATIONS[code]()
    report = delivered(*files, at=without(code, at))
    assert code not in installation_codes(report)


#: Files that are long to read once no limit stops them: see the limits below.
LONG = {"X-SIZE 01", "X-SIZE 03"}


@pytest.mark.parametrize("code", [code for code in ALONE if code not in ALWAYS | LONG])
def test_a_file_check_that_is_switched_off_changes_the_verdict(code: str) -> None:
    (row,) = checked(ALONE[code](), at=without(code, context()))
    found = "" if row.finding is None else f"{row.finding.code} {row.finding.sub_code}"
    assert found != code


@pytest.mark.parametrize(
    ("limit", "code"), [("MAX_DOCUMENT_BYTES", "X-SIZE 01"), ("MAX_ELEMENTS", "X-SIZE 03")]
)
def test_limits_that_are_switched_off_change_the_verdict(
    limit: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xml_input, limit, 10)
    assert codes(delivered(MCF)) == [code]
    assert codes(delivered(MCF, at=without(code, context()))) == [""]


@pytest.mark.parametrize("code", list(TOGETHER))
def test_a_set_check_that_is_switched_off_changes_the_verdict(code: str) -> None:
    files, ledger = TOGETHER[code]()
    assert codes(delivered(*files, ledger=ledger, at=without(code, context())))[-1] != code


@pytest.mark.parametrize("code", ["X-NAME 02", "X-SIG-BAD 01", "X-SIG-CERT 01", "X-GROUP 02"])
def test_a_refusal_that_the_operator_overrides_is_a_warning(code: str) -> None:
    switches = Switches(overridden=frozenset({rule_of(code)}))
    (row,) = checked(ALONE[code](), at=replace(context(), switches=switches))
    assert row.error is None
    assert [f"{one.code} {one.sub_code}" for one in row.warnings] == [code]
    assert row.warnings[0].text.startswith("overridden by the operator: ")


def rule_of(code: str) -> str:
    wanted = code.split(maxsplit=1)[0]
    return next(rule for rule, row in shipped_book().rules.items() if row.code == wanted)


def without(code: str, at: Context) -> Context:
    return replace(at, switches=Switches(disabled=frozenset({rule_of(code)})))


def test_no_check_and_no_sub_code_is_left_out() -> None:
    shown = {*ALONE, *TOGETHER, *INSTALLATIONS, *SHOWN_ELSEWHERE}
    declared = {f"{check.code} {sub}" for check in CHECKS for sub in check.subs}
    assert shown == declared


#: X-SIG-CERT 03 needs authorities (signing tests), X-XSD 03 a schema of the user's (overlay tests);
#: X-11.1 02 and 03 are refused by the shipped schema before, a user's own may not (rule tests).
SHOWN_ELSEWHERE = {"X-SIG-CERT 03", "X-XSD 03", "X-11.1 02", "X-11.1 03"}


def test_codes_are_ours_or_the_two_real_ones_and_every_row_is_marked() -> None:
    rules = shipped_book().rules
    assert len({row.code for row in rules.values()}) == len(rules), "no code stands twice"
    for check in CHECKS:
        assert re.fullmatch(r"X-[0-9A-Z][0-9A-Z.-]*", check.code)
    own = {row.code for row in rules.values() if not row.code.startswith("X-")}
    assert own == {"MA110"}, "GT01 is no rule's own code: 18 and the appendices give it"
    for row in rules.values():
        Mark.parse(row.evidence)
        assert row.clause
        assert row.says
        assert re.fullmatch(r"[PVHTCRM]\d", row.step)


def test_files_come_before_installations_in_the_order_of_checks() -> None:
    levels = [check.level for check in CHECKS]
    assert levels == sorted(levels, key=[Level.FILE, Level.INSTALLATION].index)
    own = [check for check in CHECKS if check.level is Level.FILE and check != Check("GROUP")]
    orders = [check.row.order for check in own]
    assert orders == sorted(orders), "the rule table has them in the order they are made in"


def test_an_error_has_a_sub_code_of_its_check() -> None:
    with pytest.raises(ValueError, match="no sub-code"):
        MigrationFileError(CHECKS[0], "99", "why")
    assert isinstance(MigrationFileError(CHECKS[0], "01", "why", line=3), HarnessError)
