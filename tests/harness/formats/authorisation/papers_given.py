"""Papers made up for tests: homes, keys, and one supplier's papers about them."""

from datetime import UTC, date, datetime
from pathlib import Path

from device_profiles.installation import Installation
from emulator.core.clock import from_datetime
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from harness.door.trust import xml_key_of
from harness.dust.definition import Definition
from harness.dust.definition_homes import homes
from harness.dust.papers_made import Papers
from harness.formats.migration_files.key_choice import made_keys
from tests.harness.dust.definitions_given import ME, given

DAY = date(2023, 1, 27)
OTHER = Eui64.parse("02-53-42-00-00-03-00-00")


class Given:
    """A definition, its homes, everybody's keys and the participant's papers."""

    def __init__(self, folder: Path, cohort: str = "EA") -> None:
        self.definition: Definition = given(folder, cohort=cohort)
        self.homes: tuple[Installation, ...] = homes(self.definition)
        at = from_datetime(datetime(2021, 1, 1, tzinfo=UTC))
        self.keys: KeyStore = made_keys(1, at, self.homes)
        self.me = Eui64.parse(ME)
        self.papers = Papers.of(
            self.definition,
            self.keys,
            key=xml_key_of(self.keys, self.me),
            other_key=xml_key_of(self.keys, OTHER),
        )
