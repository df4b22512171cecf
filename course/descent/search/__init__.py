"""Searching for hyper-parameters as it is done: workers, a master, and a shared folder.

`Search` runs on Dask, on this machine or on any cluster; `bayesian_search` and `hyperband` hand
the same objective to Optuna. Both need the extra: pip install "descent[search]".
"""

from descent.search.claims import ClaimError
from descent.search.folder import Checkpointed, Study, StudyError, Trial
from descent.search.master import Search, run_cluster
from descent.search.space import Range, SpaceError, check_space, draw, narrowed, position
from descent.search.tuning import bayesian_search, hyperband, random_baseline
from descent.search.worker import best_score, run_trial

__all__ = [
    "Checkpointed",
    "ClaimError",
    "Range",
    "Search",
    "SpaceError",
    "Study",
    "StudyError",
    "Trial",
    "bayesian_search",
    "best_score",
    "check_space",
    "draw",
    "hyperband",
    "narrowed",
    "position",
    "random_baseline",
    "run_cluster",
    "run_trial",
]
