"""The course of a SMETS1 migration: states, steps, hand-over, testing, rollback, resubmission."""
