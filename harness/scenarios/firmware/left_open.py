"""What a firmware run on the emulated bench leaves open, beyond what single clauses say."""

from collections.abc import Iterable, Mapping

from device_profiles.cpl_rules import Cpl
from device_profiles.evidence import EvidenceKind
from device_profiles.schema import DeviceProfile

_RADIO = (
    "emulated",
    (
        "Devices are joined by profile and HAN frames are not encrypted: joining, install codes"
        " and key establishment are not shown."
    ),
)
MADE_UP_SIGNATURE = (
    "stand-in",
    "The image carries the made-up signature of firmware build; the devices were made to trust it.",
)
_UNSIGNED = (
    "undecided",
    "Service requests are unsigned and local: XML signatures and the DCC's gateway are not shown.",
)


def left_open(
    profiles: Mapping[str, DeviceProfile], cpl: Cpl, *, emulated: bool
) -> list[tuple[str, str]]:
    """Return kind and sentence of each point, for the report.

    Args:
        profiles: EUI-64 text -> device model.
        cpl: The Central Products List in force.
        emulated: Whether the devices are.
    """
    rows = [_RADIO] if emulated else []
    rows += [_UNSIGNED, *_models(profiles.values())]
    made_up = sum(entry.evidence == EvidenceKind.STAND_IN.value for entry in cpl.entries.values())
    if made_up:
        text = f"{made_up} of {len(cpl.entries)} rows of the Central Products List are made up."
        rows.append(("stand-in", text))
    return rows


def _models(profiles: Iterable[DeviceProfile]) -> list[tuple[str, str]]:
    rows = []
    for profile in {profile.name: profile for profile in profiles}.values():
        marks = [mark.kind for mark in profile.evidence.values()]
        made_up = marks.count(EvidenceKind.STAND_IN)
        if made_up:
            text = (
                f"Device model {profile.name}: {made_up} of {len(marks)} values are made up"
                f" (smetsbench profiles {profile.name} shows which)."
            )
            rows.append(("stand-in", text))
    return rows
