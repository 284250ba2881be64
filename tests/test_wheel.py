"""The wheel alone, in an empty environment, without checkout, network or devices, runs the demo."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def isolated() -> list[str]:
    """Words before a command that take its network and /dev away, where this machine allows it."""
    probe = ["unshare", "-m", "-n", "sh", "-c", "mount -t tmpfs none /dev"]
    if (
        shutil.which("unshare") is None
        or subprocess.run(probe, check=False, capture_output=True).returncode
    ):
        return []
    return ["unshare", "-m", "-n", "sh", "-c", 'mount -t tmpfs none /dev && exec "$@"', "sh"]


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_the_wheel_alone_runs_the_demo(tmp_path: Path) -> None:
    source = tmp_path / "source"
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)]
    subprocess.run([*build, str(source)], check=True, capture_output=True)
    shutil.rmtree(source)
    (wheel,) = tmp_path.glob("*.whl")
    home = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    # The dependencies are those of this environment; the package itself comes from the wheel.
    install = [
        str(home / "bin" / "pip"),
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True)
    site = next(Path(sys.prefix).glob("lib/python3*/site-packages"))
    bare = tmp_path / "dependencies"
    bare.mkdir()
    for item in site.iterdir():
        if "smetsbench" not in item.name:
            (bare / item.name).symlink_to(item)
    ended = subprocess.run(
        [*isolated(), str(home / "bin" / "smetsbench"), "demo", "-q", "--out", "demo"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(bare)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "demo" / "report.html").stat().st_size > 100_000
