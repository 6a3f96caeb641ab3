"""What a model may be wrapped in, for tests of what writes and reads its weights."""

import pytest
import torch
from torch import nn


class LikeCompiled(nn.Module):
    """What `torch.compile` returns looks like this from outside."""

    def __init__(self, model):
        super().__init__()
        self._orig_mod = model


WRAPPINGS = [
    pytest.param(torch.compile, marks=pytest.mark.slow),  # imports the compiler
    LikeCompiled,
    nn.DataParallel,
    lambda model: nn.DataParallel(LikeCompiled(model)),
    lambda model: LikeCompiled(nn.DataParallel(model)),
]
