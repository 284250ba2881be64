"""Named defects of the data and rules around SMETS1 firmware: what is switched off or altered.

Devices and parties have their own (``emulator.devices.defects``, ``image_defects``); these prove
that a row rests on a clause, a rule, a layout field, a limit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

from device_profiles.bilingual_table import load_decisions
from device_profiles.metadata_makers import load_makers
from device_profiles.s1sr import load_s1sr
from device_profiles.updaters import load_updaters
from harness.rules.early_firmware import GATES
from harness.rules.firmware_implied import RULES


@dataclass(frozen=True, slots=True)
class FirmwareDefect:
    """One thing that is taken for other than it is.

    Attributes:
        sentence: What.
        effect_off: Effect of an S1SR clause that is not in force; empty: none.
        rule_off: Rule of the implying engine that nobody asks; empty: none.
        gate_off: Gate of early firmware that nobody asks; empty: none.
        row_off: Row of the table of updaters or of the decision table that is missing.
        layout: Layout of which a field is wrong in every image that is made; empty: none.
        field: That field.
        more_bytes: By how many octets the hub's store is taken for larger than it is.
        takes_active: Whether devices of active meters are taken for dormant.
        reads_raw: Whether the S1SP passes on what a PPMID tells.
        announces_executing: Whether the Commissioning Party names the version that executes.
        sees_no_conflict: Whether the DSP takes a change of hub for nothing.
        targets_strays: Whether the SMETS2+ world's DSP takes what was announced as SMETS1.
        check_off: Check of the DSP's that it does not make; empty: none.
    """

    sentence: str
    effect_off: str = ""
    rule_off: str = ""
    gate_off: str = ""
    row_off: str = ""
    layout: str = ""
    field: str = ""
    more_bytes: int = 0
    takes_active: bool = False
    check_off: str = ""
    reads_raw: bool = False
    announces_executing: bool = False
    sees_no_conflict: bool = False
    targets_strays: bool = False


def slug(*words: str) -> str:
    """Return the name of a defect made of words."""
    joined = "-".join(words).lower()
    return "".join(one for one in joined.replace(" ", "-") if one not in "()")


def _rows() -> Iterator[tuple[str, FirmwareDefect]]:
    for name in load_s1sr().effects:
        said = f"{name} is taken for withdrawn"
        yield slug("clause-off", name), FirmwareDefect(said, effect_off=name)
    for name in RULES:
        said = f"nobody asks {name} when the data are read"
        yield slug("data-ignored", name), FirmwareDefect(said, rule_off=name)
    for gate in GATES:
        said = f"nobody asks the gate {gate} before an early update"
        yield slug("gate-off", gate.value), FirmwareDefect(said, gate_off=gate.value)
    for row in load_updaters().rows:
        said = f"row {row.id} of the updaters is missing"
        yield slug("updater-off", row.id), FirmwareDefect(said, row_off=row.id)
    for decision in load_decisions():
        said = f"row {decision.id} of the decision table is missing"
        yield slug("decision-off", decision.id), FirmwareDefect(said, row_off=decision.id)
    for maker in load_makers().asking():
        layout = maker.layout
        for one in layout.values():
            said = f"{one.name} of {layout.layout_id} is wrong in every image that is made"
            name = slug("layout-altered", layout.layout_id, one.name)
            yield name, FirmwareDefect(said, layout=layout.layout_id, field=one.name)


_OTHERS: Final = {
    "s1sp-reads-raw": FirmwareDefect(
        "the S1SP passes on the version that a PPMID executes, whatever the cohort", reads_raw=True
    ),
    "cp-announces-executing-version": FirmwareDefect(
        "the Commissioning Party announces a bilingual PPMID with its SMETS2+ entry",
        announces_executing=True,
    ),
    "dsp-sees-no-conflict": FirmwareDefect(
        "the DSP notes no conflict where a hub was exchanged for one of SMETS2+",
        sees_no_conflict=True,
    ),
    "smets2-dsp-targets-strays": FirmwareDefect(
        "the DSP of SMETS2+ homes passes requests on for devices of the other generation",
        targets_strays=True,
    ),
    "dsp-takes-every-updater": FirmwareDefect(
        "the DSP does not ask whether a supplier may update a device", check_off="responsible"
    ),
    "store-taken-for-larger": FirmwareDefect(
        "the hub's store is taken for one octet larger than it is", more_bytes=1
    ),
    "store-taken-for-smaller": FirmwareDefect(
        "the hub's store is taken for one octet smaller than it is", more_bytes=-1
    ),
    "early-takes-active-devices": FirmwareDefect(
        "devices of active meters are taken for dormant in an early update", takes_active=True
    ),
}


@cache
def table() -> Mapping[str, FirmwareDefect]:
    """Return every defect by name; the data files are read when somebody first asks."""
    return MappingProxyType({**dict(_rows()), **_OTHERS})


def __getattr__(name: str) -> Mapping[str, FirmwareDefect]:
    """Return ``DEFECTS``, the table under the name it has in the other modules of defects."""
    if name == "DEFECTS":
        return table()
    raise AttributeError(name)


def among(names: tuple[str, ...]) -> tuple[FirmwareDefect, ...]:
    """Return the defects of this table among names."""
    return tuple(table()[name] for name in names if name in table())
