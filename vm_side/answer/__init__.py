"""The text of an answer -> cells on the page. May import: picture, server, contract."""
