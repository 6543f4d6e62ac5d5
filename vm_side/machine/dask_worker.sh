#!/usr/bin/env bash
# Read pages for a scheduler, in a container of the model's image:
#
#   dask_worker.sh CODE PACKAGES PEM IMAGE SCHEDULER ADDRESS NAME THREADS ENDPOINT OPTION…
#
# CODE and PACKAGES are the folders of vm_side/ and of what it imports, PEM is the fleet's
# certificate with its key. ADDRESS is this machine's own in the private network; the worker listens
# only there. The options go to docker run. The worker ends when its scheduler is gone.
set -u
code=$1 packages=$2 pem=$3 image=$4 scheduler=$5 address=$6 name=$7 threads=$8 endpoint=$9
shift 9
read -ra limit < <(bash "$(dirname "$0")/memory_limit.sh") || limit=()
exec docker run --name dots-ocr-worker --label dots_ocr=worker --network host --stop-signal TERM "$@" \
  ${limit[@]+"${limit[@]}"} \
  --env HOME=/tmp --env PYTHONPATH=/packages:/vm_side --env PYTHONDONTWRITEBYTECODE=1 \
  --env DASK_CONFIG=/vm_side/machine/dask.yaml --volume "$pem:/fleet.pem:ro" \
  --env "ENDPOINT=$endpoint" --env STORAGE_EMULATOR_HOST \
  --volume "$code:/vm_side:ro" --volume "$packages:/packages:ro" --workdir /tmp \
  --entrypoint python3 "$image" \
  -m distributed.cli.dask_worker "tls://$scheduler" --nanny --name "$name" --nthreads "$threads" \
  --host "tls://$address" --dashboard-address 127.0.0.1:0 --no-dashboard \
  --death-timeout 60 --local-directory /tmp
