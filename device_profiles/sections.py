"""What every section of a data file shares: strict scalars and the frozen base."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

U8 = Annotated[int, Field(strict=True, ge=0, le=0xFF)]
U16 = Annotated[int, Field(strict=True, ge=0, le=0xFFFF)]
Positive = Annotated[int, Field(strict=True, ge=1, le=0xFFFF_FFFF)]
Flag = Annotated[bool, Field(strict=True)]


class Section(BaseModel):
    """A frozen table that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")
