"""All datasets, by id.

Belongs here: the list. Not here: a declaration (aneel.py and its neighbours).
"""

from loaders.open_data import aneel, ccee, ibge
from loaders.open_data.dataset import Dataset

DATASETS: dict[str, Dataset] = {d.id: d for d in (*aneel.DATASETS, *ibge.DATASETS, *ccee.DATASETS)}
