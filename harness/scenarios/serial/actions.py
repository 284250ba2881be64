"""What the steps of serial scenarios do: associate, read, write, and take values apart."""

from collections.abc import Sequence
from typing import Any, Final

from device_profiles.dlms import DlmsSection
from device_profiles.schema import DeviceProfile
from emulator.codecs.dlms import date_time
from emulator.codecs.dlms.apdu_parts import ActionResult, Attribute, DataAccessResult, GetResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.journalled_meter import JournalledMeter
from harness.meter import ActionAnswer, GetAnswer, SetAnswer, Unanswered
from harness.run import Run

PUBLIC: Final = "public"
READER: Final = "reader"
MANAGEMENT: Final = "management"
MINUTE_S: Final = 60
HOUR_S: Final = 3600


def meter(run: Run) -> JournalledMeter:
    """Return the meter's port."""
    return run.bench.meter("ESME")


def eui64(run: Run) -> Eui64:
    """Return the meter's EUI-64, as the bench knows it."""
    return run.bench.role("ESME")


def profile(run: Run, role: str = "ESME") -> DeviceProfile:
    """Return the model a device of the bench is expected to be."""
    bench: Any = run.bench.inner
    found = bench.profiles[run.bench.role(role)]
    if not isinstance(found, DeviceProfile):
        raise TypeError(f"no device profile for the {role}")
    return found


def dlms(run: Run) -> DlmsSection:
    """Return the ``[dlms]`` section of the model; the step is skipped where it has none."""
    section = profile(run).dlms
    if section is None:
        run.skip(f"the model {profile(run).name} is no DLMS server")
    return section


def later(run: Run, seconds: float) -> UtcMs:
    """Return the moment so many seconds from now."""
    return UtcMs(run.bench.clock.now() + round(seconds * 1000))


async def pause(run: Run, seconds: float) -> None:
    """Let bench time pass."""
    await run.bench.clock.sleep_until(later(run, seconds))


def knows_client(run: Run, name: str) -> bool:
    """Say whether the model has an association of that name."""
    return any(item.name == name for item in dlms(run).associations)


async def associate(run: Run, name: str = PUBLIC) -> None:
    """Associate as the client of that name; the step ends where the meter refuses.

    Where the model knows no such client the step is skipped.
    """
    if not knows_client(run, name):
        run.skip(f"the model {profile(run).name} knows no client {name!r}")
    answer = await meter(run).associate(run.bench.credentials("ESME", name))
    run.require(f"association as {name}", "accepted", "accepted" if answer.accepted else answer.why)


async def read(run: Run, wanted: Attribute) -> GetResult | Unanswered:
    """Read one attribute."""
    answer = await meter(run).get([wanted])
    return answer if isinstance(answer, Unanswered) else answer[0]


async def read_value(run: Run, what: str, wanted: Attribute) -> Data:
    """Read one attribute that must have a value; the step ends where it has none."""
    found = await read(run, wanted)
    run.require(f"answer for {what}", "a value", word_of(found))
    if not isinstance(found, Data):
        raise TypeError(f"{what}: {found!r}")
    return found


def word_of(answer: GetResult | Unanswered | GetAnswer | SetAnswer | ActionAnswer) -> str:
    """Return an answer as a word: ``a value``, ``success``, a refusal, or a kind of silence."""
    if isinstance(answer, Unanswered):
        return answer.why.value
    if isinstance(answer, Data):
        return "a value"
    if isinstance(answer, DataAccessResult | ActionResult):
        return answer.name.lower().replace("_", "-")
    if isinstance(answer, Sequence):
        return " ".join(word_of(item) for item in answer)
    return answer.result.name.lower().replace("_", "-")


def number(data: GetResult | Unanswered) -> int | None:
    """Return a whole number; None where the answer is none."""
    if isinstance(data, Data) and isinstance(data.value, int):
        return data.value
    return None


def octets(data: GetResult | Unanswered) -> bytes | None:
    """Return octets or text; None where the answer is none."""
    if isinstance(data, Data) and isinstance(data.value, bytes):
        return data.value
    return None


def items(data: GetResult | Unanswered) -> tuple[Data, ...]:
    """Return the elements of an array or structure; none where the answer is neither."""
    if isinstance(data, Data) and data.tag in {Tag.ARRAY, Tag.STRUCTURE}:
        return tuple(item for item in _tuple(data.value) if isinstance(item, Data))
    return ()


def _tuple(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()


def moment(data: GetResult | Unanswered) -> UtcMs | None:
    """Return the moment a date-time names; None where it names none."""
    value = octets(data)
    if value is None or len(value) != date_time.SIZE_BYTES:
        return None
    return date_time.decode(value).moment()


async def read_moment(run: Run, what: str, wanted: Attribute) -> UtcMs:
    """Read a date-time that must name a moment; the step ends where it names none."""
    found = moment(await read_value(run, what, wanted))
    run.require(f"{what} names a moment", True, found is not None)
    return UtcMs(0) if found is None else found
