"""Ways to tamper with a migration file, by name; each leaves everything else as it was."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from lxml import etree

from emulator.core.clock import UtcMs
from emulator.crypto.keystore import KeyStore
from emulator.crypto.pki import Draw, TestPki
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
from harness.formats.migration_files.parties import SIGNERS, Role, party_entries
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


#: A certificate from then is valid on every day of a row.
_LONG_AGO: Final = UtcMs(1_600_000_000_000)
#: More elements inside one another than any migration file has.
_DEEP: Final = 400
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


def _cut_off(_forger: Forger, data: bytes) -> bytes:
    return data[: len(data) // 2]


def _entity(_forger: Forger, data: bytes) -> bytes:
    return data.replace(b"</", b"&nobody;</", 1)


def _other_namespace(forger: Forger, data: bytes) -> bytes:
    return data.replace(forger.schema.namespace.encode(), b"urn:somebody:else")


def _namespace_twice(forger: Forger, data: bytes) -> bytes:
    again = f' xmlns:again="{forger.schema.namespace}"'.encode()
    return data.replace(b"<mig:MigrationHeader>", b"<mig:MigrationHeader" + again + b">", 1)


def _other_algorithm(_forger: Forger, data: bytes) -> bytes:
    return data.replace(b"ecdsa-sha256", b"ecdsa-sha512", 1)


def _stranger(forger: Forger, data: bytes) -> bytes:
    """Sign with a certificate that nobody knows."""
    root = forger.tree(data)
    strip(root)
    pki = TestPki.new(forger.draw, _LONG_AGO)
    party = forger.keys.parties[Role.REQUESTING_PARTY]
    known = KeyStore(party_entries(pki, Role.REQUESTING_PARTY, party))
    sign(root, replace(forger.keys, store=known).signing(Role.REQUESTING_PARTY))
    return octets(root, forger.schema)


def _too_deep(_forger: Forger, data: bytes) -> bytes:
    nest = b"<mig:x>" * _DEEP + b"</mig:x>" * _DEEP
    return data.replace(b"</mig:MigrationHeader>", nest + b"</mig:MigrationHeader>", 1)


def _edited(old: str, new: str) -> Way:
    """Return a way of a Requesting Party that writes one thing otherwise, and signs it."""

    def way_(forger: Forger, data: bytes) -> bytes:
        if not re.search(old, data.decode()):
            raise UsageError(f"nothing in the file is {old}")
        changed = re.sub(old, new, data.decode(), count=1).encode()
        return forger.signed(forger.tree(changed), Role.REQUESTING_PARTY)

    return way_


def _second_left_out(forger: Forger, data: bytes) -> bytes:
    root = forger.tree(data)
    second = _installations(root)[1]
    parent = second.getparent()
    if parent is not None:
        parent.remove(second)
    return forger.signed(root, Role.REQUESTING_PARTY)


def _meter_twice(forger: Forger, data: bytes) -> bytes:
    """Name the first installation's meter point in the second as well."""
    root = forger.tree(data)
    points = [one for one in root.iter() if etree.QName(one).localname == "MPAN"]
    points[1].text = points[0].text
    return forger.signed(root, Role.REQUESTING_PARTY)


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
    "cut off": _cut_off,
    "an entity": _entity,
    "another namespace": _other_namespace,
    "one namespace under two prefixes": _namespace_twice,
    "another algorithm": _other_algorithm,
    "signed by a stranger": _stranger,
    "nested too deep": _too_deep,
    "another processing mode": _edited(r"<mig:ProcessingMode>[^<]*</mig:ProcessingMode>", ""),
    "another class": _edited('InstallationClass="Active"', 'InstallationClass="Dormant"'),
    "another firmware": _edited('FirmwareVersion="10000001"', 'FirmwareVersion="1000000A"'),
    "the thirtieth of February": _edited(
        r"<mig:CreatedAt>(\d+)-\d+-\d+", r"<mig:CreatedAt>\1-02-30"
    ),
    "an hour earlier": _edited(r"(<mig:CreatedAt>[^T]*T)06", r"\g<1>05"),
    "another address": _edited(r"\[2001:db8::1\]", "[2001:db8::9]"),
    "second left out": _second_left_out,
    "one meter twice": _meter_twice,
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
        "second left out",
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
