"""What a device was told of keys and parties since it was made, kept as values."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from emulator.codecs.gbcs.credentials import Cell
from emulator.core.chance import Stream
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyUsage
from emulator.crypto.pki import scalar_from
from emulator.devices.saved import Json, Saved, State
from emulator.devices.saved_row import SavedRow

#: Seed of the keys that devices make; device and count tell them apart. Source: invented.
_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Waiting(SavedRow):
    """A replacement that waits for its date.

    Attributes:
        payload: The command's payload.
        code: Its message code.
        originator: Who sent it, and is told.
        at: When, by the device's clock.
    """

    payload: bytes
    code: int
    originator: Eui64
    at: UtcMs


@dataclass(frozen=True, slots=True)
class Contingency(SavedRow):
    """The contingency party's signing key, which nobody can use until a command opens it.

    Attributes:
        party: Originator of commands under it.
        sealed: Its public point, encrypted under the key that such a command brings.
    """

    party: Eui64
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A key of the device's own that came into use by command.

    Attributes:
        scalar: The private key.
        certificate: DER.
    """

    scalar: int = field(repr=False)
    certificate: bytes = field(repr=False)


class Trust:
    """Credentials that differ from those a device was made with.

    Attributes:
        installed: Certificates that came by command, by place.
        root: Certificate of the root, or None: then the authorities that issued what is held are
            believed.
        contingency: The contingency party's key, or None.
        own: Keys of its own that came into use, by use.
        drafts: Private keys that were made and are not certified yet, by use.
        made: How many keys it ever made.
        top_up_floors: Role -> counter that its top-ups begin at.
        waiting: Replacements that wait for their dates, in the order they came.
        judges_validity: Whether it holds certificates against its clock where a command asks it to.
        wide_lengths: Whether it writes lengths from 128 to 255 as the RTDS does.
    """

    __slots__ = (
        "contingency", "drafts", "installed", "judges_validity", "made", "own", "root",
        "top_up_floors", "waiting", "wide_lengths",
    )  # fmt: skip

    def __init__(self) -> None:
        self.installed: dict[Cell, bytes] = {}
        self.root: bytes | None = None
        self.contingency: Contingency | None = None
        self.own: dict[KeyUsage, OwnKey] = {}
        self.drafts: dict[KeyUsage, int] = {}
        self.made = 0
        self.top_up_floors: dict[int, int] = {}
        self.waiting: list[Waiting] = []
        self.judges_validity = True
        self.wide_lengths = False

    def __repr__(self) -> str:
        return f"Trust({len(self.installed)} places, {len(self.waiting)} waiting)"

    def new_key(self, device: Eui64, usage: KeyUsage) -> int:
        """Draw a private key; the same device makes the same keys in the same order."""
        draw = Stream(_SEED, f"own-key/{device.hex}/{usage}/{self.made}")
        self.made += 1
        self.drafts[usage] = scalar_from(draw.octets)
        return self.drafts[usage]

    def dump(self) -> State:
        """Return the state as JSON values; it holds private keys, as a device's memory does."""
        return {
            "installed": _dump_installed(self.installed.items()),
            "root": None if self.root is None else self.root.hex(),
            "contingency": None if self.contingency is None else self.contingency.dump(),
            "own": _dump_own(self.own.items()),
            "drafts": {usage.value: f"{scalar:064x}" for usage, scalar in self.drafts.items()},
            "made": self.made,
            "top_up_floors": {str(role): count for role, count in self.top_up_floors.items()},
            "waiting": [one.dump() for one in self.waiting],
            "judges_validity": self.judges_validity,
            "wide_lengths": self.wide_lengths,
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.installed = {
            Cell(row.number("role"), row.octets("usage"), row.flag("prepayment")): row.octets(
                "certificate"
            )
            for row in saved.rows("installed")
        }
        self.root = saved.optional_octets("root")
        contingency = saved.optional_part("contingency")
        self.contingency = None if contingency is None else Contingency.restore(contingency)
        self.own = {
            KeyUsage(row.text("usage")): OwnKey(
                int.from_bytes(row.octets("scalar"), "big"), row.octets("certificate")
            )
            for row in saved.rows("own")
        }
        drafts = saved.part("drafts")
        self.drafts = {
            KeyUsage(usage): int.from_bytes(drafts.octets(usage), "big")
            for usage in saved.table("drafts")
        }
        self.made = saved.number("made")
        floors = saved.numbers("top_up_floors")
        self.top_up_floors = {int(role): count for role, count in floors.items()}
        self.waiting = [Waiting.restore(row) for row in saved.rows("waiting")]
        self.judges_validity = saved.flag("judges_validity")
        self.wide_lengths = saved.flag("wide_lengths")


def _dump_installed(items: Iterable[tuple[Cell, bytes]]) -> Json:
    return [
        {
            "role": int(cell.role),
            "usage": cell.usage.hex(),
            "prepayment": cell.is_prepayment,
            "certificate": octets.hex(),
        }
        for cell, octets in items
    ]


def _dump_own(items: Iterable[tuple[KeyUsage, OwnKey]]) -> Json:
    return [
        {
            "usage": usage.value,
            "scalar": f"{key.scalar:064x}",
            "certificate": key.certificate.hex(),
        }
        for usage, key in items
    ]
