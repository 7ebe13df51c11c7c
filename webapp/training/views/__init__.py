"""The pages of the dashboard, a file a noun. Administrators only."""
