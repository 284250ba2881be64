"""What is learnt of a HAN by listening: frames as heard, a census, statistics, a capture file."""
