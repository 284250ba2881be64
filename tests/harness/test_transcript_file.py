import os
import signal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.dlms.settings import Framing
from harness.dlms_view.line import Way
from harness.errors import UsageError
from harness.report.pcapng import PcapngWriter
from harness.transcript import Chunk, EventKind, LineEvent, Record, Transcript, read_line
from harness.transcript_about import About, Client
from harness.transcript_file import TranscriptWriter, load, pcapng_of, toml_of
from harness.transcript_guard import SecretInCaptureError
from tests.harness.recorded import CLOCK, IMPORT, VIEW, Recorded, save
from tests.sampling import examples

AT = 1_700_000_000_123_456_789
RECORDS: tuple[Record, ...] = (
    LineEvent(AT, EventKind.OPEN, {"baud": 300}),
    Chunk(AT + 1, Way.IN, b"\xaf?!\x8d\x0a"),
    LineEvent(AT + 2, EventKind.LINES, {"dtr": True, "rts": False}),
    Chunk(AT + 3, Way.OUT, b"\x00\xff"),
    LineEvent(AT + 4, EventKind.ERROR, {"kind": "PortLostError £"}),
    LineEvent(AT + 5, EventKind.CLOSE),
)
ABOUT = About(
    profile="smets1",
    framing=Framing.OPTICAL,
    device={"eui64": "02-53-42-03-00-00-00-07", "odd name": 'a "quoted" word\\'},
    clients=(Client(name="reader", sap=2, mechanism="lls"),),
    tools={"smetsbench": "0.1.0"},
    seed=7,
)


def test_a_transcript_is_read_back_to_the_nanosecond(tmp_path: Path) -> None:
    about = save(tmp_path / "one", Transcript(ABOUT, RECORDS, ("optical head",)))
    for name in ("one", "one.pcapng", "one.toml"):
        back = load(tmp_path / name)
        assert (back.records, back.channels, back.about) == (RECORDS, ("optical head",), about)
    assert about.complete
    assert about.device == ABOUT.device
    assert len(about.short_hash) == 12


def test_channels_are_kept_apart(tmp_path: Path) -> None:
    records = (Chunk(AT, Way.IN, b"a", 0), Chunk(AT + 1, Way.IN, b"b", 1))
    save(tmp_path / "two", Transcript(ABOUT, records, ("meter", "console")))
    back = load(tmp_path / "two")
    assert [list(back.of(number)) for number in (0, 1)] == [[records[0]], [records[1]]]
    assert back.octets(Way.IN, 1) == b"b"


octets = st.one_of(st.binary(max_size=30), st.just(bytes.fromhex("7ea0070321930f017e")))
chunks = st.builds(Chunk, st.integers(0, 1 << 62), st.sampled_from(list(Way)), octets)
events = st.builds(
    LineEvent,
    st.integers(0, 1 << 62),
    st.sampled_from(list(EventKind)),
    st.dictionaries(
        st.text(max_size=5).filter(lambda key: key != "event"),
        st.one_of(st.text(st.characters(codec="utf-8"), max_size=9), st.integers(), st.booleans()),
        max_size=3,
    ),
)


@given(records=st.lists(st.one_of(chunks, events), max_size=12))
@settings(max_examples=examples(30), derandomize=True)
def test_any_records_are_read_back_in_order(
    tmp_path_factory: pytest.TempPathFactory, records: list[Record]
) -> None:
    name = tmp_path_factory.mktemp("any") / "capture"
    save(name, Transcript(ABOUT, tuple(records)))
    assert load(name).records == tuple(records)


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "one", Transcript(ABOUT, RECORDS))
    path = pcapng_of(tmp_path / "one")
    data = bytearray(path.read_bytes())
    data[-40] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(UsageError, match="changed after it was written"):
        load(tmp_path / "one")


@pytest.mark.parametrize("gone", [pcapng_of, toml_of])
def test_half_a_capture_is_none(tmp_path: Path, gone: object) -> None:
    save(tmp_path / "one", Transcript(ABOUT, RECORDS))
    assert callable(gone)
    gone(tmp_path / "one").unlink()
    with pytest.raises(UsageError, match="there is no capture"):
        load(tmp_path / "one")


