"""A meter that no bench started: for a bench file it is a real one, on a pty behind a link."""

import atexit
import functools
import tempfile
from pathlib import Path

from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import FactoryKeys, factory_keys
from hil.children import Child
from tests.hil.bench_texts import HEAD, METER, write_bench

SEED = 7


class Device:
    """The meter, which can be pulled out and plugged in again.

    Attributes:
        address: A link to its pty, the same after every plugging in.
        child: The process it lives in.
    """

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "head")
        self.plug_in()

    @property
    def keys(self) -> FactoryKeys:
        """Its keys."""
        return factory_keys(SEED, Eui64.parse(METER))

    def plug_in(self) -> None:
        """Start it; what it remembered is lost."""
        words = ["esme", "--profile", "smets1", "--eui64", METER, "--seed", str(SEED)]
        self.child = Child.emulate([*words, "--listen", f"pty:{self.address}"])

    def unplug(self) -> None:
        """End it."""
        self.child.stop()


@functools.cache
def shared_device() -> Device:
    """Return one meter for all tests of this process: starting one takes a second."""
    folder = tempfile.TemporaryDirectory(prefix="smetsbench-device-")
    device = Device(Path(folder.name))
    atexit.register(folder.cleanup)
    atexit.register(device.unplug)  # runs first
    return device


def real_bench(folder: Path, device: Device, name: str = "bench.toml") -> Path:
    """Write a bench file that leads to a device, and its secrets beside it."""
    keys = device.keys
    (folder / "keys.toml").write_text(
        f'reader = "{keys.secrets["reader"].decode()}"\n[management]\n'
        f'unicast = "{keys.keys.unicast.hex()}"\n'
        f'authentication = "{keys.keys.authentication.hex()}"\n'
        f'master = "{keys.keys.master.hex()}"\n'
    )
    role = f"""
[roles.ESME]
endpoint = "serial:{device.address}"
profile = "smets1"
eui64 = "{METER}"
[roles.ESME.credentials.reader]
secret = "file:keys.toml#reader"
[roles.ESME.credentials.management]
keys = "file:keys.toml#management"
"""
    head = HEAD.replace("operator", "reopen_s = 0\noperator")
    return write_bench(folder, head + role, name)
