"""Is it the metric or the test set? After Schaeffer et al. 2023, arXiv:2304.15004."""
