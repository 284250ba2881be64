"""The reading end of DLMS/COSEM: associations, services and lines, without I/O."""
