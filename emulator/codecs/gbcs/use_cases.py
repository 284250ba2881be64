"""The one table of GBCS message codes: what each means and how each must be protected.

Source:
    Codes, titles, protection and date-time rule as seen in the 1,275 RTDS 4.5.0 messages, with the
    categories of the public mapping table (reference gbcs.md sections 5 and 17); checked against
    the 641 messages at hand. Rows of category ``variant`` state the protection sets observed.
    0x0100 and 0x0101 (modes 0 and 1 of CS02b) are known, no vector has them; their protection is
    that of the other modes (inferred).
    The name DBCH09 is tshark 4.0.17's. No command of 0x0109 (any by contingency) has been seen, so
    none is allowed.
"""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from emulator.codecs.gbcs.categories import (
    CATEGORY_RULE,
    Allowed,
    Category,
    MessageRow,
    PayloadKind,
    Protection,
)

__all__ = ["MESSAGES", "Category", "MessageCode", "MessageRow", "PayloadKind", "Protection"]


class MessageCode(enum.IntEnum):
    """GBCS message codes by use case; a variant or an alert of a use case has its own code."""

    CCS01 = 0x0001
    CCS02 = 0x0002
    CCS03 = 0x0003
    CCS05_CCS04 = 0x0004
    CS01A = 0x0007
    CS02A = 0x0008
    CS02C = 0x000A
    CS02D = 0x000B
    CS02E = 0x000C
    CS03A1 = 0x000D
    CS03B = 0x000E
    CS04AC = 0x000F
    CS04B = 0x0010
    CS06 = 0x0012
    CS07 = 0x0013
    CS10A = 0x0014
    CS11 = 0x0015
    CS14 = 0x0018
    ECS01A = 0x0019
    ECS02 = 0x001A
    ECS03 = 0x001B
    ECS04A = 0x001C
    ECS05 = 0x001D
    ECS07 = 0x001E
    ECS08 = 0x001F
    ECS09 = 0x0020
    ECS10 = 0x0021
    ECS12 = 0x0022
    ECS14 = 0x0023
    ECS15A = 0x0024
    ECS16 = 0x0025
    ECS17A = 0x0026
    ECS17B = 0x0027
    ECS17C = 0x0028
    ECS17D = 0x0029
    ECS17E = 0x002A
    ECS18A = 0x002B
    ECS18B = 0x002C
    ECS19 = 0x002D
    ECS20A = 0x002E
    ECS20B = 0x002F
    ECS20C = 0x0030
    ECS21A = 0x0033
    ECS21B = 0x0034
    ECS21C = 0x0035
    ECS22A = 0x0036
    ECS22B = 0x0037
    ECS22C = 0x0038
    ECS23 = 0x0039
    ECS24 = 0x003A
    ECS26A = 0x003B
    ECS26B = 0x003C
    ECS26C = 0x003D
    ECS26D = 0x003E
    ECS26E = 0x003F
    ECS26F = 0x0040
    ECS27 = 0x0042
    ECS28A = 0x0043
    ECS28B = 0x0044
    ECS29A = 0x0045
    ECS30 = 0x0046
    ECS34 = 0x0047
    ECS35A = 0x0048
    ECS35B = 0x0049
    ECS37 = 0x004A
    ECS38 = 0x004B
    ECS39A = 0x004C
    ECS39B = 0x004D
    ECS40 = 0x004E
    ECS42 = 0x004F
    ECS43 = 0x0050
    ECS44 = 0x0051
    ECS45 = 0x0052
    ECS46A = 0x0053
    ECS46C = 0x0054
    ECS47 = 0x0055
    ECS50 = 0x0058
    ECS52 = 0x0059
    ECS57 = 0x005A
    ECS61C = 0x005E
    ECS62 = 0x005F
    ECS66 = 0x0060
    ECS68 = 0x0061
    ECS70 = 0x0062
    ECS80 = 0x0067
    ECS81 = 0x0068
    ECS82 = 0x0069
    GCS01A = 0x006B
    GCS02 = 0x006C
    GCS03 = 0x006D
    GCS04 = 0x006E
    GCS05 = 0x006F
    GCS06 = 0x0070
    GCS07 = 0x0071
    GCS09 = 0x0072
    GCS11 = 0x0073
    GCS13A = 0x0074
    GCS14 = 0x0075
    GCS15C = 0x0076
    GCS16A = 0x0077
    GCS17 = 0x0078
    GCS18 = 0x0079
    GCS21A = 0x007B
    GCS23 = 0x007C
    GCS24 = 0x007D
    GCS25 = 0x007E
    GCS28 = 0x007F
    GCS31 = 0x0080
    GCS32 = 0x0081
    GCS33 = 0x0082
    GCS36 = 0x0083
    GCS38 = 0x0084
    GCS39 = 0x0085
    GCS40A = 0x0086
    GCS41 = 0x0087
    GCS44 = 0x0088
    GCS46 = 0x0089
    GCS53 = 0x008B
    GCS59 = 0x008C
    GCS60 = 0x008D
    PCS02 = 0x0090
    ECS26I = 0x0092
    ECS35C = 0x0093
    ECS35D = 0x0094
    GCS16B = 0x0096
    CS01B = 0x0097
    PCS01 = 0x009B
    GCS21D = 0x009D
    GCS21E = 0x009E
    GCS21F = 0x009F
    GCS61 = 0x00A0
    CS10B = 0x00A1
    ECS01B = 0x00A2
    GCS01B = 0x00A3
    CS03A2 = 0x00AB
    ECS25A = 0x00AC
    GCS20 = 0x00AD
    ECS29B = 0x00AE
    CS03C = 0x00AF
    ECS25B = 0x00B0
    GCS62 = 0x00B2
    ECS04B = 0x00B3
    GCS40B = 0x00B4
    GCS21B = 0x00B5
    GCS13C = 0x00B6
    ECS01C = 0x00B7
    GCS13B = 0x00B8
    ECS35E = 0x00B9
    ECS35F = 0x00BA
    ECS61A = 0x00BB
    ECS23B = 0x00BC
    ECS24B = 0x00BD
    ECS26J = 0x00BE
    GCS21J = 0x00BF
    GCS40C = 0x00C0
    ECS15C = 0x00C1
    GCS40D = 0x00C2
    GCS15B = 0x00C3
    GCS15D = 0x00C4
    GCS15E = 0x00C5
    ECS26K = 0x00C6
    ECS01D = 0x00C7
    ECS20D = 0x00C9
    CS06_ALERT = 0x00CA
    CS02B_ALERT = 0x00CB
    FUTURE_DATED_DLMS_ALERT = 0x00CC
    FUTURE_DATED_GBZ_ALERT = 0x00CD
    FDRA_DLMS = 0x00CE
    FDRA_GBZ = 0x00CF
    ECS29C = 0x00D1
    ECS29D = 0x00D2
    ECS29E = 0x00D3
    ECS29F = 0x00D4
    ECS30A = 0x00D7
    GCS25A = 0x00D8
    ECS26L = 0x00D9
    GCS21K = 0x00DA
    ECS48 = 0x00DB
    ECS08A = 0x00DE
    ECS25A1 = 0x00EA
    ECS25A2 = 0x00EB
    ECS25A3 = 0x00EC
    ECS25B3 = 0x00ED
    ECS25R1 = 0x00EE
    ECS25R2 = 0x00EF
    MIIWA_DLMS = 0x00F0
    GCS20R = 0x00F1
    MIIWA_GBZ = 0x00F2
    ECS26M = 0x00F9
    ECS26N = 0x00FA
    GCS21M = 0x00FB
    GCS24A = 0x00FC
    ECS35G = 0x00FD
    CCS07 = 0x00FE
    CS02B_ROOT_BY_SUPPLIER = 0x0100
    CS02B_ROOT_BY_WP = 0x0101
    CS02B_SUPPLIER_BY_SUPPLIER = 0x0102
    CS02B_NO_BY_NO = 0x0103
    CS02B_ACB_BY_ACB = 0x0104
    CS02B_WP_BY_WP = 0x0105
    CS02B_TCOS_BY_TCOS = 0x0106
    CS02B_SUPPLIER_BY_TCOS = 0x0107
    CS02B_ANY_BY_RECOVERY = 0x0108
    CS02B_ANY_BY_CONTINGENCY = 0x0109
    DBCH01 = 0x010A
    DBCH02 = 0x010B
    DBCH03 = 0x010C
    DBCH04 = 0x010D
    DBCH05 = 0x010E
    CCS06 = 0x010F
    DBCH06 = 0x0110
    DBCH07 = 0x0111
    DBCH08 = 0x0112
    DBCH09 = 0x0113
    DBCH10 = 0x0114
    DBCH11 = 0x0115
    ECS46D = 0x011A
    CS02F = 0x011B
    ECS61D = 0x011C
    ECS61E = 0x011D
    ECS47A = 0x011E
    ECS47E = 0x011F
    ECS100 = 0x0120
    ECS101 = 0x0121
    ECS102 = 0x0122
    ECS200 = 0x0123
    CS02G_ALERT = 0x0124
    CS02G_LC_BY_LC = 0x0125
    CS02G_LC_BY_SUPPLIER = 0x0126
    CCS08 = 0x0128
    CS08 = 0x0129
    GCS60A = 0x012A
    CS09 = 0x012B
    GCA = 0x1000
    GNCA = 0x1001


