"""Papers a supplier hands in, made from the homes of a run: what the simulated supplier writes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final

from device_profiles.installation import Installation
from emulator.core.chance import Chance
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from harness.dust.definition import Definition
from harness.dust.definition_words import Mistake
from harness.formats.authorisation import sealed, signed
from harness.formats.authorisation.columns import Layout, load_layout
from harness.formats.authorisation.demand_file import REQUEST, DemandLine, DemandName, render_demand
from harness.formats.authorisation.file_name import AuthorisationName
from harness.formats.authorisation.grid import FileKind
from harness.formats.authorisation.made import Maker, render
from harness.formats.authorisation.paper_kind import PaperKind, kind_of_paper
from harness.formats.authorisation.writing import ENDINGS
from harness.formats.duis.signing import XmlKey
from harness.formats.migration_files.parties import TEST_NETWORK_OPERATOR

__all__ = ["PaperKind", "Papers", "kind_of_paper"]

#: Time of day in the names of papers. Source: stand-in.
_MADE_AT: Final = time(6)
#: Days after which a window that is over is over; days a window is open. Source: stand-in.
_OVER: Final = timedelta(days=1)
_OPEN: Final = timedelta(days=13)
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_PHRASE_CHARS: Final = 20
#: Mistakes that are about the whole paper, not about one line.
_OF_THE_PAPER: Final = frozenset(
    {Mistake.UNSIGNED, Mistake.ALTERED, Mistake.WRONG_SIGNER, Mistake.NO_PASSWORD}
)

#: A name and the octets of a file.
Paper = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Papers:
    """Writes one supplier's papers; the same run and day give the same octets.

    Attributes:
        supplier: Its User ID.
        tag: Tag of the SMSO.
        party: SEC Party ID in the names of demand files.
        maker: Writes the lines of installations.
        layout: Columns in force.
        seed: Seed of pass phrases.
        key: Its XML-signing key; None: its papers go unsigned.
        other_key: Another supplier's, for the mistake ``wrong-signer``.
    """

    supplier: Eui64
    tag: str
    party: str
    maker: Maker = field(repr=False)
    layout: Layout = field(repr=False)
    seed: int
    key: XmlKey | None = field(repr=False, default=None)
    other_key: XmlKey | None = field(repr=False, default=None)

    @classmethod
    def of(
        cls,
        definition: Definition,
        keys: KeyStore,
        *,
        key: XmlKey | None = None,
        other_key: XmlKey | None = None,
    ) -> "Papers":
        """Return the papers of a run's participant.

        Args:
            definition: The run.
            keys: Certificates of suppliers and network operator.
            key: The participant's XML-signing key.
            other_key: Another supplier's.

        Raises:
            DataError: The columns cannot be loaded.
        """
        supplier = Eui64.parse(definition.participant.user_ids[0])
        return cls(
            supplier,
            definition.cohort.cohort.smso_tag,
            party_id(definition.participant.name),
            Maker(keys, TEST_NETWORK_OPERATOR),
            load_layout(definition.overlays),
            definition.run.seed,
            key,
            other_key,
        )

    def write_authorisation(
        self,
        homes: Iterable[Installation],
        day: date,
        *,
        kind: FileKind = FileKind.WORKBOOK,
        mistakes: Mapping[str, Sequence[Mistake]] | None = None,
        hour: int = 6,
    ) -> Paper:
        """Write an authorisation of homes, from a day on.

        Args:
            homes: The homes, in order.
            day: The day on which it is handed in, and the first of its windows.
            kind: Workbook or CSV.
            mistakes: Ref -> what is wrong with its line; those about the whole paper are not for
                here, see :meth:`signed`.
            hour: Hour in its name, so that a corrected one has another.

        Returns:
            Name and octets, neither sealed nor signed.
        """
        wrong = mistakes or {}
        lines = []
        for home in homes:
            told = tuple(wrong.get(home.ref, ()))
            if Mistake.LEFT_OUT not in told:
                lines.append(self._line(home, day, told))
        name = f"{self._name('MA', day, hour)}{ENDINGS[kind]}"
        return name, render(lines, self.layout, kind)

    def write_password(self, day: date, *, hour: int = 6) -> tuple[Paper, str]:
        """Write the MAPASSWORD file of a day's authorisation.

        Returns:
            Name and octets, and the pass phrase: it belongs into no log.
        """
        name = self._name("MAPASSWORD", day, hour)
        stream = Chance(self.seed).stream(f"pass phrase {name}")
        phrase = "".join(_LETTERS[stream.below(len(_LETTERS))] for _ in range(_PHRASE_CHARS))
        return (f"{name}.csv", sealed.render_phrase(phrase).encode()), phrase

    def write_demand(self, wanted: Mapping[date, int]) -> Paper:
        """Write a demand request: day -> Active installations.

        Raises:
            ValueError: No day is named.
        """
        if not wanted:
            raise ValueError("a demand request names a day at least")
        name = DemandName(REQUEST, self.party, self.supplier, self.tag, min(wanted))
        lines = [DemandLine(day, wanted[day]) for day in sorted(wanted)]
        return f"{name}.csv", render_demand(REQUEST, lines)

    def sealed(self, paper: Paper, phrase: str) -> Paper:
        """Return a paper sealed under a pass phrase."""
        name, octets = paper
        return name + sealed.ENDING, sealed.seal(octets, name, phrase)

    def signed(self, paper: Paper, mistakes: Iterable[Mistake] = ()) -> Paper:
        """Return a paper signed, unless there is no key; or wrongly, as the mistakes have it."""
        told, (name, octets) = set(mistakes), paper
        key = self.other_key if Mistake.WRONG_SIGNER in told else self.key
        if key is None or Mistake.UNSIGNED in told:
            return paper
        document = signed.sign(octets, name, key)
        if Mistake.ALTERED in told:
            document = _altered(document)
        return name + signed.ENDING, document

    def _name(self, kind: str, day: date, hour: int) -> str:
        at = datetime.combine(day, _MADE_AT.replace(hour=hour))
        return str(AuthorisationName(kind, self.tag, self.supplier, at))

    def _line(self, home: Installation, day: date, mistakes: Sequence[Mistake]) -> dict[str, str]:
        over = Mistake.CLOSED_WINDOW in mistakes
        window = (day - _OPEN - _OVER, day - _OVER) if over else (day, day + _OPEN)
        values = self.maker.line(home, window)
        for mistake in mistakes:
            values |= self._wrong(home, mistake, values)
        return values

    def _wrong(
        self, home: Installation, mistake: Mistake, values: Mapping[str, str]
    ) -> dict[str, str]:
        """Return the columns that a mistake changes."""
        if mistake is Mistake.NOT_NULL:
            return self.maker.own_certificates(home)
        if mistake is Mistake.BAD_MPAN:
            last = int(values["MPAN"][-1])
            return {"MPAN": f"{values['MPAN'][:-1]}{(last + 1) % 10}"}
        if mistake is Mistake.SPACED_EUI64:
            return {"ESMEDeviceID": values["ESMEDeviceID"].replace("-", " ").lower()}
        if mistake is Mistake.NO_OPERATOR:
            return {name: "" for name in values if name.startswith("NetworkOperator")}
        return {}


def mistakes_of(
    definition: Definition, refs: Iterable[str], *, corrected: bool
) -> dict[str, tuple[Mistake, ...]]:
    """Return what the simulated supplier does wrong in the lines of homes.

    Args:
        definition: The run.
        refs: The homes in hand.
        corrected: Whether it was told (turn ``correct``): mended mistakes are left out.
    """
    found: dict[str, list[Mistake]] = {ref: [] for ref in refs}
    for table in definition.mistakes:
        if table.what in _OF_THE_PAPER or (corrected and table.mended):
            continue
        for ref in definition.refs_of(table):
            if ref in found:
                found[ref].append(table.what)
    return {ref: tuple(told) for ref, told in found.items() if told}


def mistakes_of_paper(definition: Definition, *, corrected: bool) -> frozenset[Mistake]:
    """Return what the simulated supplier does wrong with its papers as a whole."""
    return frozenset(
        table.what
        for table in definition.mistakes
        if table.what in _OF_THE_PAPER and not (corrected and table.mended)
    )


def party_id(name: str) -> str:
    """Return a SEC Party ID for the names of demand files: letters and digits of a name."""
    found = "".join(char for char in name.upper() if char.isascii() and char.isalnum())
    return found[:20] or "PARTY"


def _altered(document: bytes) -> bytes:
    """Return a signed document with one character of its content changed."""
    at = document.index(b"Content>") + len(b"Content>") + 8
    other = b"A" if document[at : at + 1] != b"A" else b"B"
    return document[:at] + other + document[at + 1 :]
