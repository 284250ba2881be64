"""The checks of migration files as rows: code, step, clause, sub-codes, evidence."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


class Level(enum.StrEnum):
    """What a failed check takes with it."""

    FILE = "file"
    INSTALLATION = "installation"


class ErrorClass(enum.StrEnum):
    """Class of an error, which decides how it is tried again (reference 6.4, stand-in)."""

    FILE = "file"
    DATA = "data"
    COMMS = "comms"
    DEVICE = "device"
    COMMISSIONING = "commissioning"


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        code: ``X-…`` where the code is ours; MA110 and GT01 are the only real ones known.
        step: Step of the migration that makes the check (reference 5.1).
        level: Whether the whole file fails, or one installation of it.
        error_class: How it is tried again.
        clause: Clause it stands for.
        says: What it means, without numbers: the sentence suppliers get.
        subs: Sub-code -> what exactly is wrong.
        evidence: Mark of the rule itself; codes and sub-codes of ours are stand-ins throughout.
        internal: Hidden from suppliers, who see ``SEQUENCE`` in its place.
    """

    code: str
    step: str
    level: Level
    error_class: ErrorClass
    clause: str
    says: str
    subs: Mapping[str, str]
    evidence: str
    internal: bool = False


def _file(code: str, step: str, clause: str, says: str, *subs: str, evidence: str) -> Check:
    row = (code, step, Level.FILE, ErrorClass.FILE, clause, says, _numbered(subs), evidence)
    return Check(*row)


def _one(code: str, step: str, clause: str, says: str, *subs: str, evidence: str) -> Check:
    row = (code, step, Level.INSTALLATION, ErrorClass.FILE, clause, says, _numbered(subs), evidence)
    return Check(*row)


def _sequence(code: str, clause: str, says: str, *subs: str) -> Check:
    evidence = "inferred:S000 §3.1 names the three checks and that they are internal to DCC"
    row = (code, "V4", Level.FILE, ErrorClass.FILE, clause, says, _numbered(subs), evidence)
    return Check(*row, internal=True)


def _numbered(subs: tuple[str, ...]) -> dict[str, str]:
    return {f"{number:02d}": text for number, text in enumerate(subs, 1)}


_OURS: Final = "stand-in"

