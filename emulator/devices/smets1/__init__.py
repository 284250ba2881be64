"""SMETS1 devices: DLMS/COSEM servers after an illustrative profile (stand-in)."""
