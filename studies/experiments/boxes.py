"""Does a network that was trained on boxes alone fill them better than a prior does?

The task "box" of the study of priors, with a U-Net that has trained for that task and
for nothing else: on few images, and on all training images once.
"""

from studies.experiments import priors

SEEDS = (0, 1, 2)
PARTS = [{"steps": 117}, {"steps": 469}]
TOY = {"steps": 5, "images": 80}


def study(*, seed: int, steps: int = 469, images: int = 80) -> list[dict]:
    """Train a network on boxes, and fill those of test images.

    Args:
        seed: of the images, boxes, noise, and the training: as in the study of priors.
        steps: batches of 128; 469 are all training images once.
        images: how many are scored.

    Returns:
        The row of its method in the study of priors.

    Examples:
        >>> [row] = study(seed=0, **TOY)
        >>> row["method"], row["steps"]
        ('trained for it', 5)
    """
    method = ("trained for it",)
    rows = priors.study(
        seed=seed, task="box", steps=steps, images=images, methods=method
    )
    return rows[1:]