def test_a_run_folders_capture_is_none(tmp_path: Path) -> None:
    PcapngWriter(tmp_path / "one.pcapng").close()
    ABOUT.write(toml_of(tmp_path / "one"))
    with pytest.raises(UsageError, match="no capture of a meter's line"):
        load(tmp_path / "one")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("format = 1", "format = 2", "reads format 1"),
        ('framing = "optical"', 'framing = "morse"', "framing"),
        ("seed = 7", "sead = 7", "sead"),
        ("format = 1", "format = ", "Invalid"),
    ],
)
def test_a_wrong_word_in_the_toml_is_named(tmp_path: Path, old: str, new: str, why: str) -> None:
    save(tmp_path / "one", Transcript(ABOUT, RECORDS))
    path = toml_of(tmp_path / "one")
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(UsageError) as caught:
        load(tmp_path / "one")
    assert why.lower() in caught.value.cause.lower()


def test_a_file_cut_anywhere_is_read_up_to_its_last_whole_record(tmp_path: Path) -> None:
    with TranscriptWriter(tmp_path / "cut", ABOUT) as writer:
        sizes = [writer.path.stat().st_size]
        for record in RECORDS:
            writer.write(record)
            sizes.append(writer.path.stat().st_size)
    whole = writer.path.read_bytes()
    for length in range(sizes[0], len(whole) + 1):
        writer.path.write_bytes(whole[:length])
        kept = sum(size <= length for size in sizes) - 1
        assert load(tmp_path / "cut").records == RECORDS[:kept], length
    assert not load(tmp_path / "cut").about.complete


def test_a_killed_writer_leaves_a_readable_capture(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        writer = TranscriptWriter(tmp_path / "killed", ABOUT)
        for record in RECORDS[:4]:
            writer.write(record)
        os.kill(os.getpid(), signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    back = load(tmp_path / "killed")
    assert back.records == RECORDS[:4]
    assert not back.about.complete


# Secrets.


def secret_conversation() -> tuple[Recorded, bytes]:
    told = Recorded()
    told.read("reader", CLOCK, IMPORT)
    return told, told.wire.keys.secrets["reader"]


def test_a_masked_secret_is_nowhere_in_the_files_and_is_named(tmp_path: Path) -> None:
    told, secret = secret_conversation()
    transcript = told.transcript()
    assert secret in transcript.octets(Way.IN)
    about = save(tmp_path / "one", transcript, {"reader.secret": secret})
    assert [(one.what, one.client, one.times) for one in about.masked] == [("lls-secret", 2, 1)]
    for path in (pcapng_of(tmp_path / "one"), toml_of(tmp_path / "one")):
        assert secret not in path.read_bytes()
    back = load(tmp_path / "one")
    sizes = [len(one.octets) for one in transcript.chunks()]
    assert [len(one.octets) for one in back.chunks()] == sizes


@pytest.mark.parametrize("spelt", ["octets", "hex", "HEX", "with parity"])
@pytest.mark.parametrize("way", list(Way))
def test_a_secret_in_clear_is_refused_and_nothing_is_left(
    tmp_path: Path, way: Way, spelt: str
) -> None:
    secret = b"abcd4321"
    forms = {
        "octets": secret,
        "hex": secret.hex().encode(),
        "HEX": secret.hex().upper().encode(),
        "with parity": bytes(one | (one.bit_count() & 1) << 7 for one in secret),
    }
    octets = b"\x01\x02" + forms[spelt] + b"\x03"
    halves = (octets[:5], octets[5:])
    records = tuple(Chunk(AT + number, way, half) for number, half in enumerate(halves))
    with pytest.raises(SecretInCaptureError, match=r"the secret reader\.secret crossed"):
        save(tmp_path / "one", Transcript(ABOUT, records), {"reader.secret": secret})
    assert list(tmp_path.iterdir()) == []


def test_the_secret_itself_is_never_in_the_message(tmp_path: Path) -> None:
    secret = b"abcd4321"
    record = Chunk(AT, Way.OUT, secret)
    with pytest.raises(SecretInCaptureError) as caught:
        save(tmp_path / "one", Transcript(ABOUT, (record,)), {"key": secret})
    assert "abcd4321" not in "\n".join(caught.value.lines())


def test_a_secret_that_only_the_segments_together_show_is_refused(tmp_path: Path) -> None:
    told = Recorded()
    told.read("public", VIEW)
    transcript = told.transcript()
    raw = transcript.octets(Way.OUT)
    seen = [one.seen for one in read_line(transcript.records) if one.seen.way is Way.OUT]
    view = max((one.message for one in seen), key=len)
    cut = next(view[at : at + 24] for at in range(len(view)) if view[at : at + 24] not in raw)
    with pytest.raises(SecretInCaptureError):
        save(tmp_path / "one", transcript, {"cut": cut})
    assert list(tmp_path.iterdir()) == []
