"""Measurements side by side with the peers that are installed: medians and ratios, never claims."""
