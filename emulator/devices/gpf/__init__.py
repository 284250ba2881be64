"""The emulated GPF."""
