"""What answers over HTTP have in common."""

from typing import Final

from starlette.responses import JSONResponse, Response

from harness.door.errors import DoorCode, Refusal

#: Largest number that is read out of an address.
_MOST: Final = 2**63 - 1


def refused(refusal: Refusal) -> Response:
    """Return a refusal as HTTP has it."""
    return JSONResponse(refusal.as_json(), refusal.status)


def bad_number(where: str) -> Refusal:
    """Return the refusal of an address whose number is none."""
    return Refusal(DoorCode.BAD_NUMBER, "that is no number of a request or alert", where)


def number_in(text: str) -> int | None:
    """Read a number of a request or alert; None where it is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_MOST))):
        return None
    return min(int(text), _MOST)
