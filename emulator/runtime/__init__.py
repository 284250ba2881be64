"""What makes emulated devices run: virtual time, the driver, whole installations."""
