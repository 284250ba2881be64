"""GET, SET and ACTION as lines and named fields; answers under the names of their questions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from emulator.codecs.dlms.apdu_action import (
    ActionBlockRequest,
    ActionBlockResponse,
    ActionFirstBlockRequest,
    ActionListRequest,
    ActionListResponse,
    ActionNextRequest,
    ActionNextResponse,
    ActionRequest,
    ActionResponse,
    MethodOutcome,
)
from emulator.codecs.dlms.apdu_get import (
    GetBlockResponse,
    GetFailedBlockResponse,
    GetListRequest,
    GetListResponse,
    GetNextRequest,
    GetRequest,
    GetResponse,
)
from emulator.codecs.dlms.apdu_parts import Attribute, DataAccessResult, DataBlock, Descriptor
from emulator.codecs.dlms.apdu_set import (
    SetBlockRequest,
    SetBlockResponse,
    SetFirstBlockRequest,
    SetLastBlockResponse,
    SetListRequest,
    SetListResponse,
    SetRequest,
    SetResponse,
)
from emulator.codecs.dlms.axdr import Data
from harness.dlms_view import names
from harness.dlms_view.told import Question, Told
from harness.dlms_view.values import field_of, line_of
from harness.gbcs_view.field import Field

_IMAGE_BLOCK: Final = (18, 2)
#: Class and attribute, class and method, whose data are secrets in clear.
_SECRET_ATTRIBUTE: Final = (15, 7)
_SECRET_METHOD: Final = (15, 2)


def _get(value: GetRequest, _: Question) -> Told:
    target = value.attribute.descriptor
    fields = (_invoke(value.invoke), *attribute_fields(value.attribute))
    family = f"read {names.class_name(target.class_id)}"
    return Told(f"GET {names.target_text(target)}", family, fields, value)


def _get_list(value: GetListRequest, _: Question) -> Told:
    fields = [
        (f"{number} attribute", list(attribute_fields(attribute)))
        for number, attribute in enumerate(value.attributes, 1)
    ]
    label = f"GET list of {len(value.attributes)}"
    return Told(label, "read lists", (_invoke(value.invoke), *fields), value)


def _get_answer(value: GetResponse, question: Question) -> Told:
    target = question.attribute.descriptor if isinstance(question, GetRequest) else None
    family = "" if target is None else f"read {names.class_name(target.class_id)}"
    fields = (_invoke(value.invoke), result_field(value.result, target))
    return Told(f"GET answer: {result_line(value.result, target)}", family, fields)


def _get_list_answer(value: GetListResponse, question: Question) -> Told:
    asked: Sequence[Descriptor | None] = [None] * len(value.results)
    if isinstance(question, GetListRequest) and len(question.attributes) == len(value.results):
        asked = [attribute.descriptor for attribute in question.attributes]
    fields = [result_field(one, to) for one, to in zip(value.results, asked, strict=True)]
    label = f"GET answer: list of {len(value.results)}"
    return Told(label, "read lists", (_invoke(value.invoke), *fields))


def result_line(result: Data | DataAccessResult, target: Descriptor | None = None) -> str:
    """Return an answer to a GET in one line; secrets are not shown."""
    if isinstance(result, DataAccessResult):
        return f"refused: {result_name(result)}"
    return "not shown" if _is_secret(target) else line_of(result)


def result_field(result: Data | DataAccessResult, target: Descriptor | None = None) -> Field:
    """Return an answer to a GET as a field under its attribute's name."""
    name = "value" if target is None else names.target_text(target)
    if isinstance(result, DataAccessResult):
        return name, f"refused: {result_name(result)}"
    return (name, "not shown") if _is_secret(target) else field_of(name, result)


def _is_secret(target: Descriptor | None) -> bool:
    return target is not None and (target.class_id, target.index) == _SECRET_ATTRIBUTE


def result_name(result: Any) -> str:
    """Return a data access or action result with its number."""
    return f"{result.value} {result.name.lower().replace('_', ' ')}"


# Writing and invoking.


def _set(value: SetRequest, _: Question) -> Told:
    target = value.attribute.descriptor
    secret = (target.class_id, target.index) == _SECRET_ATTRIBUTE
    data = ("value", "not shown") if secret else field_of("value", value.value)
    fields = (_invoke(value.invoke), *attribute_fields(value.attribute), data)
    return Told(f"SET {names.target_text(target)}", "", fields, value)


def _set_list(value: SetListRequest, _: Question) -> Told:
    fields = [
        (f"{number} attribute", list(attribute_fields(attribute)))
        for number, attribute in enumerate(value.attributes, 1)
    ]
    label = f"SET list of {len(value.attributes)}"
    return Told(label, "", (_invoke(value.invoke), *fields), value)


def _set_answer(value: SetResponse | SetLastBlockResponse, _: Question) -> Told:
    told = result_name(value.result)
    return Told(f"SET answer: {told}", "", (_invoke(value.invoke), ("result", told)))


def _set_list_answer(value: SetListResponse, _: Question) -> Told:
    fields = [(f"{n} result", result_name(one)) for n, one in enumerate(value.results, 1)]
    label = f"SET answer: list of {len(value.results)}"
    return Told(label, "", (_invoke(value.invoke), *fields))


