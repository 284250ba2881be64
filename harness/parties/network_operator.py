"""The Network Operator: tells its Certificate IDs and knows its own."""

from collections.abc import Iterable
from typing import Any, Final

from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore, KeyUsage
from harness.formats.migration_files.parties import TEST_NETWORK_OPERATOR, certificate_id
from harness.parties.post import Post
from harness.rules.migration_certificates import CertificateId

NAME: Final = "NO"
_NOTICE: Final = "notice"


class NetworkOperator:
    """The one network operator of a run: its Certificate IDs come from here (4.47, 4.48).

    Args:
        certificates: Key store with its certificates.
        post: Where its messages are written down.
        party: Its User ID.
    """

    name: Final = NAME

    def __init__(
        self, certificates: KeyStore, post: Post, party: Eui64 = TEST_NETWORK_OPERATOR
    ) -> None:
        self.party = party
        self._certificates = certificates
        self._post = post
        self.asked = 0

    def certificate_ids(self, asker: str) -> tuple[CertificateId, CertificateId]:
        """Tell a party the Certificate IDs to apply: critical, then non-critical."""
        ids = (self._id(KeyUsage.DS), self._id(KeyUsage.KA))
        told = "; ".join(str(one) for one in ids)
        self._post.hand_over(NAME, asker, _NOTICE, told.encode(), "Certificate IDs to apply")
        self.asked += 1
        return ids

    def confirms(self, ids: Iterable[CertificateId]) -> bool:
        """Say whether these are all Certificate IDs of its own certificates."""
        own = {self._id(KeyUsage.DS), self._id(KeyUsage.KA)}
        return all(one in own and not one.is_null for one in ids)

    def _id(self, usage: KeyUsage) -> CertificateId:
        return certificate_id(self._certificates.find(self.party, usage))

    def dump(self) -> dict[str, Any]:
        """Return its memory as JSON values."""
        return {"asked": self.asked}

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped memory."""
        self.asked = int(state["asked"])
