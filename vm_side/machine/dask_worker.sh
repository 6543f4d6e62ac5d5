#!/usr/bin/env bash
# Read pages for a scheduler, in a container of the model's image:
#
#   dask_worker.sh CODE PACKAGES IMAGE SCHEDULER ADDRESS NAME THREADS ENDPOINT OPTION…
#
# CODE and PACKAGES are the folders of vm_side/ and of what it imports, ADDRESS is this machine's
# own in the private network; the options go to docker run. It ends when its scheduler is gone.
# A daemon, which Dask's workers are by default, may have no process of its own that computes.
set -u
code=$1 packages=$2 image=$3 scheduler=$4 address=$5 name=$6 threads=$7 endpoint=$8
shift 8
read -ra limit < <(bash "$(dirname "$0")/memory_limit.sh") || limit=()
exec docker run --name dots-ocr-worker --network host --stop-signal TERM "$@" \
  ${limit[@]+"${limit[@]}"} \
  --env HOME=/tmp --env PYTHONPATH=/packages:/vm_side --env PYTHONDONTWRITEBYTECODE=1 \
  --env DASK_DISTRIBUTED__WORKER__DAEMON=False \
  --env "ENDPOINT=$endpoint" --env STORAGE_EMULATOR_HOST \
  --volume "$code:/vm_side:ro" --volume "$packages:/packages:ro" --workdir /tmp \
  --entrypoint python3 "$image" \
  -m distributed.cli.dask_worker "$scheduler" --nanny --name "$name" --nthreads "$threads" \
  --host "$address" --death-timeout 60 --no-dashboard --local-directory /tmp
