"""Learning without clean images, and what else a trained denoiser can do."""
