"""How a client of a bench presents itself: as the profile says, with secrets by reference."""

from typing import Any, Final

from device_profiles.dlms import AssociationSection, Authentication
from device_profiles.words import DeviceType
from emulator.codecs.dlms.acse import Mechanism
from emulator.codecs.dlms.apdu_ciphered import Form
from emulator.crypto.dlms_factory import FactoryKeys
from harness.dlms.from_profile import client_names, credentials
from harness.errors import BenchError
from harness.meter import Credentials
from hil.bench_file import LoadedBench
from hil.bench_sections import CredentialSection
from hil.references import Reference, SecretMissingError

#: System title of our client where nobody gives it one. Source: invented.
OUR_TITLE: Final = b"SBCLIENT"
_MECHANISMS: Final = {
    Authentication.NONE: Mechanism.NONE,
    Authentication.LLS: Mechanism.LLS,
    Authentication.HLS_GMAC: Mechanism.HLS_GMAC,
    Authentication.HLS_ECDSA: Mechanism.HLS_ECDSA,
}
#: Mechanisms that prove themselves with keys.
_KEYED: Final = frozenset({Mechanism.HLS_GMAC, Mechanism.HLS_ECDSA})


def of_factory(
    loaded: LoadedBench, role: DeviceType, name: str, factory: FactoryKeys
) -> Credentials:
    """Return how a client presents itself to a device that has its factory's keys.

    Raises:
        BenchError: The profile knows no such client.
    """
    dlms = loaded.profiles[role].dlms
    if dlms is None or name not in client_names(dlms):
        raise _no_client(loaded, role, name)
    return credentials(dlms, factory, name)


def of_file(loaded: LoadedBench, role: DeviceType, name: str) -> Credentials:
    """Return how a client presents itself to a real device, with its secrets fetched.

    Raises:
        BenchError: Neither profile nor bench file knows such a client, or a secret that it needs
            is not there.
    """
    section = loaded.content.roles[role].credentials.get(name, CredentialSection())
    known = _association(loaded, role, name)
    client = section.client
    if client is None and known is not None:
        client = known.client
    mechanism = section.mechanism
    if mechanism is None:
        mechanism = Mechanism.NONE if known is None else _MECHANISMS[known.authentication]
    if client is None:
        raise _no_client(loaded, role, name)
    if mechanism is Mechanism.HLS_ECDSA:
        raise BenchError(
            f"a bench file keeps no signature keys, and the client {name!r} proves itself by them",
            where=f"{loaded.path}, roles.{role}.credentials.{name}",
            cause="ECDSA clients are supported on emulated and loopback devices alone",
            next_command=f"smetsbench profiles {loaded.profiles[role].name}",
        )
    ciphered = section.ciphered
    if ciphered is None:
        ciphered = known is not None and known.ciphered
    return _fetched(loaded, role, name, section, (client, mechanism, ciphered))


def _fetched(
    loaded: LoadedBench,
    role: DeviceType,
    name: str,
    section: CredentialSection,
    way: tuple[int, Mechanism, bool],
) -> Credentials:
    client, mechanism, ciphered = way
    keyed = ciphered or mechanism in _KEYED
    try:
        secret = keys = None
        title = b""
        if mechanism is Mechanism.LLS:
            secret = loaded.vault.secret(
                _needed(loaded, role, name, section.secret, "secret"), name
            )
        if keyed:
            reference = _needed(loaded, role, name, section.keys, "keys")
            keys = loaded.vault.keys(reference)
            title = loaded.vault.title(reference) or OUR_TITLE
    except SecretMissingError as error:
        raise BenchError(
            error.what, where=error.where, cause=error.cause, next_command=error.next_command
        ) from None
    if section.title is not None:
        title = bytes.fromhex(section.title)
    return Credentials(
        name,
        client,
        mechanism,
        secret=secret,
        keys=keys,
        title=title,
        form=Form.SERVICE_GLOBAL if ciphered else Form.PLAIN,
        **_device(loaded, role),
    )


def _device(loaded: LoadedBench, role: DeviceType) -> dict[str, Any]:
    dlms = loaded.profiles[role].dlms
    return {} if dlms is None else {"server": dlms.logical_device, "suite": dlms.suite}


def _association(loaded: LoadedBench, role: DeviceType, name: str) -> AssociationSection | None:
    dlms = loaded.profiles[role].dlms
    known = () if dlms is None else dlms.associations
    return next((one for one in known if one.name == name), None)


def _needed(
    loaded: LoadedBench, role: DeviceType, name: str, text: str | None, key: str
) -> Reference:
    if text is not None:
        return Reference.parse(text)
    raise BenchError(
        f"the bench file does not say where the {key} of the client {name!r} is kept",
        where=f"{loaded.path}, roles.{role}.credentials.{name}.{key}",
        cause="only what a scenario needs must be there, and this one needs it",
        next_command=f'add {key} = "env:NAME" (or file:PATH#FIELD, keystore:PATH) there',
    )


def _no_client(loaded: LoadedBench, role: DeviceType, name: str) -> BenchError:
    dlms = loaded.profiles[role].dlms
    known = ", ".join(one.name for one in dlms.associations) if dlms is not None else "none"
    return BenchError(
        f"the {role} of this bench knows no DLMS client {name!r}",
        where=f"profile {loaded.profiles[role].name}",
        cause=f"its profile has: {known}",
        next_command=f"smetsbench profiles {loaded.profiles[role].name}",
    )
