"""Fine-tuning: one recipe a task, one loop for all, run as a child process (`python -m models_service.training`)."""

STOPPED = 75
"""The child's exit status when it was asked to stop and has kept its checkpoint (EX_TEMPFAIL)."""
