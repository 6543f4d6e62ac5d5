#!/usr/bin/env bash
# While the model loads: copy the bucket's pages here, then ask the model one tiny thing as soon as
# it answers, since the first request takes longest. Nobody waits for this, or hears how it ended:
# `make process` does both anyway.
#
#   prepare.sh BUCKET FOLDER TIMEOUT_S OPTION…    BUCKET may be empty; the options are status.py's
set -u
bucket=$1 folder=$2 timeout_s=$3
shift 3
exec 7>"$HOME/.dots-ocr/prepare.lock"
flock --nonblock 7 || exit 0 # one is enough
cd "$HOME/vm_side" || exit 1
[ -z "$bucket" ] || bash machine/fetch_input.sh "$bucket" "$folder"
deadline=$(($(date +%s) + timeout_s))
until python3 -B -m machine.status --ask "$@" | grep -q '"model": "[^"]'; do
  [ "$(date +%s)" -lt "$deadline" ] || exit 1
  sleep 3
done
