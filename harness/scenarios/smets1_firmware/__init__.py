"""Firmware of SMETS1 homes: the rows of the matrix that S003, S004 and S001 are about."""
