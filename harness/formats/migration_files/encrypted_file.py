"""The Migration Group Encrypted File: keys of devices, encrypted for those who are to have them."""

from dataclasses import dataclass, field
from typing import Final

from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.formats.migration_files import kinds
from harness.formats.migration_files.group_information import (
    CIPHER_TEXT,
    S1SP_INFORMATION,
    CipherText,
    S1spInformation,
)
from harness.formats.migration_files.xml_table import Column, Record, attribute, many, optional


@dataclass(frozen=True, slots=True)
class PlainInformation:
    """``PlaintextGroupInformation``: the content of the S1SP's layer, not encrypted (11.1).

    Attributes:
        information: The structure; its ProtectedData stays encrypted.
    """

    information: S1spInformation = field(repr=False)


@quick
@dataclass(frozen=True, slots=True)
class EncryptedInstallation:
    """One installation of a Migration Group Encrypted File.

    Attributes:
        hub: CHF of the installation.
        s1sp: EncryptedS1SPGroupInformation; None where it stands in plain text.
        plain: PlaintextGroupInformation; None where it is encrypted.
        dco: EncryptedDCOGroupInformation; None in groups without a part for the DCO.

    Source:
        element names: S000 §3.1, §4; the rest invented (reference 4.4). What the text for EB looks
        like is in no source.
    """

    hub: Eui64
    s1sp: CipherText | None = None
    plain: PlainInformation | None = None
    dco: CipherText | None = None


@dataclass(frozen=True, slots=True)
class EncryptedFile:
    """Content of a Migration Group Encrypted File.

    Attributes:
        installations: One row an installation that was found valid.
    """

    installations: tuple[EncryptedInstallation, ...]


_PLAIN: Final = Record(
    PlainInformation, (Column("DecryptedS1SPGroupInformation", "information", S1SP_INFORMATION),)
)
ENCRYPTED_FILE: Final = Record(
    EncryptedFile,
    (
        many(
            "Installation",
            "installations",
            Record(
                EncryptedInstallation,
                (
                    attribute("CHFDeviceID", "hub", kinds.EUI64),
                    optional("EncryptedS1SPGroupInformation", "s1sp", CIPHER_TEXT),
                    optional("PlaintextGroupInformation", "plain", _PLAIN),
                    optional("EncryptedDCOGroupInformation", "dco", CIPHER_TEXT),
                ),
            ),
        ),
    ),
)
