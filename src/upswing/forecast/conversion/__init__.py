"""From the loss at which an ability emerges to parameters, tokens and compute."""
