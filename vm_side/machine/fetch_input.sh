#!/usr/bin/env bash
# Make ~/input a mirror of the bucket's: fetch_input.sh BUCKET. One at a time; the next one then
# finds nothing to do.
set -u
state=$HOME/.dots-ocr
mkdir -p "$state" "$HOME/input"
exec 8>"$state/input.lock"
flock 8
gcloud storage rsync --quiet --recursive --delete-unmatched-destination-objects \
  "$1/input" "$HOME/input" >"$state/input.log" 2>&1 && exit 0

# a folder without objects does not exist there: it is empty, if the bucket itself is there
name=${1#gs://}
if grep -q "Did not find existing container" "$state/input.log" &&
  gcloud storage ls "gs://${name%%/*}" >/dev/null 2>&1; then
  find "$HOME/input" -mindepth 1 -delete
else
  tail -n 5 "$state/input.log" >&2
  exit 1
fi
