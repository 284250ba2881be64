"""What a GPF knows of its gas meter."""
