"""What to run: the power of a planned study, and the runs that narrow a forecast most."""
