"""Words of the field, device models, catalogues and clauses: data and their loaders."""
