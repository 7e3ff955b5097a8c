"""All datasets, by id.

Belongs here: the list, looking one up. Not here: a declaration (aneel.py and its neighbours).
"""

from loaders.open_data import aneel
from loaders.open_data.dataset import Dataset

DATASETS: dict[str, Dataset] = {d.id: d for d in aneel.DATASETS}
