"""What the site's evidence pages need beyond the core modules.

- `baselines`: classical denoisers, for comparison
- `pretrain`: stacks of denoising autoencoders as the start of a classifier
- `variations`: harder digits, rotated or in front of noise or photographs
- `photographs`: photographs to train on and to test on
- `comparison`: results as a table, in a notebook and in a terminal
- `tables`: what the studies and the benchmark measured, and how to read it
"""
