"""A run as ``junit.xml``: a test case a case, and one for every entry and exit criterion."""

from lxml import etree

from harness.dust.record import CaseResult, Criterion
from harness.dust.report_model import Report, word
from harness.report.junit import clean
from harness.verdict import Verdict


def render(report: Report) -> bytes:
    """Return ``junit.xml``.

    A waived case is skipped, with the waiver as its message; INCONCLUSIVE is a failure of that
    type: a reader of JUnit must not take it for a pass.
    """
    record = report.record
    head = record.header
    root = etree.Element("testsuites", name=clean(f"smetsbench dust {head.run_id}"))
    criteria = [_criterion(one) for one in record.criteria]
    for name, cases in (
        ("cases", [_case(one) for one in record.cases]),
        ("criteria", criteria),
    ):
        suite = etree.SubElement(root, "testsuite", name=clean(f"{head.run_id} {name}"))
        _properties(suite, _of_run(report))
        suite.extend(cases)
        _count(suite, cases)
    _count(root, list(root.iter("testcase")))
    etree.indent(root)
    octets: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return octets + b"\n"


def _of_run(report: Report) -> list[tuple[str, str]]:
    head = report.record.header
    return [
        ("run", head.run_id),
        ("title", head.title),
        ("label", head.label),
        ("cohort", head.cohort),
        ("group_id", head.group_id),
        ("participant", head.participant),
        ("mode", head.mode),
        ("environment", head.environment),
        ("as_of", head.as_of.isoformat()),
        ("as_of_why", head.as_of_why),
        ("seed", str(head.seed)),
        ("smetsbench", head.version),
        ("definition_sha256", head.definition_sha256),
        ("verdict", report.verdict_word),
        ("reason", report.record.reason),
        ("identifiers", report.shown.value),
    ]


def _case(one: CaseResult) -> etree._Element:
    case = etree.Element(
        "testcase", classname=clean(one.family), name=clean(f"{one.id} {one.title}")
    )
    rows = [("case", one.id), ("mandatory", "yes" if one.mandatory else "no")]
    rows += [("verdict", one.verdict.name)]
    rows += [("first_failing_step", one.first_failing_step)] if one.first_failing_step else []
    rows += [("waived_by", one.waived_by)] if one.waived_by else []
    rows += [("installation", ref) for ref in one.refs]
    clauses = dict.fromkeys((part.clause, part.evidence) for part in one.expected if part.clause)
    rows += [("clause", f"{clause} = {mark}") for clause, mark in clauses]
    _properties(case, rows)
    if one.waived_by and one.verdict is not Verdict.PASS:
        told = f"waived by {one.waived_by} ({one.verdict.name}: {one.reason})"
        etree.SubElement(case, "skipped", message=clean(told))
    else:
        lines = [
            f"{word(part.verdict)} {part.what}: expected {part.expected},"
            f" found {part.actual or 'nothing'}"
            for part in one.expected
            if part.verdict is not Verdict.PASS
        ]
        _verdict(case, one.verdict, one.reason, "\n".join(lines))
    return case


def _criterion(one: Criterion) -> etree._Element:
    case = etree.Element(
        "testcase", classname=clean(f"{one.kind} criteria"), name=clean(f"{one.id} {one.text}")
    )
    _properties(case, [("check", one.check), ("evidence", one.evidence)])
    _verdict(case, one.verdict, one.reason, "")
    return case


def _verdict(case: etree._Element, verdict: Verdict, reason: str, told: str) -> None:
    if verdict is Verdict.PASS:
        return
    tag = {Verdict.SKIPPED: "skipped", Verdict.ERROR: "error"}.get(verdict, "failure")
    element = etree.SubElement(case, tag, message=clean(reason))
    if verdict is not Verdict.SKIPPED:
        element.set("type", verdict.name)
    if told:
        element.text = clean(told)


def _properties(parent: etree._Element, rows: list[tuple[str, str]]) -> None:
    properties = etree.SubElement(parent, "properties")
    for name, value in rows:
        etree.SubElement(properties, "property", name=name, value=clean(value))


def _count(element: etree._Element, cases: list[etree._Element]) -> None:
    element.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(sum(case.find(tag) is not None for case in cases)))
