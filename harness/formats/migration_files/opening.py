"""Group information opened layer by layer, each layer by the one party that holds its key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from lxml import etree

from device_profiles.cohort import Cohort
from emulator.core.ids import Eui64
from emulator.core.values import quick
from emulator.crypto.keystore import KeyStore, KeyUsage
from harness.formats.duis.quick_writing import UnusualError, plain
from harness.formats.migration_files.document import canonical
from harness.formats.migration_files.encrypted_file import EncryptedInstallation
from harness.formats.migration_files.envelope import (
    BadPointError,
    Binding,
    Layer,
    NotAuthenticError,
    open_layer,
)
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.group_information import (
    ROOTS,
    STRUCTURES,
    CipherText,
    DcoInformation,
    Information,
    S1spdpInformation,
    S1spInformation,
)
from harness.formats.migration_files.parties import Role
from harness.formats.migration_files.schema import MigrationSchema
from harness.formats.migration_files.text_writing import PREFIX, Writer, element
from harness.formats.migration_files.xml_input import MAX_PLAINTEXT_BYTES, parse
from harness.formats.migration_files.xml_table import local, read, write
from harness.rules.migration_envelope import EnvelopeFacts
from harness.rules.migration_envelope import Opened as Part
from harness.rules.migration_envelope import Opening as How

#: Layer -> role that opens it, sub-code when its key is not held.
RECIPIENTS: Final[Mapping[Layer, tuple[Role, str]]] = {
    Layer.S1SP: (Role.S1SP, "01"),
    Layer.S1SPDP: (Role.S1SPDP, "02"),
    Layer.DCO: (Role.DCO, "03"),
}


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """One party with its private key-agreement key: it opens its own layer and no other.

    Attributes:
        layer: The layer encrypted for it.
        scalar: Its private key.
    """

    layer: Layer
    scalar: int = field(repr=False)

    def open(self, cipher: CipherText, binding: Binding) -> bytes:
        """Decrypt its layer.

        Raises:
            BadPointError: The ephemeral key is no point of the curve.
            NotAuthenticError: Another key or binding, or octets that were changed.
        """
        return open_layer(cipher, self.scalar, binding, self.layer)


@dataclass(frozen=True, slots=True)
class Opener:
    """The parties at hand, each with its own key; layers without one stay closed.

    Attributes:
        holders: Layer -> who opens it.
    """

    holders: Mapping[Layer, KeyHolder] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, store: KeyStore, parties: Mapping[Role, Eui64]) -> "Opener":
        """Take the keys that a key store holds for these parties, each for its own layer."""
        held: dict[Layer, KeyHolder] = {}
        for layer, (role, _sub_code) in RECIPIENTS.items():
            entry = store.find(parties[role], KeyUsage.KA) if role in parties else None
            if entry is not None and entry.private_scalar is not None:
                held[layer] = KeyHolder(layer, entry.private_scalar)
        return cls(held)


@quick
@dataclass(frozen=True, slots=True)
class Opened:
    """What the layers of one installation hold; each part is for its own key holder alone.

    Attributes:
        hub: CHF of the installation.
        s1sp: Content of the S1SP's layer; None where that layer is the S1SPDP structure, or closed.
        s1spdp: Content of ProtectedData, or of the S1SP's layer where that is its structure.
        dco: Content of the DCO's part.
        closed: Layers that are there and whose keys are not held.
    """

    hub: Eui64
    s1sp: S1spInformation | None = field(default=None, repr=False)
    s1spdp: S1spdpInformation | None = field(default=None, repr=False)
    dco: DcoInformation | None = field(default=None, repr=False)
    closed: tuple[Layer, ...] = ()


def to_xml(information: Information, schema: MigrationSchema) -> bytes:
    """Return group information as canonical XML, valid against the schema.

    Raises:
        MigrationFileError: X-VALUE or X-XSD: its values cannot be written so.
    """
    name = ROOTS[type(information)]
    written = _written(name, information, schema)
    return _by_tree(name, information, schema) if written is None else written


def _by_tree(name: str, information: Information, schema: MigrationSchema) -> bytes:
    root = etree.Element(f"{{{schema.namespace}}}{name}", nsmap={"mig": schema.namespace})
    write(STRUCTURES[name], root, information)
    schema.validate(root)
    return canonical(root)


def _written(name: str, information: Information, schema: MigrationSchema) -> bytes | None:
    """Return the same written as text; None where it needs a tree, or is not valid."""
    lines: list[str] = []
    try:
        _writer(name)(information, [], lines)
        whole = "".join(lines)
        begun, own = f"<{PREFIX}:{name}", plain(schema.namespace)
    except (MigrationFileError, UnusualError):
        return None
    if '"' in own or not whole.startswith(begun):
        return None
    octets = f'{begun} xmlns:{PREFIX}="{own}"{whole[len(begun) :]}'.encode("ascii")
    return octets if schema.is_valid(etree.fromstring(octets)) else None


@cache
def _writer(name: str) -> Writer:
    return element(name, STRUCTURES[name], None)


class Opening:
    """Opens installations of one file; whether what it finds may stand is for the rules to say.

    Args:
        cohort: Cohort of the file's group: its row of Table 11.2.1.
        opener: Parties at hand.
        schema: Schema that plain texts must be valid against.
    """

    def __init__(self, cohort: Cohort, opener: Opener, schema: MigrationSchema) -> None:
        self._cohort = cohort
        self._opener = opener
        self._schema = schema

    def open(
        self, installation: EncryptedInstallation, binding: Binding
    ) -> tuple[EnvelopeFacts, Opened]:
        """Open every layer whose key is held.

        Returns:
            How far each layer could be opened, for the rules; and what it holds, as far as it can
            be read at all.
        """
        plain = Part()
        outer: Any = None
        if installation.plain is not None:
            outer = installation.plain.information
            plain = _of_hub(outer, binding, ROOTS[type(outer)])
        sealed, inside = self._part(installation.s1sp, binding, Layer.S1SP)
        if inside is not None:
            outer = inside
        s1sp = outer if isinstance(outer, S1spInformation) else None
        s1spdp = outer if isinstance(outer, S1spdpInformation) else None
        protected = Part()
        if s1sp is not None:
            protected, found = self._part(s1sp.protected, binding, Layer.S1SPDP)
            s1spdp = found if isinstance(found, S1spdpInformation) else None
        dco, for_dco = self._part(installation.dco, binding, Layer.DCO)
        parts = {Layer.S1SP: sealed, Layer.S1SPDP: protected, Layer.DCO: dco}
        closed = tuple(layer for layer, part in parts.items() if part.opening is How.CLOSED)
        facts = EnvelopeFacts(self._cohort.envelope, sealed, plain, protected, dco)
        opened = Opened(
            installation.hub,
            s1sp,
            s1spdp,
            for_dco if isinstance(for_dco, DcoInformation) else None,
            closed,
        )
        return facts, opened

    def _part(
        self, cipher: CipherText | None, binding: Binding, layer: Layer
    ) -> tuple[Part, Information | None]:
        """Open one layer; returns how far, and the content where it can be read."""
        if cipher is None:
            return Part(), None
        holder = self._opener.holders.get(layer)
        if holder is None:
            return Part(How.CLOSED), None
        try:
            plaintext = holder.open(cipher, binding)
        except BadPointError:
            why = "the ephemeral public key is no point of P-256"
            return Part(How.BAD_POINT, why=why), None
        except NotAuthenticError:
            why = "not encrypted to this key for this counter, GroupID and CHF, or changed since"
            return Part(How.NOT_DECRYPTED, why=why), None
        try:
            root = parse(plaintext, self._schema.namespace, limit_bytes=MAX_PLAINTEXT_BYTES)
        except MigrationFileError as error:
            return Part(How.ILL_FORMED, why=_told(error)), None
        return self._structure(root, plaintext, binding)

    def _structure(
        self, root: etree._Element, plaintext: bytes, binding: Binding
    ) -> tuple[Part, Information | None]:
        name = local(root)[:60]
        if name not in STRUCTURES:
            return Part(How.VALID, name), None
        invalid = ""
        try:
            self._schema.validate(root)
        except MigrationFileError as error:
            invalid = _told(error)
        try:
            information = read(STRUCTURES[name], root)
        except MigrationFileError as error:
            how = How.INVALID if invalid else How.BAD_VALUE
            return Part(how, name, invalid or _told(error)), None
        if invalid:
            return Part(How.INVALID, name, invalid), information
        if canonical(root) != plaintext:
            why = "the plain text is not the canonical form of itself"
            return Part(How.NOT_CANONICAL, name, why), information
        return _of_hub(information, binding, name), information


def _of_hub(information: Information, binding: Binding, name: str) -> Part:
    if information.hub == binding.hub:
        return Part(How.VALID, name)
    why = f"it is of CHF {information.hub}, the installation's is {binding.hub}"
    return Part(How.OTHER_HUB, name, why)


def _told(error: MigrationFileError) -> str:
    return f"{error.check.code} {error.sub_code}: {error.why}"
