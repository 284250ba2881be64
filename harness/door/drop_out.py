"""What a drop writes out: answers, alerts, outcomes, files and turns, so many at one look."""

import json
from pathlib import Path
from typing import Final

from harness.door.drop_files import put, put_json
from harness.door.exchange import Exchange
from harness.door.kept import Alert, Answer, Taken
from harness.door.ports import turn_file

#: Most files of one kind that are written at one look: a flood of alerts leaves room for answers.
#: Source: invented.
MOST_A_LOOK: Final = 200


def write_out(exchange: Exchange, out: Path) -> int:
    """Write what no file holds yet; a kill in between writes it again. Returns how many files.

    Files that belong to an outcome or turn are there before it is.

    Raises:
        OSError: The folder takes nothing.
    """
    return (
        _answers(exchange, out)
        + _files(exchange, out)
        + _outcomes(exchange, out)
        + _alerts(exchange, out)
        + _turns(exchange, out)
    )


def _answers(exchange: Exchange, out: Path) -> int:
    answers = exchange.unwritten_answers(MOST_A_LOOK)
    for taken, answer in answers:
        put(out / _answer_name(taken, answer), answer.document)
    if answers:
        exchange.note_answers_written([answer for _taken, answer in answers])
    return len(answers)


def _alerts(exchange: Exchange, out: Path) -> int:
    alerts = exchange.unwritten_alerts(MOST_A_LOOK)
    for alert in alerts:
        put(out / _alert_name(alert), alert.document)
    if alerts:
        exchange.note_written("alerts", [alert.number for alert in alerts])
    return len(alerts)


def _files(exchange: Exchange, out: Path) -> int:
    """Write all of them: turns and outcomes speak of them."""
    written = 0
    while files := exchange.unwritten_files(MOST_A_LOOK):
        for file in files:
            put(out / file.name, file.octets)
        exchange.note_written("files", [file.number for file in files])
        written += len(files)
    return written


def _outcomes(exchange: Exchange, out: Path) -> int:
    outcomes = exchange.unwritten_outcomes(MOST_A_LOOK)
    for _number, name, told in outcomes:
        put_json(out / f"{name}.outcome.json", json.loads(told))
    if outcomes:
        exchange.note_written("papers", [number for number, _name, _told in outcomes])
    return len(outcomes)


def _turns(exchange: Exchange, out: Path) -> int:
    """Tell of a turn when everything that came before it is there."""
    if exchange.unwritten_alerts(1) or exchange.unwritten_answers(1):
        return 0
    turns = exchange.unwritten_turns()
    for number, told in turns:
        put_json(out / turn_file(number), json.loads(told))
    if turns:
        exchange.note_written("turns", [number for number, _told in turns])
    return len(turns)


def _answer_name(taken: Taken, answer: Answer) -> str:
    more = "" if answer.number == 1 else f"-{answer.number}"
    return f"{taken.name}.response{more}.xml"


def _alert_name(alert: Alert) -> str:
    return f"alert-{alert.number:06d}.xml"
