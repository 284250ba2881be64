"""What predicts outcomes: pure functions over profiles, catalogues and clauses."""
