"""The checks of migration files, by name; what each is and says stands in the rule tables."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

from harness.rules.migration_rulebook import RuleBook, load_rule_book
from harness.rules.migration_tables import RuleRow


class Level(enum.StrEnum):
    """What a failed check takes with it."""

    FILE = "file"
    INSTALLATION = "installation"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: a row of the rule table and the rows of its code.

    Attributes:
        rule: Its id in ``migration-rules.csv``; the shipped rows are what the properties tell.
    """

    rule: str

    @property
    def row(self) -> RuleRow:
        """Its row of the rule table."""
        return shipped_book().rules[self.rule]

    @property
    def code(self) -> str:
        """``X-…`` where the code is ours; MA110 and GT01 are the only real ones known."""
        return self.row.code

    @property
    def step(self) -> str:
        """Step of the migration that makes the check (reference 5.1)."""
        return self.row.step

    @property
    def level(self) -> Level:
        """Whether the whole file fails, or one installation of it."""
        return Level(self.row.scope)

    @property
    def says(self) -> str:
        """What it demands, without numbers."""
        return self.row.says

    @property
    def internal(self) -> bool:
        """Whether suppliers see a general code in its place (5.9.5 to 5.9.7)."""
        return bool(self.row.supplier_code)

    @property
    def subs(self) -> Mapping[str, str]:
        """Sub-code -> what exactly is wrong."""
        return _subs(self.code)


@cache
def shipped_book() -> RuleBook:
    """Return the shipped rule tables, read once."""
    return load_rule_book()


@cache
def _subs(code: str) -> Mapping[str, str]:
    rows = shipped_book().codes.codes.values()
    return MappingProxyType({row.sub_code: row.says for row in rows if row.code == code})


NAME: Final = Check("NAME")
SIZE: Final = Check("SIZE")
DTD: Final = Check("DTD")
ENTITY: Final = Check("ENTITY")
XML: Final = Check("XML")
NAMESPACE_TWICE: Final = Check("NS-TWICE")
NAMESPACE: Final = Check("NS")
SIGNATURE_NONE: Final = Check("SIG-NONE")
SIGNATURE_FORM: Final = Check("SIG-FORM")
SIGNATURE_UNKNOWN: Final = Check("SIG-UNKNOWN")
SIGNATURE_BAD: Final = Check("SIG-BAD")
SCHEMA: Final = Check("XSD")
BASE64: Final = Check("B64")
VALUE: Final = Check("VALUE")
HEADER: Final = Check("HEADER")
SIGNER: Final = Check("SIG-SIGNER")
CERTIFICATE: Final = Check("SIG-CERT")
GROUP: Final = Check("GROUP")
MCF_COUNTER: Final = Check("5.9.5")
SET_COUNTER: Final = Check("5.9.6")
MEF_COUNTER: Final = Check("5.9.7")
SET: Final = Check("SET")
REQUIRED: Final = Check("RFS")
MISMATCH: Final = Check("V3")
PLAINTEXT: Final = Check("11.1")
KEY_NONE: Final = Check("KEY")
DECRYPT: Final = Check("5.23(a)")
PLAIN_FORM: Final = Check("5.23(b)")
PLAIN_ROOT: Final = Check("11.2.1")
PROTECTED: Final = Check("15.3")
DCO_PART: Final = Check("DCO")

#: The checks a file can fail by itself or in its set, in the order in which they are made.
FILE_CHECKS: Final = (
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
)
#: The checks of one installation that the files themselves show.
INSTALLATION_CHECKS: Final = (
    MISMATCH,
    PLAINTEXT,
    KEY_NONE,
    DECRYPT,
    PLAIN_FORM,
    PLAIN_ROOT,
    PROTECTED,
    DCO_PART,
)
CHECKS: Final = (*FILE_CHECKS, *INSTALLATION_CHECKS)
