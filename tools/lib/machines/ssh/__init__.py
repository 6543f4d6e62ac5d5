"""A machine that is reached by ssh and has docker. May import: contract, lib, lib.machines."""
