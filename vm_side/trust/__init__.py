"""Witnesses: does an answer fit its page?

May import: picture, picture.pdf, answer, trust.ink, trust.text, contract.
"""
