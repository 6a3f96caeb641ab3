"""The ten digits as the strokes of a pen, on a pad of side 1."""

import math


def _arc(x, y, width, height, first, last, count=14):
    """Return points of an ellipse; angles in degrees, 0 to the right, 90 down."""
    angles = [first + (last - first) * i / (count - 1) for i in range(count)]
    return [
        (
            round(x + width * math.cos(math.radians(angle)), 3),
            round(y + height * math.sin(math.radians(angle)), 3),
        )
        for angle in angles
    ]


DRAWN_DIGITS = [
    [_arc(0.5, 0.5, 0.2, 0.32, -90, 270, 24)],
    [[(0.5, 0.16), (0.49, 0.5), (0.48, 0.84)]],
    [[*_arc(0.48, 0.34, 0.2, 0.17, -170, 40), (0.28, 0.82), (0.74, 0.8)]],
    [[*_arc(0.46, 0.33, 0.2, 0.16, -150, 90), *_arc(0.46, 0.66, 0.23, 0.17, -90, 150)]],
    [[(0.36, 0.18), (0.28, 0.52), (0.72, 0.5)], [(0.66, 0.2), (0.6, 0.86)]],
    [[(0.7, 0.18), (0.38, 0.2), (0.34, 0.47), *_arc(0.47, 0.64, 0.22, 0.2, -100, 150)]],
    [[(0.6, 0.16), (0.4, 0.42), *_arc(0.5, 0.66, 0.17, 0.18, 190, -190, 20)]],
    [[(0.26, 0.22), (0.74, 0.2), (0.55, 0.52), (0.46, 0.86)]],
    [
        [
            *_arc(0.5, 0.33, 0.16, 0.16, 90, -270, 18),
            *_arc(0.5, 0.67, 0.19, 0.18, -90, 270, 18),
        ]
    ],
    [[*_arc(0.48, 0.35, 0.18, 0.18, 0, -350, 18), (0.66, 0.4), (0.6, 0.86)]],
]
