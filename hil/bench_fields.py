"""Types of the values of a bench file, each with an error of its own kind."""

import datetime as dt
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from hil.drivers.patterns import PatternError, compiled
from hil.endpoints import Endpoint, EndpointError
from hil.references import NotAReferenceError, Reference


def refuse(code: str, why: str) -> PydanticCustomError:
    """Return an error of a named kind; braces in ``why`` are left alone."""
    return PydanticCustomError(code, "{why}", {"why": why})


def _reference(value: object) -> str:
    if not isinstance(value, str):
        raise refuse("inline-secret", "a reference is a text: env:…, file:…#… or keystore:…")
    try:
        return str(Reference.parse(value))
    except NotAReferenceError as error:
        raise refuse("inline-secret", str(error)) from None


def _endpoint(text: str) -> str:
    try:
        return str(Endpoint.parse(text))
    except EndpointError as error:
        raise refuse(error.code, str(error)) from None


def _pattern(text: str) -> str:
    try:
        compiled("of the bench file", text)
    except PatternError as error:
        raise refuse("bad-pattern", error.what) from None
    return text


def _date(value: object) -> object:
    if isinstance(value, str | dt.datetime) or not isinstance(value, dt.date):
        raise refuse("invalid-value", "a date without quotes and without time, like 2027-01-31")
    return value


Text = Annotated[str, Field(strict=True, min_length=1, max_length=200)]
Label = Annotated[str, Field(strict=True, pattern=r"^\S(.{0,58}\S)?$")]
ReferenceText = Annotated[
    str,
    BeforeValidator(_reference, json_schema_input_type=str),
    Field(description="env:NAME, file:PATH#FIELD or keystore:PATH; never the secret itself"),
]
EndpointText = Annotated[
    Text,
    AfterValidator(_endpoint),
    Field(description="emulated:PROFILE, loopback:PROFILE, serial:URL, replay:FILE or dongle:NAME"),
]
PatternText = Annotated[Text, AfterValidator(_pattern), Field(description="regular expression")]
DateValue = Annotated[dt.date, BeforeValidator(_date)]
Seconds = Annotated[float, Field(ge=0, le=3600)]
Baud = Annotated[int, Field(strict=True, ge=50, le=4_000_000)]
Sap = Annotated[int, Field(strict=True, ge=1, le=0x7F)]
Title = Annotated[str, Field(strict=True, pattern=r"^[0-9A-Fa-f]{16}$")]
AssociationName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,19}$")]
