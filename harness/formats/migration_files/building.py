"""Files of one migration, made one after another by the parties that make them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from device_profiles.cohort import Cohort
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.core.values import quick
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.pki import Draw
from harness.formats.duis.signing import XmlKey
from harness.formats.migration_files.checking import DeliveryReport, Result
from harness.formats.migration_files.common_file import CommonFile, CommonInstallation
from harness.formats.migration_files.document import (
    Content,
    MigrationFile,
    octets,
    to_tree,
    written,
)
from harness.formats.migration_files.encrypted_file import (
    EncryptedFile,
    EncryptedInstallation,
    PlainInformation,
)
from harness.formats.migration_files.envelope import Binding, Layer, seal
from harness.formats.migration_files.faults import Finding
from harness.formats.migration_files.from_installations import group_installation, holders_of
from harness.formats.migration_files.group_file import GroupFile
from harness.formats.migration_files.group_information import (
    S1SPDP_ROOT,
    CipherText,
    DcoInformation,
    S1spdpInformation,
    S1spInformation,
)
from harness.formats.migration_files.handover import SecretsOf
from harness.formats.migration_files.header import Header
from harness.formats.migration_files.kinds import week_of
from harness.formats.migration_files.names import MigrationFileName, parse_migration
from harness.formats.migration_files.opening import RECIPIENTS, to_xml
from harness.formats.migration_files.parties import SIGNERS, TEST_PARTIES, Role
from harness.formats.migration_files.required_set import NamedFile, RequiredSet
from harness.formats.migration_files.result_files import (
    ValidatedInstallation,
    ValidationFile,
)
from harness.formats.migration_files.schema import MigrationSchema
from harness.formats.migration_files.signing import sign, xml_key
from harness.formats.migration_files.words import FileType, ProcessingMode, Validity

_SECOND_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of the parties, by role.

    Attributes:
        store: Their keys.
        parties: Role -> party; a Requesting Party of one's own stands here.
    """

    store: KeyStore
    parties: Mapping[Role, Eui64] = field(default_factory=lambda: TEST_PARTIES)

    def signing(self, role: Role) -> XmlKey:
        """Return the XML-signing key of a role.

        Raises:
            ValueError: Its private key or its certificate is not held.
        """
        entry = self.store.find(self.parties[role], KeyUsage.XML)
        if entry is None:
            raise ValueError(f"no XML-signing key of {role.name} ({self.parties[role]}) is held")
        return xml_key(entry)

    def agreement_point(self, role: Role) -> bytes:
        """Return the public key-agreement key of a role, uncompressed, 65 octets.

        Raises:
            ValueError: It is not held.
        """
        entry = self.store.find(self.parties[role], KeyUsage.KA)
        if entry is None:
            raise ValueError(f"no key-agreement key of {role.name} is held")
        return entry.public_point


@quick
@dataclass(frozen=True, slots=True)
class SetPlan:
    """What the files of one set share.

    Attributes:
        cohort: Cohort of the installations.
        tag: Tag of the Requesting Party for file names, 1 to 16 letters and digits.
        counter: Migration counter.
        created_at: When the MCF is made, UTC; each later file is one second younger.
        mode: How the MCF is to be processed.
        binds_party: Whether envelopes are bound to the Requesting Party too (setting
            ``envelope_aad``).
    """

    cohort: Cohort
    tag: str
    counter: int
    created_at: UtcMs
    mode: ProcessingMode = ProcessingMode.FULL
    binds_party: bool = False

    @property
    def group_id(self) -> str:
        """The GroupID."""
        return self.cohort.cohort.group_id


@quick
@dataclass(frozen=True, slots=True)
class BuiltFile:
    """One file as it is sent.

    Attributes:
        name: Its name.
        octets: All of it.
        file: Its value.
    """

    name: str
    octets: bytes = field(repr=False)
    file: MigrationFile

    @property
    def sha256(self) -> str:
        """SHA-256 of its octets, 64 hex digits."""
        return hashlib.sha256(self.octets).hexdigest()


