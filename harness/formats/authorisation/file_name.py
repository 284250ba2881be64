"""Names of authorisation files: what they are for, who sent them, when.

Source:
    DCC-mig, two published sample names: ``MA_cgI_70-B3-D5-1F-30-00-A0-08_20190407_182503`` and
    ``MAPASSWORD_CGI_70-B3-D5-1F-30-00-A0-08_20190407_182503``. Comparing tags without case, and
    taking times for UTC: inferred from them, and invented.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final, Self

from emulator.core.ids import Eui64

#: What the name of a repaired file has before its ending.
REPAIRED: Final = ".repaired"

_NAME: Final = re.compile(
    r"(?P<kind>MA|MAPASSWORD|DMSN|DFWN|RETRY)_(?P<tag>[A-Za-z0-9]{1,12})"
    r"_(?P<user>[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){7})_(?P<day>\d{8})_(?P<time>\d{6})"
)
_STAMP: Final = "%Y%m%d%H%M%S"


@dataclass(frozen=True, slots=True)
class AuthorisationName:
    """The stem of an authorisation's file name.

    Attributes:
        kind: ``MA``, ``MAPASSWORD``; ``DMSN`` and ``DFWN`` for notifications of dormant meters and
            their firmware, ``RETRY`` for retry lists (those three: ours).
        tag: Tag of the SMSO, in the case it was written.
        user_id: User ID of the supplier.
        at: When it was made.
    """

    kind: str
    tag: str
    user_id: Eui64
    at: datetime

    @classmethod
    def parse(cls, stem: str) -> Self | None:
        """Read a file's stem; None when it is named otherwise."""
        found = _NAME.fullmatch(stem)
        if found is None:
            return None
        try:
            # The zone is not said; the name is kept as it is.
            at = datetime.strptime(found["day"] + found["time"], _STAMP)  # noqa: DTZ007 - see above
        except ValueError:
            return None
        return cls(found["kind"], found["tag"], Eui64.parse(found["user"]), at)

    @classmethod
    def of_file(cls, path: Path) -> Self | None:
        """Read the name of a file, or of what a check made of it; None when named otherwise."""
        return cls.parse(path.stem.removesuffix(REPAIRED))

    @property
    def day(self) -> date:
        """The day on which it was made."""
        return self.at.date()

    def has_tag(self, tag: str) -> bool:
        """Say whether the name carries a tag, in whatever case."""
        return self.tag.casefold() == tag.casefold()

    def __str__(self) -> str:
        return f"{self.kind}_{self.tag}_{self.user_id}_{self.at:%Y%m%d}_{self.at:%H%M%S}"
