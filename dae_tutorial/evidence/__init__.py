"""What the site's evidence pages need beyond the core modules.

- `baselines`: classical denoisers, for comparison
- `pretrain`: stacks of denoising autoencoders as the start of a classifier
- `variations`: harder digits, rotated or in front of noise or photographs
- `photographs`: photographs to train on and to test on
- `tables`: what the studies and the benchmark measured, and how to read it
"""
