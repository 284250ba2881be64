"""The clusters that an ESME serves on the HAN, out of its model."""
