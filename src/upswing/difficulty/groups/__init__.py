"""Questions in groups from easy to hard, from answers or from published tables."""
