"""DLMS/COSEM: A-XDR data and access services."""
