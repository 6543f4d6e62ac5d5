"""A file -> the picture that the model sees. May import: picture.large, picture.pdf."""