def _action(value: ActionRequest, _: Question) -> Told:
    target = value.method
    fields = [_invoke(value.invoke), *descriptor_fields(target, method=True)]
    if value.parameters is not None:
        secret = (target.class_id, target.index) == _SECRET_METHOD
        shown = ("parameters", "not shown") if secret else field_of("parameters", value.parameters)
        fields.append(shown)
    return Told(
        f"ACTION {names.target_text(target, method=True)}",
        _block_family(target),
        tuple(fields),
        value,
    )


def _block_family(target: Descriptor) -> str:
    return "image blocks" if (target.class_id, target.index) == _IMAGE_BLOCK else ""


def _action_list(value: ActionListRequest, _: Question) -> Told:
    fields = [
        (f"{n} method", list(descriptor_fields(one, method=True)))
        for n, one in enumerate(value.methods, 1)
    ]
    label = f"ACTION list of {len(value.methods)}"
    return Told(label, "", (_invoke(value.invoke), *fields), value)


def _action_answer(value: ActionResponse, question: Question) -> Told:
    family = _block_family(question.method) if isinstance(question, ActionRequest) else ""
    fields = (_invoke(value.invoke), *outcome_fields(value.outcome))
    return Told(f"ACTION answer: {result_name(value.outcome.result)}", family, fields)


def _action_list_answer(value: ActionListResponse, _: Question) -> Told:
    fields = [(f"{n} outcome", outcome_fields(one)) for n, one in enumerate(value.outcomes, 1)]
    label = f"ACTION answer: list of {len(value.outcomes)}"
    return Told(label, "", (_invoke(value.invoke), *fields))


def outcome_fields(outcome: MethodOutcome) -> list[Field]:
    """Return what became of a method as fields."""
    rows: list[Field] = [("result", result_name(outcome.result))]
    if outcome.returned is not None:
        rows.append(result_field(outcome.returned))
    return rows


# Blocks.


def _block(value: Any, question: Question) -> Told:
    """Any APDU that carries or asks for a block: GET, SET and ACTION, both ways."""
    name, family = _BLOCKS[type(value)]
    fields: list[Field] = [_invoke(value.invoke)]
    target: Any = getattr(value, "method", None)
    if isinstance(getattr(value, "attribute", None), Attribute):
        fields += attribute_fields(value.attribute)
        target = value.attribute.descriptor
    block = getattr(value, "block", None)
    if isinstance(block, DataBlock):
        last = ", last" if block.last else ""
        fields.append((f"block {block.number}{last}", f"{len(block.octets)} octets"))
        name = f"{name} {block.number}{last}"
    elif hasattr(value, "number"):
        fields.append(("block", str(value.number)))
        name = f"{name} {value.number}"
    if isinstance(target, Descriptor):
        name += f": {names.target_text(target, method='ACTION' in family)}"
    result = getattr(value, "result", None)
    if isinstance(result, DataAccessResult):
        fields.append(("result", result_name(result)))
    asks = type(value).__name__.endswith("Request")
    keeps = question if isinstance(value, GetNextRequest) else value
    return Told(name, family, tuple(fields), keeps if asks else None)


def _invoke(invoke: int) -> Field:
    return "invoke id", f"{invoke:02x}"


def descriptor_fields(target: Descriptor, *, method: bool = False) -> tuple[Field, ...]:
    """Return whom a request means as fields."""
    name = "method" if method else "attribute"
    text = names.target_text(target, method=method)
    return ((name, text),)


def attribute_fields(attribute: Attribute) -> tuple[Field, ...]:
    """Return an attribute with its selection as fields."""
    fields = descriptor_fields(attribute.descriptor)
    if attribute.selection is None:
        return fields
    chosen = attribute.selection
    return (*fields, ("selector", str(chosen.selector)), field_of("selection", chosen.parameters))


_BLOCKS: Final[dict[type, tuple[str, str]]] = {
    GetNextRequest: ("GET next after block", "GET blocks"),
    GetBlockResponse: ("GET answer, block", "GET blocks"),
    GetFailedBlockResponse: ("GET answer, failed block", "GET blocks"),
    SetFirstBlockRequest: ("SET, block", "SET blocks"),
    SetBlockRequest: ("SET, block", "SET blocks"),
    SetBlockResponse: ("SET answer, took block", "SET blocks"),
    ActionFirstBlockRequest: ("ACTION, block", "ACTION blocks"),
    ActionBlockRequest: ("ACTION, block", "ACTION blocks"),
    ActionNextResponse: ("ACTION answer, took block", "ACTION blocks"),
    ActionNextRequest: ("ACTION next after block", "ACTION blocks"),
    ActionBlockResponse: ("ACTION answer, block", "ACTION blocks"),
}
#: Type of value -> what tells it.
TELLERS: Final[Mapping[type, Callable[[Any, Question], Told]]] = {
    GetRequest: _get,
    GetListRequest: _get_list,
    GetResponse: _get_answer,
    GetListResponse: _get_list_answer,
    SetRequest: _set,
    SetListRequest: _set_list,
    SetResponse: _set_answer,
    SetLastBlockResponse: _set_answer,
    SetListResponse: _set_list_answer,
    ActionRequest: _action,
    ActionListRequest: _action_list,
    ActionResponse: _action_answer,
    ActionListResponse: _action_list_answer,
    **dict.fromkeys(_BLOCKS, _block),
}
