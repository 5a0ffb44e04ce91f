"""The printers: each takes one Scene and gives one string."""
