"""The text of an answer -> cells on the page.

May import: picture, server, contract, picture_files, prompts.
"""

from answer.cells import parse as parse
