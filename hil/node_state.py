"""What a device of ours on a dongle remembers between two times that it stands on a hub's network.

The file holds the emulated device, its keys included: its owner alone may read it. The dongle keeps
the network itself.
"""

import base64
import binascii
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from emulator.core.ids import Eui64
from harness.errors import UsageError
from harness.han_ports import HanNetwork

_FORMAT: Final = 1
_PRIVATE: Final = 0o600
_MAX_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class NodeState:
    """A device, and the network it was on.

    Attributes:
        device: Its EUI-64.
        seed: Seed that it was made from.
        network: The network; its beacon's strength is of no matter.
        sealed: Whether it has agreed on a key with its hub.
        world: The device, as the bench dumps it.
    """

    device: Eui64
    seed: int
    network: HanNetwork
    sealed: bool
    world: bytes = field(repr=False)

    def write(self, path: Path) -> None:
        """Write the file, or replace it as a whole.

        Raises:
            UsageError: It cannot be written.
        """
        network = self.network
        told = {
            "format": _FORMAT,
            "device": str(self.device),
            "seed": self.seed,
            "network": [str(network.extended_pan_id), network.pan_id, network.channel],
            "sealed": self.sealed,
            "world": base64.b64encode(self.world).decode(),
        }
        part = path.with_name(path.name + ".part")
        try:
            with os.fdopen(
                os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE), "w"
            ) as f:
                json.dump(told, f)
            part.replace(path)
        except OSError as error:
            raise UsageError(
                "what the device remembers cannot be written",
                where=str(path),
                cause=error.strerror or str(error),
                next_command="--state OTHER-FILE",
            ) from error

    @classmethod
    def read(cls, path: Path, device: Eui64, seed: int) -> Self | None:
        """Read the file; None: there is none yet.

        Raises:
            UsageError: It is of another device or seed, or no such file.
        """
        if not path.exists():
            return None
        try:
            told: Any = json.loads(path.read_bytes()[:_MAX_BYTES])
            name, pan, channel = told["network"]
            found = cls(
                Eui64.parse(told["device"]),
                int(told["seed"]),
                HanNetwork(Eui64.parse(name), int(pan), int(channel)),
                bool(told["sealed"]),
                base64.b64decode(told["world"], validate=True),
            )
            right = told["format"] == _FORMAT and (found.device, found.seed) == (device, seed)
        except (OSError, KeyError, TypeError, ValueError, binascii.Error) as error:
            raise _unfit(path, "it is no such file") from error
        if not right:
            raise _unfit(path, "it is of another device or seed")
        return found


def _unfit(path: Path, why: str) -> UsageError:
    return UsageError(
        f"what the device remembers cannot be used: {why}",
        where=f"--state {path}",
        cause="a file of another bench, or one that was changed",
        next_command="--state NEW-FILE",
    )
