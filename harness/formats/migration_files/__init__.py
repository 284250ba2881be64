"""The files of a SMETS1 migration: as values, as XML, signed, encrypted, and checked."""
