"""The phases of a migration by name, and their order by where the hand-over stands."""

from collections.abc import Mapping
from typing import Final

from device_profiles.cohort import HandoverOrder

PLAN: Final = "plan"
AUTHORISE: Final = "authorise"
SEND_COMMON: Final = "send_common"
HAND_OVER: Final = "hand_over"
VALIDATE: Final = "validate"
SEND_GROUP: Final = "send_group"
CHECK_GROUP: Final = "check_group"
AWAIT_CONTACT: Final = "await_contact"
TEST: Final = "test"
COMMISSION: Final = "commission"

_OFFICE: Final = (PLAN, AUTHORISE)
_FILES: Final = (VALIDATE, SEND_GROUP, CHECK_GROUP)
_DEVICES: Final = (AWAIT_CONTACT, TEST, COMMISSION)

#: Where the hand-over stands -> the phases, in order (migration.md 5.1).
ORDERS: Final[Mapping[HandoverOrder, tuple[str, ...]]] = {
    HandoverOrder.BEFORE_FILE_PROCESSING: (
        *_OFFICE,
        SEND_COMMON,
        HAND_OVER,
        *_FILES,
        *_DEVICES,
    ),
    HandoverOrder.AFTER_COMMON_FILE: (
        *_OFFICE,
        SEND_COMMON,
        VALIDATE,
        HAND_OVER,
        SEND_GROUP,
        CHECK_GROUP,
        *_DEVICES,
    ),
    HandoverOrder.FOLDED: (*_OFFICE, SEND_COMMON, *_FILES, *_DEVICES),
}

#: The phases of a resubmission (5.8A): hand-over is skipped, whatever the order.
RESUBMISSION: Final = (SEND_COMMON, *_FILES, *_DEVICES)
