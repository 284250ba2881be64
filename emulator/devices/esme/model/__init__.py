"""The COSEM object model of an ESME."""
