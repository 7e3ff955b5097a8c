"""Landing ANEEL's open data anew, by a run of Dagster's."""
