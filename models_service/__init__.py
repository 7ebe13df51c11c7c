"""The model service: engines, training and evaluation. Knows nothing of Django, users or HTTP routes."""
