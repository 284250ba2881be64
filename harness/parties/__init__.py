"""The organisations of the industry, each with keys of its own."""
