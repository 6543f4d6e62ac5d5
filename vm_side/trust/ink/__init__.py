"""What the ink of a page says against an answer. May import: trust, picture, answer."""
