"""The job grid: what is to be computed, and a runner that computes it on this machine."""
