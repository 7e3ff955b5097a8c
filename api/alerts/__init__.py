"""Alert rules, edited, and alerts that somebody says to have seen. Not here: judging (alerts/)."""
