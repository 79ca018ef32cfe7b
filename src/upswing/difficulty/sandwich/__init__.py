"""Slice-and-Sandwich: forecasts from the easy and the hard group, and what they are worth."""
