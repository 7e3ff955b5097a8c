"""What runs, what waits for somebody, what was kept. Not here: who may call (auth/)."""
