"""The options of ``smetsbench dongle``, by name."""

import enum
from pathlib import Path
from typing import Annotated, Final

import typer

from device_profiles.words import DeviceType
from emulator.codecs.ezsp.protocol import VERSIONS
from emulator.runtime.dongle_home import HubMode

_FORMS: Final = "pty, pty:LINK, tcp://HOST:PORT"


class Join(enum.StrEnum):
    """Under which key the devices join."""

    INSTALL_CODE = "install-code"
    OPEN = "open"


class Suite(enum.StrEnum):
    """Curves of key establishment."""

    SECT283K1 = "283k1"
    SECT163K1 = "163k1"


ListenAtOption = Annotated[str, typer.Option("--listen", help=f"{_FORMS}; port 0: any.")]
EzspOption = Annotated[int, typer.Option(help=f"Version of EZSP: {', '.join(map(str, VERSIONS))}.")]
HanOption = Annotated[
    str | None,
    typer.Option(help="Home around it: an installation, by name or path."),
]
WithoutOption = Annotated[
    list[DeviceType] | None,
    typer.Option(help="Device of the home that stands elsewhere; repeatable."),
]
HubOption = Annotated[
    HubMode,
    typer.Option(help="The hub is the dongle, or an emulated one in its reach."),
]
AsRoleOption = Annotated[
    str | None,
    typer.Option(
        "--as",
        help="With an emulated hub: device whose place the dongle has (ESME unless told"
        " otherwise), or nobody: it only listens.",
    ),
]
JoinOption = Annotated[
    Join, typer.Option(help="Devices join by install code, or (open) by the well-known key.")
]
SecureOption = Annotated[
    bool | None,
    typer.Option(
        "--secure/--no-secure",
        help="Devices agree on a link key by certificates (CBKE) and take Smart Energy under"
        " it alone; by default those that join by install code.",
    ),
]
SuiteOption = Annotated[
    list[Suite] | None,
    typer.Option(help="Curve of CBKE, in the order tried; by default the home's."),
]
AuthorityOption = Annotated[
    str,
    typer.Option(
        "--ca",
        help="Who issued the devices' certificates: test (the dongle's own too), other (of"
        " another name), impostor (of the same name).",
    ),
]
CbkeOption = Annotated[
    bool,
    typer.Option("--cbke/--stubs", help="The dongle's image has the CBKE library, or stubs of it."),
]
CaptureOption = Annotated[
    Path | None, typer.Option(help="File that takes what is on the air, as pcapng.")
]
StateOption = Annotated[
    Path | None, typer.Option(help="File that keeps its and the devices' memory.")
]
FaultOption = Annotated[
    list[str] | None,
    typer.Option(help="NAME[:key=value,...]@line, line-in, line-out or a device; repeatable."),
]
DefectOption = Annotated[
    list[str] | None, typer.Option(help="Build a named defect into a device; repeatable.")
]
PaceOption = Annotated[
    int | None,
    typer.Option(min=300, max=4_000_000, help="Bits a second: octets take their time."),
]
ClockFactorOption = Annotated[
    float, typer.Option(min=0.001, max=1e6, help="How much faster the devices' clock runs.")
]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of every octet of chance.")]
StartOption = Annotated[
    str | None, typer.Option(help="First moment of the devices' clock, ISO 8601; else now.")
]
SinceOption = Annotated[
    str | None,
    typer.Option(help="Moment of the wall at which that clock showed --start; else now."),
]
UntilStdinClosesOption = Annotated[
    bool,
    typer.Option(
        "--until-stdin-closes",
        help="Take orders from standard input (reset [CODE], fail [CODE], silence on|off,"
        " unplug, disturb FAULT, power-cut EUI64 SECONDS; beside an emulated hub also gbcs"
        " HEX: a message from its WAN, permit SECONDS, image FILE EUI64...), answer each on"
        " standard output, and stop where it ends. What that hub sends onto its WAN is told"
        " (wan_out) on stderr.",
    ),
]
ShowSecretsOption = Annotated[
    bool, typer.Option("--show-secrets", help="Print the made-up install codes.")
]
VerboseOption = Annotated[bool, typer.Option("-v", "--verbose", help="Tell more.")]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="Tell nothing.")]
