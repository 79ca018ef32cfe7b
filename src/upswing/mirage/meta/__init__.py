"""The meta-analysis: emergence scores over many tasks, metrics and families, with base rates."""
