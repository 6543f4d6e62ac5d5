"""A VM of Google Cloud. May import: lib, lib.machines, lib.machines.ssh."""

from lib.machines.gcp.lean import load_what_is_used

load_what_is_used()
