"""Which of two series of models gains an ability first."""
