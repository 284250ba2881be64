"""The reports of a run: one page, Markdown, JSON and JUnit, all from record and events."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from harness.dust import report_json, report_junit, report_markdown, report_page
from harness.dust.events import DustEvent, lines_of
from harness.dust.pseudonyms import Pseudonyms, Shown
from harness.dust.record import DustRecord
from harness.dust.record_form import Rendered, load, render
from harness.dust.report_model import Report, build

EVENTS: Final = "events.jsonl"
#: File name -> what renders it.
RENDERERS: Final[dict[str, Callable[[Report], bytes]]] = {
    "report.html": report_page.render,
    "report.md": report_markdown.render,
    "report.json": report_json.render,
    "junit.xml": report_junit.render,
}


def write(folder: Path, record: DustRecord, *, with_identifiers: bool) -> None:
    """Write all reports; each replaces the one before it whole, or not at all.

    Args:
        folder: Run folder; ``events.jsonl`` is read from it.
        record: The run.
        with_identifiers: Whether live EUI-64s, MPxNs and UTRNs are shown as they are.

    Raises:
        ValueError: The events are no events, or the record cannot be written.
        OSError: A file cannot be read or written.
    """
    path = folder / EVENTS
    events: Path | bytes = path if path.is_file() else b""
    shown, names = Shown.PLAIN, None
    if not with_identifiers:
        names = names_of(record, lines_of(events))
        record, shown = veiled(record, names), names.shown
    for name, content in rendered(record, events_of(events, names), shown).items():
        replace_whole(folder / name, content)


def rendered(record: DustRecord, events: Iterable[DustEvent], shown: Shown) -> dict[str, bytes]:
    """Return every report of a record: file name -> octets; the same input, the same octets.

    Args:
        record: The run.
        events: Its events, in order; they are gone through once.
        shown: What a reader sees of identifiers.
    """
    report = build(record, events, shown)
    return {name: render_it(report) for name, render_it in RENDERERS.items()}


def events_of(log: Path | bytes, names: Pseudonyms | None = None) -> Iterator[DustEvent]:
    """Yield the events of a log, one at a time; with names in the place of identifiers.

    Raises:
        ValueError: A line is no event.
    """
    for line in lines_of(log):
        told = line if names is None else names.over(line, json=True)
        try:
            yield DustEvent.load(json.loads(told))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"a line is no event: {error}") from error


def names_of(record: DustRecord, events: Iterable[bytes]) -> Pseudonyms:
    """Return pseudonyms for the identifiers of a record and its events, in this order."""
    names = Pseudonyms()
    for one in record.installations:
        for device in one.devices:
            names.learn_eui64(device.eui64.octets)
    for text in Rendered(record):
        names.learn(text, ours=True)
    for line in events:
        names.learn(line, ours=True)
    return names


def veiled(record: DustRecord, names: Pseudonyms) -> DustRecord:
    """Return a record with pseudonyms in the place of identifiers."""
    if names.shown is Shown.MADE_UP:
        return record
    return load(names.over(render(record).encode(), json=True))


def replace_whole(path: Path, content: Iterable[bytes] | bytes) -> None:
    """Write a file, at once or piece by piece; what was there is replaced whole, or not at all."""
    fresh = path.with_name(f"{path.name}.part")
    with fresh.open("wb") as file:
        file.writelines([content] if isinstance(content, bytes) else content)
    fresh.replace(path)
