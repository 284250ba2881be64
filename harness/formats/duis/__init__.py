"""DUIS 5.4 service requests, responses and DCC alerts: XML octets to values and back."""
