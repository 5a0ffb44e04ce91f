"""The documentation's own tests: what only the page builder imports is not collected."""

collect_ignore_glob = ["*.py"]
