"""What crosses a meter's line as trees of named fields, for reports, captures and comparisons."""
