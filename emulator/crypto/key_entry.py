"""One key of one party, public or with its private scalar."""

import enum
from dataclasses import dataclass, field, replace
from typing import Self

from emulator.core.errors import EmulatorError
from emulator.core.ids import Eui64
from emulator.core.values import quick
from emulator.crypto.signature import point_of, public_key


class KeyUsage(enum.StrEnum):
    """What a key is for."""

    DS = "DS"  # digital signature
    KA = "KA"  # key agreement
    XML = "XML"  # signature of DUIS requests and other XML


class KeyStoreError(EmulatorError):
    """A key store cannot be read, or what it says of a key cannot be right."""


@quick
@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One P-256 key of one party.

    Attributes:
        eui64: The party.
        usage: Digital signature or key agreement.
        prepayment: True for the key a supplier uses for prepayment tokens alone.
        public_point: Uncompressed point, 65 octets beginning 04.
        private_scalar: The private key where it is held; never printed.
        certificate: DER certificate, where there is one.
    """

    eui64: Eui64
    usage: KeyUsage
    prepayment: bool = False
    public_point: bytes = b""
    private_scalar: int | None = field(default=None, repr=False)
    certificate: bytes | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """File-name stem of the key, e.g. ``90b3d51f30010000-pp-ka``."""
        middle = "-pp" if self.prepayment else ""
        return f"{self.eui64.hex}{middle}-{self.usage.lower()}"

    def public(self) -> Self:
        """Return the entry without its private scalar."""
        if self.private_scalar is None:
            return self
        return replace(self, private_scalar=None)

    def check(self) -> None:
        """Check that the point lies on the curve and that the private scalar belongs to it.

        Raises:
            KeyStoreError: It does not.
        """
        try:
            public_key(self.public_point)
            if self.private_scalar is not None:
                matches = point_of(self.private_scalar) == self.public_point
            else:
                matches = True
        except ValueError as error:
            raise KeyStoreError(f"key {self.name}: {error}") from None
        if not matches:
            raise KeyStoreError(f"key {self.name}: private key and public key do not match")
