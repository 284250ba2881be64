"""What a request names stands in the decoded pre-command, by name."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.dates import decode_date_time
from emulator.codecs.gbcs.envelope import Cra
from emulator.codecs.gbcs.named import leaves
from emulator.codecs.gbcs.named_payload import named_payload
from emulator.codecs.gbcs.payload import decode_payload
from emulator.codecs.gbcs.use_cases import MESSAGES
from emulator.core.clock import to_zigbee_seconds
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.smets1_bodies import Prepayment
from harness.formats.duis.transforms import account_bodies as account
from harness.formats.duis.transforms.outcome import PreCommand
from harness.formats.duis.transforms.transform import transform
from tests.harness.formats.transforms import transforms_given as given
from tests.harness.formats.transforms.made_bodies import BODIES
from tests.sampling import examples

_E, _G = DeviceType.ESME, DeviceType.GSME
Values = dict[str, list[Any]]


def _added(body: Any) -> int:
    change = body.balance.change
    return 0 if isinstance(change, account.Reset) else change


def _gas_mode(body: Any) -> Values:
    prepays = isinstance(body.mode, Prepayment)
    at = body.execution_time
    return {
        "cut_off_value": [body.mode.disablement_threshold_millipence if prepays else -1],
        "implementation_date_time": [0 if at is None else to_zigbee_seconds(at)],
    }


def _mode(body: Any) -> Values:
    if not isinstance(body.mode, Prepayment):
        return {"mode": [1]}
    threshold = body.mode.disablement_threshold_millipence
    return {"mode": [2], "passive_disablement_threshold_millipence": [threshold]}


def _electricity_debts(body: Any) -> Values:
    return {
        "debt_1_adjust": [body.time_debt_1],
        "debt_2_adjust": [body.time_debt_2],
        "payment_debt_adjust": [body.payment_debt],
        "debt_per_payment": [body.per_payment],
        "price": [
            body.electricity_1.scale,
            body.electricity_1.rate,
            body.electricity_2.scale,
            body.electricity_2.rate,
        ],
    }


def _gas_debts(body: Any) -> Values:
    return {
        "debt_amount": [body.time_debt_1, body.time_debt_2, body.payment_debt],
        "debt_recovery_amount": [body.gas_1.rate, body.gas_2.rate, 0],
    }


def _level(name: str, script: str) -> Callable[[Any], Values]:
    def values(body: Any) -> Values:
        kind = 2 if body.inward else 1
        return {
            f"{name.format(body.controller)}_begin": [body.begin],
            f"{name.format(body.controller)}_end": [body.end],
            script: [kind << 12 | body.controller << 8 | body.level],
        }

    return values


def _flow(body: Any) -> Values:
    return {
        "uncontrolled_flow_threshold": [body.flow.rate],
        "stabilisation_period_ds": [body.stabilisation],
        "measurement_period_s": [body.measurement_s],
        "supply_tamper_state": [0 if body.tamper == "Locked" else 3],
        "supply_depletion_state": [0 if body.depletion == "Locked" else 3],
    }


#: Service and device -> what a body says, by the names of the decoded pre-command.
SAID: Mapping[tuple[str, DeviceType], Callable[[Any], Values]] = {
    ("1.5", _G): lambda body: {"credit_adjustment_value": [_added(body)]},
    ("1.6", _E): _mode,
    ("1.6", _G): _gas_mode,
    ("2.3", _E): _electricity_debts,
    ("2.3", _G): _gas_debts,
    ("6.4.1", _E): lambda body: {
        "passive_load_limit_period_s": [body.period_s],
        "passive_load_limit_threshold_w": [body.threshold_w],
        "passive_load_limit_restoration_s": [body.restoration_s],
    },
    ("6.6", _G): lambda body: {
        "calorific_value": [body.calorific],
        "conversion_factor": [body.conversion],
    },
    ("6.7", _G): _flow,
    ("6.8", _G): lambda body: {
        "billing_period_start_time": [to_zigbee_seconds(body.calendar.start)],
        "block_period_start_time": [to_zigbee_seconds(body.calendar.start)],
    },
    ("6.14.1", _E): lambda body: {
        f"aux_controller_{one.index}_description": [one.name.encode()] for one in body.descriptions
    },
    ("7.5", _E): lambda body: {f"aux_controller_{body.load.index}_begin": [body.load.duration_min]},
    ("7.6", _E): lambda body: {f"aux_controller_{body.load.index}_end": [body.load.duration_min]},
    ("7.12", _E): lambda body: {"randomised_offset_limit_s": [body.limit_s]},
    ("7.13", _E): _level("aux_controller_{}", "controller_script"),
    ("7.16", _E): _level("apc_{}_limit", "apc_limit_script"),
    ("8.1.1", _E): lambda body: {
        "begin": [body.now],
        "end": [body.now + body.tolerance_s * 1000],
    },
}


def decoded(made: PreCommand) -> Values:
    """Return the leaves of a pre-command's payload by name."""
    env = envelope.decode(made.octets)
    value = decode_payload(MESSAGES[made.code], Cra.COMMAND, env.payload)
    found: Values = {}
    for _path, part, said in leaves(named_payload(value, made.code, Cra.COMMAND)):
        moment = isinstance(said, bytes) and part.type == "date_time" and said[4] == 0xFF  # type: ignore[union-attr] # leaves have types
        is_one = moment and said[:2] not in {b"\0\0", b"\xff\xff"}
        found.setdefault(part.name, []).append(decode_date_time(said)[0] if is_one else said)
    return found


@pytest.mark.parametrize("row", sorted(SAID), ids=" ".join)
@settings(max_examples=examples(20), deadline=None)
@drawn(data=st.data())
def test_the_decoded_pre_command_names_the_values_of_the_request(
    row: tuple[str, DeviceType], data: Any
) -> None:
    service, device = row
    body = data.draw(BODIES[row])
    asked = given.asked(service, body, RequestId(given.SUPPLIER, given.TARGETS[device], 7))
    made = transform(asked, given.context(twin=True))
    assert isinstance(made, PreCommand), made
    found = decoded(made)
    wanted = SAID[row](body)
    assert {name: found.get(name) for name in wanted} == wanted
