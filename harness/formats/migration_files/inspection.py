"""What a migration file says of itself, without keys and without believing it."""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from harness.formats.migration_files.commissioning_file import CommissioningFile
from harness.formats.migration_files.common_file import CommonFile, CommonInstallation
from harness.formats.migration_files.document import MigrationFile, from_tree
from harness.formats.migration_files.encrypted_file import EncryptedFile, EncryptedInstallation
from harness.formats.migration_files.faults import Finding, MigrationFileError
from harness.formats.migration_files.group_file import GroupFile
from harness.formats.migration_files.kinds import MOMENT
from harness.formats.migration_files.names import parse
from harness.formats.migration_files.required_set import RequiredSet
from harness.formats.migration_files.result_files import (
    OutcomeFile,
    ValidationFile,
    ViableFile,
)
from harness.formats.migration_files.schema import MigrationSchema
from harness.formats.migration_files.signing import Claim, claim_of
from harness.formats.migration_files.xml_input import parse as parse_xml
from harness.formats.migration_files.xml_table import local


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found.

    Attributes:
        name: Name of the file.
        size_bytes: How long it is.
        sha256: SHA-256 of its octets.
        root: Local name of the root element; empty where it was not reached.
        file: Its value, unverified; None where it cannot be read.
        claim: What its signature says; None where there is none, or none of the agreed form.
        findings: What stood in the way, in order.
    """

    name: str
    size_bytes: int
    sha256: str
    root: str = ""
    file: MigrationFile | None = None
    claim: Claim | None = None
    findings: tuple[Finding, ...] = ()

    def rows(self, schema: MigrationSchema) -> dict[str, Any]:
        """Return the inspection as JSON values; of secrets and cipher texts lengths alone."""
        return {
            "name": self.name,
            "known_name": _is_known(self.name),
            "size_bytes": self.size_bytes,
            "sha256": self.sha256,
            "root": self.root,
            "namespace": schema.namespace,
            "stand_in_schema": schema.is_stand_in,
            "header": None if self.file is None else _header(self.file),
            "content": [] if self.file is None else contents(self.file),
            "signature": None
            if self.claim is None
            else {"issuer": self.claim.issuer, "serial": str(self.claim.serial)},
            "findings": [
                {"step": f.step, "code": f.code, "sub_code": f.sub_code, "text": f.text}
                for f in self.findings
            ],
        }


def inspect_octets(name: str, data: bytes, schema: MigrationSchema) -> Inspection:
    """Look into a file; its signature is described and not verified."""
    found = Inspection(name, len(data), hashlib.sha256(data).hexdigest())
    try:
        root = parse_xml(data, schema.namespace)
    except MigrationFileError as error:
        return replace(found, findings=(error.finding,))
    found = replace(found, root=local(root))
    try:
        found = replace(found, claim=claim_of(root))
    except MigrationFileError as error:
        found = replace(found, findings=(error.finding,))
    try:
        schema.validate(root)
        return replace(found, file=from_tree(root, schema))
    except MigrationFileError as error:
        return replace(found, findings=(*found.findings, error.finding))


def _is_known(name: str) -> bool:
    try:
        parse(name)
    except MigrationFileError:
        return False
    return True


def _header(file: MigrationFile) -> dict[str, Any]:
    header = file.header
    return {
        "type": str(header.file_type),
        "group_id": header.group_id,
        "requesting_party": str(header.requesting_party),
        "counter": header.counter,
        "created_at": MOMENT.write(header.created_at),
        "migration_week": header.migration_week,
        "in_reply_to": header.in_reply_to,
        "mode": None if header.mode is None else str(header.mode),
    }


def contents(file: MigrationFile) -> list[dict[str, Any]]:
    """Return one row for each installation or file that a file names."""
    content = file.content
    if isinstance(content, CommonFile):
        return [_common(row) for row in content.installations]
    if isinstance(content, EncryptedFile):
        return [_encrypted(row) for row in content.installations]
    if isinstance(content, GroupFile):
        return [
            {"ref": row.ref, "chf": str(row.hub.device), "gsme": row.gsme is not None}
            for row in content.installations
        ]
    if isinstance(content, RequiredSet):
        return [{"type": str(row.file_type), "name": row.name} for row in content.files]
    return _results(content)


def _results(
    content: ValidationFile | ViableFile | OutcomeFile | CommissioningFile,
) -> list[dict[str, Any]]:
    if isinstance(content, CommissioningFile):
        return [{"ref": row.ref, "devices": len(row.devices)} for row in content.installations]
    return [{"ref": row.ref, "result": str(row.result)} for row in content.installations]


def _common(row: CommonInstallation) -> dict[str, Any]:
    suppliers = {str(meter.supplier) for meter in row.meters}
    return {
        "ref": row.ref,
        "class": str(row.installation_class),
        "chf": str(row.hub.device),
        "esme": str(row.esme.device),
        "gsme": None if row.gsme is None else str(row.gsme.device),
        "ppmids": len(row.ppmids),
        "suppliers": sorted(suppliers),
        "null_supplier_certificates": sum(
            one.is_null for meter in row.meters for one in meter.supplier_certificates
        ),
    }


def _encrypted(row: EncryptedInstallation) -> dict[str, Any]:
    return {
        "chf": str(row.hub),
        "s1sp_bytes": None if row.s1sp is None else len(row.s1sp.octets),
        "plaintext": row.plain is not None,
        "dco_bytes": None if row.dco is None else len(row.dco.octets),
    }
