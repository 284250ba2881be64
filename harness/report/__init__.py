"""One record of a run, many renderings."""
