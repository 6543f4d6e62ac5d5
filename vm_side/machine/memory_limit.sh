#!/usr/bin/env bash
# Print the docker options for a container that opens pages. Beyond this limit, memory is refused to
# the container, and not to the model server beside it.
set -u
[ "$(docker info --format '{{.MemoryLimit}}')" = true ] || exit 0 # docker would warn at each start
total_mib=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' /proc/meminfo) / 1024))
memory_mib=$((total_mib > 16384 ? total_mib - 8192 : total_mib / 2))
echo "--memory ${memory_mib}m --memory-swap ${memory_mib}m"
