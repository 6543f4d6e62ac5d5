"""A real card under load: by our client, by dots.ocr's own, and by the best possible.

__main__.py is the command. May import: bench, rig, vm_side, lib.plan.
"""
