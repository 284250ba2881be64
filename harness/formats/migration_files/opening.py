"""Group information opened layer by layer, as 5.23, 11.1, 11.2.1 and 15.3 ask."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lxml import etree

from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore, KeyUsage
from harness.formats.migration_files import checks
from harness.formats.migration_files.checks import Check
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
    DCO_ROOT,
    ROOTS,
    S1SPDP_ROOT,
    STRUCTURES,
    CipherText,
    DcoInformation,
    Information,
    S1spdpInformation,
    S1spInformation,
)
from harness.formats.migration_files.groups import GroupRules
from harness.formats.migration_files.parties import Role
from harness.formats.migration_files.schema import MigrationSchema
from harness.formats.migration_files.xml_input import (
    MAX_PLAINTEXT_BYTES,
    parse,
)
from harness.formats.migration_files.xml_table import local, read, write

#: Layer -> role that opens it, sub-code when its key is not held.
RECIPIENTS: Final[Mapping[Layer, tuple[Role, str]]] = {
    Layer.S1SP: (Role.S1SP, "01"),
    Layer.S1SPDP: (Role.S1SPDP, "02"),
    Layer.DCO: (Role.DCO, "03"),
}


@dataclass(frozen=True, slots=True)
class Opener:
    """The private keys that one party, or a test that plays several, opens layers with.

    Attributes:
        scalars: Layer -> private key-agreement key; layers without one stay closed.
    """

    scalars: Mapping[Layer, int] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, store: KeyStore, parties: Mapping[Role, Eui64]) -> "Opener":
        """Take the keys that a key store holds for these parties."""
        held: dict[Layer, int] = {}
        for layer, (role, _sub_code) in RECIPIENTS.items():
            entry = store.find(parties[role], KeyUsage.KA) if role in parties else None
            if entry is not None and entry.private_scalar is not None:
                held[layer] = entry.private_scalar
        return cls(held)


@dataclass(frozen=True, slots=True)
class Opened:
    """What the layers of one installation hold.

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
    root = etree.Element(f"{{{schema.namespace}}}{name}", nsmap={"mig": schema.namespace})
    write(STRUCTURES[name], root, information)
    schema.validate(root)
    return canonical(root)


