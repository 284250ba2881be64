"""Cost of loading CPL and EPCL of 100,000 rows each, against csv.reader of the same run."""

import csv
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from time import process_time

from device_profiles import cpl, epcl
from device_profiles.cpl import Cpl, CplEntry
from device_profiles.dmc import render as render_rows
from device_profiles.epcl import EpclEntry
from device_profiles.words import DeviceType, SmetsVersion

ROWS = 100_000
VERSIONS = 20
LOOK_UPS = 1_000
#: What the issue asks for: a list of this size in seconds.
LIMIT_S = 10.0


def _entry(number: int) -> CplEntry:
    model, version = divmod(number, VERSIONS)
    return CplEntry.model_validate(
        {
            "cpl_entry_id": f"E{number}",
            "device_type": DeviceType.ESME,
            "smets": SmetsVersion.SMETS1,
            "manufacturer_name": "made up",
            "manufacturer_id": "FFF2",
            "model_id": f"{model:04X}",
            "hardware_version": "0100",
            "firmware_version": f"{version:08X}",
            "manufacturer_image_hash": "ab" * 32,
            "status": "Active",
            "effective_from": date(2014, 1, 1),
            "upgrade_from": (f"E{number - 1}",) if version else (),
            "evidence": "stand-in",
        }
    )


def _combination(number: int) -> EpclEntry:
    """Return a row that pairs a hub with a meter; no two rows pair the same."""
    hub, meter = divmod(number, ROWS // VERSIONS)
    return EpclEntry.model_validate(
        {
            "epcl_id": f"P{number}",
            "group_id": "AA",
            "chf": f"H{hub}",
            "esme": f"E{meter * VERSIONS}",
            "csp": "SMETS1",
            "basis": "tested",
            "route": "sit-mt",
            "added_on": date(2020, 1, 1),
            "evidence": "stand-in",
        }
    )


def _hub(number: int) -> CplEntry:
    changed = {"cpl_entry_id": f"H{number}", "device_type": DeviceType.CHF, "upgrade_from": ()}
    return _entry(0).model_copy(update=changed | {"hardware_version": f"{number + 1:04X}"})


def _seconds(job: Callable[[], object]) -> float:
    started = process_time()
    job()
    return process_time() - started


def _read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def _look_up(listed: Cpl) -> None:
    for number in range(0, ROWS, ROWS // LOOK_UPS):
        entry = listed.entry(f"E{number}")
        listed.resolve(
            manufacturer=entry.manufacturer_id,
            model=entry.model_hex,
            device_type=entry.device_type,
            firmware_version=entry.firmware_version,
        )


def main() -> None:
    """Print the claims."""
    print("claim | value | unit | reference | ratio")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cpl.csv"
        path.write_text(cpl.render(_entry(number) for number in range(ROWS)), "utf-8")
        floor = min(_seconds(lambda: _read(path)) for _ in range(3))
        took = min(_seconds(lambda: cpl.load(path)) for _ in range(2))
        listed = cpl.load(path)
    print(f"a CPL of {ROWS} rows loaded and checked | {took:.1f} | s of CPU | "
          f"csv.reader alone {floor:.2f} s | {took / floor:.1f}")  # fmt: skip
    first = _seconds(lambda: _look_up(listed))
    again = _seconds(lambda: _look_up(listed))
    print(f"{LOOK_UPS} pre-notifications resolved in it | {again * 1e3:.1f} | ms of CPU | "
          f"with the index built {first * 1e3:.1f} ms | {again / first:.2f}")  # fmt: skip
    both = _epcl_seconds(listed)
    if max(took, both) > LIMIT_S:
        raise SystemExit(f"{took:.1f} s and {both:.1f} s, {LIMIT_S} are the aim")


def _epcl_seconds(listed: Cpl) -> float:
    """Load an EPCL of as many rows and print the claim; returns its seconds of CPU."""
    products = Cpl([*listed.entries.values(), *map(_hub, range(VERSIONS))], checked=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "epcl.csv"
        text = render_rows((_combination(number) for number in range(ROWS)), epcl.COLUMNS)
        path.write_text(text, "utf-8")
        floor = min(_seconds(lambda: _read(path)) for _ in range(3))
        took = _seconds(lambda: epcl.load(path, products))
    print(f"an EPCL of {ROWS} rows loaded and checked | {took:.1f} | s of CPU | "
          f"csv.reader alone {floor:.2f} s | {took / floor:.1f}")  # fmt: skip
    return took


if __name__ == "__main__":
    main()
