"""A migration file as a value and as a document."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from lxml import etree

from emulator.core.values import quick
from harness.formats.duis import signing as duis
from harness.formats.duis.quick_writing import UnusualError, plain
from harness.formats.duis.signing import XmlKey
from harness.formats.migration_files import checks
from harness.formats.migration_files.commissioning_file import (
    COMMISSIONING_FILE,
    CommissioningFile,
)
from harness.formats.migration_files.common_file import COMMON_FILE, CommonFile
from harness.formats.migration_files.encrypted_file import ENCRYPTED_FILE, EncryptedFile
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.gate import Gate
from harness.formats.migration_files.group_file import GROUP_FILE, GroupFile
from harness.formats.migration_files.header import HEADER, Header
from harness.formats.migration_files.required_set import REQUIRED_SET, RequiredSet
from harness.formats.migration_files.result_files import (
    OUTCOME_FILE,
    VALIDATION_FILE,
    VIABLE_FILE,
    OutcomeFile,
    ValidationFile,
    ViableFile,
)
from harness.formats.migration_files.schema import MigrationSchema
from harness.formats.migration_files.text_writing import PREFIX, Writer, content, element
from harness.formats.migration_files.words import FileType
from harness.formats.migration_files.xml_input import SIGNATURE_NAMESPACE
from harness.formats.migration_files.xml_table import (
    Record,
    line_of,
    local,
    read,
    read_among,
    write,
)

SCHEMA_VERSION: Final = "1"
SIGNATURE: Final = f"{{{SIGNATURE_NAMESPACE}}}Signature"
_HEADER: Final = "MigrationHeader"

Content = (
    CommonFile
    | ValidationFile
    | GroupFile
    | EncryptedFile
    | ViableFile
    | CommissioningFile
    | RequiredSet
    | OutcomeFile
)


@quick
@dataclass(frozen=True, slots=True)
class MigrationFile:
    """One migration file.

    Attributes:
        header: What it is, of which set.
        content: What it says; the header's file type follows from its kind.
    """

    header: Header
    content: Content


@dataclass(frozen=True, slots=True)
class Form:
    """How one type of file is written.

    Attributes:
        root: Local name of the root element.
        content: Kind of its content.
        record: Its structure, header and signature apart.
    """

    root: str
    content: type
    record: Record


#: File type -> its form. Source: abbreviations S000 §5; roots and contents invented.
FORMS: Final[dict[FileType, Form]] = {
    FileType.MCF: Form("MigrationCommonFile", CommonFile, COMMON_FILE),
    FileType.MVF: Form("MigrationValidationFile", ValidationFile, VALIDATION_FILE),
    FileType.MGF: Form("MigrationGroupFile", GroupFile, GROUP_FILE),
    FileType.MEF: Form("MigrationGroupEncryptedFile", EncryptedFile, ENCRYPTED_FILE),
    FileType.VIF: Form("S1SPViableInstallationFile", ViableFile, VIABLE_FILE),
    FileType.SCF: Form("S1SPCommissioningFile", CommissioningFile, COMMISSIONING_FILE),
    FileType.RFS: Form("S1SPRequiredFileSet", RequiredSet, REQUIRED_SET),
    FileType.COF: Form("CommissioningOutcomeFile", OutcomeFile, OUTCOME_FILE),
}


def to_tree(file: MigrationFile, schema: MigrationSchema) -> etree._Element:
    """Return a file as an unsigned element tree, valid against the schema.

    Raises:
        MigrationFileError: X-VALUE, or X-XSD 01: its values cannot be written so.
        TypeError: The header's file type is not that of the content.
    """
    form = FORMS[file.header.file_type]
    if not isinstance(file.content, form.content):
        raise TypeError(f"{type(file.content).__name__} is no {file.header.file_type}")
    space = schema.namespace
    root = etree.Element(f"{{{space}}}{form.root}", nsmap={"mig": space, "ds": SIGNATURE_NAMESPACE})
    root.set("schemaVersion", SCHEMA_VERSION)
    write(HEADER, etree.SubElement(root, f"{{{space}}}{_HEADER}"), file.header)
    write(form.record, root, file.content)
    etree.indent(root, space=" ")
    schema.validate(root)
    return root


def octets(root: etree._Element, schema: MigrationSchema) -> bytes:
    """Return a tree as UTF-8 octets: declaration, a comment that says what it is, the document."""
    return _whole(etree.tostring(root, encoding="UTF-8", xml_declaration=False), schema)


def _whole(body: bytes, schema: MigrationSchema) -> bytes:
    declaration = b'<?xml version="1.0" encoding="UTF-8"?>\n'
    return declaration + f"<!--{schema.notice}-->\n".encode() + body + b"\n"


def written(file: MigrationFile, schema: MigrationSchema, key: XmlKey) -> bytes | None:
    """Return a signed file, written as text: what `to_tree`, a signature and `octets` would give.

    None where it needs a tree, or is not valid: then the tree's way says what is wrong.
    """
    form, space = FORMS[file.header.file_type], schema.namespace
    if not isinstance(file.content, form.content):
        return None
    lines: list[str] = []
    canonical: list[str] = []
    try:
        own = f'xmlns:{PREFIX}="{_in_quotes(space)}"'
        for writer, value in zip(_writers(form.root), (file.header, file.content), strict=True):
            writer(value, lines, canonical)
    except (MigrationFileError, UnusualError):
        return None
    declared = f'{own} xmlns:ds="{SIGNATURE_NAMESPACE}"'
    version, ended = f'schemaVersion="{SCHEMA_VERSION}"', f"</{PREFIX}:{form.root}>"
    document = "\n".join((f"<{PREFIX}:{form.root} {declared} {version}>", *lines, ""))
    if not schema.is_valid(etree.fromstring(f"{document}{ended}")):
        return None
    signed = "\n".join((f"<{PREFIX}:{form.root} {own} {version}>", *canonical, ended))
    mark = duis.signature_over(signed.encode("ascii"), key)
    return _whole(f"{document}{mark}{ended}".encode(), schema)


@cache
def _writers(root: str) -> tuple[Writer, Writer]:
    """Return what writes the header and the content of a file with that root element."""
    form = next(one for one in FORMS.values() if one.root == root)
    return element(_HEADER, HEADER, 1), content(form.record, 1)


def _in_quotes(text: str) -> str:
    """Return a text that may stand in quotes as it is.

    Raises:
        UnusualError: It may not.
    """
    if '"' in text:
        raise UnusualError
    return plain(text)


def from_tree(
    root: etree._Element, schema: MigrationSchema, gate: Gate | None = None
) -> MigrationFile:
    """Read a document; a signature in it is passed over.

    Args:
        root: The document.
        schema: The schema it is of.
        gate: Which refusals pass; None: none does.

    Raises:
        MigrationFileError: X-XSD 02: no file of its own; X-XSD 03: another structure; X-VALUE,
            X-B64: a value is not written as agreed; X-HEADER 01: type and root disagree.
    """
    through = gate or Gate()
    form = _form_of(root, schema)
    rest = [child for child in root if child.tag != SIGNATURE]
    if not rest or rest[0].tag != f"{{{schema.namespace}}}{_HEADER}":
        raise MigrationFileError(checks.SCHEMA, "03", f"there is no {_HEADER}", line=line_of(root))
    header: Header = read(HEADER, rest[0], through)
    content = read_among(form.record, root, rest[1:], through)
    if FORMS[header.file_type] is not form:
        why = f"the header says {header.file_type}, the root element is {local(root)}"
        through.refuse(checks.HEADER, "01", why, line=line_of(rest[0]))
        header = replace(header, file_type=header_type(form))
    return MigrationFile(header, content)


def header_type(form: Form) -> FileType:
    """Return the file type that a form is of."""
    return next(kind for kind, known in FORMS.items() if known is form)


def type_of(root: etree._Element, schema: MigrationSchema) -> FileType | None:
    """Return which file a document is by its root element; None where it is none."""
    for kind, form in FORMS.items():
        if root.tag == f"{{{schema.namespace}}}{form.root}":
            return kind
    return None


def _form_of(root: etree._Element, schema: MigrationSchema) -> Form:
    kind = type_of(root, schema)
    if kind is not None:
        return FORMS[kind]
    why = f"{local(root)[:60]} is the root element of no migration file"
    raise MigrationFileError(checks.SCHEMA, "02", why, line=line_of(root))


def canonical(root: etree._Element) -> bytes:
    """Return the exclusive canonical form of a document, comments left out.

    Source:
        W3C Exclusive XML Canonicalization 1.0; checked against the standard library's
        canonicaliser on the golden files.
    """
    return etree.tostring(root, method="c14n", exclusive=True, with_comments=False)
