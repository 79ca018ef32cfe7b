"""The curves of every metric when only the loss falls smoothly: Schaeffer et al., section 2."""
