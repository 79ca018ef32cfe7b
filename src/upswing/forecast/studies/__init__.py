"""How a forecast fares without parts of its data, and how far in advance it succeeds."""
