"""What sections and rows of data files share: scalars, marks, words of a cell, a frozen base."""

import functools
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from device_profiles.evidence import Mark

U8 = Annotated[int, Field(strict=True, ge=0, le=0xFF)]
U16 = Annotated[int, Field(strict=True, ge=0, le=0xFFFF)]
Positive = Annotated[int, Field(strict=True, ge=1, le=0xFFFF_FFFF)]
Flag = Annotated[bool, Field(strict=True)]


@functools.lru_cache(maxsize=1_024)
def canonical_mark(text: str) -> str:
    """Return an evidence mark as it is written; a list has few of them, on many rows.

    Raises:
        ValueError: It is none.
    """
    return str(Mark.parse(text))


def _split(text: object) -> object:
    return frozenset(text.split()) if isinstance(text, str) else text


#: Text that is an evidence mark.
MarkText = Annotated[str, AfterValidator(canonical_mark)]
#: For a set: a cell holds its words with spaces between them.
SPLIT: Final = BeforeValidator(_split)
#: For a value that may be None: its cell is empty then.
NONE_FOR_EMPTY: Final = BeforeValidator(lambda text: text or None)


class Section(BaseModel):
    """A frozen table that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")