NAME: Final = _file(
    "X-NAME",
    "V1",
    "reference 4.2",
    "the name of the file is not of the agreed form",
    "the name is of no known form",
    "name and header disagree",
    evidence="inferred:from the published sample names of MA, DC and DR files",
)
SIZE: Final = _file(
    "X-SIZE",
    "V4",
    "reference 4.3",
    "the file is larger than any migration file",
    "more octets than allowed",
    "elements nested deeper than allowed",
    "more elements than allowed",
    "more attributes on one element than allowed",
    evidence=_OURS,
)
DTD: Final = _file(
    "X-DTD",
    "V4",
    "reference 4.3",
    "the file has a document type declaration",
    "a document type declaration",
    "a document type declaration that names another resource; nothing is fetched",
    evidence=_OURS,
)
ENTITY: Final = _file(
    "X-ENTITY",
    "V4",
    "reference 4.3",
    "the file declares an entity",
    "an entity",
    "an entity that names another resource; nothing is fetched",
    evidence=_OURS,
)
XML: Final = _file(
    "X-XML",
    "V4",
    "reference 4.3",
    "the file is no well-formed XML in UTF-8",
    "not UTF-8",
    "not well-formed",
    "a processing instruction",
    evidence=_OURS,
)
NAMESPACE: Final = _file(
    "X-NS",
    "V4",
    "reference 4.3",
    "the file is written in another XML namespace",
    "the root element is in another namespace",
    "a namespace that has no place in migration files",
    evidence=_OURS,
)
NAMESPACE_TWICE: Final = _file(
    "X-NS-TWICE",
    "V4",
    "reference 4.3 (house rule)",
    "namespaces and prefixes are not one to one",
    "one namespace under two prefixes",
    "one prefix for two namespaces",
    evidence="inferred:measured; with two prefixes independent canonicalisers disagree",
)
SIGNATURE_NONE: Final = _file(
    "X-SIG-NONE",
    "V4",
    "MAM 7.5.3",
    "the file is not signed",
    "no signature",
    evidence="inferred:S001 §4.1.1 says that migration files are digitally signed",
)
SIGNATURE_FORM: Final = _file(
    "X-SIG-FORM",
    "V4",
    "MAM 7.5.3",
    "the signature is not of the agreed form",
    "other elements, attributes or algorithms than agreed",
    "base64 that is not in its one canonical form",
    "not the last element of the document, or one of several",
    evidence=_OURS,
)
SIGNATURE_UNKNOWN: Final = _file(
    "X-SIG-UNKNOWN",
    "V4",
    "MAM 7.5.3",
    "the file is signed with a certificate that is not known",
    "no known certificate has this issuer and serial number",
    evidence=_OURS,
)
SIGNATURE_BAD: Final = _file(
    "X-SIG-BAD",
    "V4",
    "MAM 7.5.3",
    "the signature does not belong to this content",
    "the content is not what was signed",
    "the signature is not by the key of this certificate",
    evidence="inferred:S001 §4.1.1 says that migration files are digitally signed",
)
SCHEMA: Final = _file(
    "X-XSD",
    "V4",
    "SMETS1 Migration Schema",
    "the file is not valid against the migration schema",
    "not valid",
    "a structure of the schema that is no file of its own",
    "valid, but not of the structure that is read here",
    evidence="inferred:S000 §4 asks for validity of group information; of files: likewise",
)
BASE64: Final = _file(
    "X-B64",
    "V4",
    "reference 4.4",
    "binary data are not written in their one canonical form",
    "base64 that is not in its one canonical form",
    evidence=_OURS,
)
VALUE: Final = _file(
    "X-VALUE",
    "V4",
    "reference 4.4",
    "a value is not written as agreed",
    "not in the form its kind is written in",
    "half a Null Certificate ID: serial 0 and no issuer go together",
    evidence=_OURS,
)
HEADER: Final = _file(
    "X-HEADER",
    "V4",
    "reference 4.3",
    "the header does not belong to this kind of file",
    "the file type is not that of the root element",
    "an answer names no file that it answers, or a file that is no answer names one",
    "only, and always, a Migration Common File has a processing mode",
    evidence=_OURS,
)
SIGNER: Final = _file(
    "X-SIG-SIGNER",
    "V4",
    "MAM 7.5.3",
    "the file is signed by another party than the one that makes such files",
    "the signer's role does not make files of this type",
    "the signer is not the Requesting Party that the header names",
    evidence="inferred:S000 §5 says who submits which file; the signer follows from it",
)
CERTIFICATE: Final = _file(
    "X-SIG-CERT",
    "V4",
    "MAM 7.5.3",
    "the certificate was not valid when the file was made",
    "not yet valid",
    "no longer valid",
    "not issued by an authority that is believed",
    evidence=_OURS,
)
GROUP: Final = _file(
    "X-GROUP",
    "V4",
    "MAM v3.0",
    "installations of this GroupID are not migrated",
    "a GroupID without a row in the group table",
    "a GroupID that will not be migrated",
    evidence="source:S001 §5 (EC)",
)
MCF_COUNTER: Final = _sequence(
    "X-5.9.5",
    "TMAD 5.9.5",
    "file sequencing error",
    "the counter is not above the highest accepted from this Requesting Party for this group",
)
SET_COUNTER: Final = _sequence(
    "X-5.9.6",
    "TMAD 5.9.6",
    "file sequencing error",
    "the counter is not that of the Migration Common File",
    "there is no Migration Common File that it belongs to",
)
MEF_COUNTER: Final = _sequence(
    "X-5.9.7",
    "TMAD 5.9.7",
    "file sequencing error",
    "the counter is not that of the Migration Common File",
    "there is no Migration Common File that it belongs to",
    "a set with this counter was completed before",
)
SET: Final = _file(
    "X-SET",
    "V4",
    "reference 4.4",
    "the file does not belong to the set that it came with",
    "another GroupID than the Migration Common File",
    "another Requesting Party than the Migration Common File",
    "another Migration Week than the Migration Common File",
    "it answers another file",
    "a second file of its type",
    "the Migration Common File of its set is refused",
    evidence=_OURS,
)
REQUIRED: Final = _file(
    "X-RFS",
    "V4",
    "reference 4.4 (S1SP Required File Set)",
    "the set is not the one its manifest names",
    "a file that it names is not there",
    "a file that it names has other content",
    "a file of the set is not named in it",
    evidence=_OURS,
)
MISMATCH: Final = _one(
    "X-V3",
    "V3",
    "reference 5.1",
    "the files of the set do not agree on the installation",
    "not in the Migration Common File",
    "refused in the Migration Validation File",
    "missing in the Migration Group File",
    "missing in the Migration Group Encrypted File",
    "not in the Migration Validation File",
    "another hub or meter than in the Migration Common File",
    evidence=_OURS,
)
PLAINTEXT: Final = _one(
    "X-11.1",
    "V5",
    "TMAD 11.1",
    "group information stands in plain text, or not at all",
    "plain text is not agreed for this GroupID",
    evidence="source:S000 §3.1 (EB alone)",
)
DECRYPT: Final = _one(
    "X-5.23A",
    "V5",
    "TMAD 5.23(a)",
    "EncryptedS1SPGroupInformation cannot be decrypted",
    "the ephemeral public key is no point of P-256",
    "not encrypted for this counter, GroupID and CHF, or for another key, or changed since",
    evidence="inferred:S000 §5 names decryption errors of the MEF; 5.23(b) presumes a 5.23(a)",
)
PLAIN_FORM: Final = _one(
    "X-5.23B",
    "V5",
    "TMAD 5.23(b)",
    "what was decrypted is not well formed or not valid against the migration schema",
    "not well formed",
    "not valid against the schema",
    "neither DecryptedS1SPGroupInformation nor DecryptedS1SPDPGroupInformation",
    "not in canonical form",
    "of another CHF than the installation's",
    "a value is not written as agreed",
    evidence="source:S000 §4 Table 3 (5.23(b))",
)
PLAIN_ROOT: Final = _one(
    "X-11.2.1",
    "V5",
    "TMAD Table 11.2.1",
    "what was decrypted is not the structure that this GroupID uses",
    "the other of the two structures",
    evidence="source:S000 §4 Table 3 (5.23(b)); the rows of the table: stand-in",
)
PROTECTED: Final = _one(
    "X-15.3",
    "V6",
    "TMAD 15.3",
    "ProtectedData is not as this GroupID has it",
    "missing",
    "not used by this GroupID",
    "cannot be decrypted",
    "not well formed, not valid, or not DecryptedS1SPDPGroupInformation",
    evidence="source:S000 §3.1 (15.3)",
)
DCO_PART: Final = _one(
    "X-DCO",
    "V6",
    "reference 4.4",
    "the part for the DCO is not as this GroupID has it",
    "missing",
    "not used by this GroupID",
    "cannot be decrypted",
    "not well formed, not valid, or not DecryptedDCOGroupInformation",
    evidence=_OURS,
)
KEY_NONE: Final = _one(
    "X-KEY",
    "V5",
    "reference 4.4",
    "not checked: the private key that opens it is not held",
    "of the S1SP",
    "of the S1SPDP",
    "of the DCO",
    evidence=_OURS,
)

