"""``smetsbench profiles``: the device models at hand, each value with its evidence."""

from typing import Annotated

import typer

from device_profiles.evidence import EvidenceKind
from device_profiles.loader import load_profile, profile_names
from device_profiles.schema import DeviceProfile
from harness.cli.output import console, emit_json
from harness.cli.tables import print_listing
from harness.data_files import DataOption, overlays, reading_data
from harness.profile_values import shown_values


def register(app: typer.Typer) -> None:
    """Add ``profiles``."""
    app.command("profiles")(profiles)


def profiles(
    name: Annotated[
        str | None, typer.Argument(help="Profile to show, by name or path; all when left out.")
    ] = None,
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the device profiles, or show one with the evidence mark of every value."""
    folders = overlays(data)
    with reading_data():
        names = profile_names(folders) if name is None else [name]
        found = [load_profile(each, folders) for each in names]
    if name is not None:
        _show(found[0], as_json=as_json)
    elif as_json:
        emit_json({"profiles": [_row(profile) for profile in found]})
    else:
        _list(found)


def _row(profile: DeviceProfile) -> dict[str, object]:
    identity = profile.identity
    marks = [mark.kind for mark in profile.evidence.values()]
    return {
        "name": profile.name,
        "device_type": profile.device_type.value,
        "smets": identity.smets.value,
        "title": profile.title,
        "manufacturer": identity.manufacturer_hex,
        "model": identity.model_hex,
        "firmware_version": identity.firmware_version,
        "values": len(marks),
        "stand_ins": marks.count(EvidenceKind.STAND_IN),
        "inferred": marks.count(EvidenceKind.INFERRED),
    }


def _list(found: list[DeviceProfile]) -> None:
    lines = []
    for profile in found:
        row = _row(profile)
        lines.append(
            (
                profile.name,
                profile.device_type.value,
                profile.identity.smets.value,
                f"{profile.identity.manufacturer_hex} {profile.identity.model_hex}",
                f"{row['stand_ins']} of {row['values']}",
                profile.title,
            )
        )
    headings = ("name", "type", "SMETS", "model", "stand-ins", "about")
    print_listing(console(), headings, lines, beside=5)


def _show(profile: DeviceProfile, *, as_json: bool) -> None:
    values = shown_values(profile)
    if as_json:
        emit_json(
            {
                **_row(profile),
                "profile": profile.model_dump(mode="json", exclude={"evidence"}),
                "evidence": {path: str(mark) for path, mark in profile.evidence.items()},
            }
        )
        return
    screen = console()
    screen.print(f"{profile.name}  {profile.device_type}  {profile.title}", markup=False)
    lines = [(path, value, mark) for path, (value, mark) in values.items()]
    print_listing(screen, ("key", "value", "evidence"), lines, beside=1)
