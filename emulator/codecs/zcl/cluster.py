"""What the commands of a cluster have in common: a declared payload, and a table of ids."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar, Final, Protocol, Self, cast

from construct import Construct

from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl.frame import ZclFrame
from emulator.codecs.zigbee.blocks import build, parse_whole
from emulator.core.errors import MalformedFrameError


class Command(Protocol):
    """The payload of one cluster command, as a value."""

    @classmethod
    def fits(cls, payload: bytes) -> bool:
        """Say whether the payload has this form, where a command has several."""
        ...

    @classmethod
    def decode(cls, payload: bytes) -> "Command":
        """Read the payload (what follows the ZCL header)."""
        ...

    def encode(self) -> bytes:
        """Write the payload."""
        ...


class Declared:
    """A frozen dataclass whose payload is the construct ``FORM``, field for field.

    ``FORM`` may hold further fields (counts, field controls) if they compute themselves.
    """

    __slots__ = ()
    FORM: ClassVar[Construct]

    @classmethod
    def fits(cls, payload: bytes) -> bool:  # noqa: ARG003 - forms that choose override it
        """Say whether the payload has this form; forms that differ by status override this."""
        return True

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read the payload (what follows the ZCL header), all of it.

        Raises:
            MalformedFrameError: Too short, octets left over, or a field refuses.
        """
        return cls.decode_declared(payload)

    def encode(self) -> bytes:
        """Write the payload.

        Raises:
            ValueError: A value does not fit its field.
        """
        return self.encode_declared()

    @classmethod
    def decode_declared(cls, payload: bytes) -> Self:
        """Read the payload by ``FORM``, as `decode` does where a type has no faster path."""
        raw = parse_whole(f"zcl.{cls.__name__}", cls.FORM, payload)
        return cls(**{field.name: getattr(raw, field.name) for field in fields(cast("Any", cls))})

    def encode_declared(self) -> bytes:
        """Write the payload by ``FORM``, as `encode` does where a type has no faster path."""
        values = {field.name: getattr(self, field.name) for field in fields(cast("Any", self))}
        return build(f"zcl.{type(self).__name__}", self.FORM, values)


_NO_WAY: Final[Mapping[bool, int]] = {}


class ClusterCommands:
    """The cluster-specific commands of one cluster, by direction and identifier.

    An identifier names one type, or the forms of one response in the order they are tried (the
    last one takes what no other fits). A type may stand in both directions.
    """

    def __init__(
        self,
        cluster: int,
        name: str,
        *,
        to_server: Mapping[int, tuple[type[Command], ...]],
        to_client: Mapping[int, tuple[type[Command], ...]],
    ) -> None:
        """Take the cluster's identifier, a name for errors, and both tables."""
        self.cluster = cluster
        self.name = name
        self._forms = {False: dict(to_server), True: dict(to_client)}
        self._ids: dict[type[Command], dict[bool, int]] = {}
        for server_to_client, rows in self._forms.items():
            for command_id, forms in rows.items():
                for form in forms:
                    self._ids.setdefault(form, {})[server_to_client] = int(command_id)

    def decode(self, frame: ZclFrame) -> Any:
        """Read the command in ``frame``.

        Raises:
            MalformedFrameError: Not a command of this cluster in this direction, or its payload is
                not as declared.
        """
        forms = self._forms[frame.server_to_client].get(frame.command)
        if forms is None or not frame.cluster_specific or frame.manufacturer_code is not None:
            raise MalformedFrameError(f"zcl.{self.name}", zcl_frame.encode(frame), _unknown(frame))
        for form in forms[:-1]:
            if form.fits(frame.payload):
                return form.decode(frame.payload)
        return forms[-1].decode(frame.payload)

    def knows(self, frame: ZclFrame) -> bool:
        """Say whether ``frame`` names a command of this cluster and direction."""
        return (
            frame.cluster_specific
            and frame.manufacturer_code is None
            and frame.command in self._forms[frame.server_to_client]
        )

    def encode(
        self,
        command: Command,
        sequence: int,
        *,
        server_to_client: bool | None = None,
        disable_default_response: bool = True,
    ) -> bytes:
        """Write ``command`` as a whole ZCL frame.

        Args:
            command: A command of this cluster.
            sequence: Transaction number; an answer repeats the request's.
            server_to_client: Direction, for commands that exist in both; else found by type.
            disable_default_response: Flag of the header.

        Raises:
            ValueError: No such command in this cluster or direction, or a value does not fit.
        """
        directions = self._ids.get(type(command), _NO_WAY)
        if server_to_client is None:
            if len(directions) != 1:
                raise ValueError(f"zcl.{self.name}: name the direction of {type(command).__name__}")
            server_to_client = next(iter(directions))
        if server_to_client not in directions:
            raise ValueError(f"zcl.{self.name}: {type(command).__name__} does not go that way")
        return zcl_frame.encode_command(
            sequence,
            directions[server_to_client],
            command.encode(),
            server_to_client=server_to_client,
            disable_default_response=disable_default_response,
        )


def _unknown(frame: ZclFrame) -> str:
    way = "server to client" if frame.server_to_client else "client to server"
    kind = "cluster" if frame.cluster_specific else "foundation"
    return f"{kind} command {frame.command:#04x} {way} is not known here"
