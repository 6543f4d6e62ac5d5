"""Nouns that the verbs in tools/ share; nothing here is a command.

May import: checks, contract, picture_files, saying, schema, troubles, version, walk,
wanted_pages, lib.machines.
"""

import sys
from pathlib import Path

# For contract, schema and others that both halves use. At the end: the rest is not for us.
sys.path.append(str(Path(__file__).resolve().parents[2] / "vm_side"))
