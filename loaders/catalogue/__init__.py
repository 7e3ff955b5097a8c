"""What ANEEL publishes of the BDGD, and our own copies of it.

Belongs here: the catalogue (Hub, CKAN), titles, which vintages are wanted, the archive on disk.
Not here: landing a file (loaders/bdgd), building and publishing (dagster_pipeline).
"""
