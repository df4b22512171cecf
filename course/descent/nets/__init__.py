"""The network that the course trains, and the loop that trains it; numpy alone.

`Network` computes losses, gradients and predictions; `train` runs any optimizer rule on it and
keeps a `History`; `save_checkpoint` and `load_checkpoint` put trainings on disk.
"""

from .checkpoints import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
from .history import History
from .network import Network, refresh_statistics
from .training import Run, train

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "History",
    "Network",
    "Run",
    "load_checkpoint",
    "refresh_statistics",
    "save_checkpoint",
    "train",
]
