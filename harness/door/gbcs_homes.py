"""Homes whose devices speak GBCS: a bench each, and the keys of the broker in front of them."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from device_profiles.installation import Installation
from device_profiles.loader import load_profile
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from emulator.crypto.protection import KeyRing
from harness.benches import BENCHES
from harness.door.flood import Flood
from harness.errors import UsageError
from harness.parties.acb import Acb
from harness.parties.dsp import Dsp
from harness.parties.enrolment import enrol
from harness.ports import Hub


def emulated() -> ModuleType:
    """Return the module of the emulated bench, imported when asked for."""
    return importlib.import_module(BENCHES["emulated"].partition(":")[0])


@dataclass(slots=True)
class GbcsHomes:
    """SMETS2+ homes on emulated benches.

    Attributes:
        homes: The installations.
        benches: Their benches, in the same order.
    """

    homes: tuple[Installation, ...]
    benches: tuple[Any, ...] = field(repr=False)

    @classmethod
    def open(
        cls,
        homes: Sequence[Installation],
        *,
        seed: int,
        overlays: tuple[Path, ...],
        keys: KeyStore,
        start_at: UtcMs | None = None,
    ) -> "GbcsHomes":
        """Build the homes; they move when somebody waits for them.

        Args:
            homes: The installations.
            seed: Seed of every octet of chance.
            overlays: Folders whose data win.
            keys: Keys to use where their private part is there; the others are made.
            start_at: First moment; None for the bench's own.

        Raises:
            UsageError: A home cannot be emulated, or they have different brokers.
        """
        module = emulated()
        begin = {} if start_at is None else {"start_at": start_at}
        benches = tuple(
            module.open_home(
                module.EmulatedOptions(home, seed=seed, data_dirs=overlays, keystore=keys, **begin)
            )
            for home in homes
        )
        if len({bench.acb for bench in benches}) > 1:
            raise UsageError(
                "the homes belong to different test sets: each has an access control broker",
                where="--installation",
                cause="suppliers of the published vectors beside made-up ones",
                next_command="start a door for each test set",
            )
        return cls(tuple(homes), benches)

    @property
    def acb(self) -> Eui64 | None:
        """The Access Control Broker; None without a home."""
        return next((bench.acb for bench in self.benches), None)

    @property
    def hubs(self) -> tuple[Hub, ...]:
        """The hubs, one a home."""
        return tuple(bench.hub for bench in self.benches)

    def public_keys(self) -> KeyStore:
        """Return everybody's public keys."""
        return KeyStore().merged(*(bench.public_keys for bench in self.benches))

    def broker(self, users: KeyStore) -> Acb | None:
        """Return the broker with its keys, the change-of-supplier party's too; None without a home.

        Args:
            users: Keys of service users: one of them may gain a home.
        """
        acb = self.acb
        if acb is None:
            return None
        cos = self.benches[0].parties.transitional_cos
        own = [bench.party_keys(party) for bench in self.benches for party in (acb, cos)]
        known = users.public().merged(self.public_keys(), *own)
        return Acb(acb, KeyRing(known), transitional_cos=cos)

    def enrol(self, dsp: Dsp, overlays: tuple[Path, ...]) -> None:
        """Put the devices on the inventory, as commissioned ones."""
        for home in self.homes:
            models = {
                device.profile: load_profile(device.profile, overlays) for device in home.devices
            }
            listed = enrol(home, models)
            for device in home.devices:
                record = listed.find(Eui64.parse(device.eui64))
                if record is not None:
                    dsp.inventory.put(replace(record, mpxn=device.mpxn or ""))

    def flood(self, flood: Flood, now: UtcMs) -> UtcMs:
        """Have every hub tell of trouble; returns when the last one does."""
        last = now
        for number, bench in enumerate(self.benches):
            for moment in flood.moments(now, number, len(self.benches)):
                bench.trouble(moment)
                last = max(last, moment)
        return last

    def dump(self) -> list[str]:
        """Return the states of all benches."""
        return [(bench.dump() or b"").hex() for bench in self.benches]

    def load(self, state: Sequence[str]) -> None:
        """Put the benches back to dumped states.

        Raises:
            BenchError: They are of other homes.
        """
        for bench, one in zip(self.benches, state, strict=True):
            bench.restore(bytes.fromhex(one))
