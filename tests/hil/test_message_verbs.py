"""How grave a GBCS message is, before it goes to a real device."""

import pytest

from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode
from hil.message_verbs import verb_of_code, verb_of_message
from hil.verbs import STRICTEST, Verb


@pytest.mark.parametrize(
    ("code", "verb"),
    [
        (MessageCode.ECS17B, Verb.READ),
        (MessageCode.ECS52, Verb.READ),
        (MessageCode.GCS38, Verb.READ),
        (MessageCode.ECS01A, Verb.WRITE),
        (MessageCode.ECS10, Verb.WRITE),
        (MessageCode.ECS70, Verb.CLOCK),
        (MessageCode.ECS42, Verb.SUPPLY),
        (MessageCode.ECS43, Verb.SUPPLY),
        (MessageCode.GCS32, Verb.SUPPLY),
        (MessageCode.ECS03, Verb.SUPPLY),
        (MessageCode.CS01A, Verb.SUPPLY),
        (MessageCode.ECS28A, Verb.SUPPLY),
        (MessageCode.CS02D, Verb.KEYS),
        (MessageCode.CS02B_SUPPLIER_BY_SUPPLIER, Verb.KEYS),
        (MessageCode.CS06, Verb.FIRMWARE),
    ],
)
def test_each_use_case_counts_as_what_it_may_do(code: MessageCode, verb: Verb) -> None:
    assert verb_of_code(code) is verb


def test_what_the_table_does_not_know_counts_as_the_strictest() -> None:
    assert verb_of_code(0x7FFF) is STRICTEST
    assert verb_of_message(b"no message") == (STRICTEST, None)


def test_no_use_case_whose_title_says_that_it_sets_something_counts_as_reading() -> None:
    changing = ("Set ", "Update ", "Reset ", "Activate ", "Remotely ", "Arm ", "Clear ", "Write ")
    mild = [
        row.use_case
        for code, row in MESSAGES.items()
        if row.title.startswith(changing) and verb_of_code(code) is Verb.READ
    ]
    assert mild == []
