"""A file -> the picture that the model sees. May import: nothing of ours."""
