"""What this project is measured by, beside the notebook that it started from."""
