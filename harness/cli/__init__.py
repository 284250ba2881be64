"""The smetsbench command line: one module per noun."""
