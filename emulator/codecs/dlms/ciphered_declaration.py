"""Ciphered and signed frames as construct declarations: the reference for the fast codecs."""

from typing import Any, Final

from construct import (
    Adapter,
    Bytes,
    Check,
    Construct,
    ConstructError,
    Int8ub,
    Int32ub,
    Struct,
    Terminated,
    this,
)

from emulator.codecs.dlms import apdu_ciphered as ciphered
from emulator.codecs.dlms import apdu_general as general
from emulator.codecs.dlms.apdu_ciphered import CipheredApdu, Form, SecurityControl
from emulator.codecs.dlms.apdu_general import (
    AgreedKey,
    GeneralCiphering,
    GeneralHeader,
    GeneralSigning,
    IdentifiedKey,
    WrappedKey,
)
from emulator.codecs.dlms.declaration_data import UNFIT
from emulator.codecs.dlms.declaration_parts import OCTETS, Chosen, Shaped, Usage
from emulator.codecs.gbcs.envelope_declaration import BerLength
from emulator.core.errors import MalformedFrameError

_LAYER: Final = "dlms.ciphered"
_GENERAL: Final = {0xDB: Form.GENERAL_GLOBAL, 0xDC: Form.GENERAL_DEDICATED}
_FORMS: Final[dict[int, tuple[Form, int | None]]] = {
    **{tag: (form, None) for tag, form in _GENERAL.items()},
    **{tags[0]: (Form.SERVICE_GLOBAL, plain) for plain, tags in ciphered.SERVICE_TAGS.items()},
    **{tags[1]: (Form.SERVICE_DEDICATED, plain) for plain, tags in ciphered.SERVICE_TAGS.items()},
}
_TAGS: Final = {form: tag for tag, form in _FORMS.items()}
#: Security control, invocation counter, and what is protected, behind the length of all.
_BODY: Final = Struct(
    "length" / BerLength(),
    Check(this.length >= 5),
    "control" / Int8ub,
    "counter" / Int32ub,
    "content" / Bytes(this.length - 5),
)


def _body(control: SecurityControl, counter: int, content: bytes) -> dict[str, Any]:
    size = len(content) + 5
    return {"length": size, "control": control.octet, "counter": counter, "content": content}


class _Frame(Adapter):
    """A ciphered APDU by its tag."""

    def _decode(self, obj: Any, context: Any, path: str) -> CipheredApdu:
        form, service = _FORMS[obj.tag]
        body = obj.rest.body
        control = SecurityControl.of(body.control)
        title = obj.rest.title if form.general else None
        return CipheredApdu(form, service, title, control, body.counter, body.content)

    def _encode(self, obj: CipheredApdu, context: Any, path: str) -> dict[str, Any]:
        tag = _TAGS.get((obj.form, obj.service))
        if tag is None or obj.form.general is (obj.title is None):
            raise ConstructError(f"form {obj.form} does not fit title and service")
        rest = {"title": obj.title, "body": _body(obj.control, obj.counter, obj.content)}
        return {"tag": tag, "rest": rest}


class _GeneralCiphering(Adapter):
    def _decode(self, obj: Any, context: Any, path: str) -> GeneralCiphering:
        body = obj.body
        control = SecurityControl.of(body.control)
        return GeneralCiphering(obj.header, obj.key_info, control, body.counter, body.content)

    def _encode(self, obj: GeneralCiphering, context: Any, path: str) -> dict[str, Any]:
        body = _body(obj.control, obj.counter, obj.content)
        return {"header": obj.header, "key_info": obj.key_info, "body": body}


class _Scheme(Adapter):
    """Key parameters: an octet string of one octet."""

    def _decode(self, obj: bytes, context: Any, path: str) -> int:
        if len(obj) != 1:
            raise ConstructError("the key agreement scheme is not one octet")
        return obj[0]

    def _encode(self, obj: int, context: Any, path: str) -> bytes:
        return Int8ub.build(obj)  # type: ignore[no-any-return]  # construct knows no types


_HEADER: Final = Shaped(
    GeneralHeader,
    "transaction_id" / OCTETS,
    "originator" / OCTETS,
    "recipient" / OCTETS,
    "date_time" / OCTETS,
    "other" / OCTETS,
)
_KEY_INFO: Final = Chosen(
    {
        0: (IdentifiedKey, Shaped(IdentifiedKey, "key_id" / Int8ub)),
        1: (WrappedKey, Shaped(WrappedKey, "kek_id" / Int8ub, "wrapped" / OCTETS)),
        2: (AgreedKey, Shaped(AgreedKey, "scheme" / _Scheme(OCTETS), "data" / OCTETS)),
    }
)
_CIPHERING: Final = _GeneralCiphering(
    Struct("header" / _HEADER, "key_info" / Usage(_KEY_INFO), "body" / _BODY)
)
_SIGNING: Final = Shaped(
    GeneralSigning, "header" / _HEADER, "content" / OCTETS, "signature" / OCTETS
)


class _ByTag(Construct):
    """A general frame has a title before its body, a service-specific one has not."""

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        return _form_of(context.tag).parse_stream(stream)

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        return _form_of(context.tag).build_stream(obj, stream)


def _form_of(tag: int) -> Construct:
    if tag not in _FORMS:
        raise ConstructError(f"tag {tag:02x} is not that of a ciphered APDU")
    return _TITLED if tag in _GENERAL else _BARE


_TITLED: Final = Struct("title" / OCTETS, "body" / _BODY)
_BARE: Final = Struct("body" / _BODY)
_CIPHERED: Final = Struct("apdu" / _Frame(Struct("tag" / Int8ub, "rest" / _ByTag())), Terminated)
_GENERAL_APDU: Final = Struct(
    "apdu"
    / Chosen(
        {
            general.CIPHERING_TAG: (GeneralCiphering, _CIPHERING),
            general.SIGNING_TAG: (GeneralSigning, _SIGNING),
        }
    ),
    Terminated,
)
Frame = CipheredApdu | GeneralCiphering | GeneralSigning


def decode(data: bytes) -> Frame:
    """Decode a ciphered or signed frame of the kind its first octet says, by the declaration.

    Raises:
        MalformedFrameError: Layer ``dlms.ciphered``; the offset is not known here.
    """
    form = _GENERAL_APDU if data[:1] in {b"\xdd", b"\xdf"} else _CIPHERED
    try:
        value: Frame = form.parse(data).apdu
    except ConstructError as error:
        raise MalformedFrameError(_LAYER, data, str(error)) from error
    return value


def encode(frame: Frame) -> bytes:
    """Encode a frame by the declaration.

    Raises:
        ValueError: A field does not fit.
    """
    form = _CIPHERED if isinstance(frame, CipheredApdu) else _GENERAL_APDU
    try:
        octets: bytes = form.build({"apdu": frame})
    except UNFIT as error:
        raise ValueError(str(error)) from error
    return octets
