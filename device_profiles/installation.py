"""Installation files: which devices stand in a home, as TOML or CSV."""

import csv
import io
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from device_profiles.csv_rows import whole_lines
from device_profiles.errors import InconsistentDataError, InvalidValueError, UnknownNameError
from device_profiles.files import SHIPPED, Folders, checked, layers, read_csv, read_toml
from device_profiles.loader import load_profile
from device_profiles.schema import EuiText
from device_profiles.sections import Section
from device_profiles.words import (
    CspRegion,
    DeviceStatus,
    DeviceType,
    Dormancy,
    InstallationClass,
    PaymentMode,
    SupplyShape,
)

_PREFIX: Final = "installation-"
_HEAD: Final = ("ref", "cohort", "class", "shape", "csp")
_METERS: Final = {DeviceType.ESME: 13, DeviceType.GSME: 10}
_HEX_CODE: Final = re.compile(r"[0-9A-Fa-f]{12,40}")


def _not_the_code_itself(text: str) -> str:
    if _HEX_CODE.fullmatch(text.replace("-", "").replace(":", "").replace(" ", "")):
        raise ValueError("this looks like an install code; write where it is kept, never the code")
    return text


class InstalledDevice(Section):
    """One device of an installation.

    Attributes:
        role: What it is; the GPF is a device of its own, in the hub's box.
        profile: Name or path of its profile; the GPF has its hub's.
        eui64: Its EUI-64, printed form.
        mpxn: MPAN of an ESME (13 digits), MPRN of a GSME (6 to 10 digits), else None.
        supplier: EUI-64 of the responsible supplier.
        payment_mode: Credit or Prepayment; meters have one.
        status: Inventory status.
        cpl_entry: Row of the Central Products List, where it is known.
        install_code: Where its install code is kept: a reference, never the code.
        dormancy: Why a meter is dormant; None for an active one, and where nothing is told.
    """

    role: DeviceType
    profile: Annotated[str, Field(min_length=1)]
    eui64: EuiText
    mpxn: Annotated[str, Field(pattern=r"^[0-9]{6,13}$")] | None = None
    supplier: EuiText
    payment_mode: PaymentMode | None = None
    status: DeviceStatus
    cpl_entry: str | None = None
    install_code: Annotated[str, AfterValidator(_not_the_code_itself)] | None = None
    dormancy: Dormancy | None = None

    @model_validator(mode="after")
    def _meters_have_what_meters_have(self) -> Self:
        digits = _METERS.get(self.role)
        if (digits is None) != (self.payment_mode is None):
            raise ValueError("an ESME and a GSME have a payment_mode, no other device does")
        if self.dormancy is not None and digits is None:
            raise ValueError("an ESME and a GSME can be dormant, no other device can")
        if self.mpxn is not None and (digits is None or len(self.mpxn) > digits):
            raise ValueError("an ESME has an MPAN of 13 digits, a GSME an MPRN of 6 to 10")
        if self.role is DeviceType.ESME and self.mpxn is not None and len(self.mpxn) != 13:
            raise ValueError("an MPAN has 13 digits")
        return self


