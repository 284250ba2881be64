"""What to do about a refusal of ``ma check``, where the rule itself has no nearer advice.

Source:
    invented: the codes are ours but for MA110, and so is what follows from them.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from harness.formats.authorisation.read_rows import Severity
from harness.rules.migration_findings import Finding

_TEXT_AGAIN: Final = "format the column as text and enter the value again from its source"
_CERTIFICATE: Final = "compare serial number and issuer with the certificate"
_OPERATOR: Final = "give the Certificate ID of the network operator of that meter point"
_WAIT: Final = "leave the line out until then"

#: Code, sub-code -> advice.
ADVICE: Final[Mapping[tuple[str, str], str]] = {
    ("X-MA-FILE", "01"): "save it as .xlsx, .xlsm, .csv or .xml, with the ending that it is",
    ("X-MA-FILE", "02"): "split it into several files",
    ("X-MA-FILE", "03"): "save it again without document type and entities",
    ("X-MA-FILE", "04"): "save it again without a password; a sealed one needs its MAPASSWORD file",
    ("X-MA-FILE", "06"): "put the installations under the headings",
    ("X-MA-COLUMN", "01"): "add the column, or name its heading or a value for all in --map",
    ("X-MA-COLUMN", "02"): "delete one of the two, or say in --map which is meant",
    ("X-MA-COLUMN", "04"): "put the headings above the installations, or describe them in --map",
    ("X-GROUP", "01"): "name another cohort with --cohort",
    ("X-GROUP", "02"): "this cohort is not migrated: no authorisation will help",
    ("X-1.3", "01"): "judge it on another day (--on), or override the rule (--override 1.3)",
    ("X-1.3", "02"): "judge it on another day (--on)",
    ("X-RELEASE", "01"): "hand it in once the release has begun",
    ("X-RELEASE", "02"): "hand it in once a release is scheduled",
    ("X-RP", "01"): "no migration is requested any more: talk to the DCC",
    ("X-7.3.2", "10"): "put each value under its heading",
    ("X-7.3.2", "09"): "take the cells apart and give each its own value",
    ("X-7.3.2", "12"): "replace the formula by its value",
    ("X-7.3.2", "17"): _TEXT_AGAIN,
    ("X-UNIQUE", "02"): "leave the device on the line it belongs to",
    ("X-UNIQUE", "03"): "leave the meter point on the line it belongs to",
    ("X-P1", "01"): "compare the identifier with the device, or ask the SMSO for its inventory",
    ("X-P1", "02"): "name the devices of one installation on one line",
    ("X-P1", "04"): "put the identifier into the column of its device type",
    ("X-P2-CPL", "01"): "correct the CPL entry, or have the Device Model listed first",
    ("X-P2-CPL", "02"): "name the entry that is Active, or have the firmware updated first",
    ("MA110", "X-01"): "correct the models, or have the firmware updated to a listed combination",
    ("MA110", "X-02"): _WAIT,
    ("MA110", "X-03"): "have the devices brought to a combination that is still listed",
    ("MA110", "X-04"): "check cohort and service provider of the installation",
    ("MA110", "X-05"): "give the CPL entries in the file, or the SMSO's inventory (--inventory)",
    ("X-MAM-4", "02"): "leave the line to one of its suppliers, or correct the User IDs",
    ("X-4.47", "02"): _CERTIFICATE,
    ("X-4.47", "03"): _OPERATOR,
    ("X-4.48", "02"): _CERTIFICATE,
    ("X-4.48", "03"): _OPERATOR,
    ("X-MAM-6", "01"): _CERTIFICATE,
    ("X-MAM-6", "02"): "give the Certificate ID of a supplier's certificate, or the Null one",
    ("X-MAM-6", "03"): "give the Certificate ID of the supplier's own certificate, or the Null one",
    ("X-5.8", "01"): "leave the line out: this group migrates no split supply",
}


def advised(finding: Finding) -> Finding:
    """Return a finding with advice, where it is a refusal without any."""
    if finding.suggestion or finding.severity is not Severity.REFUSED:
        return finding
    return replace(finding, suggestion=ADVICE.get((finding.code, finding.sub_code), ""))
