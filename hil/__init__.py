"""Hardware in the loop: adapters to real devices (none is built yet; see docs/architecture.md)."""
