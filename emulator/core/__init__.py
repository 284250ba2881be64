"""Values every layer shares: identifiers, errors, effects, time, chance, faults."""
