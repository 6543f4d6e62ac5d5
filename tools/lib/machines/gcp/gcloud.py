"""The user's gcloud: we need it for ssh, which only gcloud can set up."""

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
            "gcloud is not installed, or not on PATH",
            "https://cloud.google.com/sdk/docs/install; cron: see docs/commands.md#cron",
        ) from error


def refuse_without_login() -> None:
    """Raise Failure unless gcloud is here and logged in: without it no VM can be reached."""
    done = run_gcloud(["gcloud", "auth", "print-access-token", "--quiet"])
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise Failure(
            f"gcloud: {said[0] if said else 'no login'}",
            "gcloud auth login; cron: see docs/commands.md#cron",
        )
