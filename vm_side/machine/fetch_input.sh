#!/usr/bin/env bash
# Make a folder of our home a mirror of the bucket's: fetch_input.sh BUCKET FOLDER. Only one runs at
# a time; the next one then finds nothing to do.
#
# Anybody who may put pages into the bucket can give an object any name, and gcloud uses it as a
# path: it follows .. out of the folder, and fails at a line break. Such names are skipped.
set -u
no_file='(?s)(.*/)?\.?\.?(/.*)?$|.*[\x00-\x1f\x7f-\x9f]' # Python's syntax; an empty part, . or ..
umask 077
state=$HOME/.dots-ocr folder=$2
mkdir -p "$state" "$HOME/$folder"
exec 8>"$state/input.lock"
flock 8
gcloud storage rsync --quiet --recursive --delete-unmatched-destination-objects \
  --exclude "$no_file" "$1/$folder" "$HOME/$folder" >"$state/input.log" 2>&1 && exit 0

# A bucket has no folder without objects: if the bucket itself is there, the folder is empty.
name=${1#gs://}
if grep -q "Did not find existing container" "$state/input.log" &&
  gcloud storage ls "gs://${name%%/*}" >/dev/null 2>&1; then
  find "$HOME/$folder" -mindepth 1 -delete
else
  tail -n 5 "$state/input.log" >&2
  exit 1
fi
