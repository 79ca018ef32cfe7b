"""The lab: experiments small enough for a laptop that show emergence; they write a store."""
