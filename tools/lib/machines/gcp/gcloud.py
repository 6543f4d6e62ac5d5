"""The gcloud that the user has: for ssh, which it alone can set up."""

import subprocess

from lib.console import Failure


def run_gcloud(command: list[str]) -> "subprocess.CompletedProcess[str]":
    """Run gcloud, quietly."""
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise Failure(
            "gcloud is not installed", "https://cloud.google.com/sdk/docs/install"
        ) from error
