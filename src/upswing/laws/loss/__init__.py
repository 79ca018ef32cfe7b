"""Loss laws: pretraining loss as a sum of power laws of parameters, tokens or compute."""
