"""The run as JUnit XML: a suite a scenario, a case a step, clause and seed as properties."""

from lxml import etree

from harness.report.model import RunRecord, ScenarioRecord, StepRecord
from harness.verdict import Verdict


def render(run: RunRecord) -> bytes:
    """Return ``junit.xml``.

    FAIL becomes a failure, ERROR an error, SKIPPED and not reached a skip. INCONCLUSIVE becomes a
    failure of type ``INCONCLUSIVE``: a reader of JUnit must not take it for a pass.
    """
    root = etree.Element("testsuites", name=f"smetsbench {run.id}")
    suites = [_suite(run, scenario) for scenario in run.scenarios]
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    root.extend(suites)
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _suite(run: RunRecord, scenario: ScenarioRecord) -> etree._Element:
    suite = etree.Element("testsuite", name=f"{scenario.id} {scenario.declared['title']}")
    properties = {
        "scenario": scenario.id,
        "seed": str(run.options.seed),
        "verdict": scenario.verdict.name if scenario.verdict is not None else "none",
        "reason": scenario.reason,
        "outcome": scenario.outcome,
        "expectation": scenario.declared["expectation"]["kind"],
        "bench": run.bench,
        "world": scenario.declared["world"],
        "smetsbench": run.version,
    }
    rows = [*properties.items()]
    for clause in scenario.declared["clauses"]:
        rows += [("clause", clause["id"]), ("evidence", f"{clause['id']} = {clause['evidence']}")]
    _properties(suite, rows)
    cases = [_case(scenario, step) for step in scenario.steps]
    cases.append(_whole(scenario))
    suite.extend(cases)
    suite.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", _seconds(scenario.started_at, scenario.ended_at))
    return suite


def _properties(parent: etree._Element, rows: list[tuple[str, str]]) -> None:
    properties = etree.SubElement(parent, "properties")
    for name, value in rows:
        etree.SubElement(properties, "property", name=name, value=clean(value))


def _case(scenario: ScenarioRecord, step: StepRecord) -> etree._Element:
    case = etree.Element(
        "testcase",
        classname=scenario.id,
        name=f"{step.number}. {step.title}",
        time=_seconds(step.started_at, step.ended_at),
    )
    if step.clauses:
        _properties(case, [("clause", clause) for clause in step.clauses])
    _verdict(case, step.verdict, step.reason or "not reached")
    return case


def _whole(scenario: ScenarioRecord) -> etree._Element:
    """The scenario's own verdict: outcome word and order of events, beside its steps."""
    case = etree.Element("testcase", classname=scenario.id, name="outcome and order of events")
    graver = all(
        step.verdict is None or scenario.verdict is None or step.verdict < scenario.verdict
        for step in scenario.steps
    )
    if graver or scenario.verdict is Verdict.PASS:
        _verdict(case, scenario.verdict, scenario.reason or "not reached")
    else:
        etree.SubElement(case, "skipped", message=clean(f"judged in a step: {scenario.reason}"))
    return case


def _verdict(case: etree._Element, verdict: Verdict | None, reason: str) -> None:
    if verdict is None or verdict is Verdict.SKIPPED:
        etree.SubElement(case, "skipped", message=clean(reason))
    elif verdict is Verdict.ERROR:
        etree.SubElement(case, "error", type=verdict.name, message=clean(reason))
    elif verdict is not Verdict.PASS:
        etree.SubElement(case, "failure", type=verdict.name, message=clean(reason))


def _seconds(started_at: int | None, ended_at: int | None) -> str:
    """Bench time, which is virtual where devices are emulated."""
    if started_at is None or ended_at is None:
        return "0.000"
    return f"{(ended_at - started_at) / 1000:.3f}"


def clean(text: str) -> str:
    """Return a text without the control characters that XML cannot carry."""
    return "".join(
        char if char >= " " or char in "\t\n" else "\N{REPLACEMENT CHARACTER}" for char in text
    )
