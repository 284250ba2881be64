"""Keeps secrets out of a recorded conversation: masks what can be, refuses what cannot."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from harness.dlms.settings import Framing
from harness.dlms_view.line import Way
from harness.dlms_view.scan import Piece, Scanner
from harness.errors import UsageError
from harness.line_secrets import Secret, SecretMask, joined
from harness.transcript import Chunk, EventKind, Record, read_line

#: Secrets shorter than this are not looked for in clear: any octets could be them.
MIN_SECRET_BYTES: Final = 4
#: Octets, and records, that wait at most for the rest of a frame.
_MAX_HELD_BYTES: Final = 4096
_MAX_HELD: Final = 4096
_SEVEN_BITS: Final = bytes(octet & 0x7F for octet in range(256))


class SecretInCaptureError(UsageError):
    """A secret stands in clear in octets that were to be saved."""

    def __init__(self, name: str, way: Way, where: str) -> None:
        towards = "towards the meter" if way is Way.IN else "from the meter"
        super().__init__(
            f"the secret {name} crossed the line in clear; the capture is not saved",
            where=f"{where}, {towards}",
            cause="a password that is also a value on the meter, a key written unwrapped, or the "
            "wrong reference in the bench file",
            next_command="change that secret on the bench, then capture again",
        )


class SecretGuard:
    """Holds the records of one channel until their frames are whole, masks and checks them.

    Attributes:
        masked: Kinds of secrets masked so far, with the client that sent each.
    """

    def __init__(self, secrets: Mapping[str, bytes], framing: Framing, *, where: str = "") -> None:
        self._secrets: dict[str, bytes] = {}
        self._longest = 0
        self.watch(secrets)
        self._where = where
        self._framing = framing
        self._mask = SecretMask(framing)
        self._scanner = Scanner(framing)
        self._held: list[Record] = []
        self._pieces: list[Piece] = []
        self._tails = dict.fromkeys(Way, b"")

    @property
    def masked(self) -> list[tuple[Secret, int]]:
        """Kinds of secrets masked so far, with the client that sent each."""
        return self._mask.found

    def watch(self, secrets: Mapping[str, bytes]) -> None:
        """Look for further secrets from here on; those below four octets are passed over."""
        self._secrets |= {
            name: value for name, value in secrets.items() if len(value) >= MIN_SECRET_BYTES
        }
        self._longest = max((2 * len(value) for value in self._secrets.values()), default=0)

    def take(self, record: Record) -> list[Record]:
        """Take a record; return those that may be written now, in order.

        Raises:
            SecretInCaptureError: One of them would show a secret.
        """
        self._held.append(record)
        if isinstance(record, Chunk):
            if record.way is Way.IN:
                self._pieces += self._scanner.feed(record.octets)
            elif not self._scanner.wrapped:  # half duplex: no frame goes on behind an answer
                self._pieces += self._scanner.end()
        elif record.kind is not EventKind.SPEED:
            self._pieces += self._scanner.end()  # a pause, or the end: no frame goes on behind it
        crowded = len(self._held) > _MAX_HELD or self._scanner.pending_bytes > _MAX_HELD_BYTES
        if crowded:
            self._pieces += self._scanner.end()
        return self._release() if not self._scanner.pending_bytes else []

    def rest(self) -> list[Record]:
        """Return what still waits.

        Raises:
            SecretInCaptureError: It would show a secret.
        """
        self._pieces += self._scanner.end()
        return self._release()

    def check_messages(self, records: Iterable[Record]) -> None:
        """Check what the segments of all records make up.

        Raises:
            SecretInCaptureError: It shows a secret that no frame shows alone.
        """
        if not self._secrets:
            return
        messages: dict[Way, list[bytes]] = {way: [] for way in Way}
        for one in read_line(records, self._framing):
            messages[one.seen.way].append(one.seen.message)
        for way, parts in messages.items():
            name = shown(b"".join(parts), self._secrets)
            if name:
                raise SecretInCaptureError(name, way, self._where)

    def _release(self) -> list[Record]:
        held, self._held = self._held, []
        pieces, self._pieces = self._pieces, []
        size = sum(len(one.octets) for one in _inward(held))
        octets = joined([self._mask.piece(piece) for piece in pieces])
        records = list(_with_octets(held, octets[len(octets) - size :]))
        for record in records:
            if isinstance(record, Chunk):
                self._check(record)
        return records

    def _check(self, chunk: Chunk) -> None:
        seen = self._tails[chunk.way] + chunk.octets
        name = shown(seen, self._secrets)
        if name:
            raise SecretInCaptureError(name, chunk.way, self._where)
        self._tails[chunk.way] = seen[-self._longest :] if self._longest else b""


def masked_records(records: Iterable[Record], framing: Framing) -> list[Record]:
    """Return records with the secrets in them masked; those of a file are masked already."""
    guard = SecretGuard({}, framing)
    return [held for record in records for held in guard.take(record)] + guard.rest()


def shown(octets: bytes, secrets: Mapping[str, bytes]) -> str:
    """Return the name of a secret that stands in ``octets`` as it is or in hex; empty if none.

    The eighth bit of each octet may be a parity bit.
    """
    stripped = octets.translate(_SEVEN_BITS)
    folded = stripped.lower()
    for name, value in secrets.items():
        clear = value.isascii() and value in stripped
        if value in octets or clear or value.hex().encode() in folded:
            return name
    return ""


def _inward(records: Iterable[Record]) -> Iterator[Chunk]:
    return (one for one in records if isinstance(one, Chunk) and one.way is Way.IN)


def _with_octets(records: Iterable[Record], inward: bytes) -> Iterator[Record]:
    """Yield records with the chunks towards the meter cut anew from ``inward``."""
    at = 0
    for record in records:
        if isinstance(record, Chunk) and record.way is Way.IN:
            end = at + len(record.octets)
            yield replace(record, octets=inward[at:end])
            at = end
        else:
            yield record