#: Member of MessageCode | use case | category, a variant with its command/response/alert
#: protection | payload | devices | date-time in every response | SRVs | title
_TABLE: Final = """
CCS01 | CCS01 | SME.C.NC | DLMS | CHF | - | 8.11 | Add Device to CHF device log
CCS02 | CCS02 | SME.C.NC | DLMS | CHF | - | 8.11 | Remove device from CHF device log
CCS03 | CCS03 | SME.C.NC | DLMS | CHF | - | 8.12.1 | Restore CHF Device Log
CCS05_CCS04 | CCS05/CCS04 | SME.C.NC | DLMS | CHF | - | 8.9 | Read CHF Device Log and Joining State
CS01A | CS01a | SME.C.NC | DLMS | ESME | dated | 2.2 | Apply Prepayment Top Up to an ESME
CS02A | CS02a | variant M,S/M,S/- | ASN1 | ESME GSME CHF | - | 6.24.1 | Provide Security Credentials Details
CS02C | CS02c | SME.C.C | ASN1 | ESME | - | 6.17 | Issue Security Credentials
CS02D | CS02d | SME.C.C | ASN1 | ESME | - | 6.15.2 | Update Device Certificates on Device
CS02E | CS02e | variant S+M/S/- | ASN1 | ESME | - | 6.24.2 | Provide Device Certificates from Device
CS03A1 | CS03A1 | SME.C.C | ASN1 | ESME | - | 8.7.1 | Method A Join (Meter)
CS03B | CS03B | SME.C.NC | ASN1 | GSME | - | 8.7.2 | Method B Join
CS04AC | CS04AC | SME.C.C | ASN1 | ESME PPMID | - | 8.8.1 8.8.2 | Method A or C Unjoin
CS04B | CS04B | SME.C.NC | ASN1 | GSME | - | 8.8.2 | Method B Unjoin
CS06 | CS06 | SME.C.C | ASN1 | ESME GSME HCALCS | dated | 11.3 | Activate Firmware
CS07 | CS07 | SME.C.NC | ASN1 | GSME | - | 8.9 | Read Device Join Details
CS10A | CS10a | SME.C.NC | GBZ | GSME | - | 6.13 | Read ZigBee Device Event Log
CS11 | CS11 | SME.C.NC | GBZ | GSME | - | 3.3 | Clear ZigBee Device Event Log
CS14 | CS14 | SME.A.NC | DLMS | CHF | - | - | Device Addition To / Removal From HAN Whitelist Alerts
ECS01A | ECS01a | SME.C.C | DLMS | ESME | dated | 1.1.1 | Set Tariff and Price on ESME
ECS02 | ECS02 | SME.C.C | DLMS | ESME | dated | 1.6 | Set ESME Payment Mode to Credit
ECS03 | ECS03 | SME.C.C | DLMS | ESME | dated | 1.6 | Set ESME Payment Mode to Prepayment
ECS04A | ECS04a | SME.C.C | DLMS | ESME | - | 1.5 | Adjust Meter Balance on the ESME
ECS05 | ECS05 | SME.C.C | DLMS | ESME | - | 1.7 | Reset Tariff Block Counter Matrix
ECS07 | ECS07 | SME.C.C | DLMS | ESME | - | 2.3 | Manage Debt on the ESME
ECS08 | ECS08 | SME.C.C | DLMS | ESME | dated | 2.1 | Update Prepayment Configuration on ESME
ECS09 | ECS09 | SME.C.C | DLMS | ESME | - | 2.5 | Activate Emergency Credit Remotely on ESME
ECS10 | ECS10 | SME.C.NC | DLMS | ESME | - | 3.1 | Send Message to ESME
ECS12 | ECS12 | SME.C.NC | DLMS | ESME | - | 3.2 | Set Change of Tenancy date on ESME
ECS14 | ECS14 | SME.C.NC | DLMS | ESME | - | 3.5 | Disable Privacy PIN Protection on ESME
ECS15A | ECS15a | SME.C.NC | DLMS | ESME | - | 3.3 | Clear ESME Event Log
ECS16 | ECS16 | SME.C.NC | DLMS | ESME | - | 3.4 | Write Supplier Contact Details on ESME
ECS17A | ECS17a | SME.C.NC | DLMS | ESME | dated | 4.2 | Read ESME Energy Registers (Export Energy)
ECS17B | ECS17b | SME.C.NC | DLMS | ESME | dated | 4.1.1 | Read ESME Energy Registers (Import Energy)
ECS17C | ECS17c | SME.C.NC | DLMS | ESME | dated | 4.16 | Read ESME Energy Registers (Power)
ECS17D | ECS17d | SME.C.NC | DLMS | ESME | dated | 4.1.2 | Read ESME Energy Register (TOU)
ECS17E | ECS17e | SME.C.NC | DLMS | ESME | dated | 4.1.3 | Read ESME Energy Register (TOU with Blocks)
ECS18A | ECS18a | SME.C.NC | DLMS | ESME | dated | 4.12.2 | Read Maximum Demand Registers (export)
ECS18B | ECS18b | SME.C.NC | DLMS | ESME | dated | 4.12.1 | Read Maximum Demand Registers (import)
ECS19 | ECS19 | SME.C.NC | DLMS | ESME | dated | 4.3 | Read ESME Prepayment Registers
ECS20A | ECS20a | SME.C.NC | DLMS | ESME | - | 4.4.4 | Read ESME Billing Data Log (payment based debt payments)
ECS20B | ECS20b | SME.C.NC | DLMS | ESME | - | 4.4.2 | Read ESME Billing Data Log (change of mode / tariff triggered exc export)
ECS20C | ECS20c | SME.C.NC | DLMS | ESME | - | 4.4.3 | Read ESME Billing Data Log (billing calendar triggered exc export)
ECS21A | ECS21a | SME.C.NC | DLMS | ESME | - | 4.6.1 | Read Electricity Daily Read Log (exc export)
ECS21B | ECS21b | SME.C.NC | DLMS | ESME | - | 4.14 | Read Electricity (Prepayment) Daily Read Log
ECS21C | ECS21c | SME.C.NC | DLMS | ESME | - | 4.6.2 | Read Electricity Daily Read Log (export only)
ECS22A | ECS22a | SME.C.NC | DLMS | ESME | - | 4.8.3 | Read Electricity Half Hour Profile Data (export)
ECS22B | ECS22b | SME.C.NC | DLMS | ESME | - | 4.8.1 | Read Electricity Half Hour Profile Data (active import)
ECS22C | ECS22c | SME.C.NC | DLMS | ESME | - | 4.8.2 | Read Electricity Half Hour Profile Data (reactive import)
ECS23 | ECS23 | SME.C.NC | DLMS | ESME | dated | 4.10 | Read Voltage Operational Data
ECS24 | ECS24 | SME.C.NC | DLMS | ESME | - | 4.11.1 | Read ESME Tariff Data
ECS26A | ECS26a | SME.C.NC | DLMS | ESME | - | 4.13 | Read ESME Configuration Data Prepayment
ECS26B | ECS26b | SME.C.NC | DLMS | ESME | - | 6.2.1 | Read ESME Configuration Voltage Data
ECS26C | ECS26c | SME.C.NC | DLMS | ESME | - | 6.2.2 | Read ESME Configuration Data Device Information (randomisation)
ECS26D | ECS26d | SME.C.NC | DLMS | ESME | - | 6.2.3 | Read ESME Configuration Data Device Information (Billing Calendar)
ECS26E | ECS26e | SME.C.NC | DLMS | ESME | - | 6.2.4 | Read ESME Configuration Data Device Information (device identity exc MPAN)
ECS26F | ECS26f | SME.C.NC | DLMS | ESME | - | 6.2.5 | Read ESME Configuration Data Device Information (instantaneous power thresholds)
ECS27 | ECS27 | SME.C.NC | DLMS | ESME | - | 4.15 | Read ESME Load Limit Data
ECS28A | ECS28a | SME.C.C | DLMS | ESME | dated | 6.4.1 | Set Load Limit Configurations - General Settings
ECS28B | ECS28b | SME.C.NC | DLMS | ESME | - | 6.4.2 | Set Load Limit Configuration Counter Reset
ECS29A | ECS29a | SME.C.NC | DLMS | ESME | - | 6.5 | Set Voltage Configurations on ESME
ECS30 | ECS30 | SME.C.C | DLMS | ESME | - | 6.8 | Set Billing Calendar on the ESME
ECS34 | ECS34 | SME.C.NC | DLMS | ESME | - | 6.12 | Set Instantaneous Power Threshold Configuration
ECS35A | ECS35a | SME.C.NC | DLMS | ESME | - | 6.13 | Read ESME Event Log
ECS35B | ECS35b | SME.C.NC | DLMS | ESME | - | 6.13 | Read ESME Security Log
ECS37 | ECS37 | SME.C.NC | DLMS | ESME | - | 6.18.1 | Set Maximum Demand Configurable Time Period
ECS38 | ECS38 | SME.C.C | DLMS | ESME | - | 7.12 | Update Randomised Offset Limit
ECS39A | ECS39a | SME.C.NC | DLMS | ESME | - | 6.20.1 | Set MPAN Value on the ESME
ECS39B | ECS39b | SME.C.NC | DLMS | ESME | - | 6.20.2 | Set Export MPAN Value on the ESME
ECS40 | ECS40 | SME.C.NC | DLMS | ESME | - | 6.2.7 | Read MPAN Value on the ESME
ECS42 | ECS42 | SME.C.C | DLMS | ESME | - | 7.1 | Remotely Close the Load Switch on the ESME
ECS43 | ECS43 | SME.C.C | DLMS | ESME | - | 7.2 | Remotely Open the Load Switch on the ESME
ECS44 | ECS44 | SME.C.C | DLMS | ESME | - | 7.3 | Arm Load Switch in ESME
ECS45 | ECS45 | SME.C.NC | DLMS | ESME | - | 7.4 | Read Status of Load Switch in the ESME
ECS46A | ECS46a | SME.C.C | DLMS | ESME | - | 6.14.1 | Set Auxiliary Controller Descriptions
ECS46C | ECS46c | SME.C.C | DLMS | ESME | dated | 6.14.2 | Set HC ALCS and ALCS configuration in ESME (excluding labels)
ECS47 | ECS47 | SME.C.C | DLMS | ESME | - | 7.5 7.6 7.8 | Set or Reset HC ALCS or ALCS State
ECS50 | ECS50 | SME.C.NC | DLMS | ESME | - | 9.1 | Send CIN to ESME
ECS52 | ECS52 | SME.C.NC | DLMS | ESME SAPC CHF | - | 11.2 | Read ESME/SAPC/CHF Firmware Version
ECS57 | ECS57 | SME.C.NC | DLMS | ESME | - | 6.18.2 | Reset ESME Maximum Demand Registers
ECS61C | ECS61c | SME.C.NC | DLMS | ESME | - | 7.11 | Read Boost Function Data
ECS62 | ECS62 | SME.C.NC | DLMS | ESME | - | 7.10 7.9 | Set ALCS/APC and Boost Function Association
ECS66 | ECS66 | SME.C.NC | DLMS | ESME | - | 4.17 | Read ESME Daily Consumption Log
ECS68 | ECS68 | SME.A.C | DLMS | ESME | - | - | ESME Critical Sensitive Alert (Billing Data Log)
ECS70 | ECS70 | SME.C.C | DLMS | ESME | - | 6.11 8.1.1 | Set Clock on ESME
ECS80 | ECS80 | SME.A.C | DLMS | ESME | - | - | Supply Outage Restore Alert from ESME
ECS81 | ECS81 | SME.C.C | DLMS | ESME | - | 6.25 | Set Supply Tamper State on ESME
ECS82 | ECS82 | SME.C.NC | DLMS | ESME | - | 4.18 | Read Meter Balance for ESME
GCS01A | GCS01a | SME.C.C | GBZ | GSME | dated | 1.1.1 | Set Tariff and Price on GSME
GCS02 | GCS02 | SME.C.C | GBZ | GSME | dated | 1.6 | Set GSME Payment Mode to Credit
GCS03 | GCS03 | SME.C.C | GBZ | GSME | dated | 1.6 | Set GSME Payment Mode to Prepayment
GCS04 | GCS04 | SME.C.C | GBZ | GSME | - | 2.3 | Manage Debt on the GSME
GCS05 | GCS05 | SME.C.C | GBZ | GSME | dated | 2.1 | Update Prepayment Configurations on GSME
GCS06 | GCS06 | SME.C.C | GBZ | GSME | - | 2.5 | Activate Emergency Credit Remotely on GSME
GCS07 | GCS07 | SME.C.NC | GBZ | GSME | - | 3.1 | Send Message to GSME
GCS09 | GCS09 | SME.C.NC | GBZ | GPF | - | 3.2 | Set Change of Tenancy date on GPF
GCS11 | GCS11 | SME.C.NC | GBZ | GSME | - | 3.5 | Disable Privacy PIN Protection on GSME
GCS13A | GCS13a | SME.C.NC | GBZ | GPF GSME | dated | 4.1.1 | Read GSME Consumption Register
GCS14 | GCS14 | SME.C.NC | GBZ | GPF GSME | dated | 4.3 | Read GSME Prepayment Register(s)
GCS15C | GCS15c | SME.C.NC | GBZ | GSME | - | 4.4.3 | Read GSME Billing Data Log (billing calendar triggered)
GCS16A | GCS16a | SME.C.NC | GBZ | GSME | - | 4.6.1 | Read GSME Daily Read log(s)
GCS17 | GCS17 | SME.C.NC | GBZ | GSME | - | 4.8.1 | Read GSME Profile Data Log
GCS18 | GCS18 | SME.C.NC | GBZ | GSME | - | 4.10 | Read Gas Network Data Log
GCS21A | GCS21a | SME.C.NC | GBZ | GSME | - | 6.2.8 | Read Gas Configuration Data Device Information
GCS23 | GCS23 | SME.C.C | GBZ | GSME | - | 6.6 | Set CV and Conversion Factor Value(s) on the GSME
GCS24 | GCS24 | SME.C.C | GBZ | GSME | - | 6.7 | Set Uncontrolled Gas Flow Rate and Supply Tamper State on the GSME
GCS25 | GCS25 | SME.C.C | GBZ | GSME | - | 6.8 | Set Billing Calendar on the GSME
GCS28 | GCS28 | SME.C.C | ASN1 | GSME | - | 6.11 8.1.1 | Set Clock on GSME
GCS31 | GCS31 | SME.C.NC | GBZ | GSME | - | 14.1 | Start Network Data Log on GSME
GCS32 | GCS32 | SME.C.C | GBZ | GSME | - | 7.2 | Remotely close the valve in the GSME
GCS33 | GCS33 | SME.C.NC | GBZ | GSME | - | 7.4 | Read GSME Valve Status
GCS36 | GCS36 | SME.C.NC | GBZ | GSME | - | 9.1 | Send CIN to GSME
GCS38 | GCS38 | SME.C.NC | GBZ | GSME | - | 11.2 | Read GSME Firmware Version
GCS39 | GCS39 | SME.C.C | GBZ | GSME | - | 7.3 | Arm Valve in GSME
GCS40A | GCS40a | SME.C.C | GBZ | GSME | - | 1.5 | Adjust Prepayment Mode Meter Balance on the GSME
GCS41 | GCS41 | SME.C.NC | GBZ | GSME | - | 6.20.1 | Set MPRN Value on the GSME
GCS44 | GCS44 | SME.C.NC | GBZ | GSME | - | 3.4 | Write Contact Details on GSME
GCS46 | GCS46 | SME.C.NC | GBZ | GSME | - | 6.2.7 | Read MPRN on the GSME
GCS53 | GCS53 | SME.A.C | GBZ | GSME | - | - | Push Billing Data Log as an Alert
GCS59 | GCS59 | SME.C.NC | ASN1 | GPF | - | 8.12.2 | Restore GPF Device Log
GCS60 | GCS60 | SME.C.NC | GBZ | GSME | - | 4.18 | Read Meter Balance for GSME
PCS02 | PCS02 | SME.C.PPMID-GSME | GBZ | GSME | - | - | Activate Emergency Credit on GSME from PPMID
ECS26I | ECS26i | SME.C.NC | DLMS | CHF | - | 6.2.4 | Read Configuration Data Device Information (CHF identity)
ECS35C | ECS35c | SME.C.NC | DLMS | CHF | - | 6.13 | Read CHF Event Log
ECS35D | ECS35d | SME.C.NC | DLMS | CHF | - | 6.13 | Read CHF Security Log
GCS16B | GCS16b | SME.C.NC | GBZ | GPF GSME | - | 4.14 | Read GSME Daily Read log(s) (prepayment)
CS01B | CS01b | SME.C.NC | GBZ | GSME | dated | 2.2 | Apply Prepayment Top Up to a GSME
PCS01 | PCS01 | SME.C.PPMID-GSME | GBZ | GSME | - | - | Apply Prepayment Top Up to a GSME using PPMID
GCS21D | GCS21d | SME.C.NC | GBZ | GSME | - | 6.2.3 | Read GSME Configuration Data Device Information (BillingCalendar)
GCS21E | GCS21e | SME.C.NC | GBZ | GSME | - | 6.2.4 | Read GSME/GPF Configuration Data Device Information (device identity)
GCS21F | GCS21f | SME.C.NC | GBZ | GSME | - | 4.11.1 | Read GSME Tariff Data
GCS61 | GCS61 | SME.C.NC | GBZ | GPF | - | 4.17 | Read gas Daily Consumption Log
CS10B | CS10b | SME.C.NC | GBZ | GSME | - | 6.13 | Read ZigBee Device Security Log
ECS01B | ECS01b | SME.C.C | DLMS | ESME | dated | 1.2.1 | Set Price on ESME
GCS01B | GCS01b | SME.C.C | GBZ | GSME | dated | 1.2.1 | Set Price on GSME
CS03A2 | CS03A2 | SME.C.C | ASN1 | HCALCS PPMID | - | 8.7.1 8.7.2 | Method A Join (non Meter)
ECS25A | ECS25a | SME.C.NC | DLMS | ESME | - | 6.22 | Set Event Behaviours - ESME logging - Supplier
GCS20 | GCS20 | SME.C.NC | GBZ | GSME | - | 6.22 | Set Alert Behaviours - GSME
ECS29B | ECS29b | SME.C.NC | DLMS | ESME | - | 6.5 | Set Voltage Configurations on ESME - 3ph
CS03C | CS03C | SME.C.C | ASN1 | GSME PPMID | - | 8.7.1 8.7.2 | Method C Join
ECS25B | ECS25b | SME.C.NC | DLMS | ESME | - | 6.22 | Set Event Behaviours - ESME logging - Network Operator
GCS62 | GCS62 | SME.A.NC | ASN1 | GPF | - | - | Backup GPF Device Log
ECS04B | ECS04b | SME.C.C | DLMS | ESME | - | 1.5 | Reset Meter Balance on the ESME
GCS40B | GCS40b | SME.C.C | GBZ | GSME | - | 1.5 | Reset Prepayment Mode Meter Balance on the GSME
GCS21B | GCS21b | SME.C.NC | GBZ | GSME | - | 4.13 | Read GSME Configuration Data Prepayment
GCS13C | GCS13c | SME.C.NC | GBZ | GPF GSME | dated | 4.1.2 | Read GSME Register (TOU)
ECS01C | ECS01c | SME.C.C | DLMS | ESME | dated | 1.1.2 | Set Tariff and Price on ESME secondary
GCS13B | GCS13b | SME.C.NC | GBZ | GPF GSME | dated | 4.1.4 | Read GSME Block Counters
ECS35E | ECS35e | SME.C.NC | DLMS | ESME | - | 6.13 | Read ESME Power Event Log
ECS35F | ECS35f | SME.C.NC | DLMS | ESME | - | 6.13 | Read ALCS Event Log
ECS61A | ECS61a | SME.C.NC | DLMS | ESME | - | 7.7 | Read HC ALCS and ALCS Data from ESME
ECS23B | ECS23b | SME.C.NC | DLMS | ESME | dated | 4.10 | Read Voltage Operational Data -3 Phase
ECS24B | ECS24b | SME.C.NC | DLMS | ESME | - | 4.11.2 | Read ESME Tariff Data - second element
ECS26J | ECS26j | SME.C.NC | DLMS | ESME | - | 6.2.9 | Read ESME Configuration Data Device Information (Payment Mode)
GCS21J | GCS21j | SME.C.NC | GBZ | GSME | - | 6.2.9 | Read GSME Configuration Data Device Information (Payment Mode)
GCS40C | GCS40c | SME.C.C | GBZ | GSME | - | 1.5 | Adjust Credit Mode Meter Balance on the GSME
ECS15C | ECS15c | SME.C.NC | DLMS | ESME | - | 3.3 | Clear Auxiliary Controller Event Log
GCS40D | GCS40d | SME.C.C | GBZ | GSME | - | 1.5 | Reset Credit Mode Meter Balance on the GSME
GCS15B | GCS15b | SME.C.NC | GBZ | GSME | - | 4.4.2 | Read GSME Billing Data Log (change of mode / tariff triggered)
GCS15D | GCS15d | SME.C.NC | GBZ | GSME | - | 4.4.4 | Read GSME Billing Data Log (payment-based debt payments)
GCS15E | GCS15e | SME.C.NC | GBZ | GSME | - | 4.4.5 | Read GSME Billing Data Log (prepayment credits)
ECS26K | ECS26k | SME.C.NC | DLMS | ESME | - | 6.2.1 | Read ESME Configuration Voltage Data - 3 phase
ECS01D | ECS01d | SME.C.C | DLMS | ESME | dated | 1.2.2 | Set Price on ESME secondary
ECS20D | ECS20d | SME.C.NC | DLMS | ESME | - | 4.4.5 | Read ESME Billing Data Log (prepayment credits)
CS06_ALERT | CS06 alert | SME.A.C | ASN1 | ESME GSME HCALCS | - | - | Future Dated Firmware Activation Alert
CS02B_ALERT | CS02b alert | SME.A.C | ASN1 | ESME | - | - | Future Dated Security Credentials Alert
FUTURE_DATED_DLMS_ALERT | DLMS future-dated alert | SME.A.C | DLMS | ESME SAPC | - | - | Future Dated Command Alert (DLMS)
FUTURE_DATED_GBZ_ALERT | GBZ future-dated alert | SME.A.C | GBZ | GSME | - | - | Future Dated Command Alert (GBZ)
FDRA_DLMS | FDRA | SME.A.C | DLMS | ESME | - | - | Firmware Distribution Receipt Alert (ESME)
FDRA_GBZ | FDRA | SME.A.C | GBZ | GSME | - | - | Firmware Distribution Receipt Alert (GSME)
ECS29C | ECS29c | SME.C.NC | DLMS | ESME | - | 6.5 | Set Voltage Configurations on ESME without counter reset
ECS29D | ECS29d | SME.C.NC | DLMS | ESME | - | 6.5 | Set Voltage Configurations on polyphase ESME without counter reset
ECS29E | ECS29e | SME.C.NC | DLMS | ESME | - | 6.27 | Reset RMS Voltage Counters on ESME
ECS29F | ECS29f | SME.C.NC | DLMS | ESME | - | 6.27 | Reset RMS Voltage Counters on polyphase ESME
ECS30A | ECS30a | SME.C.C | DLMS | ESME | - | 6.8 | Set Billing Calendar on the ESME - all periodicities
GCS25A | GCS25a | SME.C.C | GBZ | GSME | - | 6.8 | Set Billing Calendar on the GSME - all periodicities
ECS26L | ECS26l | SME.C.NC | DLMS | ESME | - | 6.2.3 | Read ESME Configuration Data Device Information (Billing Calendar - all periodicities)
GCS21K | GCS21k | SME.C.NC | GBZ | GSME | - | 6.2.3 | Read GSME Configuration Data Device Information (BillingCalendar - all periodicities)
ECS48 | ECS48 | SME.C.C | DLMS | ESME | - | 6.26 | Configure daily resetting of Tariff Block Counter Matrix
ECS08A | ECS08a | SME.C.C | DLMS | ESME | dated | 2.1 | Update Prepayment Configuration on ESME
ECS25A1 | ECS25a1 | SME.C.NC | DLMS | ESME | - | 6.22 | Set Event Behaviours - ESME to HAN Device - Supplier
ECS25A2 | ECS25a2 | SME.C.NC | DLMS | ESME | - | 6.22 | Set Event Behaviours - ESME audible alarm - Supplier
ECS25A3 | ECS25a3 | SME.C.NC | DLMS | ESME | - | 6.22 | Set Event Behaviours - ESME logging - Supplier
ECS25B3 | ECS25b3 | SME.C.NC | DLMS | ESME | - | 6.22 | Set Event Behaviours - ESME logging - Network Operator
ECS25R1 | ECS25r1 | SME.C.NC | DLMS | ESME | - | 6.2.10 | Read non-critical event and alert behaviours - ESME - Supplier
ECS25R2 | ECS25r2 | SME.C.NC | DLMS | ESME | - | 6.2.10 | Read non-critical event and alert behaviours - ESME - Network Operator
MIIWA_DLMS | MIIWA | SME.A.NC | DLMS | ESME | - | - | Meter Integrity Issue Warning Alert - ESME
GCS20R | GCS20r | SME.C.NC | GBZ | GSME | - | 6.2.10 | Read non-critical event and alert behaviours - GSME - Supplier
MIIWA_GBZ | MIIWA | SME.A.NC | GBZ | GSME | - | - | Meter Integrity Issue Warning Alert - GSME
ECS26M | ECS26m | SME.C.NC | DLMS | ESME | - | 6.2.4 | Read ESME Configuration Data Device Information (identity, type and supply tamper state)
ECS26N | ECS26n | SME.C.NC | DLMS | CHF | - | 6.2.4 | Read CHF Configuration Data Device Information (CH identity and type)
GCS21M | GCS21m | SME.C.NC | GBZ | GSME | - | 6.2.4 | Read GSME Configuration Data Device Information (identity, type and supply tamper / depletion state)
GCS24A | GCS24a | SME.C.C | GBZ | GSME | - | 6.7 | Set Uncontrolled Gas Flow Rate at greater resolution and Supply Tamper State on the GSME
ECS35G | ECS35g | SME.C.NC | DLMS | ESME | - | 6.13 | Read Auxiliary Controller Event Log
CCS07 | CCS07 | SME.C.NC | DLMS | CHF | - | 8.9 | Read CHF Device Logs
CS02B_ROOT_BY_SUPPLIER | CS02b | variant S+M/S/- | ASN1 | ESME | dated | - | Update Security Credentials: Root by Supplier
CS02B_ROOT_BY_WP | CS02b | variant S+M/S/- | ASN1 | CHF | dated | - | Update Security Credentials: Root by WAN Provider
CS02B_SUPPLIER_BY_SUPPLIER | CS02b | variant S+M/S/- | ASN1 | ESME GPF | dated | 6.15.1 6.21 | Update Security Credentials: Supplier by Supplier
CS02B_NO_BY_NO | CS02b | variant S+M/S/- | ASN1 | ESME GPF | dated | 6.15.1 6.21 | Update Security Credentials: Network Operator by Network Operator
CS02B_ACB_BY_ACB | CS02b | variant M/S/- | ASN1 | ESME | dated | 8.5 | Update Security Credentials: ACB by ACB
CS02B_WP_BY_WP | CS02b | variant S+M/S/- | ASN1 | CHF | dated | - | Update Security Credentials: WAN Provider by WAN Provider
CS02B_TCOS_BY_TCOS | CS02b | variant S+M/S/- | ASN1 | ESME | dated | - | Update Security Credentials: Transitional CoS by Transitional CoS
CS02B_SUPPLIER_BY_TCOS | CS02b | variant S+M/S/- | ASN1 | ESME | dated | 6.23 | Update Security Credentials: Supplier by Transitional CoS
CS02B_ANY_BY_RECOVERY | CS02b | variant S/S/- | ASN1 | ESME | dated | - | Update Security Credentials: Any by Recovery
CS02B_ANY_BY_CONTINGENCY | CS02b | variant S/S/- | ASN1 | ESME | dated | - | Update Security Credentials: Any by Contingency
DBCH01 | DBCH01 | SME.C.NC | DLMS | CHF | - | 6.31 | Read CHF Sub GHz Channel
DBCH02 | DBCH02 | SME.C.NC | DLMS | CHF | - | 6.32 | Read CHF Sub GHz Channel Log
DBCH03 | DBCH03 | SME.C.NC | DLMS | CHF | - | 6.30 | Read CHF Sub GHz Configuration
DBCH04 | DBCH04 | SME.C.NC | DLMS | CHF | - | 6.28 | Set CHF Sub GHz Configuration
DBCH05 | DBCH05 | SME.C.NC | DLMS | CHF | - | 6.29 | Request CHF Sub GHz Channel Scan
CCS06 | CCS06 | SME.C.NC | DLMS | CHF | - | 8.9 | Read CHF device log and check HAN communications
DBCH06 | DBCH06 | SME.A.NC | DLMS | CHF | - | - | Limited Duty Cycle Action Taken Sub GHz Alert
DBCH07 | DBCH07 | SME.A.NC | DLMS | CHF | - | - | Sub GHz Channel Changed Sub GHz Alert
DBCH08 | DBCH08 | SME.A.NC | DLMS | CHF | - | - | Sub GHz Channel Scan Request Assessment Outcome Sub GHz Alert
DBCH09 | DBCH09 | SME.A.NC | DLMS | CHF | - | - | Sub GHz Configuration Changed Sub GHz Alert
DBCH10 | DBCH10 | SME.A.NC | DLMS | CHF | - | - | Message Discarded Due to Duty Cycle Management Sub GHz Alert
DBCH11 | DBCH11 | SME.A.NC | DLMS | CHF | - | - | No More Sub GHz Device Capacity Sub GHz Alert
ECS46D | ECS46d | SME.C.C | DLMS | ESME SAPC | dated | 6.14.3 | Set Auxiliary Controller Calendar
CS02F | CS02f | variant M,S/M,S/- | ASN1 | ESME SAPC | - | 6.24.1 | Provide Security Credential Details
ECS61D | ECS61d | SME.C.NC | DLMS | ESME | - | 7.14 | Read Auxiliary Controller Configuration Data
ECS61E | ECS61e | SME.C.NC | DLMS | ESME | - | 7.15 | Read Auxiliary Controller Operational Data
ECS47A | ECS47a | SME.C.C | DLMS | ESME | - | 7.13 | Set Auxiliary Controller [n] State
ECS47E | ECS47e | SME.C.C | DLMS | ESME | - | 7.16 | Limit APC [n] Level
ECS100 | ECS100 | variant -/-/S | DLMS | SAPC | - | - | Command not supported by Device
ECS101 | ECS101 | SME.A.C | DLMS | ESME | - | - | Limit APC [n] Level Command processed
ECS102 | ECS102 | SME.A.C | DLMS | ESME SAPC | - | - | Limit APC [n] Level ended or cancelled
ECS200 | ECS200 | SME.A.C | DLMS | ESME | - | - | Operational Update
CS02G_ALERT | CS02g alert | SME.A.C | ASN1 | ESME SAPC | - | - | Future Dated Load Controller Credentials Alert
CS02G_LC_BY_LC | CS02g | variant S+M/S/- | ASN1 | SAPC | dated | - | Update Load Controller Security Credentials: by Load Controller
CS02G_LC_BY_SUPPLIER | CS02g | variant S+M/S/- | ASN1 | ESME | dated | 6.15.1 | Update Load Controller Security Credentials: by Supplier
CCS08 | CCS08 | variant -/-/S | ASN1 | CHF | - | - | Firmware Transfer Alert
CS08 | CS08 | variant M/M/- | ASN1 | HCALCS PPMID | - | 11.2 | Read PPMID/HCALCS Firmware Version
GCS60A | GCS60a | SME.C.NC | GBZ | GPF GSME | dated | 4.18 | Read Meter Balance for GSME (with time)
CS09 | CS09 | SME.A.C | ASN1 | PPMID | - | - | PPMID Firmware Activation Alert
GCA | GCA | SME.A.C | DLMS GBZ | ESME GSME | - | - | Generic Critical Alert
GNCA | GNCA | SME.A.NC | DLMS GBZ | ESME GSME | - | - | Generic Non Critical Alert
"""  # noqa: E501 - one row of the table is one line

_PROTECTION: Final[dict[str, Allowed]] = {
    "-": (),
    "M": (Protection.MAC,),
    "S": (Protection.SIGNATURE,),
    "S+M": (Protection.SIGNATURE | Protection.MAC,),
    "M,S": (Protection.MAC, Protection.SIGNATURE),
}


def _row(line: str) -> MessageRow:
    name, use_case, rule, payload, devices, dated, srvs, title = line.split(" | ")
    category = Category(rule.split()[0])
    if category is Category.VARIANT:
        command, response, alert = (_PROTECTION[part] for part in rule.split()[1].split("/"))
    else:
        command, response, alert = CATEGORY_RULE[category]
    return MessageRow(
        code=int(MessageCode[name]),
        use_case=use_case,
        title=title,
        srvs=() if srvs == "-" else tuple(srvs.split()),
        category=category,
        payload=tuple(PayloadKind(kind) for kind in payload.split()),
        devices=tuple(devices.split()),
        command=command,
        response=response,
        alert=alert,
        response_date_time=dated == "dated",
    )


#: Message code -> its row.
MESSAGES: Final[Mapping[int, MessageRow]] = MappingProxyType(
    {row.code: row for row in map(_row, _TABLE.strip().splitlines())}
)
