"""Who we are to Google, and where its API is, by the variables that gcloud also reads."""

import os
from pathlib import Path

import google.auth
import google.auth.credentials
import google.auth.exceptions
import google.oauth2.credentials

from lib.console import Failure, NoLogin

ENDPOINT_VARIABLE = "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE"
TOKEN_VARIABLE = "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"
ANONYMOUS_VARIABLE = "CLOUDSDK_AUTH_DISABLE_CREDENTIALS"


def api_endpoint() -> str:
    """The address of another API server, scheme and host, if one is set."""
    return os.environ.get(ENDPOINT_VARIABLE, "").removesuffix("/").removesuffix("/compute/v1")


def find_credentials() -> google.auth.credentials.Credentials:
    """Credentials as gcloud's variables say, else Application Default Credentials."""
    if os.environ.get(ANONYMOUS_VARIABLE, "").lower() in ("1", "true", "yes"):
        return google.auth.credentials.AnonymousCredentials()
    if path := os.environ.get(TOKEN_VARIABLE):
        try:
            token = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise no_credentials(f"{TOKEN_VARIABLE}: {error}") from error
        return google.oauth2.credentials.Credentials(token=token)
    try:
        credentials, _ = google.auth.default(
            scopes=["https://www.googleapis.com/auth/cloud-platform"]
        )
    except google.auth.exceptions.GoogleAuthError as error:
        raise no_credentials(str(error).split("\n")[0]) from error
    return credentials


def no_credentials(why: str) -> Failure:
    """Return the error for: Google does not know who we are."""
    return NoLogin(
        f"no Google credentials: {why}",
        "gcloud auth application-default login (and gcloud auth login); cron: see docs/commands.md",
    )
