"""Binary formats: octets in, frozen values out, and back. Construct lives here only."""