class Opening:
    """Opens installations of one file.

    Args:
        rules: Row of the file's group.
        opener: Keys at hand.
        schema: Schema that plain texts must be valid against.
    """

    def __init__(self, rules: GroupRules, opener: Opener, schema: MigrationSchema) -> None:
        self._rules = rules
        self._opener = opener
        self._schema = schema

    def open(self, installation: EncryptedInstallation, binding: Binding) -> Opened:
        """Open every layer whose key is held and check it.

        Raises:
            MigrationFileError: X-11.1, X-5.23A, X-5.23B, X-11.2.1, X-15.3 or X-DCO.
        """
        closed: list[Layer] = []
        outer = self._outer(installation, binding, closed)
        s1sp = outer if isinstance(outer, S1spInformation) else None
        s1spdp = outer if isinstance(outer, S1spdpInformation) else None
        if s1sp is not None:
            s1spdp = self._protected(s1sp, binding, closed)
        dco = self._dco(installation, binding, closed)
        return Opened(installation.hub, s1sp, s1spdp, dco, tuple(closed))

    def _outer(
        self, installation: EncryptedInstallation, binding: Binding, closed: list[Layer]
    ) -> Any:
        """Return the content of the S1SP's layer, or None where its key is not held."""
        if installation.plain is not None:
            if not self._rules.plaintext_allowed:
                why = f"plain text is not agreed for GroupID {self._rules.group_id}"
                raise MigrationFileError(checks.PLAINTEXT, "01", why)
            information = installation.plain.information
            _same_hub(information, binding)
            return information
        if installation.s1sp is None:  # no schema of ours lets it pass
            raise MigrationFileError(checks.DECRYPT, "02", "there is nothing to decrypt")
        plaintext = self._decrypted(installation.s1sp, binding, Layer.S1SP, closed)
        if plaintext is None:
            return None
        root = self._root(plaintext)
        name = local(root)
        if name not in STRUCTURES or name == DCO_ROOT:
            raise MigrationFileError(checks.PLAIN_FORM, "03", f"the root element is {name[:60]}")
        information = self._structure(root, plaintext)
        _same_hub(information, binding)
        if name != self._rules.root:
            why = f"GroupID {self._rules.group_id} uses {self._rules.root}, this is {name}"
            raise MigrationFileError(checks.PLAIN_ROOT, "01", why)
        return information

    def _protected(
        self, s1sp: S1spInformation, binding: Binding, closed: list[Layer]
    ) -> S1spdpInformation | None:
        check = checks.PROTECTED
        if s1sp.protected is None:
            if self._rules.protected_data is None:
                return None
            raise MigrationFileError(check, "01", "there is no ProtectedData")
        if self._rules.protected_data is None:
            why = f"GroupID {self._rules.group_id} has no ProtectedData"
            raise MigrationFileError(check, "02", why)
        part = self._part(s1sp.protected, binding, Layer.S1SPDP, closed)
        return part if isinstance(part, S1spdpInformation) else None

    def _dco(
        self, installation: EncryptedInstallation, binding: Binding, closed: list[Layer]
    ) -> DcoInformation | None:
        check = checks.DCO_PART
        if installation.dco is None:
            if not self._rules.dco_part:
                return None
            raise MigrationFileError(check, "01", "there is no EncryptedDCOGroupInformation")
        if not self._rules.dco_part:
            why = f"GroupID {self._rules.group_id} has no part for the DCO"
            raise MigrationFileError(check, "02", why)
        part = self._part(installation.dco, binding, Layer.DCO, closed)
        return part if isinstance(part, DcoInformation) else None

    def _part(self, cipher: CipherText, binding: Binding, layer: Layer, closed: list[Layer]) -> Any:
        """Open ProtectedData or the DCO's part; what goes wrong is told under their check."""
        check, wanted = _PARTS[layer]
        try:
            plaintext = self._decrypted(cipher, binding, layer, closed)
        except MigrationFileError as error:
            raise error.under(check, "03") from None
        if plaintext is None:
            return None
        try:
            return self._named_structure(plaintext, wanted, binding)
        except MigrationFileError as error:
            raise error.under(check, "04") from None

    def _named_structure(self, plaintext: bytes, wanted: str, binding: Binding) -> Any:
        root = self._root(plaintext)
        if local(root) != wanted:
            why = f"the root element is {local(root)[:60]}, not {wanted}"
            raise MigrationFileError(checks.PLAIN_FORM, "03", why)
        information = self._structure(root, plaintext)
        _same_hub(information, binding)
        return information

    def _decrypted(
        self, cipher: CipherText, binding: Binding, layer: Layer, closed: list[Layer]
    ) -> bytes | None:
        scalar = self._opener.scalars.get(layer)
        if scalar is None:
            closed.append(layer)
            return None
        try:
            return open_layer(cipher, scalar, binding, layer)
        except BadPointError:
            why = "the ephemeral public key is no point of P-256"
            raise MigrationFileError(checks.DECRYPT, "01", why) from None
        except NotAuthenticError:
            why = "not encrypted to this key for this counter, GroupID and CHF, or changed since"
            raise MigrationFileError(checks.DECRYPT, "02", why) from None

    def _root(self, plaintext: bytes) -> etree._Element:
        try:
            return parse(plaintext, self._schema.namespace, limit_bytes=MAX_PLAINTEXT_BYTES)
        except MigrationFileError as error:
            raise error.under(checks.PLAIN_FORM, "01") from None

    def _structure(self, root: etree._Element, plaintext: bytes) -> Any:
        self._schema.validate(root, checks.PLAIN_FORM, "02")
        if canonical(root) != plaintext:
            why = "the plain text is not the canonical form of itself"
            raise MigrationFileError(checks.PLAIN_FORM, "04", why)
        try:
            return read(STRUCTURES[local(root)], root)
        except MigrationFileError as error:
            raise error.under(checks.PLAIN_FORM, "06") from None


#: Layer -> check it is told under, root element of its plain text.
_PARTS: Final[Mapping[Layer, tuple[Check, str]]] = {
    Layer.S1SPDP: (checks.PROTECTED, S1SPDP_ROOT),
    Layer.DCO: (checks.DCO_PART, DCO_ROOT),
}


def _same_hub(information: Information, binding: Binding) -> None:
    if information.hub != binding.hub:
        why = f"it is of CHF {information.hub}, the installation's is {binding.hub}"
        raise MigrationFileError(checks.PLAIN_FORM, "05", why)
