"""Names of COSEM objects, attributes and methods, as reports and comparisons print them.

Source:
    Class, attribute and method names: DLMS UA Blue Book interface classes, known. Object names of
    the SMETS1 profile: reference serial-dlms.md section 8.2 (illustrative; no maker's list).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from emulator.codecs.dlms.access import print_obis
from emulator.codecs.dlms.apdu_parts import Descriptor
from harness.gbcs_view import names as gbcs_names

#: Class | name | attributes from 2 on | methods from 1 on; "-" leaves a number out.
_CLASSES: Final = """
1|data|value|
3|register|value,scaler and unit|reset
4|extended register|value,scaler and unit,status,capture time|reset
5|demand register|current average,last average,scaler and unit,status,capture time,start time,\
period,number of periods|reset,next period
7|profile|buffer,capture objects,capture period,sort method,sort object,entries in use,\
profile entries|reset,capture
8|clock|time,time zone,status,daylight saving begin,daylight saving end,daylight saving deviation,\
daylight saving enabled,clock base|adjust to quarter,adjust to measuring period,adjust to minute,\
adjust to preset time,preset adjusting time,shift time
9|script table|scripts|execute
10|schedule|entries|enable or disable,insert,delete
11|special days table|entries|insert,delete
15|association|object list,associated partners,application context,xDLMS context,\
authentication mechanism,secret,association status,security setup reference|\
reply to HLS authentication,change HLS secret,add object,remove object
17|SAP assignment|SAP assignment list|connect logical device
18|image transfer|image block size,image transferred blocks status,first block not transferred,\
image transfer enabled,image transfer status,image to activate info|image transfer initiate,\
image block transfer,image verify,image activate
19|local port setup|default mode,default baud,proposed baud,response time,device address,\
password P1,password P2,password W5|
20|activity calendar|active calendar name,active season profile,active week profile,\
active day profile,passive calendar name,passive season profile,passive week profile,\
passive day profile,activate passive calendar time|activate passive calendar
21|register monitor|thresholds,monitored value,actions|
22|single action schedule|executed script,type,execution time|
23|HDLC setup|communication speed,window size transmit,window size receive,\
maximum information length transmit,maximum information length receive,inter-octet time-out,\
inactivity time-out,device address|
30|data protection|protection buffer,protection object list,get parameters,set parameters,\
required protection|get protected attributes,set protected attributes,invoke protected method
64|security setup|security policy,security suite,client system title,server system title,\
certificates|security activate,key transfer
70|disconnect control|output state,control state,control mode|remote disconnect,remote reconnect
71|limiter|monitored value,active threshold,normal threshold,emergency threshold,\
minimal over threshold duration,minimal under threshold duration,emergency profile,\
emergency profile groups,emergency profile active,actions|
111|account|mode and status,current credit in use,current credit status,available credit,\
amount to clear,clearance threshold,aggregated debt,credit references,charge references,\
credit charge configuration,token gateway configuration,activation time,closure time,currency,\
low credit threshold,next credit available threshold,maximum provision,maximum provision period|\
activate account,close account,reset account
112|credit|current credit amount,credit type,priority,warning threshold,limit,configuration,status,\
preset credit amount,credit available threshold,period|update amount,set amount to value,\
invoke credit
113|charge|total amount paid,charge type,priority,active unit charge,passive unit charge,\
unit charge activation time,period,configuration,last collection time,last collection amount,\
total amount remaining,proportion|update unit charge,activate passive unit charge,collect,\
update total amount remaining,set total amount remaining
115|token gateway|token,token time,token description,token delivery method,token status|enter
"""
_OBJECTS: Final = """
1 0-0:42.0.0.255 Logical device name
15 0-0:40.0.0.255 Current association
17 0-0:41.0.0.255 SAP list
64 0-0:43.0.0.255 Security setup
1 0-0:43.1.0.255 Invocation counter
8 0-0:1.0.0.255 Clock
1 0-0:96.1.0.255 Serial number
1 0-0:96.1.1.255 EUI-64
1 1-0:0.2.0.255 Firmware version
3 1-0:1.8.0.255 Active import
3 1-0:2.8.0.255 Active export
3 1-0:3.8.0.255 Reactive import
3 1-0:4.8.0.255 Reactive export
3 1-0:1.7.0.255 Active power import
3 1-0:2.7.0.255 Active power export
3 1-0:32.7.0.255 Voltage
3 1-0:31.7.0.255 Current
4 1-0:1.6.0.255 Maximum demand
7 1-0:99.1.0.255 Load profile
7 1-0:98.1.0.255 Billing log
7 0-0:99.98.0.255 Event log
7 0-0:99.98.1.255 Security log
20 0-0:13.0.0.255 Activity calendar
11 0-0:11.0.0.255 Special days
9 0-0:10.0.100.255 Tariff scripts
70 0-0:96.3.10.255 Supply
71 0-0:17.0.0.255 Load limit
111 0-0:19.0.0.255 Prepayment account
112 0-0:19.10.0.255 Meter balance
112 0-0:19.10.1.255 Emergency credit
112 0-0:19.10.2.255 Accumulated debt
115 0-0:19.40.0.255 Top-up
18 0-0:44.0.0.255 Image transfer
23 0-0:22.0.0.255 HDLC setup
19 0-0:20.0.0.255 Optical port setup
"""
_TOU_REGISTERS: Final = range(1, 49)


def _classes() -> dict[int, tuple[str, tuple[str, ...], tuple[str, ...]]]:
    table = {}
    for row in _CLASSES.strip().splitlines():
        number, name, attributes, methods = row.split("|")
        table[int(number)] = (name, tuple(attributes.split(",")), tuple(methods.split(",")))
    return table


_TABLE: Final = MappingProxyType(_classes())
OBJECTS: Final[Mapping[tuple[int, str], str]] = MappingProxyType(
    {
        (int(row.split(" ", 2)[0]), row.split(" ", 2)[1]): row.split(" ", 2)[2]
        for row in _OBJECTS.strip().splitlines()
    }
    | {(3, f"1-0:1.8.{number}.255"): f"Active import rate {number}" for number in _TOU_REGISTERS}
    | {(113, f"0-0:19.20.{number}.255"): f"Charge {number}" for number in range(6)}
)


def class_name(class_id: int) -> str:
    """Return the name of an interface class, or its number."""
    return _TABLE[class_id][0] if class_id in _TABLE else f"class {class_id}"


def object_name(class_id: int, obis: bytes) -> str:
    """Return what an object is called: our name, the GBCS tables' name, or its class."""
    key = (class_id, print_obis(obis))
    return OBJECTS.get(key) or gbcs_names.OBJECTS.get(key) or class_name(class_id)


def attribute_name(class_id: int, index: int) -> str:
    """Return the name of an attribute, or ``attribute N``."""
    if index == 1:
        return "logical name"
    names = _TABLE[class_id][1] if class_id in _TABLE else ()
    return names[index - 2] if 2 <= index < len(names) + 2 else f"attribute {index}"


def method_name(class_id: int, index: int) -> str:
    """Return the name of a method, or ``method N``."""
    names = _TABLE[class_id][2] if class_id in _TABLE else ()
    found = names[index - 1] if 1 <= index < len(names) + 1 else ""
    return found or f"method {index}"


def member_name(target: Descriptor, *, method: bool = False) -> str:
    """Return the name of the attribute or method of ``target``."""
    name = method_name if method else attribute_name
    return name(target.class_id, target.index)


def target_text(target: Descriptor, *, method: bool = False) -> str:
    """Return ``Active import, value (3 / 1-0:1.8.0.255 a2)``."""
    told = object_name(target.class_id, target.obis)
    letter = "m" if method else "a"
    where = f"{target.class_id} / {print_obis(target.obis)} {letter}{target.index}"
    return f"{told}, {member_name(target, method=method)} ({where})"
