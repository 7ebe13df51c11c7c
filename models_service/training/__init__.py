"""Fine-tuning: one recipe a task, one loop for all, run as a child process (`python -m models_service.training`)."""
