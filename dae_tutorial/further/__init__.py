"""What goes further than the core modules, as the site's pages of that name do.

- `transforms`: the corruptions inside a torchvision pipeline
- `losses`: what is not in torch.nn
- `pretrained`: trained models that come along
- `weights`: trained models on disk
- `checkpoint`: training runs on disk
"""
