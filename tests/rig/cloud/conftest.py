"""Fixtures of the rig's own tests."""

from rig.cloud.fixtures import cloud, gce, image_tar

__all__ = ["cloud", "gce", "image_tar"]
