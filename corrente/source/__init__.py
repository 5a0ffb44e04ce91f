"""One circuit in, readable code out: Python, C and JavaScript that run alone."""