#: All checks of files, in the order in which they are made.
CHECKS: Final[tuple[Check, ...]] = (
    NAME,
    SIZE,
    DTD,
    ENTITY,
    XML,
    NAMESPACE_TWICE,
    NAMESPACE,
    SIGNATURE_NONE,
    SIGNATURE_FORM,
    SIGNATURE_UNKNOWN,
    SIGNATURE_BAD,
    SCHEMA,
    BASE64,
    VALUE,
    HEADER,
    SIGNER,
    CERTIFICATE,
    GROUP,
    MCF_COUNTER,
    SET_COUNTER,
    MEF_COUNTER,
    SET,
    REQUIRED,
    MISMATCH,
    PLAINTEXT,
    KEY_NONE,
    DECRYPT,
    PLAIN_FORM,
    PLAIN_ROOT,
    PROTECTED,
    DCO_PART,
)

#: What suppliers see in the place of every internal check.
SEQUENCE: Final = "X-SEQUENCE"

#: The two real codes that are known; rules of installations use them, verbatim.
REAL_CODES: Final[tuple[Check, ...]] = (
    Check(
        "MA110",
        "P2",
        Level.INSTALLATION,
        ErrorClass.DATA,
        "MEHRS Appendix A",
        "the planned installation is not aligned with an entry of the EPCL",
        {},
        "source:DCC-mehrs22",
    ),
    Check(
        "GT01",
        "T4",
        Level.INSTALLATION,
        ErrorClass.DEVICE,
        "TMAD clause 18",
        "an error on the gas side of the HAN: the electricity meter alone is migrated",
        {},
        "source:DCC-var1",
    ),
)

BY_CODE: Final[Mapping[str, Check]] = {check.code: check for check in (*CHECKS, *REAL_CODES)}
