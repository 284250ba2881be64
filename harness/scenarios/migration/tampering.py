"""Ways to tamper with a migration file, by name; each leaves everything else as it was."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from lxml import etree

from emulator.crypto.pki import Draw
from harness.errors import UsageError
from harness.formats.migration_files.building import Keys
from harness.formats.migration_files.document import MigrationFile, from_tree, octets, to_tree
from harness.formats.migration_files.encrypted_file import (
    EncryptedFile,
    EncryptedInstallation,
    PlainInformation,
)
from harness.formats.migration_files.envelope import Binding, Layer, seal
from harness.formats.migration_files.group_information import (
    STRUCTURES,
    S1spdpInformation,
    S1spInformation,
)
from harness.formats.migration_files.opening import (
    RECIPIENTS,
    KeyHolder,
    Opener,
    to_xml,
)
from harness.formats.migration_files.parties import SIGNERS, Role
from harness.formats.migration_files.schema import MigrationSchema
from harness.formats.migration_files.signing import sign, strip
from harness.formats.migration_files.xml_input import parse
from harness.formats.migration_files.xml_table import read


@dataclass(frozen=True, slots=True)
class Forger:
    """Somebody who has every key, so that exactly one thing is wrong.

    Attributes:
        keys: Keys of all parties.
        schema: The migration schema.
        draw: Chance of its envelopes.
    """

    keys: Keys = field(repr=False)
    schema: MigrationSchema = field(repr=False)
    draw: Draw = field(repr=False)

    def tree(self, data: bytes) -> etree._Element:
        """Return a file as a tree."""
        return parse(data, self.schema.namespace)

    def signed(self, root: etree._Element, role: Role) -> bytes:
        """Return a tree as a file signed anew by a role."""
        strip(root)
        sign(root, self.keys.signing(role))
        return octets(root, self.schema)

    def opened(self, cipher: Any, binding: Binding, layer: Layer) -> Any:
        """Return what a layer holds."""
        holder: KeyHolder = Opener.of(self.keys.store, self.keys.parties).holders[layer]
        root = parse(holder.open(cipher, binding), self.schema.namespace)
        return read(STRUCTURES[etree.QName(root).localname], root)

    def sealed(
        self, plaintext: bytes, binding: Binding, layer: Layer, role: Role | None = None
    ) -> Any:
        """Return a layer encrypted for its recipient, or for another role."""
        point = self.keys.agreement_point(role or RECIPIENTS[layer][0])
        return seal(plaintext, point, binding, layer, self.draw)

    def xml(self, information: Any) -> bytes:
        """Return group information as canonical XML."""
        return to_xml(information, self.schema)


Way = Callable[[Forger, bytes], bytes]
#: Changes one installation of an encrypted file.
_Change = Callable[[Forger, EncryptedInstallation, Binding], EncryptedInstallation]


def _installations(root: etree._Element) -> list[etree._Element]:
    return [one for one in root.iter() if etree.QName(one).localname == "Installation"]


def _one_digit(forger: Forger, data: bytes) -> bytes:
    root = forger.tree(data)
    first = _installations(root)[0]
    name = next(iter(first.attrib))
    value = str(first.attrib[name])
    first.attrib[name] = value[:-1] + ("1" if value[-1] != "1" else "2")
    return octets(root, forger.schema)


def _other_signer(forger: Forger, data: bytes) -> bytes:
    return forger.signed(forger.tree(data), Role.DCO)


def _no_signature(forger: Forger, data: bytes) -> bytes:
    root = forger.tree(data)
    strip(root)
    return octets(root, forger.schema)


def _element_too_many(forger: Forger, data: bytes) -> bytes:
    root = forger.tree(data)
    etree.SubElement(_installations(root)[0], f"{{{forger.schema.namespace}}}Surplus")
    return forger.signed(root, Role.REQUESTING_PARTY)


def _document_type(_forger: Forger, data: bytes) -> bytes:
    head, mark, rest = data.partition(b"?>")
    if not mark:
        return b"<!DOCTYPE mig>" + data
    return head + mark + b"<!DOCTYPE mig>" + rest


def _rewritten(which: tuple[int, ...], change: _Change) -> Way:
    """Return a way that changes installations of an encrypted file, by their place in it."""

    def way(forger: Forger, data: bytes) -> bytes:
        root = forger.tree(data)
        strip(root)
        file = from_tree(root, forger.schema)
        content = file.content
        if not isinstance(content, EncryptedFile):
            raise UsageError("only an encrypted file can be tampered with like this")
        rows = list(content.installations)
        for number in which:
            row = rows[number]
            rows[number] = change(forger, row, Binding.of(file.header, row.hub))
        return _encrypted(forger, file, rows)

    return way


def _encrypted(forger: Forger, file: MigrationFile, rows: list[EncryptedInstallation]) -> bytes:
    changed = replace(file, content=EncryptedFile(tuple(rows)))
    return forger.signed(to_tree(changed, forger.schema), SIGNERS[file.header.file_type])


def _s1sp(forger: Forger, row: EncryptedInstallation, binding: Binding) -> S1spInformation:
    found = forger.opened(row.s1sp, binding, Layer.S1SP)
    if not isinstance(found, S1spInformation):
        raise UsageError("the group's layer holds another structure")
    return found


def _other_root(
    forger: Forger, row: EncryptedInstallation, binding: Binding
) -> EncryptedInstallation:
    inside = _s1sp(forger, row, binding)
    other = S1spdpInformation(inside.hub, inside.devices)
    return replace(row, s1sp=forger.sealed(forger.xml(other), binding, Layer.S1SP))


def _for_another(
    forger: Forger, row: EncryptedInstallation, binding: Binding
) -> EncryptedInstallation:
    plaintext = forger.xml(_s1sp(forger, row, binding))
    return replace(row, s1sp=forger.sealed(plaintext, binding, Layer.S1SP, Role.DCO))


def _broken_plaintext(
    forger: Forger, row: EncryptedInstallation, binding: Binding
) -> EncryptedInstallation:
    return replace(row, s1sp=forger.sealed(b"<not-well-formed>", binding, Layer.S1SP))


def _protected(to: Role | None) -> _Change:
    def change(
        forger: Forger, row: EncryptedInstallation, binding: Binding
    ) -> EncryptedInstallation:
        inside = _s1sp(forger, row, binding)
        sealed = None
        if to is not None:
            held = forger.opened(inside.protected, binding, Layer.S1SPDP)
            sealed = forger.sealed(forger.xml(held), binding, Layer.S1SPDP, to)
        plaintext = forger.xml(replace(inside, protected=sealed))
        return replace(row, s1sp=forger.sealed(plaintext, binding, Layer.S1SP))

    return change


def _no_dco(_forger: Forger, row: EncryptedInstallation, _at: Binding) -> EncryptedInstallation:
    return replace(row, dco=None)


def _clear(forger: Forger, row: EncryptedInstallation, binding: Binding) -> EncryptedInstallation:
    return replace(row, plain=PlainInformation(_s1sp(forger, row, binding)), s1sp=None)


def _swapped(forger: Forger, data: bytes) -> bytes:
    root = forger.tree(data)
    strip(root)
    file = from_tree(root, forger.schema)
    content = file.content
    if not isinstance(content, EncryptedFile):
        raise UsageError("only an encrypted file can be tampered with like this")
    first, second, *rest = content.installations
    rows = [replace(first, s1sp=second.s1sp), replace(second, s1sp=first.s1sp), *rest]
    return _encrypted(forger, file, rows)


#: Name -> the way.
WAYS: Final[Mapping[str, Way]] = {
    "one digit altered": _one_digit,
    "signed by another": _other_signer,
    "no signature": _no_signature,
    "an element too many": _element_too_many,
    "a document type": _document_type,
    "the other root": _rewritten((0,), _other_root),
    "sealed for another party": _rewritten((0,), _for_another),
    "second sealed for another party": _rewritten((1,), _for_another),
    "plaintext not well formed": _rewritten((0,), _broken_plaintext),
    "protected data for another party": _rewritten((0,), _protected(Role.DCO)),
    "no protected data": _rewritten((0,), _protected(None)),
    "no part for the DCO": _rewritten((0,), _no_dco),
    "second without a part for the DCO": _rewritten((1,), _no_dco),
    "in the clear": _rewritten((0,), _clear),
    "the first two swapped": _swapped,
}

#: Ways that only the maker of a file has: what it sends agrees with its manifest.
BY_ITS_MAKER: Final = frozenset(
    {
        "the other root",
        "sealed for another party",
        "second sealed for another party",
        "plaintext not well formed",
        "protected data for another party",
        "no protected data",
        "no part for the DCO",
        "second without a part for the DCO",
        "in the clear",
        "the first two swapped",
    }
)


def way(name: str, forger: Forger) -> Callable[[bytes], bytes]:
    """Return a way to tamper, bound to who does it.

    Raises:
        KeyError: There is no such way.
    """
    found = WAYS[name]
    return lambda data: found(forger, data)
