"""Commands as an enemy gives them: a clear error, no traceback, nothing lost, no key shown."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.core.faults import FAULTS
from firmware_images.recipe import load_recipe
from harness.cli import main as command_line
from harness.formats.duis.faults import SENTENCES, DuisFault
from tests.command_line import Command as Run
from tests.command_line import command_in

PARTY = "0253420000000001"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run the whole command line in an empty folder; returns exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SMETSBENCH_DATA", raising=False)
    monkeypatch.setenv("SMETSBENCH_TRACEBACK", "1")
    return command_in(monkeypatch, capsys)


def refusal(told: tuple[int, str, str]) -> str:
    """Check the form of an error for people and return it."""
    code, _output, error = told
    assert code == 2
    for part in ("error: ", "  where: ", "  likely cause: ", "  next: "):
        assert part in error, error
    assert "Traceback" not in error
    return error


def spawn(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload, no-any-return] # options vary
        [sys.executable, "-m", "harness.cli.main", *words],
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(command_line.__file__).parents[2],
        **options,
    )


# Files that are none


@pytest.mark.parametrize(
    "words",
    [
        ("gbcs", "decode", "/dev/zero"),
        ("firmware", "inspect", "/dev/zero"),
        ("firmware", "build", "demo-esme-2", "--out", "x", "--key", "/dev/zero"),
        ("installations", "check", "/dev/zero"),
        ("profiles", "/dev/zero"),
        ("pki", "export", "/dev/zero", "--out", "x"),
    ],
)
def test_an_endless_file_is_refused(run: Run, words: tuple[str, ...]) -> None:
    refusal(run(*words))


def test_an_endless_document_is_refused_as_too_large(run: Run) -> None:
    code, output, _ = run("duis", "check", "/dev/zero")
    assert (code, "too-large" in output) == (1, True)


@pytest.mark.parametrize("name", ["absent", "folder", "loop"])
def test_what_cannot_be_read_is_told_with_cause_and_next(
    run: Run, tmp_path: Path, name: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    refusal(run("firmware", "inspect", name))
    refusal(run("gbcs", "decode", name))
    refusal(run("duis", "check", name))


def test_a_pipe_is_read_like_a_file(run: Run, tmp_path: Path) -> None:
    run("firmware", "build", "demo-esme-2", "--out", "image.bin")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["/bin/sh", "-c", "cat image.bin > pipe"], cwd=tmp_path):
        code, output, _ = run("firmware", "inspect", "pipe", "--json")
    assert code == 0
    assert json.loads(output)["size_bytes"] == (tmp_path / "image.bin").stat().st_size


@pytest.mark.parametrize("verb", [("gbcs", "decode"), ("firmware", "inspect")])
def test_a_refused_document_is_named_with_its_line(
    run: Run, tmp_path: Path, verb: tuple[str, str]
) -> None:
    (tmp_path / "odd.xml").write_text("<?xml version='1.0'?>\n<a><b></a>", "utf-8")
    error = refusal(run(*verb, "odd.xml"))
    assert "where: odd.xml, line 2" in error
    assert "next: smetsbench duis check odd.xml" in error


def test_a_name_that_no_file_can_have_is_no_internal_error(run: Run) -> None:
    name = "x" * 300
    for words in (
        ("duis", "check", name),
        ("gbcs", "verify", name, "--keystore", name),
        ("profiles", name),
        ("installations", "new", "--cohort", name),
        ("pki", "new", "--out", name),
    ):
        refusal(run(*words))


# Nothing lost


def test_a_recipe_or_key_is_never_replaced_by_the_image(run: Run, tmp_path: Path) -> None:
    assert load_recipe("demo-esme-2").name
    shipped = Path(command_line.__file__).parents[2] / "firmware_images/recipes/demo-esme-2.toml"
    recipe = tmp_path / "mine.toml"
    recipe.write_bytes(shipped.read_bytes())
    assert "would replace" in refusal(run("firmware", "build", "mine.toml", "--out", "mine.toml"))
    assert recipe.read_bytes() == shipped.read_bytes()
    run("pki", "new", "--out", "keys")
    key = next((tmp_path / "keys").glob("*-ds.key"))
    kept = key.read_bytes()
    told = run("firmware", "build", "mine.toml", "--key", str(key), "--out", str(key))
    assert "would replace" in refusal(told)
    assert key.read_bytes() == kept


@pytest.mark.parametrize("store", ["keys", "keys.json"])
@pytest.mark.parametrize("verb", ["export", "import"])
def test_a_key_store_is_never_written_over_itself(
    run: Run, tmp_path: Path, store: str, verb: str
) -> None:
    run("pki", "new", "--out", store)
    files = sorted((tmp_path / "keys").glob("*")) or [tmp_path / store]
    before = [path.read_bytes() for path in files if path.is_file()]
    assert "would replace" in refusal(run("pki", verb, store, "--out", f"./{store}", "--force"))
    assert [path.read_bytes() for path in files if path.is_file()] == before


def test_public_keys_are_not_written_beside_private_ones(run: Run) -> None:
    run("pki", "new", "--out", "mine")
    run("pki", "new", "--out", "other.json", "--seed", "2")
    told = run("pki", "export", "other.json", "--out", "mine", "--force")
    assert "private keys" in refusal(told)


@pytest.mark.parametrize(
    "words",
    [
        ("--party", f"02:{PARTY}", "--party", f"03:{PARTY}"),
        ("--party", f"02:{PARTY}", "--device", PARTY),
        ("--at", "9999-12-31T23:59:59Z"),
        ("--at", "yesterday"),
        ("--party", "zz"),
        ("--device", "zz"),
        ("--out", "/proc/none/keys"),
    ],
)
def test_wrong_orders_for_keys_are_refused_and_write_nothing(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    refusal(run("pki", "new", "--out", "keys.json", *words))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("noun", [("pki", "new", "--out", "k"), ("installations", "new")])
def test_a_seed_is_never_negative(run: Run, noun: tuple[str, ...]) -> None:
    assert run(*noun, "--seed", "-1")[0] == 2


# What is said


@pytest.mark.parametrize(
    "words",
    [
        ("installations", "new", "--count", "0"),
        ("installations", "new", "--out", "home.txt"),
        ("installations", "new", "--out", "absent/home.toml"),
        ("data", "synthetic-cpl", "--out", "absent/cpl.csv"),
        ("firmware", "build", "demo-esme-2", "--out", "absent/x"),
        ("firmware", "build", "demo-esme-2", "--out", "x", "--hub", "demo-esme"),
        ("firmware", "build", "demo-ppmid-2", "--out", "x", "--defect", "absent-trailer"),
        ("firmware", "build", "absent.toml", "--out", "x"),
        ("gbcs", "decode", "DF", "--keystore", "absent"),
        ("profiles", "--data", "absent"),
        ("explain", "nonsense"),
        ("explain", "x" * 5000),
    ],
)
def test_errors_say_what_where_why_and_what_next(run: Run, words: tuple[str, ...]) -> None:
    error = refusal(run(*words))
    assert len(error) < 2000


def test_the_next_command_of_a_broken_overlay_works_with_the_overlay_in_place(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMETSBENCH_DATA", "absent")
    error = refusal(run("profiles"))
    following = error.partition("next: smetsbench ")[2].split()
    assert run(*following)[0] == 0


def test_lint_says_the_name_of_an_error_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(100))
    code, output, _ = run("firmware", "lint", "x", "--profile", "demo-esme", "--json")
    (objection,) = json.loads(output)["objections"]
    assert (code, objection["word"]) == (1, "bad-magic")
    assert "bad-magic" not in objection["detail"]


def test_every_refusal_of_a_document_has_a_meaning() -> None:
    assert set(SENTENCES) == set(DuisFault)


@pytest.mark.parametrize(
    "term", [*FAULTS, *DuisFault, "stand-in", "inferred", "observed", "11.1", "12.2", "11.3"]
)
def test_what_commands_and_reports_print_can_be_explained(run: Run, term: str) -> None:
    code, output, _ = run("explain", term, "--json")
    assert code == 0
    assert json.loads(output)["meanings"]


# Where the output goes


def test_a_narrow_terminal_cuts_no_name_off(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in ("1", "40"):
        monkeypatch.setenv("COLUMNS", columns)
        assert "lg-e470-smets2 " in run("profiles")[1]
        output = run("scenarios")[1]
        assert "FM-01 " in output
        assert "…" not in output


def test_a_reader_that_goes_away_is_no_failure() -> None:
    shell = f"{sys.executable} -m harness.cli.main explain FM-01; echo $? >&2"
    ended = subprocess.run(
        ["/bin/sh", "-c", f"{{ {shell}; }} | true"],
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(command_line.__file__).parents[2],
    )
    assert ended.stderr == "0\n"


@pytest.mark.soak
def test_a_full_disk_behind_standard_output_is_told() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = spawn("scenarios", "--json", stdout=full)
    assert ended.returncode == 2
    assert "No space left" in ended.stderr
    assert "internal error" not in ended.stderr


def test_a_closed_standard_output_is_no_internal_error() -> None:
    shell = f"{sys.executable} -m harness.cli.main explain FM-01 >&-"
    ended = subprocess.run(
        ["/bin/sh", "-c", shell],
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(command_line.__file__).parents[2],
    )
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
@pytest.mark.parametrize("words", [("duis", "check"), ("duis", "check", "--json")])
def test_a_file_name_that_is_no_text_is_printed_all_the_same(
    tmp_path: Path, encoding: str, words: tuple[str, ...]
) -> None:
    name = os.fsencode(tmp_path) + b"/b\xff\xe9.xml"
    Path(os.fsdecode(name)).write_text("<a/>", "utf-8")
    ended = spawn(
        *words,
        os.fsdecode(name),
        env={**os.environ, "PYTHONIOENCODING": encoding},
        stdout=subprocess.PIPE,
    )
    assert ended.returncode == 1, ended.stderr
    if "--json" in words:
        assert json.loads(ended.stdout)["files"][0]["file"] == os.fsdecode(name)
