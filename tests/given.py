"""Where the given test data lie, and how tests ask for them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RTDS_DIR = Path(os.environ.get("SMETSBENCH_RTDS", ROOT.parent / "shared" / "rtds"))
DUIS_DIR = Path(os.environ.get("SMETSBENCH_DUIS", ROOT.parent / "shared" / "duis"))
RTDS_KEYS = RTDS_DIR / "keystore.json"

needs_rtds = pytest.mark.skipif(
    not RTDS_KEYS.is_file(), reason=f"no RTDS at {RTDS_DIR} (set SMETSBENCH_RTDS)"
)
needs_duis = pytest.mark.skipif(
    not (DUIS_DIR / "requests").is_dir(), reason=f"no DUIS at {DUIS_DIR} (set SMETSBENCH_DUIS)"
)


def rtds_files() -> list[Path]:
    """All RTDS message files at hand, in a fixed order; empty when there are none."""
    return sorted(RTDS_DIR.glob("RTDS-*/*/*.HEX"))


def rtds_messages() -> Iterator[tuple[str, bytes]]:
    """Yield name and octets of every RTDS message at hand."""
    for path in rtds_files():
        yield path.stem, bytes.fromhex(path.read_text("ascii"))
