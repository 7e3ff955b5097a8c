"""What is new since a last visit. Not here: the lists that say more of each (listings/)."""
