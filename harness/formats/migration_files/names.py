"""Names of migration files: read, and written again as they were."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Self

from emulator.core.clock import UtcMs, from_datetime, to_datetime
from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.formats.migration_files import checks
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.words import FileType

MAX_COUNTER: Final = 9_999_999_999
#: No name of ours comes near; file systems stop at 255.
_MAX_NAME: Final = 200
_EUI: Final = r"(?P<party>[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){7})"
_STAMP: Final = r"(?P<date>[0-9]{8})_(?P<time>[0-9]{6})"
_TAG: Final = r"(?P<tag>[0-9A-Za-z]{1,16})"
_SUFFIX: Final = r"(?P<suffix>(?:\.[0-9A-Za-z]{1,8})?)"


@quick
@dataclass(frozen=True, slots=True)
class MigrationFileName:
    """``MCF_EA_BG_70-B3-…_20210301_060000_0000000041.xml``.

    Attributes:
        file_type: What it is.
        group_id: GroupID.
        tag: Tag of the Requesting Party, as written; compared without regard to case.
        party: EUI-64 of the Requesting Party.
        at: Moment of the name, UTC, whole seconds.
        counter: Migration counter, up to ten digits.
        suffix: With its dot, or empty.

    Source:
        invented; the order of the parts is that of the published MA samples.
    """

    file_type: FileType
    group_id: str
    tag: str
    party: Eui64
    at: UtcMs
    counter: int
    suffix: str = ".xml"

    _FORM = re.compile(
        rf"(?P<type>{'|'.join(FileType)})_(?P<group>[A-Z]{{2}})_{_TAG}_{_EUI}_{_STAMP}"
        rf"_(?P<counter>[0-9]{{10}}){_SUFFIX}"
    )

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        """Make the value out of a matching name."""
        return cls(
            FileType(match["type"]),
            match["group"],
            match["tag"],
            Eui64.parse(match["party"]),
            _moment(match["date"], match["time"]),
            int(match["counter"]),
            match["suffix"],
        )

    def __str__(self) -> str:
        head = f"{self.file_type}_{self.group_id}_{self.tag}_{self.party}_{_stamp(self.at)}"
        return f"{head}_{self.counter:010d}{self.suffix}"


@dataclass(frozen=True, slots=True)
class AuthorisationName:
    """``MA_cgI_70-B3-D5-1F-30-00-A0-08_20190407_182503``, and the same with MAPASSWORD.

    Attributes:
        kind: MA or MAPASSWORD.
        tag: Tag of the SMSO, as written; compared without regard to case.
        party: EUI-64 of the supplier's User ID.
        at: Moment of the name, UTC, whole seconds.
        suffix: With its dot, or empty.

    Source:
        the published samples (DCC-mig); that the moment is UTC: invented.
    """

    kind: str
    tag: str
    party: Eui64
    at: UtcMs
    suffix: str = ""

    _FORM = re.compile(rf"(?P<kind>MA|MAPASSWORD)_{_TAG}_{_EUI}_{_STAMP}{_SUFFIX}")

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        """Make the value out of a matching name."""
        at = _moment(match["date"], match["time"])
        return cls(match["kind"], match["tag"], Eui64.parse(match["party"]), at, match["suffix"])

    def __str__(self) -> str:
        return f"{self.kind}_{self.tag}_{self.party}_{_stamp(self.at)}{self.suffix}"


@dataclass(frozen=True, slots=True)
class DemandName:
    """``DR_AAA123_70-B3-D5-1F-30-00-A0-08_CGI_20190121``, and DC, after which a hyphen may stand.

    Attributes:
        kind: DC or DR.
        joint: What stands after the kind: ``_`` or ``-``, as the two published samples have it.
        supplier: The supplier's short name, as written.
        party: EUI-64 of the supplier's User ID.
        tag: Tag of the SMSO, as written; compared without regard to case.
        date: Eight digits, a day of the calendar.
        suffix: With its dot, or empty.

    Source:
        the published samples (DCC-msm); what DC and DR stand for was not found.
    """

    kind: str
    joint: str
    supplier: str
    party: Eui64
    tag: str
    date: str
    suffix: str = ""

    _FORM = re.compile(
        rf"(?P<kind>DC|DR)(?P<joint>[_-])(?P<supplier>[0-9A-Za-z]{{1,16}})_{_EUI}_{_TAG}"
        rf"_(?P<date>[0-9]{{8}}){_SUFFIX}"
    )

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        """Make the value out of a matching name."""
        _moment(match["date"], "000000")
        party = Eui64.parse(match["party"])
        kind, joint, supplier = match["kind"], match["joint"], match["supplier"]
        return cls(kind, joint, supplier, party, match["tag"], match["date"], match["suffix"])

    def __str__(self) -> str:
        head = f"{self.kind}{self.joint}{self.supplier}_{self.party}_{self.tag}"
        return f"{head}_{self.date}{self.suffix}"


@dataclass(frozen=True, slots=True)
class WorkbookName:
    """``SMETS1_Migration_Authorisation_v06a.xlsm``: a published workbook.

    Attributes:
        title: Words between the first and the version, with their underscores.
        version: What follows the v.
        suffix: With its dot.

    Source:
        S001 §4.1.1 and §7.
    """

    title: str
    version: str
    suffix: str

    _FORM = re.compile(
        r"SMETS1_(?P<title>[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*)_v(?P<version>[0-9]+(?:\.[0-9]+)*[a-z]?)"
        r"(?P<suffix>\.xls[mx])"
    )

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        """Make the value out of a matching name."""
        return cls(match["title"], match["version"], match["suffix"])

    def __str__(self) -> str:
        return f"SMETS1_{self.title}_v{self.version}{self.suffix}"


FileName = MigrationFileName | AuthorisationName | DemandName | WorkbookName
_KINDS: Final = (MigrationFileName, AuthorisationName, DemandName, WorkbookName)


def parse(name: str) -> FileName:
    """Read the name of a file (no folder in it).

    EUI-64s are read in either case and written in upper case; everything else is kept as written,
    so ``str`` of the value is the name again.

    Raises:
        MigrationFileError: X-NAME 01.
    """
    if len(name) <= _MAX_NAME:
        for kind in _KINDS:
            match = kind._FORM.fullmatch(name)  # noqa: SLF001 -- a class of this module
            if match is not None:
                try:
                    return kind.of(match)
                except ValueError as error:
                    raise _unknown(name) from error
    raise _unknown(name)


@lru_cache(maxsize=256)
def parse_migration(name: str) -> MigrationFileName:
    """Read the name of a migration file proper (MCF, MVF, MGF, MEF, VIF, SCF, RFS, COF).

    Raises:
        MigrationFileError: X-NAME 01.
    """
    found = parse(name)
    if not isinstance(found, MigrationFileName):
        raise _unknown(name)
    return found


def same_name(one: str | None, other: str | None) -> bool:
    """Say whether two names are of one migration file: tag and EUI-64 in either case."""
    if one == other or one is None or other is None:
        return one == other
    try:
        pair = [parse_migration(name) for name in (one, other)]
    except MigrationFileError:
        return False
    first, second = (replace(name, tag=name.tag.casefold()) for name in pair)
    return first == second


def _unknown(name: str) -> MigrationFileError:
    form = "TYPE_GROUP_TAG_EUI64_YYYYMMDD_HHMMSS_COUNTER.xml"
    return MigrationFileError(checks.NAME, "01", f"{name[:80]!r} is not like {form}")


def _moment(date: str, time: str) -> UtcMs:
    return from_datetime(datetime.strptime(date + time, "%Y%m%d%H%M%S").replace(tzinfo=UTC))


def _stamp(at: UtcMs) -> str:
    return to_datetime(at).strftime("%Y%m%d_%H%M%S")
