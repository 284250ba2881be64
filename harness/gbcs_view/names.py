"""SMETS names of the COSEM objects that GBCS payloads touch."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

#: Interface class, logical name, SMETS object.
#: Source: GBCS use-case tables as of reference gbcs-cosem-objects.tsv.
_OBJECTS: Final = """
1 0-0:0.2.1.255 Firmware Version
1 0-0:94.44.0.0 Randomised Offset
1 0-0:94.44.0.1 Randomised Offset Limit
1 0-0:94.44.0.11 Auxiliary Controller[1]
1 0-0:94.44.0.12 Auxiliary Controller[2]
1 0-0:94.44.0.13 Auxiliary Controller[3]
1 0-0:94.44.0.14 Auxiliary Controller[4]
1 0-0:94.44.0.15 Auxiliary Controller[5]
1 0-0:94.44.0.2 Randomised Offset Number
1 0-0:94.44.0.21 Auxiliary Controller[1]
1 0-0:94.44.0.22 Auxiliary Controller[2]
1 0-0:94.44.0.23 Auxiliary Controller[3]
1 0-0:94.44.0.24 Auxiliary Controller[4]
1 0-0:94.44.0.25 Auxiliary Controller[5]
1 0-0:94.44.0.31 Auxiliary Controller[1]
1 0-0:94.44.0.32 Auxiliary Controller[2]
1 0-0:94.44.0.33 Auxiliary Controller[3]
1 0-0:94.44.0.34 Auxiliary Controller[4]
1 0-0:94.44.0.35 Auxiliary Controller[5]
1 0-0:94.44.0.4 Supply Tamper State
1 0-0:94.44.10.0 Sub G Hz Configuration Settings
1 0-0:94.44.10.1 CHF Sub G Hz Channel Scan
1 0-0:94.44.10.2 Operating Sub G Hz Channel
1 0-0:94.44.117.1 Auxiliary Controller[1]
1 0-0:94.44.117.2 Auxiliary Controller[1]
1 0-0:94.44.117.3 Auxiliary Proportional Controller[1]
1 0-0:94.44.117.4 Auxiliary Proportional Controller[1]
1 0-0:94.44.118.1 Auxiliary Controller[2]
1 0-0:94.44.118.2 Auxiliary Controller[2]
1 0-0:94.44.118.3 Auxiliary Proportional Controller[2]
1 0-0:94.44.118.4 Auxiliary Proportional Controller[2]
1 0-0:94.44.119.1 Auxiliary Controller[3]
1 0-0:94.44.119.2 Auxiliary Controller[3]
1 0-0:94.44.119.3 Auxiliary Proportional Controller[3]
1 0-0:94.44.119.4 Auxiliary Proportional Controller[3]
1 0-0:94.44.120.1 Auxiliary Controller[4]
1 0-0:94.44.120.2 Auxiliary Controller[4]
1 0-0:94.44.120.3 Auxiliary Proportional Controller[4]
1 0-0:94.44.120.4 Auxiliary Proportional Controller[4]
1 0-0:94.44.121.1 Auxiliary Controller[5]
1 0-0:94.44.121.2 Auxiliary Controller[5]
1 0-0:94.44.121.3 Auxiliary Proportional Controller[5]
1 0-0:94.44.121.4 Auxiliary Proportional Controller[5]
1 0-0:94.44.3.1 Disable Privacy Pin Protection
1 0-0:94.44.3.2 restrict Data Date Time
1 0-0:94.44.34.1 Tariff TOU Register Collection
1 0-0:94.44.34.10 Import Register Collection
1 0-0:94.44.34.11 Meter Point Administration Number (combined MPANS)
1 0-0:94.44.34.2 Tariff Block TOU Register Collection
1 0-0:94.44.34.20 Power Import Collection
1 0-0:94.44.34.30 Prepayment Balance Collection
1 0-0:94.44.5.0 Maximum Demand (Configurable Time) Active Power Import Value
1 0-0:94.44.5.1 Maximum Demand Active Energy Import Value
1 0-0:94.44.5.2 Maximum Demand Active Power Export Value
1 0-0:94.44.6.1 Boost Function Control[1]
1 0-0:94.44.6.2 Boost Function Control[2]
1 0-0:94.44.6.3 Boost Function Control[3]
1 0-0:94.44.6.4 Boost Function Control[4]
1 0-0:94.44.6.5 Boost Function Control[5]
1 0-0:94.44.7.255 Boost Function Availability
1 0-0:96.1.2.255 Meter Variant
1 0-0:96.1.4.255 Model Type (Comms Hub)
1 0-0:96.1.6.255 CH Manufacturer Identifier
1 0-2:96.13.1.255 Supplier Message
1 0-30:97.98.11.255 Alerts Configuration Settings - Supplier
1 0-30:97.98.12.255 Alerts Configuration Settings - Supplier
1 0-30:97.98.13.255 Events Configuration Settings - Supplier
1 0-30:97.98.14.255 Events Configuration Settings - Supplier
1 0-30:97.98.15.255 Alerts Configuration Settings - Supplier
1 0-30:97.98.16.255 Alerts Configuration Settings - Supplier
1 0-30:97.98.17.255 Events Configuration Settings - Supplier
1 0-30:97.98.18.255 Events Configuration Settings - Supplier
1 0-33:97.98.11.255 Alerts Configuration Settings - DNO
1 0-33:97.98.14.255 Events Configuration Settings - Network Operator
1 0-33:97.98.15.255 Alerts Configuration Settings - Network Operator
1 0-33:97.98.18.255 Events Configuration Settings - Network Operator
1 0-3:96.13.1.255 Customer Identification Number
1 1-0:0.0.2.255 Meter Point Administration Number (Export MPAN)
1 1-0:32.31.0.4 (Phase[1]) Average RMS Under Voltage Threshold
1 1-0:32.35.0.4 (Phase[1]) Average RMS Over Voltage Threshold
1 1-0:52.31.0.4 (Phase[2]) Average RMS Under Voltage Threshold
1 1-0:52.35.0.4 (Phase[2]) Average RMS Over Voltage Threshold
1 1-0:72.31.0.4 (Phase[3]) Average RMS Under Voltage Threshold
1 1-0:72.35.0.4 (Phase[3]) Average RMS Over Voltage Threshold
3 0-0:94.44.1.7 (Primary) Active Tariff Price
3 0-0:94.44.1.8 Secondary Active Tariff Price
3 0-0:94.44.42.255 Load Limit Counter
3 1-0:2.8.0.255 Active Export Register
3 1-0:32.32.0.4 (Phase[1]) Average RMS Under Voltage Counter
3 1-0:32.36.0.4 (Phase[1]) Average RMS Over Voltage Counter
3 1-0:4.8.0.255 Reactive Export Register
3 1-0:52.32.0.4 (Phase[2]) Average RMS Under Voltage Counter
3 1-0:52.36.0.4 (Phase[2]) Average RMS Over Voltage Counter
3 1-0:72.32.0.4 (Phase[3]) Average RMS Under Voltage Counter
3 1-0:72.36.0.4 (Phase[3]) Average RMS Over Voltage Counter
4 1-0:1.6.0.255 Maximum Demand Active Energy Import Value
4 1-0:1.6.1.255 Maximum Demand (Configurable Time) Active Power Import Value
4 1-0:2.6.0.255 Maximum Demand Active Power Export Value
7 0-0:94.44.10.3 Sub G Hz Channel Log
7 0-0:98.1.0.255 Billing Data Log (Billing Calendar Triggered Exc Export)
7 0-0:98.1.1.255 Billing Data Log (Billing Calendar Triggered Exc Export)
7 0-0:98.1.10.255 Daily Read Log (export)
7 0-0:98.1.2.255 Billing Data Log (Set Payment Mode Or Tariff Triggered Financial Exc Export)
7 0-0:98.1.4.255 Billing Data Log (mostrecent Payment Based Debt Repayment)
7 0-0:98.1.5.255 Billing Data Log (mostrecent Prepayment Credits)
7 0-0:98.1.8.255 Prepayment Daily Read Log
7 0-0:98.1.9.255 Daily Read Log (exc Export)
7 0-0:99.1.0.255 Profile Data Log (Active Energy Imported In Period)
7 0-0:99.1.1.255 Profile Data Log (Export)
7 0-0:99.1.2.255 Profile Data Log (Reactive Import)
7 0-0:99.1.3.255 Daily Consumption Log
7 0-0:99.98.0.255 Event Log (inc GPF)
7 0-0:99.98.1.255 Security Log (CHF)
7 0-0:99.98.20.255 Boost Function Event Log
7 0-0:99.98.4.255 Power Event Log
7 0-17:99.98.2.255 Auxiliary Controller Event Log
7 1-0:32.24.0.255 (Phase[1]) Average RMS Voltage Profile Data Log
7 1-0:52.24.0.255 (Phase[2]) Average RMS Voltage Profile Data Log
7 1-0:72.24.0.255 (Phase[3]) Average RMS Voltage Profile Data Log
8 0-0:1.0.0.255 Time
9 0-0:10.0.100.255 Tariff Block[1to4] Counter Matrix TOU[1to8]
9 0-0:10.0.103.255 Auxiliary Controller[n]
9 0-0:10.0.106.255 Supply State
9 0-0:10.0.107.255 Auxiliary Proportional Controller[n]
10 0-0:12.0.0.255 Maximum Demand Configurable Time Period
10 0-0:12.0.1.255 Non-Disablement Calendar
10 0-0:12.0.2.255 Auxiliary Controller Calendar
10 0-1:12.0.1.255 Non-Disablement Calendar
10 0-1:12.0.2.255 Auxiliary Controller Calendar
11 0-0:11.0.0.255 Tariff Switching Table (Special Days)
11 0-0:11.0.1.255 Tariff Switching Table (Secondary Element) (Special Days)
11 0-0:11.0.2.255 Non-Disablement Calendar (Special Days)
11 0-0:11.0.3.255 Auxiliary Controller Calendar (Special Days)
11 0-1:11.0.0.255 Tariff Switching Table (Special Days)
11 0-1:11.0.1.255 Tariff Switching Table (Secondary Element) (Special Days)
11 0-1:11.0.2.255 Non-Disablement Calendar (Special Days)
11 0-1:11.0.3.255 Auxiliary Controller Calendar (Special Days)
20 0-0:13.0.0.255 Tariff Switching Table
20 0-0:13.0.1.255 Tariff Switching Table (Secondary Element)
21 0-0:16.0.0.255 Low Medium Power Threshold
21 0-0:16.0.1.255 Disablement Threshold (Meter Balance)
21 0-0:16.0.11.255 Tariff Threshold Matrix Blocks[1to3] TOU[1]
21 0-0:16.0.12.255 Tariff Threshold Matrix Blocks[1to3] TOU[2]
21 0-0:16.0.13.255 Tariff Threshold Matrix Blocks[1to3] TOU[3]
21 0-0:16.0.14.255 Tariff Threshold Matrix Blocks[1to3] TOU[4]
21 0-0:16.0.15.255 Tariff Threshold Matrix Blocks[1to3] TOU[5]
21 0-0:16.0.16.255 Tariff Threshold Matrix Blocks[1to3] TOU[6]
21 0-0:16.0.17.255 Tariff Threshold Matrix Blocks[1to3] TOU[7]
21 0-0:16.0.18.255 Tariff Threshold Matrix Blocks[1to3] TOU[8]
21 0-0:16.1.11.255 Tariff Threshold Matrix Blocks[1to3] TOU[1]
21 0-0:16.1.12.255 Tariff Threshold Matrix Blocks[1to3] TOU[2]
21 0-0:16.1.13.255 Tariff Threshold Matrix Blocks[1to3] TOU[3]
21 0-0:16.1.14.255 Tariff Threshold Matrix Blocks[1to3] TOU[4]
21 0-0:16.1.15.255 Tariff Threshold Matrix Blocks[1to3] TOU[5]
21 0-0:16.1.16.255 Tariff Threshold Matrix Blocks[1to3] TOU[6]
21 0-0:16.1.17.255 Tariff Threshold Matrix Blocks[1to3] TOU[7]
21 0-0:16.1.18.255 Tariff Threshold Matrix Blocks[1to3] TOU[8]
22 0-0:15.0.0.255 Billing Calendar
22 0-0:15.1.0.255 Tariff Block Counter Matrix
30 0-0:43.2.1.255 Prepayment Balance Collection
30 0-0:43.2.10.255 Tariff Block TOU Register Collection
30 0-0:43.2.11.255 Billing Data Log (Set Payment Mode Or Tariff Triggered Financial Exc Export)
30 0-0:43.2.2.255 Billing Data Log (Billing Calendar Triggered Exc Export)
30 0-0:43.2.3.255 Billing Data Log (Set Payment Mode Or Tariff Triggered Financial Exc Export)
30 0-0:43.2.4.255 Daily Consumption Log
30 0-0:43.2.5.255 Daily Read Log (exc Export)
30 0-0:43.2.6.255 Prepayment Daily Read Log
30 0-0:43.2.7.255 Profile Data Log (Active Energy Imported In Period)
30 0-0:43.2.8.255 Import Register Collection
30 0-0:43.2.9.255 Tariff TOU Register Collection
70 0-0:96.3.10.255 Supply State
71 0-0:17.0.0.255 Load Limit Power Threshold
71 0-0:17.0.1.255 RMS Extreme Over Voltage Threshold
71 0-0:17.0.2.255 RMS Extreme Under Voltage Threshold
71 0-0:17.0.3.255 RMS Voltage Sag Threshold
71 0-0:17.0.4.255 RMS Voltage Swell Threshold
104 0-0:30.3.0.255 Device Log (CHF)
104 0-0:30.3.1.255 Historic Device Log (CHF)
111 0-0:19.0.0.255 Payment Mode
111 0-1:19.0.0.255 Suspend Debt Disabled / Suspend Debt Emergency / Payment Mode
112 0-0:19.10.0.255 Meter Balance
112 0-0:19.10.1.255 Emergency Credit
112 0-0:19.10.2.255 Accumulated Debt Register
113 0-0:19.20.0.255 Tariff Block Price Matrix TOU
113 0-0:19.20.1.255 Debt Recovery Rates[1]
113 0-0:19.20.2.255 Debt Recovery Rates[2]
113 0-0:19.20.3.255 Debt Recovery per Payment
113 0-0:19.20.4.255 Standing Charge
113 0-0:19.20.5.255 Secondary Tariff TOU Price Matrix
115 0-0:19.40.0.255 Prepayment Credit
9000 0-0:63.1.1.255 Tariff Threshold Matrix
9000 0-0:94.44.0.3 Load Limit Supply State
9000 0-0:94.44.128.12 Debt Recovery Rate Cap
9000 0-0:94.44.128.13 Debt Recovery Rate Cap
9000 0-0:94.44.128.2 Emergency Credit Limit
9000 0-0:94.44.128.22 Disablement Threshold (Meter Balance)
9000 0-0:94.44.128.26 Auxiliary Controller Calendar
9000 0-0:94.44.128.28 Non-Disablement Calendar
9000 0-0:94.44.128.29 Tariff Switching Table (Special Days)
9000 0-0:94.44.128.3 Emergency Credit Threshold
9000 0-0:94.44.128.30 Tariff Switching Table (Secondary Element) (Special Days)
9000 0-0:94.44.128.31 Non-Disablement Calendar (Special Days)
9000 0-0:94.44.128.35 Auxiliary Controller Calendar (Special Days)
9000 0-0:94.44.128.6 Load Limit Period (Timer)
9000 0-0:94.44.128.7 Load Limit Power Threshold
9000 0-0:94.44.128.8 Load Limit Restoration Period (Timer)
9000 0-0:94.44.128.9 Low Credit Threshold
9000 0-0:94.44.2.0 Currency Unit
9000 0-0:94.44.2.10 Prepayment Credit (Maximum Credit Threshold)
9000 0-0:94.44.2.20 Prepayment Credit (Max Meter Balance)
9000 0-0:96.13.0.255 Contact Details
9000 0-0:96.13.1.255 Contact Details
"""

#: (class, logical name as printed) -> SMETS object.
OBJECTS: Final[Mapping[tuple[int, str], str]] = MappingProxyType(
    {
        (int(class_id), obis): name
        for class_id, obis, name in (row.split(" ", 2) for row in _OBJECTS.strip().splitlines())
    }
)
