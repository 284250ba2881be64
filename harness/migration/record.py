"""What is kept of one installation throughout its migration: state, devices, history."""

from dataclasses import dataclass, field
from typing import Any, Self

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.errors import HarnessError
from harness.migration.states import FOLLOWS, Owner, State, StrandedCause


class IllegalMoveError(HarnessError):
    """A state was to follow that may not: our own fault (exit 5)."""

    exit_code = 5


@quick
@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an installation's history.

    Attributes:
        at: When.
        actor: Party or device that acted, e.g. ``S1SP``.
        step: Step id of the thirty (``H2``), of rollback (``R1``…) or of resubmission (``M1``…).
        result: ``ok``, ``failed``, ``skipped`` or ``state``.
        text: One sentence; never a key, never a counter of file sets.
        device: EUI-64 it is about, printed form, or empty.
        code: Code of a failure, or empty.
        sub_code: Its sub-code, or empty.
        state: The state it led to, where it led to one; else empty.
        evidence: SHA-256 (hex) of the octets that show it, or empty.
    """

    at: UtcMs
    actor: str
    step: str
    result: str
    text: str
    device: str = ""
    code: str = ""
    sub_code: str = ""
    state: str = ""
    evidence: str = ""


@dataclass(slots=True)
class DeviceRecord:
    """What is kept of one device.

    Attributes:
        eui64: Its EUI-64.
        device_type: What it is.
        holder: Whether it holds head-end credentials.
        owner: Who could operate it when it was last asked or changed.
        model: ``manufacturer:model:hardware`` of its DMC, in the file's words.
        firmware_declared: Version the files and the DMC name.
        firmware_running: Version it reported; empty before it was asked.
        certificate_ids: The four notified Certificate IDs by name; ``(serial, issuer)``.
        kind: ``SMETS1`` (``SMETS2+`` for a device that is none of a migration's).
        counters: Execution counters by name.
    """

    eui64: Eui64
    device_type: DeviceType
    holder: bool
    owner: Owner
    model: str = ""
    firmware_declared: str = ""
    firmware_running: str = ""
    certificate_ids: dict[str, tuple[str, str]] = field(default_factory=dict)
    kind: str = "SMETS1"
    counters: dict[str, int] = field(default_factory=dict)

    def dump(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        ids = {name: list(one) for name, one in self.certificate_ids.items()}
        counters = dict(self.counters)
        return {**plain, "eui64": self.eui64.hex, "certificate_ids": ids, "counters": counters}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Return a dumped record."""
        ids = {name: (one[0], one[1]) for name, one in state["certificate_ids"].items()}
        words = {
            "eui64": Eui64.parse(state["eui64"]),
            "device_type": DeviceType(state["device_type"]),
            "owner": Owner(state["owner"]),
            "certificate_ids": ids,
        }
        return cls(**{**state, **words})


@dataclass(slots=True)
class InstallationRecord:
    """What is kept of one installation.

    Attributes:
        ref: What the user calls it.
        cohort: Cohort key.
        group_id: Its GroupID.
        installation_class: Active, Dormant or Mixed.
        shape: Which fuels, and whether one supplier serves both.
        state: Where it stands.
        attempts: Attempts that count (file errors do not).
        stranded_cause: Why it is stranded; None while it is not.
        sim_owner: Who the SIM belongs to.
        devices: Its devices.
        history: Everything that happened, in order.
        dormancy: Why its meters are dormant (``change-of-supplier``, ``contract-end``), or empty.
        exclusion: Category of TMAD clause 18, or empty.
        judgement: What the MCC wrote when it resubmitted, or empty.
        skips_hand_over: Whether the present attempt skips rotation and SIM migration (5.8A).
        failures: Code and sub-code of each attempt that failed, oldest first.
    """

    ref: str
    cohort: str
    group_id: str
    installation_class: str
    shape: str
    state: State = State.PLANNED
    attempts: int = 0
    stranded_cause: StrandedCause | None = None
    sim_owner: Owner = Owner.SMSO
    devices: list[DeviceRecord] = field(default_factory=list)
    history: list[Entry] = field(default_factory=list)
    dormancy: str = ""
    exclusion: str = ""
    judgement: str = ""
    skips_hand_over: bool = False
    failures: list[tuple[str, str]] = field(default_factory=list)

    def note(self, entry: Entry) -> None:
        """Add a line to the history."""
        self.history.append(entry)

    def move(
        self,
        to: State,
        entry: Entry,
        *,
        cause: StrandedCause | None = None,
    ) -> None:
        """Go into another state and write it down.

        Args:
            to: The state.
            entry: Its line of the history; ``state`` is filled in here.
            cause: Why it is stranded; only with ``State.STRANDED``, and always with it.

        Raises:
            IllegalMoveError: The state may not follow, or a cause is missing or too much.
        """
        if to not in FOLLOWS[self.state] or (cause is None) == (to is State.STRANDED):
            raise IllegalMoveError(
                f"{self.ref}: {to} may not follow {self.state}", where=f"step {entry.step}"
            )
        self.state = to
        self.stranded_cause = cause
        fields = {name: getattr(entry, name) for name in Entry.__slots__}
        self.history.append(Entry(**{**fields, "state": to.value}))

    def device(self, device_type: DeviceType) -> DeviceRecord | None:
        """Return the first device of a type, or None."""
        return next((one for one in self.devices if one.device_type is device_type), None)

    def holders(self) -> list[DeviceRecord]:
        """Return the devices that hold head-end credentials."""
        return [one for one in self.devices if one.holder]

    def dump(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        return {
            **{name: getattr(self, name) for name in self.__slots__},
            "devices": [one.dump() for one in self.devices],
            "failures": [list(one) for one in self.failures],
            "history": [
                {name: getattr(one, name) for name in Entry.__slots__} for one in self.history
            ],
        }

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Return a dumped record."""
        cause = state["stranded_cause"]
        words = {
            "state": State(state["state"]),
            "sim_owner": Owner(state["sim_owner"]),
            "stranded_cause": None if cause is None else StrandedCause(cause),
            "devices": [DeviceRecord.restore(one) for one in state["devices"]],
            "history": [Entry(**one) for one in state["history"]],
            "failures": [(one[0], one[1]) for one in state.get("failures", ())],
        }
        return cls(**{**state, **words})
