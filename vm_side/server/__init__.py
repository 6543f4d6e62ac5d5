"""One request to the model server, and how many at once. May import: picture."""
