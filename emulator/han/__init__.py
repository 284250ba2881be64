"""The virtual HAN: nodes, their radio stacks, the tunnel, the medium."""
