"""What other readings of a page say against an answer. May import: trust, picture, answer."""
