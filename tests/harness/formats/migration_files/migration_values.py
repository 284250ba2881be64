"""Any value a migration file can hold, drawn from the tables that read and write it."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from device_profiles.words import CspRegion, DeviceType, InstallationClass, PaymentMode
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.formats.migration_files import kinds
from harness.formats.migration_files.commissioning_file import CommissioningFile
from harness.formats.migration_files.common_file import CommonFile, CommonInstallation
from harness.formats.migration_files.devices import (
    CERTIFICATE_ID,
    NULL_CERTIFICATE_ID,
    CertificateId,
)
from harness.formats.migration_files.document import FORMS, MigrationFile
from harness.formats.migration_files.encrypted_file import EncryptedFile, EncryptedInstallation
from harness.formats.migration_files.group_information import ALGORITHM, CIPHER_TEXT
from harness.formats.migration_files.header import Header
from harness.formats.migration_files.kinds import Kind
from harness.formats.migration_files.names import MAX_COUNTER
from harness.formats.migration_files.required_set import NamedFile, RequiredSet
from harness.formats.migration_files.words import (
    Commissioning,
    FileType,
    MeterStatus,
    ProcessingMode,
    Validity,
    Viability,
)
from harness.formats.migration_files.xml_table import Record

_EUI = st.binary(min_size=8, max_size=8).map(Eui64)
_NAMES = st.from_regex(r"[0-9A-Za-z<>&'\"/+=%]{1,20}", fullmatch=True)
_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=0, max_size=30
)
_KINDS: dict[str, st.SearchStrategy[Any]] = {
    kinds.TEXT.name: _TEXT,
    kinds.NAME.name: _NAMES,
    kinds.FILE_NAME.name: st.from_regex(r"[0-9A-Za-z._-]{1,40}", fullmatch=True),
    kinds.STEP.name: st.sampled_from(["V1", "H4", "T6", "C10"]),
    kinds.CODE.name: st.sampled_from(["MA110", "GT01", "X-5.9.10", "X-H4-7D"]),
    kinds.SUB_CODE.name: st.sampled_from(["", "01", "99"]),
    kinds.HEX8.name: st.from_regex(r"[0-9A-F]{8}", fullmatch=True),
    kinds.HEX4.name: st.from_regex(r"[0-9A-F]{4}", fullmatch=True),
    kinds.SHA256.name: st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    kinds.MPAN.name: st.from_regex(r"[0-9]{13}", fullmatch=True),
    kinds.MPRN.name: st.from_regex(r"[0-9]{1,10}", fullmatch=True),
    kinds.EUI64.name: _EUI,
    "HAN channel": st.integers(11, 26),
    "protocol address": st.integers(1, 0x3FFF),
    "base64 of a compressed point": st.binary(min_size=33, max_size=33),
    "base64 of an IV": st.binary(min_size=12, max_size=12),
    "base64 of a cipher text": st.binary(min_size=16, max_size=40),
    "base64 of a secret": st.binary(min_size=1, max_size=20),
}
for _words in (
    CspRegion,
    DeviceType,
    InstallationClass,
    PaymentMode,
    MeterStatus,
    Validity,
    Viability,
    Commissioning,
    FileType,
):
    _KINDS[kinds.words(_words).name] = st.sampled_from(list(_words))

_CERTIFICATES = st.one_of(
    st.just(NULL_CERTIFICATE_ID),
    st.builds(CertificateId, st.integers(1, 2**120).map(str), _NAMES),
)


def of(kind: Kind | Record) -> st.SearchStrategy[Any]:
    """Any value of a kind or structure."""
    if isinstance(kind, Kind):
        return _KINDS[kind.name]
    if kind is CERTIFICATE_ID:
        return _CERTIFICATES
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for column in kind.columns:
        inner = of(column.kind)
        if column.many:
            inner = st.lists(inner, max_size=2, unique_by=_key).map(tuple)
        elif column.optional:
            inner = st.none() | inner
        fields[column.field] = inner
    if kind is CIPHER_TEXT:
        fields["algorithm"] = st.just(ALGORITHM)
    return st.fixed_dictionaries(fields).map(lambda values: kind.make(**values))


def _key(row: Any) -> Any:
    """What the schema wants to be different from row to row."""
    for field in ("ref", "device", "name"):
        if hasattr(row, field):
            return getattr(row, field)
    return getattr(row, "hub", row)


def _own_devices(installation: CommonInstallation, number: int) -> CommonInstallation:
    """Give every device of an installation an EUI-64 of its own, and one gas meter at most."""

    def own(row: Any, kind: int) -> Any:
        return replace(row, device=Eui64(bytes((2, 0, 0, 0, 0, number, kind, 0))))

    gas = installation.gsme
    left = None if gas is not None else installation.excluded_gsme
    return replace(
        installation,
        hub=own(installation.hub, 0),
        esme=own(installation.esme, 1),
        gsme=None if gas is None else own(gas, 2),
        excluded_gsme=None if left is None else own(left, 3),
        ppmids=tuple(own(row, 4 + index) for index, row in enumerate(installation.ppmids)),
    )


def _encrypted(installation: EncryptedInstallation) -> EncryptedInstallation | None:
    """Keep exactly one of cipher text and plain text."""
    if installation.s1sp is not None:
        return replace(installation, plain=None)
    return installation if installation.plain is not None else None


def _fitting(content: Any) -> Any:
    """Make a drawn content one that the schema allows."""
    if isinstance(content, CommonFile):
        rows = enumerate(content.installations)
        return CommonFile(tuple(_own_devices(row, number) for number, row in rows))
    if isinstance(content, EncryptedFile):
        kept = (_encrypted(row) for row in content.installations)
        return EncryptedFile(tuple(row for row in kept if row is not None))
    if isinstance(content, CommissioningFile):
        rows_with = (row for row in content.installations if row.devices)
        seen: set[Eui64] = set()
        found = []
        for row in rows_with:
            if seen.isdisjoint(device.device for device in row.devices):
                seen |= {device.device for device in row.devices}
                found.append(row)
        return CommissioningFile(tuple(found))
    if isinstance(content, RequiredSet):
        names = [row.name for row in content.files] or ["a"]
        kinds_of = (FileType.MCF, FileType.MVF, FileType.MGF, FileType.MEF)
        return RequiredSet(
            tuple(NamedFile(kind, names[0], f"{n:064x}") for n, kind in enumerate(kinds_of))
        )
    return content


_HEADERS = st.builds(
    Header,
    st.sampled_from(FileType),
    st.from_regex(r"[A-Z]{2}", fullmatch=True),
    _EUI,
    st.integers(0, MAX_COUNTER),
    st.integers(0, 253402300799).map(lambda at_s: UtcMs(at_s * 1000)),
    st.integers(0, 253402300799).map(lambda at_s: kinds.week_of(UtcMs(at_s * 1000))),
    st.none() | _KINDS[kinds.FILE_NAME.name],
    st.none() | st.sampled_from(ProcessingMode),
)


@st.composite
def files(draw: st.DrawFn, kind: FileType) -> MigrationFile:
    """Any file of a type."""
    form = FORMS[kind]
    content = _fitting(draw(of(form.record)))
    if isinstance(content, CommonFile) and not content.installations:
        row = draw(of(form.record.columns[0].kind))
        content = CommonFile((_own_devices(row, 0),))
    return MigrationFile(replace(draw(_HEADERS), file_type=kind), content)
