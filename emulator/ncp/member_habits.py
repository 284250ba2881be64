"""How emulated nodes go about joining: their patience, and what they say where it fails."""

from typing import Final

#: Until a node that has asked for the network key gives up. Source: invented.
KEY_WAIT_MS: Final = 3_000
#: Pause before it tries again while joining is permitted. Source: invented.
RETRY_MS: Final = 2_000
#: Attempts in one window of permission. Source: invented.
ATTEMPTS: Final = 5
#: How long a sleepy node stays awake after it has joined.
AWAKE_MS: Final = 75_000
#: How often a sleepy node asks its parent while it is awake, by the devices' clock (whose wake
#: windows it must fit), and at most by the NCP's. Source: invented.
POLL_MS: Final = 100
LEAST_POLL_MS: Final = 10
#: How much longer than its application wishes a sleepy node listens, by the NCP's clock: hosts and
#: their lines take their time however fast the devices' clocks run, and wake windows shrink with
#: those. Source: invented.
LINGER_MS: Final = 1_000
#: From the network key to the first word of the application, in which the hub's endpoint is
#: looked for; from the link key to that word, in which the hub stores it. Source: invented.
BEGIN_MS: Final = 250

#: Why a node has not joined, in its own words.
NOT_PERMITTED: Final = "joining is not permitted any more"
NO_KEY: Final = "no network key has come"
WRONG_KEY: Final = "the network key came under another link key than the install code's"
REFUSED: Final = {1: "no room", 2: "access denied"}
