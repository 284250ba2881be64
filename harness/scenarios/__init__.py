"""The catalogue of scenarios and the steps they are made of."""
