"""What a denoiser learns, and how to draw new images with it."""
