"""Made-up tariffs and continuity of the example's distributor, DIST65000.

Landed with the example and gone with it. Belongs here: files named by their dataset. Not here:
landing (loaders/open_data/made_up.py).
"""
