"""Errors of the emulator: one root, and two blames."""


class EmulatorError(Exception):
    """Root of every error the emulator raises on purpose."""


class MalformedFrameError(EmulatorError):
    """The peer's octets do not follow the format: the peer's fault.

    Attributes:
        layer: Dotted name of the format that refused, e.g. ``gbcs.grouping``.
        data: The whole refused buffer, for the journal.
        offset: Octet offset of the first octet that cannot be right, or -1 when unknown.
        why: What is wrong, without layer and data.
    """

    def __init__(self, layer: str, data: bytes, why: str, offset: int = -1) -> None:
        at = f" at octet {offset}" if offset >= 0 else ""
        super().__init__(f"{layer}: {why}{at} ({len(data)} octets: {data[:16].hex()})")
        self.layer = layer
        self.data = data
        self.offset = offset
        self.why = why


class IllegalEventError(EmulatorError):
    """The caller asked for something this state does not allow: our own fault."""


class KeyNotHeldError(EmulatorError):
    """A key that an operation needs is in none of the key stores at hand."""
