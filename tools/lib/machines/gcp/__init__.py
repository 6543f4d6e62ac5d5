"""A VM of Google Cloud. May import: lib, lib.machines, lib.machines.ssh."""
