"""Asks the devices of a bench who they are, and compares with its file; only reads."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from device_profiles.words import DeviceType
from emulator.codecs.dlms.apdu_parts import Attribute
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.ids import Eui64
from harness.dlms import obis
from harness.dlms.settings import Framing
from harness.errors import BenchError, HarnessError
from harness.meter import Credentials, Unanswered
from harness.run_options import RunOptions
from hil.arming import ArmedGuard
from hil.bench_file import LoadedBench
from hil.bench_parts import BenchClock
from hil.lines import Line, LineOpener

#: Client that anybody may be. Source: serial-dlms.md section 8.2 (illustrative profile).
PUBLIC: Final = "public"
_PUBLIC_SAP: Final = 16
_SILENT: Final = "nothing answered"


@dataclass(frozen=True, slots=True)
class Difference:
    """Something a device says otherwise than the bench file or its profile.

    Attributes:
        what: What is compared.
        expected: As the bench file or the profile says.
        found: As the device says.
    """

    what: str
    expected: str
    found: str


@dataclass(slots=True)
class Probed:
    """What asking one device came to.

    Attributes:
        role: Device type.
        endpoint: Where it was asked.
        facts: What it says of itself, by name.
        differences: What it says otherwise than expected.
        silences: Questions without answer, each with the likely cause.
        error: Why it could not be asked at all; None: it could.
    """

    role: DeviceType
    endpoint: str
    facts: dict[str, str] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    silences: dict[str, str] = field(default_factory=dict)
    error: HarnessError | None = None

    @property
    def is_clean(self) -> bool:
        """Whether it answered, and as expected."""
        return self.error is None and not self.differences and not self.silences

    def row(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "role": self.role.value,
            "endpoint": self.endpoint,
            "facts": self.facts,
            "differences": [
                {"what": one.what, "expected": one.expected, "found": one.found}
                for one in self.differences
            ],
            "silences": self.silences,
            "error": None if self.error is None else self.error.what,
        }


def probe(
    loaded: LoadedBench,
    options: RunOptions,
    tell: Callable[[str], None],
    roles: Iterable[DeviceType] | None = None,
) -> list[Probed]:
    """Ask every device that a bench file names, one after the other.

    Only ports that stand in the file are opened. The guard that keeps writes from real devices is
    in place, although nothing here writes.

    Args:
        loaded: The bench file; its devices are not emulated ones.
        options: Overlays and seed.
        tell: Takes lines of progress for people.
        roles: Which devices; None: all.
    """
    opener = LineOpener(loaded, options, BenchClock(), ArmedGuard(loaded), tell, reopen_s=0)
    return [_asked(opener, role) for role in roles or loaded.content.roles]


def _asked(opener: LineOpener, role: DeviceType) -> Probed:
    probed = Probed(role, str(opener.loaded.content.roles[role].where))
    try:
        line = opener.open(role)
    except HarnessError as error:
        probed.error = error
        return probed
    try:
        _sign_on(line, probed)
        _identity(line, opener.loaded, probed)
    except BenchError as error:
        probed.error = error
    finally:
        line.close()
    _compare(line, probed)
    return probed


def identified(line: Line, loaded: LoadedBench) -> str:
    """Return the EUI-64 that the device on an open line says it has.

    Raises:
        BenchError: It does not answer, does not say, or is another than it should be.
    """
    association = line.driver.associate(_public(line, loaded))
    if not association.accepted:
        raise _not_there(line, loaded, f"does not answer: {association.why or _SILENT}")
    said = line.driver.identify()
    line.driver.release()
    if said.eui64 is None:
        raise _not_there(line, loaded, "does not say which one it is")
    if line.eui64 is not None and said.eui64 != line.eui64:
        raise _not_there(line, loaded, f"is {said.eui64}, and the home has {line.eui64}")
    return str(said.eui64)


def _not_there(line: Line, loaded: LoadedBench, why: str) -> BenchError:
    return BenchError(
        f"the {line.role} on bench {loaded.content.bench.name} {why}",
        where=f"{loaded.path}, roles.{line.role}: {line.section.where}",
        cause="a device without power, another device, a wrong speed, or a lead that is not in",
        next_command=f"smetsbench bench probe {loaded.path}",
    )


def _sign_on(line: Line, probed: Probed) -> None:
    if line.settings.framing is not Framing.OPTICAL:
        return
    report = line.driver.sign_on()
    if not report.answered:
        probed.silences["sign-on"] = "; ".join(report.causes) or _SILENT
        return
    probed.facts["manufacturer"] = report.manufacturer
    probed.facts["identification"] = report.name
    probed.facts["mode"] = report.mode
    probed.facts["proposed speed"] = f"{report.baud} bit/s"


def _identity(line: Line, loaded: LoadedBench, probed: Probed) -> None:
    association = line.driver.associate(_public(line, loaded))
    if not association.accepted:
        probed.silences["association"] = association.why or _SILENT
        return
    dlms = line.profile.dlms
    firmware = "" if dlms is None else dlms.firmware_obis
    wanted = {
        "logical device name": obis.LOGICAL_DEVICE_NAME,
        "serial number": obis.SERIAL_NUMBER,
        "EUI-64": obis.DEVICE_EUI64,
        "firmware version": obis.attribute(1, firmware, 2) if firmware else obis.FIRMWARE_VERSION,
    }
    for name, attribute in wanted.items():
        found = _read(line, attribute)
        if isinstance(found, bytes):
            probed.facts[name] = _shown(name, found)
        else:
            probed.silences[name] = found
    line.driver.release()


def _public(line: Line, loaded: LoadedBench) -> Credentials:
    try:
        return line.credentials(loaded, PUBLIC)
    except BenchError:  # the profile has no public client; most meters do
        return Credentials(PUBLIC, _PUBLIC_SAP)


def _read(line: Line, attribute: Attribute) -> bytes | str:
    """Return an attribute's octets, or why there are none."""
    answer = line.driver.get([attribute])
    if isinstance(answer, Unanswered):
        return answer.detail or answer.why.value
    (found,) = answer
    if not isinstance(found, Data):
        return f"the meter refuses: {found.name.lower().replace('_', ' ')}"
    if found.tag not in {Tag.OCTETS, Tag.VISIBLE} or not isinstance(found.value, bytes):
        return f"the meter gives {found.tag.name.lower()} where a text is due"
    return found.value


def _shown(name: str, octets: bytes) -> str:
    if name == "EUI-64" and len(octets) == 8:
        return str(Eui64(octets))
    is_text = bool(octets) and all(0x20 <= octet < 0x7F for octet in octets)
    return octets.decode("ascii") if is_text else octets.hex().upper()


def _compare(line: Line, probed: Probed) -> None:
    sign_on = None if line.profile.dlms is None else line.profile.dlms.sign_on
    expected: Mapping[str, str | None] = {
        "EUI-64": None if line.eui64 is None else str(line.eui64),
        "serial number": line.section.serial_number,
        "manufacturer": None if sign_on is None else sign_on.manufacturer,
        "identification": None if sign_on is None else sign_on.name,
    }
    for name, value in expected.items():
        found = probed.facts.get(name)
        if value is not None and found is not None and value != found:
            probed.differences.append(Difference(name, value, found))
