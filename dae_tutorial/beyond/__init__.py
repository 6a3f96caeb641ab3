"""Without clean images, and beyond denoising."""
