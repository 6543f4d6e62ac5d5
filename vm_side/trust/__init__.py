"""Witnesses: does an answer fit its page? May import: picture, answer, contract."""
