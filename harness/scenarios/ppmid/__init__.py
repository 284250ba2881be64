"""PPMIDs that can be of both generations, and the life of a display in a SMETS1 home."""
