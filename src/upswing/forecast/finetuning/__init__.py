"""Forecasts from models that were finetuned before an ability emerges."""
