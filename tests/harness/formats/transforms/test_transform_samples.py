import csv
import io

import pytest

from emulator.codecs.gbcs.use_cases import MESSAGES
from harness.formats.duis.transforms.outcome import PreCommand
from harness.formats.duis.transforms.transform import transform
from tests.given import needs_duis, needs_rtds
from tests.harness.formats.transforms import transforms_given as given

CRITICAL = [row for row in given.rows() if row["variant"] == "4"]
AT_HAND = [row for row in CRITICAL if row["pre_command"] == "yes"]
EQUAL = [row["sample"] for row in AT_HAND if row["verdict"] == "equal"]
EXCEPTIONS = [row["sample"] for row in AT_HAND if row["verdict"] == "exception"]


@needs_duis
@needs_rtds
def test_the_inventory_names_every_sample_and_what_is_at_hand_of_it() -> None:
    kept = [
        (row["sample"], row["service"], row["variant"], row["pre_command"], row["command"])
        for row in given.rows()
    ]
    words = {True: "yes", False: ""}
    found = [
        (one.name, one.service, str(one.variant), words[one.pre_command], words[one.command])
        for one in given.samples()
    ]
    assert kept == found


def test_every_exception_has_its_reason_and_nothing_else_has_one() -> None:
    assert all(bool(row["reason"]) is (row["verdict"] == "exception") for row in CRITICAL)
    assert len(EQUAL) + len(EXCEPTIONS) == len(AT_HAND) == 33


@needs_duis
@needs_rtds
@pytest.mark.parametrize("name", EQUAL)
def test_a_sample_becomes_the_pre_command_at_hand_octet_for_octet(name: str) -> None:
    made = transform(given.document(name), given.context_of(name))
    assert isinstance(made, PreCommand)
    assert made.octets.hex() == given.vector(f"{name}_PRECOMMAND").hex()


@needs_duis
@needs_rtds
@pytest.mark.parametrize("name", EXCEPTIONS)
def test_an_exception_differs_in_the_certificates_that_its_reason_names_alone(name: str) -> None:
    wanted = given.vector(f"{name}_PRECOMMAND")
    made = transform(given.document(name), given.context_of(name))
    assert isinstance(made, PreCommand)
    assert made.octets != wanted, "no exception any more: mend the inventory"
    if name.startswith("CS03C"):
        known = given.context_of(name, certificate=given.certificate_in(wanted))
        again = transform(given.document(name), known)
    else:
        asked = given.with_certificates_of(wanted, given.document(name))
        again = transform(asked, given.context_of(name))
    assert isinstance(again, PreCommand)
    assert again.octets.hex() == wanted.hex()


@needs_duis
@needs_rtds
@pytest.mark.parametrize("row", CRITICAL, ids=lambda row: row["sample"])
def test_every_critical_sample_becomes_a_pre_command_of_the_use_case_it_is_named_for(
    row: dict[str, str],
) -> None:
    name = row["sample"]
    made = transform(given.document(name), given.context_of(name))
    assert isinstance(made, PreCommand)
    assert row["use_case"] == MESSAGES[made.code].use_case
    assert name.startswith(row["use_case"])


def test_the_inventory_is_a_clean_csv_file() -> None:
    text = given.INVENTORY.read_text("utf-8")
    again = io.StringIO()
    writer = csv.writer(again, lineterminator="\n")
    writer.writerows(csv.reader(io.StringIO(text)))
    assert again.getvalue() == text
