"""No value of a profile, state or catalogue is a given message's payload or hides part of one."""

import csv
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.codecs.gbcs import envelope
from tests.emulator.devices.rtds_kit import RUN, assert_holds_no_message
from tests.given import needs_rtds, rtds_messages

ROOT = Path(__file__).resolve().parents[3]
#: Every profile that is shipped, and every profile and state that tests give the RTDS devices.
FILES = sorted(
    [
        *(ROOT / "device_profiles").rglob("*.toml"),
        *Path(__file__).parent.rglob("*.toml"),
        *(ROOT / "device_profiles" / "catalogues").glob("gbcs-*.csv"),
    ]
)


def values_of(path: Path) -> Iterator[tuple[str, Any]]:
    """Every value of a file, and every cell of a table."""
    if path.suffix == ".toml":
        yield from tomllib.loads(path.read_text("utf-8")).items()
        return
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.reader(file), 1):
            for cell in row:
                yield f"{path.name}:{number}", cell


def test_all_profiles_are_looked_at() -> None:
    models = {path.stem for path in FILES if path.parent.name == "models"}
    given = {path.name for path in FILES if path.name.startswith("rtds-")}
    assert len(models) > 40
    assert given >= {"rtds-esme.toml", "rtds-gsme.toml", "rtds-gpf.toml", "rtds-chf.toml"}
    assert any(path.suffix == ".csv" for path in FILES)


@needs_rtds
@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_value_is_or_hides_a_part_of_a_message(path: Path) -> None:
    assert_holds_no_message(values_of(path))


@needs_rtds
def test_a_planted_payload_and_a_planted_run_are_found_wherever_they_hide() -> None:
    octets = max((octets for _, octets in rtds_messages()), key=len)
    payloads = [envelope.decode(one).payload for _, one in rtds_messages()]
    payload = min((one for one in payloads if len(one) > 10), key=len)
    starts = [at for at in range(100, len(octets) - RUN) if octets[at] and octets[at + RUN - 1]]
    run = octets[starts[0] : starts[0] + RUN]
    for planted in (
        payload.hex(), run.hex(), {"a": [run.hex().upper()]}, list(run), [[1, list(run)]],
        int.from_bytes(run, "big"), "00" + run.hex() + "ff",
    ):  # fmt: skip
        with pytest.raises(AssertionError):
            assert_holds_no_message([("planted", planted)])
    assert_holds_no_message([("short", run[: RUN - 1].hex())])
