"""Where the easy group turns, and where the soar starts."""