class Installation(Section):
    """One home: a hub and what stands behind it.

    Attributes:
        ref: What the user calls it.
        cohort: Cohort key, or None for one that was always SMETS2+.
        installation_class: Active, Dormant or Mixed; key ``class`` in files.
        shape: Which fuels, and whether one supplier serves both.
        csp: Communications service provider region.
        devices: The devices; key ``device`` in files.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    ref: Annotated[str, Field(min_length=1, max_length=60)]
    cohort: str | None = None
    installation_class: Annotated[InstallationClass, Field(alias="class")]
    shape: SupplyShape
    csp: CspRegion
    devices: Annotated[tuple[InstalledDevice, ...], Field(alias="device", min_length=1)]

    @model_validator(mode="after")
    def _devices_fit_together(self) -> Self:
        seen: set[str] = set()
        for device in self.devices:
            if device.eui64 in seen:
                raise ValueError(f"{device.eui64} stands twice")
            seen.add(device.eui64)
        for role in (DeviceType.CHF, DeviceType.GPF):
            if len(self.of(role)) > 1:
                raise ValueError(f"more than one {role}")
        if not self.of(DeviceType.CHF):
            raise ValueError("no CHF")
        if self.of(DeviceType.GSME) and not self.of(DeviceType.GPF):
            raise ValueError("a GSME needs a GPF to mirror it")
        self._check_shape()
        return self

    def _check_shape(self) -> None:
        fuels = {role for role in _METERS if self.of(role)}
        suppliers = {device.supplier for role in _METERS for device in self.of(role)}
        wanted = {
            SupplyShape.HUB_ONLY: set[DeviceType](),
            SupplyShape.ELECTRICITY_ONLY: {DeviceType.ESME},
        }.get(self.shape, set(_METERS))
        if fuels != wanted:
            raise ValueError(f"shape {self.shape} does not fit the meters: {sorted(fuels)}")
        if self.shape is SupplyShape.SPLIT_SUPPLY and len(suppliers) < 2:
            raise ValueError("split-supply needs two suppliers")
        if self.shape is SupplyShape.DUAL_FUEL and len(suppliers) > 1:
            raise ValueError("dual-fuel means one supplier; two make it split-supply")

    def of(self, role: DeviceType) -> tuple[InstalledDevice, ...]:
        """Return the devices of a role, in the order of the file."""
        return tuple(device for device in self.devices if device.role is role)


def shipped_installations() -> list[str]:
    """Return the names of the shipped installations."""
    folder = SHIPPED / "catalogues"
    return sorted(path.stem.removeprefix(_PREFIX) for path in folder.glob(f"{_PREFIX}*.toml"))


def load(name_or_path: str | Path, overlays: Folders = ()) -> Installation:
    """Load one installation: a shipped one by name, or a file that holds exactly one.

    Raises:
        DataError: No such name, the file cannot be read, or it is wrong in itself.
    """
    found = load_many(name_or_path, overlays)
    if len(found) != 1:
        raise InconsistentDataError(
            f"{len(found)} installations where one is wanted", file=str(name_or_path)
        )
    return found[0]


def load_many(name_or_path: str | Path, overlays: Folders = ()) -> tuple[Installation, ...]:
    """Load all installations of a file (TOML or CSV), or a shipped one by name.

    Raises:
        DataError: No such name, the file cannot be read, or it is wrong in itself.
    """
    path = Path(name_or_path)
    if path.suffix.lower() == ".csv":
        found = _from_csv(path)
    else:
        if path.suffix.lower() != ".toml" and path.name == str(name_or_path):
            path = _shipped(str(name_or_path), overlays)
        found = _from_toml(path)
    _refuse_shared(found, path)
    return found


def check_profiles(installation: Installation, overlays: Folders = ()) -> None:
    """Check that each device's profile exists and is of its role; a GPF's is its hub's.

    Raises:
        DataError: One does not, or is not.
    """
    for device in installation.devices:
        profile = load_profile(device.profile, overlays)
        wanted = DeviceType.CHF if device.role is DeviceType.GPF else device.role
        if profile.device_type is not wanted:
            raise InconsistentDataError(
                f"profile {device.profile} is of a {profile.device_type}",
                file=installation.ref,
                key=f"{device.role} {device.eui64}",
            )


def _shipped(name: str, overlays: Folders) -> Path:
    paths = layers("catalogues", f"{_PREFIX}{name}.toml", overlays)
    if not paths:
        known = ", ".join(shipped_installations())
        why = f"no installation of this name (known: {known})"
        if os.path.isfile(name):  # noqa: PTH113 -- a name too long for a file is simply none
            why += "; an installation file's own name ends in .toml or .csv"
        raise UnknownNameError(why, file=name)
    return paths[-1]


def _from_toml(path: Path) -> tuple[Installation, ...]:
    table = read_toml(path, is_overlay=False).table
    several = table.get("installation")
    if several is None:
        return (checked(Installation, table, path),)
    if not isinstance(several, list) or len(table) != 1:
        raise InvalidValueError(
            "a file holds one installation, or [[installation]] tables and nothing else",
            file=path,
            key="installation",
        )
    return tuple(checked(Installation, t, path, f"installation.{n}") for n, t in enumerate(several))


def _from_csv(path: Path) -> tuple[Installation, ...]:
    headings, rows = read_csv(path)
    known = (*_HEAD, *InstalledDevice.model_fields)
    for heading in headings:
        if heading not in known:
            raise InvalidValueError("unknown column", file=path, key=f"column {heading}")
    tables: dict[str, dict[str, Any]] = {}
    for where, row in whole_lines(path, rows):
        cells = {key: value.strip() for key, value in row.items() if value.strip()}
        head: dict[str, Any] = {key: cells[key] for key in _HEAD if key in cells}
        device = {key: value for key, value in cells.items() if key not in _HEAD}
        ref = head.get("ref", "")
        table = tables.setdefault(ref, {**head, "device": []})
        if {key: table[key] for key in _HEAD if key in table} != head:
            raise InconsistentDataError(
                f"{', '.join(_HEAD[1:])} differ from an earlier row of this ref",
                file=path,
                key=where,
            )
        table["device"].append(device)
    if not tables:
        raise InvalidValueError("the file holds no device", file=path)
    return tuple(checked(Installation, table, path, ref) for ref, table in tables.items())


def _refuse_shared(found: Sequence[Installation], path: Path) -> None:
    owner: dict[str, str] = {}
    refs: set[str] = set()
    for installation in found:
        if installation.ref in refs:
            raise InconsistentDataError("this ref stands twice", file=path, key=installation.ref)
        refs.add(installation.ref)
        for device in installation.devices:
            other = owner.setdefault(device.eui64, installation.ref)
            if other != installation.ref:
                raise InconsistentDataError(
                    f"also in {other}", file=path, key=f"{installation.ref} {device.eui64}"
                )


def render_toml(installations: Sequence[Installation]) -> str:
    """Write installations as TOML: one at the top level, several as ``[[installation]]``."""
    if len(installations) == 1:
        return "\n".join(_toml_lines(installations[0], "")) + "\n"
    blocks: list[str] = []
    for installation in installations:
        blocks += ["[[installation]]", *_toml_lines(installation, "installation."), ""]
    return "\n".join(blocks)


def _toml_lines(installation: Installation, prefix: str) -> Iterable[str]:
    content = installation.model_dump(mode="json", by_alias=True, exclude_none=True)
    devices = content.pop("device")
    yield from (f"{key} = {_toml_text(value)}" for key, value in content.items())
    for device in devices:
        yield f"\n[[{prefix}device]]"
        yield from (f"{key} = {_toml_text(value)}" for key, value in device.items())


def _toml_text(value: str) -> str:
    escaped = "".join(
        f"\\{c}" if c in '"\\' else c if c.isprintable() else f"\\u{ord(c):04X}" for c in value
    )
    return f'"{escaped}"'


def render_csv(installations: Sequence[Installation]) -> str:
    """Write installations as CSV, one row a device."""
    out = io.StringIO(newline="")
    columns = (*_HEAD, *InstalledDevice.model_fields)
    writer = csv.DictWriter(out, columns, lineterminator="\n", restval="")
    writer.writeheader()
    for installation in installations:
        content = installation.model_dump(mode="json", by_alias=True, exclude_none=True)
        for device in content.pop("device"):
            writer.writerow({**content, **device})
    return out.getvalue()
