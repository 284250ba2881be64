"""Scenarios of the SMETS1 migration (``MIG-…``): rows as data, one builder, checks everywhere."""
