"""Nouns that the verbs in tools/ share; nothing here is a command."""
