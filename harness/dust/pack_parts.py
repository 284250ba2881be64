"""What stands in every pack besides files: cover, environment and manifest, from the record."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from platform import python_version
from typing import Any, Final

from harness.dust.pseudonyms import Shown
from harness.dust.record import DustRecord

COVER: Final = "cover.md"
ENVIRONMENT: Final = "environment.json"
RECORD: Final = "record.json"
CERTIFICATE: Final = "run-certificate.pem"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
#: What the last entries of a pack are, in order: each is about all that stand before it.
LAST: Final = (CERTIFICATE, MANIFEST, SIGNATURE)
FILES: Final = "files/"
_LIBRARIES: Final = ("cryptography", "jinja2", "lxml", "openpyxl", "pydantic", "signxml")

_IDENTIFIERS: Final = {
    Shown.PLAIN: (
        "Identifiers are shown as they are (`--with-identifiers`). Give this pack only to people"
        " who may see them."
    ),
    Shown.PSEUDONYMS: (
        "Identifiers of user data (EUI-64s, MPxNs, UTRNs) are pseudonyms: EE-EE-… for an EUI-64,"
        " leading noughts for an MPxN, noughts for a UTRN; the same one always by the same."
        " Where a file held one, its octets here differ from those that were sent, and so do their"
        " SHA-256; XML signatures, certificates and frame check sequences over replaced octets no"
        " longer hold (what checking them gave during the run is in index.csv). Sealed"
        " authorisations are as they were, and the MAPASSWORD files that open them are left out."
        " The run folder has"
        " the files as they were sent; `--with-identifiers` packs them so."
    ),
    Shown.MADE_UP: (
        "All identifiers are made up (EUI-64s 02-53-…, MPxNs 99…) and cannot be live: nothing was"
        " replaced, and every file is as it was sent."
    ),
}


@dataclass(frozen=True, slots=True)
class Packed:
    """A file of a pack as its manifest lists it.

    Attributes:
        name: Its path in the pack.
        size_bytes: Octets.
        sha256: Lower-case hex.
    """

    name: str
    size_bytes: int
    sha256: str


def identifiers(shown: Shown) -> str:
    """Return what a reader has to know of identifiers."""
    return _IDENTIFIERS[shown]


def versions() -> dict[str, str]:
    """Return the versions that what a run writes depends on, for ``Header.versions``."""
    found = {"python": python_version()}
    for name in ("smetsbench", *_LIBRARIES):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def environment(record: DustRecord) -> bytes:
    """Return ``environment.json``: versions, seed, definition, bench."""
    head = record.header
    return _json(
        {
            "run": head.run_id,
            "environment": head.environment,
            **({"benches": dict(sorted(head.benches.items()))} if head.benches else {}),
            "seed": head.seed,
            "version": head.version,
            "versions": dict(sorted(head.versions.items())),
            "definition_sha256": head.definition_sha256,
            "as_of": head.as_of.isoformat(),
            "started_at": record.started_at,
            "ended_at": record.ended_at,
        }
    )


_HOW_TO_CHECK: Final = (
    "## How to check it",
    "",
    "`smetsbench dust verify evidence.zip` rebuilds the archive and compares it octet for",
    "octet, checks the signature, renders reports, index and MRR anew, and counts again.",
    "",
    "The signature shows that the pack is as the run wrote it. It does not show who ran it:",
    "its key is drawn from the seed, which stands in the pack. Whoever signs this evidence off",
    "notes the SHA-256 of `evidence.zip`, or signs it with a key of their own.",
    "",
)


def cover(record: DustRecord, shown: Shown, left_out: Sequence[str]) -> bytes:
    """Return ``cover.md``: what the pack is, whose identifiers it shows, how to check it."""
    head = record.header
    verdict = "none yet" if record.verdict is None else record.verdict.name
    lines = [
        f"# Evidence of run {head.run_id}",
        "",
        f"{head.title}. {head.label}, cohort {head.cohort} ({head.cohort_title}),",
        f"GroupID {head.group_id}.",
        "",
        f"- Verdict: **{verdict}**: {record.reason}",
        f"- Participant: {head.participant} ({head.mode}); environment {head.environment}",
        *(f"- {ref}: {what}" for ref, what in sorted(head.benches.items())),
        f"- As of {head.as_of.isoformat()} ({head.as_of_why})"
        + (", historical" if head.historical else ""),
        f"- Seed {head.seed}; smetsbench {head.version}",
        f"- Definition: SHA-256 {head.definition_sha256}",
        "",
        "## Identifiers",
        "",
        identifiers(shown),
        "",
        "What parties sealed for each other is packed as it was. Their keys are drawn from the",
        "seed, which stands in the pack: whoever has smetsbench can open it.",
        "",
        "## What is in it",
        "",
        "`report.html` (open it in a browser; it loads nothing), the same as `report.md`,",
        "`report.json` and `junit.xml`; `definition.toml`; `record.json`; `events.jsonl`;",
        "`index.csv` and the files it lists in `files/`; `mrr/`; `wire.pcapng` where frames were",
        "captured; `environment.json`; `manifest.json` (sizes and SHA-256 of all of these), its",
        "signature `manifest.sig` and the certificates of the run's key.",
        "",
        *_told_left_out(left_out),
        *_HOW_TO_CHECK,
    ]
    return "\n".join(lines).encode()


def _told_left_out(left_out: Sequence[str]) -> list[str]:
    if not left_out:
        return []
    named = (f"- `{name}`" for name in left_out)
    return ["Left out (journals and private keys never go into a pack):", "", *named, ""]


def manifest(
    record: DustRecord, shown: Shown, packed: Iterable[Packed], left_out: Sequence[str]
) -> bytes:
    """Return ``manifest.json``: every file before it with size and SHA-256."""
    return _json(
        {
            "kind": "smetsbench evidence",
            "form": 1,
            "run": record.header.run_id,
            "version": record.header.version,
            "identifiers": shown.value,
            "left_out": list(left_out),
            "files": [
                {"path": one.name, "size_bytes": one.size_bytes, "sha256": one.sha256}
                for one in packed
            ],
        }
    )


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def order(name: str) -> tuple[int, str]:
    """Return what sorts the files of a pack: those of the run, what tells of them, the rest."""
    if name in LAST:
        return (2 + LAST.index(name), "")
    return (0 if name.startswith(FILES) else 1, name)
