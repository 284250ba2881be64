"""Why the door refuses something: named answers, the same at every door."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from harness.formats.duis.faults import SENTENCES, DuisError, DuisFault

_ASK: Final = "smetsbench dust door --help"


class DoorCode(enum.StrEnum):
    """Codes of the door itself; a malformed document has the name of its ``DuisFault``.

    Source:
        invented: the codes of the DCC's own gateway are not public.
    """

    UNKNOWN_USER = "unknown-user"
    UNKNOWN_CERTIFICATE = "unknown-certificate"
    WRONG_ORIGINATOR = "wrong-originator"
    WRONG_ROLE = "wrong-role"
    EXPIRED_CERTIFICATE = "expired-certificate"
    REPLAYED_COUNTER = "replayed-counter"
    EMPTY = "empty"
    WRONG_CONTENT_TYPE = "wrong-content-type"
    TOO_SLOW = "too-slow"
    FOREIGN_PAGE = "foreign-page"
    UNKNOWN_PATH = "unknown-path"
    WRONG_METHOD = "wrong-method"
    UNKNOWN_ID = "unknown-id"
    BAD_NUMBER = "bad-number"
    NAME_USED_BEFORE = "name-used-before"
    BAD_NAME = "bad-name"
    NOT_A_FILE = "not-a-file"
    UNREADABLE = "unreadable"
    NO_PAPERS = "no-papers"
    WRONG_TURN = "wrong-turn"
    TURN_IS_OVER = "turn-is-over"
    BROKEN = "door-broken"


#: What each means, in one sentence.
SAYS: Final[Mapping[DoorCode, str]] = {
    DoorCode.UNKNOWN_USER: "The originator is no supplier of an installation behind the door.",
    DoorCode.UNKNOWN_CERTIFICATE: "The certificate that signed is not trusted here.",
    DoorCode.WRONG_ORIGINATOR: "The certificate that signed belongs to another user.",
    DoorCode.WRONG_ROLE: "The certificate that signed is not one of a service user.",
    DoorCode.EXPIRED_CERTIFICATE: "The certificate that signed does not hold at bench time.",
    DoorCode.REPLAYED_COUNTER: "The originator used this counter before.",
    DoorCode.EMPTY: "There is no document.",
    DoorCode.WRONG_CONTENT_TYPE: "The content type is not XML.",
    DoorCode.TOO_SLOW: "The body did not arrive in time.",
    DoorCode.FOREIGN_PAGE: "A web page elsewhere asks, or a host name that is not the door's.",
    DoorCode.UNKNOWN_PATH: "The door has no such path.",
    DoorCode.WRONG_METHOD: "The path does not take this method.",
    DoorCode.UNKNOWN_ID: "No request of that number was taken.",
    DoorCode.BAD_NUMBER: "A number in the address is none.",
    DoorCode.NAME_USED_BEFORE: "A file of that name was dropped before.",
    DoorCode.BAD_NAME: "The name of a dropped file cannot be used.",
    DoorCode.NOT_A_FILE: "What was dropped is no file.",
    DoorCode.UNREADABLE: "A dropped file cannot be read.",
    DoorCode.NO_PAPERS: "What was handed in is no DUIS request, and nobody here takes papers.",
    DoorCode.WRONG_TURN: "The turn that is said to be done is not the open one.",
    DoorCode.TURN_IS_OVER: "The turn was said to be done before.",
    DoorCode.BROKEN: "The door itself broke: a defect of smetsbench.",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal: nothing was taken, no state changed.

    Attributes:
        code: Which rule refused.
        what: One sentence.
        where: Element, line, header or file.
        cause: The likely cause.
        next: What to do next.
        status: HTTP status it travels with.
    """

    code: str
    what: str
    where: str = ""
    cause: str = ""
    next: str = _ASK
    status: int = 400

    def as_json(self) -> dict[str, str]:
        """Return it as the participant gets it, at either door."""
        return {
            "code": str(self.code),
            "what": self.what,
            "where": self.where,
            "cause": self.cause,
            "next": self.next,
        }


def of_document(error: DuisError) -> Refusal:
    """Return the refusal of a document that is no acceptable DUIS request."""
    too_large = error.name is DuisFault.TOO_LARGE
    return Refusal(
        str(error.name),
        error.why,
        error.where,
        SENTENCES.get(error.name, ""),
        "smetsbench duis check FILE",
        413 if too_large else 400,
    )
