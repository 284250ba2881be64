"""What is to be captured, and what the bench file says of the meter."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import FactoryKeys, factory_keys
from emulator.crypto.dlms_keys import SecurityKeys
from harness.dlms import from_profile
from harness.dlms.settings import Framing
from harness.errors import BenchError, UsageError
from harness.meter import Credentials
from harness.run_options import RunOptions
from harness.setting import version
from harness.transcript_about import About
from hil import credentials
from hil.bench_file import LoadedBench, load_bench
from hil.endpoints import EndpointKind, Listen
from hil.line_settings import line_settings, loopback_eui64

#: Addresses that stand for what a loopback child listens at, to tell its framing beforehand.
_LISTEN_AT: Final = {
    Listen.PTY: "/dev/pts/0",
    Listen.TCP: "tcp://127.0.0.1:1",
    Listen.WRAPPER: "wrapper://127.0.0.1:1",
    Listen.RFC2217: "rfc2217://127.0.0.1:1",
}
#: World of the emulated bench that is one meter on a line.
_METER_WORLD: Final = "meter"


@dataclass(frozen=True, slots=True)
class CaptureChoices:
    """What is to be captured.

    Attributes:
        bench: Bench file.
        out: Name of the capture, without ending.
        role: Device type.
        client: Name of the client that reads; empty: ``public``.
        seed: Seed of loopback and emulated devices, and of our client's chance.
        data: Overlay folders, the strongest last.
        with_identifiers: Whether a real device's identifiers stay in the capture.
    """

    bench: Path
    out: Path
    role: DeviceType = DeviceType.ESME
    client: str = ""
    seed: int = 1
    data: tuple[Path, ...] = ()
    with_identifiers: bool = False

    def options(self) -> RunOptions:
        """Return the choices as those of a run."""
        return RunOptions(
            seed=self.seed,
            bench=self.bench,
            data=self.data,
            world=_METER_WORLD,
            devices=(self.role.value,),
        )


@dataclass(frozen=True, slots=True)
class Subject:
    """The meter that is captured, as far as the bench file says.

    Attributes:
        loaded: The bench file.
        role: Device type.
        profile: Its model.
        kind: What stands behind the role.
        framing: How its line speaks.
        eui64: Its EUI-64; None where nobody says.
        device_seed: Seed of an emulated or loopback device; None for a real one.
        factory: Keys of such a device.
    """

    loaded: LoadedBench
    role: DeviceType
    profile: DeviceProfile
    kind: EndpointKind
    framing: Framing
    eui64: Eui64 | None
    device_seed: int | None
    factory: FactoryKeys | None = field(default=None, repr=False)

    @classmethod
    def of(cls, choices: CaptureChoices) -> "Subject":
        """Read it off the bench file.

        Raises:
            UsageError: The file is wrong, or has no such role.
            BenchError: The role's profile has no DLMS server.
        """
        loaded = load_bench(choices.bench, choices.data)
        section = loaded.content.roles.get(choices.role)
        if section is None:
            raise UsageError(
                f"the bench has no {choices.role}",
                where=f"{choices.bench}, [roles]",
                cause=f"it has: {', '.join(loaded.content.roles)}",
                next_command=f"smetsbench bench check {choices.bench}",
            )
        profile, kind = loaded.profiles[choices.role], section.where.kind
        if profile.dlms is None:
            raise BenchError(f"profile {profile.name} has no DLMS server")
        address = section.where.target
        if kind is EndpointKind.LOOPBACK:
            address = _LISTEN_AT[section.listen or Listen.PTY]
        framing = (
            from_profile.default_framing(profile.dlms)
            if kind in {EndpointKind.EMULATED, EndpointKind.REPLAY}
            else line_settings(section, profile, address).framing
        )
        eui64 = None if section.eui64 is None else Eui64.parse(section.eui64)
        if kind in {EndpointKind.SERIAL, EndpointKind.REPLAY}:
            return cls(loaded, choices.role, profile, kind, framing, eui64, None)
        seed = choices.seed if section.seed is None else section.seed
        eui64 = loopback_eui64(section, profile, seed)
        factory = factory_keys(seed, eui64)
        return cls(loaded, choices.role, profile, kind, framing, eui64, seed, factory)

    @property
    def is_real(self) -> bool:
        """Whether it is a device whose identifiers are somebody's."""
        return self.kind is EndpointKind.SERIAL

    def about(self) -> About:
        """Return what is known of the capture before it begins."""
        simulated = self.device_seed is not None
        stream = f"hil/{self.role}/challenge"
        if self.kind is EndpointKind.EMULATED:
            stream = f"client/{self.role.value}"
        return About(
            role=self.role.value,
            profile=self.loaded.model(self.role),
            endpoint=self.kind.value,
            framing=self.framing,
            bench=self.loaded.content.bench.name,
            tools={"smetsbench": version()},
            seed=self.device_seed,
            chance=stream if simulated else "",
            device_seed=self.device_seed,
            device={} if self.eui64 is None else {"eui64": str(self.eui64)},
        )


def known_clients(subject: Subject) -> tuple[Credentials, ...]:
    """Return every client of a bench whose credentials can be had."""
    if subject.factory is not None and subject.profile.dlms is not None:
        dlms, factory = subject.profile.dlms, subject.factory
        names = from_profile.client_names(dlms)
        return tuple(from_profile.credentials(dlms, factory, name) for name in names)
    section, found = subject.loaded.content.roles[subject.role], []
    for name in ("public", *section.credentials):
        with suppress(BenchError):
            found.append(credentials.of_file(subject.loaded, subject.role, name))
    return tuple(found)


def secrets_of(factory: FactoryKeys | None, clients: Sequence[Credentials]) -> dict[str, bytes]:
    """Return every secret that may cross a line, by name; none of them may be in the capture."""
    found: dict[str, bytes] = {}
    if factory is not None:
        found |= {f"{name}.secret": value for name, value in factory.secrets.items()}
        found |= _keys("management", factory.keys)
    for who in clients:
        if who.secret is not None:
            found[f"{who.name}.secret"] = who.secret
        if who.keys is not None:
            found |= _keys(who.name, who.keys)
    return found


def _keys(name: str, keys: SecurityKeys) -> dict[str, bytes]:
    held = {
        f"{name}.unicast": keys.unicast,
        f"{name}.authentication": keys.authentication,
        f"{name}.master": keys.master,
    }
    return held if keys.broadcast is None else {**held, f"{name}.broadcast": keys.broadcast}
