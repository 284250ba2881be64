"""Install codes of devices behind a dongle: kept by reference, or drawn for a loopback one."""

from collections.abc import Mapping

from device_profiles.installation import Installation
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.crypto import install_code
from emulator.crypto.install_code import InstallCode
from harness.errors import UsageError
from hil.bench_file import LoadedBench
from hil.references import Reference, SecretMissingError


def link_keys(
    loaded: LoadedBench, home: Installation, seed: int, *, loopback: bool
) -> dict[Eui64, bytes]:
    """Return device -> key of its install code.

    The codes of a loopback dongle's devices are drawn, as that program draws them; those of others
    are kept where the bench file, or else the installation, says.

    Raises:
        UsageError: A reference leads to nothing, or to no install code; a code is named nowhere.
    """
    found: dict[Eui64, bytes] = {}
    for device in home.devices:
        eui64 = Eui64.parse(device.eui64)
        section = loaded.content.roles.get(device.role)
        told = None if section is None else section.install_code or device.install_code
        if loopback:
            found[eui64] = install_code.draw(Stream(seed, f"install-code/{eui64.hex}")).link_key()
        elif told is not None:
            found[eui64] = code_of(loaded, told).link_key()
    return found


def code_of(loaded: LoadedBench, text: str) -> InstallCode:
    """Follow a reference to an install code; the code itself is never repeated.

    Raises:
        UsageError: It leads to nothing, or to no install code.
    """
    reference = Reference.parse(text)
    octets = loaded.vault.secret(reference, "zigbee")
    code = install_code.parse(octets.decode("ascii", "replace"))
    if not isinstance(code, InstallCode):
        code = install_code.decode(octets)
    if isinstance(code, InstallCode):
        return code
    raise SecretMissingError(
        f"what is kept in {reference} is no install code ({code.value})",
        where=str(loaded.path),
        cause="a mistyped code: its last four digits are a check over the others",
        next_command=f"smetsbench bench check {loaded.path}",
    )


def refuse_without_code(loaded: LoadedBench, keys: Mapping[Eui64, bytes], device: Eui64) -> None:
    """Refuse to go on without the install code of a device that is to join.

    Raises:
        UsageError: There is none.
    """
    if device not in keys:
        raise UsageError(
            f"nothing says where the install code of {device} is kept",
            where=str(loaded.path),
            cause="a device joins a GB HAN under the key of its install code alone",
            next_command='write install_code = "env:NAME" into its role',
        )
