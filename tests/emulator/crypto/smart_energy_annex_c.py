"""The worked examples of key establishment in Zigbee Smart Energy: Annex C.5 and C.6.

The specification was not at hand. The numbers are quoted in public repositories: all of C.5 in the
tests of panweave (Rust) and, but for MAC(U) and the link key, in a copy of ZBOSS' tests; the
ephemeral keys of C.5 in Texas Instruments' Z-Stack; C.6 in panweave (derived values) and the copy
of ZBOSS (keys, certificates, shared secret). Where two quote a number they agree.
"""

from dataclasses import dataclass

from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.crypto.cbke import EphemeralKey
from emulator.crypto.ecqv import Credentials


@dataclass(frozen=True)
class Side:
    """One device of an example: keys and certificate as hex digits."""

    private: str
    public: str
    certificate: str
    ephemeral_private: str
    ephemeral_public: str


@dataclass(frozen=True)
class Example:
    """One example: initiator U, responder V, and what they compute."""

    suite: KeySuite
    authority: str
    u: Side
    v: Side
    z: str
    mac_key: str
    link_key: str
    mac_u: str
    mac_v: str

    def credentials(self, side: Side) -> Credentials:
        return Credentials(
            self.suite,
            bytes.fromhex(side.certificate),
            int(side.private, 16),
            bytes.fromhex(self.authority),
        )

    def ephemeral(self, side: Side) -> EphemeralKey:
        return EphemeralKey(int(side.ephemeral_private, 16), bytes.fromhex(side.ephemeral_public))


C5 = Example(
    KeySuite.CBKE_163,
    authority="0200fde8a7f3d1084224962a4e7c54e69ac3f04da6b8",
    u=Side(
        private="01e9ddb5580cf72ece7f215f0ae594e48df3e7fee8",
        public="03025bba38d0c7b5436b68df728f093e7a1d6c437e6d",
        certificate="020615e07d30eca2dad58002e667d94bc1b422398307"
        "0000000000000002 5445535453454341 01090006000000000000",
        ephemeral_private="0013d36de4b1ea8e22739c381370823f404bff8862",
        ephemeral_public="0300e117c86d0e7cd128b2f34e9076cff24af46d7288",
    ),
    v=Side(
        private="00b8a900fcadebabbfa383b540fce9ed438395eaa7",
        public="030290a1f5c08dad5f2945e335620c7a98fac46666a1",
        certificate="03045fdfc8d85ffb8b3993cb72ddcaa55f00b3e87d6d"
        "0000000000000001 5445535453454341 01090006000000000000",
        ephemeral_private="03d48c7210ddbcc4fb2e5e7a0aa16a0db89540820b",
        ephemeral_public="0306ab52062201d995b8b8591f3f086a3a2e214d845e",
    ),
    z="00e0d2c3ccd5c106a89c4f6cc26a5f7ec9df78a7be",
    mac_key="90f967b22c8357c10c1c04788de9e848",
    link_key="86d58aaa998e2faefaf9fef49606543a",
    mac_u="b82f1f9774740c32f80fcfc3921b6420",
    mac_v="79d5f2ad1c31d4d1ee7cb719ac683c3c",
)
C6 = Example(
    KeySuite.CBKE_283,
    authority="0207a445022d9f39f49bdc38380026a27a9e0a1799313ab28c5c1a1c6b605154db1dff6752",
    u=Side(
        private="00f2561adb39ef49c1d62ef5186c6e0c158a5a45bfce38660931acc3694592d5acde9006",
        public="03030e56f7ade866e76372764ba20a9ff1fe4cae522f94839e70f2adfc1ca3e97f4ddcaf2e",
        certificate="00 84a933b37f018dec 0d 08 1112131415161718 005292a38a ffffffff"
        "0a0b0c0d0e0f1012 88"
        "03076277e2f7e2252b16a0e92b6e8771bb3f207946cbd4a45d9a9df6edab8c796a48e89dec",
        ephemeral_private="0013d36de4b1ea8e22739c381370823f404bff8862b521feca9871fb3691846d361304b4",
        ephemeral_public="0305f3394e15680660eecaa36788d9b6f312b971ce2c9617570bf7dfcd21c97201"
        "7762c332",
    ),
    v=Side(
        private="0151cd0dbcb80474bf7ac9feebe39c7a32a63518938fca9754aae132bc9c73be94a7e1be",
        public="0202f4fa2a3040433c6820299d182a1042e41404e337c57f47716b42dfaf970f1580a04c9b",
        certificate="00 2622a505e8938f27 0d 08 1112131415161718 005292a35b ffffffff"
        "0a0b0c0d0e0f1011 88"
        "0303b4e9dc543a64333c982308022b54e67e2f15f532551b0a11e2e2c1c1d3097a4324e7ed",
        ephemeral_private="03d48c7210ddbcc4fb2e5e7a0aa16a0db89540820b8dc091ab521ea824afe117cade995b",
        ephemeral_public="03009a5131cf5b92a016378c0f7f284ecd47f94010f875d43bf1e9a65474adbfc6"
        "3696a930",
    ),
    z="04f7724a9a77b21d2747ccef68a457e45246c4be9f66fd9425227bcb2cc5180ea9cccb9a",
    mac_key="ed380a00296600fb6b893025de5fd137",
    link_key="aa4689c70be0faf0c9be534abd9f4cdc",
    mac_u="bf7e1a26d4ef7038b56813e465a131c9",
    mac_v="c5b432a9995a092f4449f83613930064",
)
EXAMPLES = (C5, C6)
