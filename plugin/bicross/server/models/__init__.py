"""The bundles that are served, and where they lie."""
