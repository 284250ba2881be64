"""The ZCL clusters of a gas meter: attributes, commands, registers, account and logs."""
