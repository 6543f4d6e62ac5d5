"""The text of an answer -> cells on the page. May import: picture, server, contract."""

from answer.cells import parse as parse
