"""The port of a DLMS meter with every verb journalled: intent before, outcome after."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from emulator.codecs.dlms import apdu_action, apdu_get, axdr
from emulator.codecs.dlms.access import Selection
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import (
    ActionResult,
    Attribute,
    DataAccessResult,
    Descriptor,
)
from emulator.codecs.dlms.axdr import Data
from emulator.codecs.dlms.initiate import Conformance
from harness.errors import BenchError
from harness.journal import text
from harness.meter import (
    ActionAnswer,
    Association,
    Credentials,
    GetAnswer,
    SetAnswer,
    SignOnReport,
    Silence,
    Unanswered,
)
from harness.ports import MeterPort
from harness.recorder import Operation, Recorder, Settling

_T = TypeVar("_T")
#: Attributes whose values are secrets: the secret of an association (class 15, attribute 7).
_SECRET: Final = ((15, 7),)


class JournalledMeter:
    """One meter port; what is written to the device is intended before it is sent.

    Octets of requests in the journal are JSON: verb arguments with A-XDR values in hex. Secrets
    of associations are not among them.
    """

    def __init__(self, recorder: Recorder, role: str, way: str) -> None:
        self._recorder = recorder
        self._role, self._way = role, way
        self._key = (role, way)

    def _port(self) -> MeterPort:
        return self._recorder.bench.meter(self._role, self._way)

    async def _associated(self) -> MeterPort:
        """Return the port, associated as the journal says it was before the run was resumed.

        An emulated bench brings its associations back itself.
        """
        port, known = self._port(), self._recorder
        credentials = known.meters.get(self._key)
        if credentials is not None and self._key not in known.live_meters:
            known.live_meters.add(self._key)
            if known.bench.dump() is None and not (await port.associate(credentials)).accepted:
                raise BenchError(
                    f"the {self._role} does not associate again as {credentials.name}",
                    cause="it was associated when the run was interrupted",
                    next_command="smetsbench run (afresh) instead of resume",
                )
        return port

    async def sign_on(self, *, read_out: bool = False) -> SignOnReport:
        """Say the sign-on; ask for the mode C read-out where wanted."""

        async def act() -> SignOnReport:
            return await self._port().sign_on(read_out=read_out)

        return await self._perform(
            "sign_on", {"read_out": read_out}, act, _sign_on_down, _sign_on_back
        )

    async def associate(self, credentials: Credentials) -> Association:
        """Open the link where it is closed, and associate."""

        async def act() -> Association:
            answer = await self._port().associate(credentials)
            self._recorder.live_meters.add(self._key)
            return answer

        head = {
            "client": credentials.client,
            "server": credentials.server,
            "name": credentials.name,
            "mechanism": int(credentials.mechanism),
            "form": credentials.form.value,
            "suite": credentials.suite,
        }
        return await self._perform("associate", head, act, _association_down, _association_back)

    async def get(self, attributes: Sequence[Attribute]) -> GetAnswer:
        """Read one attribute, or several with one GET-with-list."""
        wanted = tuple(attributes)

        async def act() -> GetAnswer:
            return await (await self._associated()).get(wanted)

        request = {"get": [_attribute(item) for item in wanted]}
        return await self._perform("get", request, act, _get_down, _get_back)

    async def set(self, writes: Sequence[tuple[Attribute, Data]]) -> SetAnswer:
        """Write one attribute, or several with one SET-with-list."""
        wanted = tuple(writes)

        async def act() -> SetAnswer:
            return await (await self._associated()).set(wanted)

        async def happened() -> bool | None:
            return await (await self._associated()).has_taken(wanted, None)

        request = {"set": [[_attribute(item), _value(item, value)] for item, value in wanted]}
        done = (DataAccessResult.SUCCESS,) * len(wanted)
        settling: Settling[SetAnswer] = Settling(happened, lambda: done)
        return await self._perform("set", request, act, _set_down, _set_back, settling)

    async def action(self, method: Descriptor, parameters: Data | None = None) -> ActionAnswer:
        """Invoke one method."""

        async def act() -> ActionAnswer:
            return await (await self._associated()).action(method, parameters)

        async def happened() -> bool | None:
            return await (await self._associated()).has_taken((), method)

        value = None if parameters is None else axdr.encode(parameters).hex()
        request = {"action": [method.class_id, method.obis.hex(), method.index, value]}
        settling: Settling[ActionAnswer] = Settling(
            happened, lambda: MethodOutcome(ActionResult.SUCCESS)
        )
        return await self._perform("action", request, act, _action_down, _action_back, settling)

    async def exchange(self, apdu: bytes) -> bytes | Unanswered:
        """Send an APDU as it stands; returns the answer's octets."""

        async def act() -> bytes | Unanswered:
            return await (await self._associated()).exchange(apdu)

        async def happened() -> bool | None:
            return None

        settling: Settling[bytes | Unanswered] = Settling(happened, lambda: b"")
        return await self._perform(
            "exchange", {"apdu": apdu.hex()}, act, _octets_down, _octets_back, settling
        )

    async def release(self) -> None:
        """End the association and the link."""

        async def act() -> None:
            await self._port().release()

        await self._perform("release", {}, act, lambda _none: {}, lambda _row: None)
        self._recorder.meters[self._key] = None

    async def has_taken(
        self, writes: Sequence[tuple[Attribute, Data]], method: Descriptor | None
    ) -> bool | None:
        """Say whether a write happened; a step that asks is journalled like any reader."""

        async def act() -> bool | None:
            return await (await self._associated()).has_taken(writes, method)

        request = {"asked": [_attribute(item) for item, _ in writes]}
        return await self._perform(
            "has_taken", request, act, lambda word: {"taken": word}, lambda row: row["taken"]
        )

    async def _perform(  # noqa: PLR0913, PLR0917 - an operation is these six things
        self,
        verb: str,
        request: dict[str, Any],
        act: Callable[[], Any],
        down: Callable[[_T], dict[str, Any]],
        back: Callable[[dict[str, Any]], _T],
        settling: Settling[_T] | None = None,
    ) -> _T:
        where = {"role": self._role, "way": self._way}
        octets = text({**where, **request}).encode()
        return await self._recorder.perform(
            Operation(f"meter.{verb}", octets, act, down, back, settling)
        )


