"""Hides the identifiers of user data from whoever looks at pages."""

import re
import threading
from typing import Final

from harness.dust.pseudonyms import Pseudonyms, Shown

#: An EUI-64 as records keep it.
_BARE: Final = re.compile(rb'"eui64": ?"([0-9A-Fa-f]{16})"')
#: Words whose shown form is kept.
_MOST_TEXTS: Final = 50_000
_SAID: Final = {
    Shown.PLAIN: "Identifiers are shown as they are (--with-identifiers).",
    Shown.PSEUDONYMS: "Identifiers of user data are shown as pseudonyms.",
    Shown.MADE_UP: "All identifiers seen so far are made up.",
}


class Veil:
    """Pseudonyms of one run, the same identifier always by the same one; for many threads.

    What is about to be shown is looked through first. Devices of the record are learnt before
    anything else, in its order: their pseudonyms are those of the run's reports.
    """

    def __init__(self, *, shows_all: bool) -> None:
        """Begin with no identifier known.

        Args:
            shows_all: Nothing is hidden (``--with-identifiers``).
        """
        self._names = None if shows_all else Pseudonyms()
        self._lock = threading.Lock()
        self._texts: dict[str, str] = {}

    @property
    def said(self) -> str:
        """What a reader sees of identifiers, in words."""
        return _SAID[Shown.PLAIN if self._names is None else self._names.shown]

    @property
    def hides(self) -> bool:
        """Whether anything is replaced."""
        return self._names is not None and self._names.shown is not Shown.MADE_UP

    def learn_record(self, octets: bytes) -> None:
        """Take note of the devices of ``run.json``."""
        if self._names is not None:
            with self._lock:
                for found in _BARE.finditer(octets):
                    self._names.learn_eui64(bytes.fromhex(found[1].decode()))

    def log(self, octets: bytes) -> bytes:
        """Return lines of the log, or other JSON, as a reader sees them."""
        return self.file(octets, json=True)

    def file(self, octets: bytes, *, json: bool = False) -> bytes:
        """Return a file's octets as a reader sees them."""
        if self._names is None:
            return octets
        with self._lock:
            self._names.learn(octets, ours=json)
            return self._names.over(octets, json=json)

    def text(self, text: str) -> str:
        """Return words as a reader sees them."""
        if self._names is None:
            return text
        with self._lock:
            found = self._texts.get(text)
            if found is None:
                self._names.learn(text.encode(), ours=True)
                found = self._names.text(text)
                if len(self._texts) < _MOST_TEXTS:
                    self._texts[text] = found
        return found
