"""The homework of others is read by the checker, in processes of its own, and never imported."""

collect_ignore = ["right", "wrong", "hostile"]