class SetBuilder:
    """Makes the files of one set; each is signed by the party that makes it.

    Args:
        plan: What they share.
        keys: Keys of the parties.
        schema: The migration schema.
    """

    def __init__(self, plan: SetPlan, keys: Keys, schema: MigrationSchema) -> None:
        self._plan = plan
        self._keys = keys
        self._schema = schema

    def publish(
        self,
        kind: FileType,
        content: Content,
        *,
        after_s: int = 0,
        answers: BuiltFile | None = None,
    ) -> BuiltFile:
        """Sign a file and name it.

        Args:
            kind: Which file.
            content: What it says.
            after_s: Seconds after the MCF.
            answers: The file it answers.

        Raises:
            MigrationFileError: A value cannot be written, or the schema has another structure.
            ValueError: A key is not held.
        """
        plan = self._plan
        at = UtcMs(plan.created_at // _SECOND_MS * _SECOND_MS + after_s * _SECOND_MS)
        party = self._keys.parties[Role.REQUESTING_PARTY]
        header = Header(
            kind,
            plan.group_id,
            party,
            plan.counter,
            at,
            week_of(plan.created_at),
            None if answers is None else answers.name,
            plan.mode if kind is FileType.MCF else None,
        )
        name = MigrationFileName(kind, plan.group_id, plan.tag, party, at, plan.counter)
        parse_migration(str(name))  # a tag of another form makes a name that nobody reads
        file = MigrationFile(header, content)
        return BuiltFile(str(name), self._signed(file), file)

    def _signed(self, file: MigrationFile) -> bytes:
        key = self._keys.signing(SIGNERS[file.header.file_type])
        whole = written(file, self._schema, key)
        if whole is None:
            root = to_tree(file, self._schema)
            sign(root, key)
            whole = octets(root, self._schema)
        return whole

    def common(self, installations: Sequence[CommonInstallation]) -> BuiltFile:
        """Make the MCF (step V1)."""
        return self.publish(FileType.MCF, CommonFile(tuple(installations)))

    def validation(
        self, common: BuiltFile, content: ValidationFile, *, after_s: int = 1
    ) -> BuiltFile:
        """Make the MVF (step V2)."""
        return self.publish(FileType.MVF, content, after_s=after_s, answers=common)

    def group(self, installations: Iterable[CommonInstallation], *, after_s: int = 2) -> BuiltFile:
        """Make the MGF (step V3), with made-up access data."""
        rows = tuple(group_installation(row, number) for number, row in enumerate(installations))
        return self.publish(FileType.MGF, GroupFile(rows), after_s=after_s)

    def encrypted(
        self,
        installations: Iterable[CommonInstallation],
        secrets_of: SecretsOf,
        draw: Draw,
        *,
        plaintext: bool = False,
        after_s: int = 3,
    ) -> BuiltFile:
        """Make the MEF (step V3).

        Args:
            installations: Those found valid.
            secrets_of: Secrets of each device that holds head-end credentials.
            draw: Source of chance for ephemeral keys and IVs.
            plaintext: Leave the S1SP's layer unencrypted (11.1).
            after_s: Seconds after the MCF.
        """
        rows = tuple(
            self.encrypted_installation(row, secrets_of, draw, plaintext=plaintext)
            for row in installations
        )
        return self.publish(FileType.MEF, EncryptedFile(rows), after_s=after_s)

    def encrypted_installation(
        self,
        installation: CommonInstallation,
        secrets_of: SecretsOf,
        draw: Draw,
        *,
        plaintext: bool = False,
    ) -> EncryptedInstallation:
        """Encrypt the secrets of one installation, layer by layer, as its group has them."""
        hub, rules = installation.hub.device, self._plan.cohort.envelope
        handovers = [secrets_of(device) for device in holders_of(installation, self._plan.cohort)]
        party = self._keys.parties[Role.REQUESTING_PARTY] if self._plan.binds_party else None
        binding = Binding(self._plan.counter, self._plan.group_id, hub, party)
        for_dp = S1spdpInformation(hub, tuple(row.s1spdp for row in handovers))
        if rules.root == S1SPDP_ROOT:
            return EncryptedInstallation(hub, s1sp=self._sealed(for_dp, binding, Layer.S1SP, draw))
        s1sp = S1spInformation(hub, tuple(row.s1sp for row in handovers))
        if rules.protected_data is not None:
            sealed = self._sealed(for_dp, binding, Layer.S1SPDP, draw)
            s1sp = replace(s1sp, protected=sealed)
        dco = None
        if rules.dco_part:
            part = DcoInformation(hub, tuple(row.dco for row in handovers))
            dco = self._sealed(part, binding, Layer.DCO, draw)
        if plaintext:
            return EncryptedInstallation(hub, plain=PlainInformation(s1sp), dco=dco)
        outer = self._sealed(s1sp, binding, Layer.S1SP, draw)
        return EncryptedInstallation(hub, outer, None, dco)

    def _sealed(
        self,
        information: S1spInformation | S1spdpInformation | DcoInformation,
        binding: Binding,
        layer: Layer,
        draw: Draw,
    ) -> CipherText:
        point = self._keys.agreement_point(RECIPIENTS[layer][0])
        return seal(to_xml(information, self._schema), point, binding, layer, draw)

    def manifest(self, files: Iterable[BuiltFile], *, after_s: int = 4) -> BuiltFile:
        """Make the Required File Set manifest."""
        rows = (NamedFile(row.file.header.file_type, row.name, row.sha256) for row in files)
        return self.publish(FileType.RFS, RequiredSet(tuple(rows)), after_s=after_s)


def validation_of(report: DeliveryReport) -> ValidationFile:
    """Return what an MVF says of a checked MCF.

    Every installation that is not accepted is Invalid, with all its findings.
    """
    common = next((row for row in report.files if row.file_type is FileType.MCF), None)
    if common is not None and common.error is not None:
        return ValidationFile(Validity.INVALID, (short(common.error.finding),))
    rows = tuple(
        ValidatedInstallation(
            row.ref,
            Validity.VALID if row.result is Result.ACCEPTED else Validity.INVALID,
            tuple(short(finding) for finding in row.findings),
        )
        for row in report.installations
    )
    return ValidationFile(Validity.VALID, (), rows)


def short(finding: Finding) -> Finding:
    """Return a finding whose text fits into a file."""
    return replace(finding, text=" ".join(finding.text.split())[:500].rstrip())


def build_set(
    builder: SetBuilder,
    installations: Sequence[CommonInstallation],
    secrets_of: SecretsOf,
    draw: Draw,
    *,
    plaintext: bool = False,
) -> tuple[BuiltFile, ...]:
    """Make a whole set in which every installation is valid: MCF, MVF, MGF, MEF and manifest."""
    common = builder.common(installations)
    valid = tuple(ValidatedInstallation(row.ref, Validity.VALID) for row in installations)
    validation = builder.validation(common, ValidationFile(Validity.VALID, (), valid))
    group = builder.group(installations)
    encrypted = builder.encrypted(installations, secrets_of, draw, plaintext=plaintext)
    files = (common, validation, group, encrypted)
    return (*files, builder.manifest(files))
