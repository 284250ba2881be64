"""What an S1SP or SMSO does on a SMETS1 device for each service request."""
