#!/usr/bin/env bash
# On the VM: print the fleet's certificate with its key. Scheduler, workers and job share it. It is
# made the first time. Whoever has it can run code on all of them; SECURITY.md says who that is.
set -eu
umask 077
mkdir -p "$HOME/.dots-ocr"
cd "$HOME/.dots-ocr"
exec 7>fleet.lock
flock 7
if [ ! -s fleet.pem ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
    -subj /CN=dots-ocr-fleet -keyout fleet.key -out fleet.crt 2>fleet.log ||
    { cat fleet.log >&2; exit 1; }
  cat fleet.key fleet.crt >fleet.pem.part
  rm fleet.key fleet.crt
  mv fleet.pem.part fleet.pem
fi
cat fleet.pem
