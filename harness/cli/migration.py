"""``smetsbench migration``: make, sign, look into and check the files of a migration."""

import hashlib
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from lxml import etree
from rich.markup import escape

from device_profiles.cohort import Cohort, load_cohort
from device_profiles.files import SUBFOLDERS, Folders
from device_profiles.installation import Installation, load_many
from device_profiles.overlay import DATA_VARIABLE, open_overlay
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs, from_datetime
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from harness.cli.output import console, emit_json
from harness.cli.tables import folded
from harness.data_files import DataOption, reading_data
from harness.errors import UsageError
from harness.files import read_octets, write_octets
from harness.formats.migration_files.building import (
    BuiltFile,
    Keys,
    SetBuilder,
    SetPlan,
    build_set,
)
from harness.formats.migration_files.checking import (
    DeliveryReport,
    InstallationCheck,
    Result,
    check_delivery,
    files_alone,
)
from harness.formats.migration_files.counters import Ledger
from harness.formats.migration_files.document import MigrationFile, from_tree, octets
from harness.formats.migration_files.faults import Finding, MigrationFileError
from harness.formats.migration_files.file_set import deliveries
from harness.formats.migration_files.from_installations import Planner
from harness.formats.migration_files.groups import GROUPS, rules_of
from harness.formats.migration_files.handover import factory_secrets
from harness.formats.migration_files.names import MAX_COUNTER, MigrationFileName, parse_migration
from harness.formats.migration_files.opening import Opener
from harness.formats.migration_files.parties import (
    SIGNERS,
    TEST_PARTIES,
    Directory,
    Role,
    Signer,
    parties_in,
    role_keys,
)
from harness.formats.migration_files.reading import CheckedFile, Context, check_path
from harness.formats.migration_files.schema import OVERLAY_FOLDER, MigrationSchema, load_schema
from harness.formats.migration_files.signing import claim_of, sign, strip, xml_key
from harness.formats.migration_files.words import ProcessingMode
from harness.formats.migration_files.xml_input import octets_of, parse
from harness.formats.migration_files.xml_table import local
from harness.keys import open_keystore
from harness.new_installations import EIS

