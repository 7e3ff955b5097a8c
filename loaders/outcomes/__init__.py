"""Outcomes of proposals, as a team's CSV says them: who was offered what, and whether it was sold.

Belongs here: that kind of source. Not here: what is learned from them (learning/).
"""
