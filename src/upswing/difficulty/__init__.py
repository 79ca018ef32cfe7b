"""Easy and hard questions apart: why a curve is flat before it soars. After Wu & Lo 2025."""