def _attribute(item: Attribute) -> list[Any]:
    one, selection = item.descriptor, item.selection
    head: list[Any] = [one.class_id, one.obis.hex(), one.index]
    return head if selection is None else [*head, *_selection(selection)]


def _selection(selection: Selection) -> list[Any]:
    return [selection.selector, axdr.encode(selection.parameters).hex()]


def _value(item: Attribute, value: Data) -> str:
    secret = (item.descriptor.class_id, item.descriptor.index) in _SECRET
    return "(a secret)" if secret else axdr.encode(value).hex()


def _silence_down(silence: Unanswered) -> dict[str, Any]:
    row = {"why": silence.why.value, "detail": silence.detail, "octets": silence.octets.hex()}
    return {"unanswered": row}


def _silence_back(row: dict[str, Any]) -> Unanswered | None:
    told = row.get("unanswered")
    if told is None:
        return None
    return Unanswered(Silence(told["why"]), told["detail"], bytes.fromhex(told["octets"]))


def _sign_on_down(report: SignOnReport) -> dict[str, Any]:
    return {
        "answered": report.answered,
        "manufacturer": report.manufacturer,
        "baud": report.baud,
        "mode": report.mode,
        "name": report.name,
        "read_out": report.read_out,
        "causes": list(report.causes),
    }


def _sign_on_back(row: dict[str, Any]) -> SignOnReport:
    return SignOnReport(**{**row, "causes": tuple(row["causes"])})


def _association_down(answer: Association) -> dict[str, Any]:
    return {
        "accepted": answer.accepted,
        "result": answer.result,
        "diagnostic": answer.diagnostic,
        "server_title": answer.server_title.hex(),
        "conformance": int(answer.conformance),
        "max_pdu_bytes": answer.max_pdu_bytes,
        "why": answer.why,
        "silence": None if answer.silence is None else answer.silence.value,
        "before_stands": answer.before_stands,
    }


def _association_back(row: dict[str, Any]) -> Association:
    return Association(
        row["accepted"],
        row["result"],
        row["diagnostic"],
        bytes.fromhex(row["server_title"]),
        Conformance(row["conformance"]),
        row["max_pdu_bytes"],
        row["why"],
        None if row["silence"] is None else Silence(row["silence"]),
        row["before_stands"],
    )


def _get_down(answer: GetAnswer) -> dict[str, Any]:
    if isinstance(answer, Unanswered):
        return _silence_down(answer)
    return {"results": apdu_get.encode_results(answer).hex()}


def _get_back(row: dict[str, Any]) -> GetAnswer:
    return _silence_back(row) or apdu_get.decode_results(bytes.fromhex(row["results"]))


def _set_down(answer: SetAnswer) -> dict[str, Any]:
    if isinstance(answer, Unanswered):
        return _silence_down(answer)
    return {"results": [int(result) for result in answer]}


def _set_back(row: dict[str, Any]) -> SetAnswer:
    return _silence_back(row) or tuple([DataAccessResult(one) for one in row["results"]])


def _action_down(answer: ActionAnswer) -> dict[str, Any]:
    if isinstance(answer, Unanswered):
        return _silence_down(answer)
    return {"outcome": apdu_action.encode_outcome(answer).hex()}


def _action_back(row: dict[str, Any]) -> ActionAnswer:
    return _silence_back(row) or apdu_action.decode_outcome(bytes.fromhex(row["outcome"]))


def _octets_down(answer: bytes | Unanswered) -> dict[str, Any]:
    return _silence_down(answer) if isinstance(answer, Unanswered) else {"apdu": answer.hex()}


def _octets_back(row: dict[str, Any]) -> bytes | Unanswered:
    return _silence_back(row) or bytes.fromhex(row["apdu"])
