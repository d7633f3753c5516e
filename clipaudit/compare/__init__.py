"""Runs side by side: what got better, what got worse, what cannot be told; which items flipped.

results.py    what a comparison is, typed      pairwise.py   one run against the base, finding by finding
board.py      many runs by finding             compare.py    all of it
"""
