"""Identifiers of user data are replaced wherever they stand; made-up ones stay."""

import base64
import io
import json
import zipfile

import pytest

from harness.dust.pseudonyms import Pseudonyms, Shown

LIVE = bytes.fromhex("00db1234567890a0")
DASHED = "00-DB-12-34-56-78-90-A0"
PSEUDONYM = "EE-EE-00-00-00-00-00-01"
#: An MPAN with its check digit, made up for this test.
MPAN = "1200023305967"


def learnt(*octets: bytes) -> Pseudonyms:
    names = Pseudonyms()
    for one in octets:
        names.learn(one)
    return names


NAMES = learnt(DASHED.encode(), f"<ImportMPxN>{MPAN}</ImportMPxN>".encode())


@pytest.mark.parametrize(
    ("spelt", "replaced"),
    [
        (DASHED, PSEUDONYM),
        (DASHED.lower(), PSEUDONYM),
        (DASHED.replace("-", ":").lower(), PSEUDONYM.replace("-", ":").lower()),
        (LIVE.hex(), PSEUDONYM.replace("-", "").lower()),
        (LIVE.hex().upper(), PSEUDONYM.replace("-", "")),
        (LIVE.hex(" "), PSEUDONYM.replace("-", " ").lower()),
        (LIVE[::-1].hex(), bytes.fromhex("eeee000000000001")[::-1].hex()),
        (f"{DASHED}:{DASHED}:17", f"{PSEUDONYM}:{PSEUDONYM}:17"),
        (f"mpan {MPAN}.", "mpan 0000000000001."),
        ("UTRN 12345678901234567890", "UTRN " + "0" * 20),
        ("in the middle of ff" + LIVE.hex() + "00", "in the middle of ffeeee00000000000100"),
        ("a day 2023-01-31, 13 digits 1674453600123", None),
        ("02-53-00-00-00-00-00-01", None),
        ("9912345678901", None),
    ],
)
def test_an_identifier_is_replaced_in_every_spelling(spelt: str, replaced: str | None) -> None:
    assert NAMES.text(spelt) == (spelt if replaced is None else replaced)


@pytest.mark.parametrize("octets", [LIVE, LIVE[::-1], b"\x00" + LIVE + LIVE[::-1] + b"\xff"])
def test_octets_are_replaced_in_both_orders_and_lengths_stay(octets: bytes) -> None:
    told = NAMES.over(octets)
    assert len(told) == len(octets)
    assert LIVE not in told
    assert LIVE[::-1] not in told


@pytest.mark.parametrize("lead", range(3))
def test_base64_is_looked_into_even_where_its_lines_break(lead: int) -> None:
    inner = bytes(range(100, 160))[: 45 + lead] + LIVE + bytes(40)
    shown = base64.encodebytes(inner).decode()
    told = NAMES.text(f"<X>{shown}</X>")
    assert len(told) == len(shown) + 7
    assert LIVE not in base64.b64decode(told[3:-4])


def test_a_workbook_is_replaced_within() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/sharedStrings.xml", f"<t>{DASHED}</t><t>{MPAN}</t>")
    with zipfile.ZipFile(io.BytesIO(NAMES.over(out.getvalue()))) as told:
        content = told.read("xl/sharedStrings.xml").decode()
    assert content == f"<t>{PSEUDONYM}</t><t>0000000000001</t>"


def test_an_archive_that_cannot_be_read_is_not_passed_on() -> None:
    assert b"left out" in NAMES.over(b"PK\3\4 broken")


def test_a_workbook_without_identifiers_stays_to_the_octet() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/sheet1.xml", "<v>02-53-00-00-00-00-00-01</v>" * 40)
    assert NAMES.over(out.getvalue()) == out.getvalue()


def test_a_workbook_is_learnt_from() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("a", DASHED)
    assert learnt(out.getvalue()).text(DASHED) == PSEUDONYM


def test_json_stays_json_whatever_its_numbers_look_like() -> None:
    text = json.dumps({"at": int(MPAN), "mpan": MPAN, "eui64": LIVE.hex(), "utrn": "1" * 20})
    told = json.loads(NAMES.over(text.encode(), json=True))
    assert told == {
        "at": int(MPAN),
        "mpan": "0000000000001",
        "eui64": "eeee000000000001",
        "utrn": "0" * 20,
    }


def test_what_we_write_ourselves_is_not_searched_for_rows_of_digits() -> None:
    names = Pseudonyms()
    names.learn(MPAN.encode(), ours=True)
    assert names.shown is Shown.MADE_UP


def test_nothing_is_touched_where_all_is_made_up() -> None:
    octets = b"02-53-00-00-00-00-00-01 and 12345678901234567890"
    assert learnt(octets).over(octets) == octets


def test_thousands_of_identifiers_have_thousands_of_pseudonyms() -> None:
    names = Pseudonyms()
    euis = [b"\x00\xdb\x12" + number.to_bytes(5, "big") for number in range(3000)]
    for one in euis:
        names.learn_eui64(one)
    told = names.text(" ".join(one.hex("-").upper() for one in euis)).split()
    assert len(set(told)) == len(euis)
    assert all(one.startswith("EE-EE-") for one in told)
