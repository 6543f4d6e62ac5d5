#!/bin/sh
# Turn the machine off when nothing has happened for so many minutes: idle.sh HOME MINUTES ENDPOINT
# Run by a timer every minute, as root. It needs no cloud permission: a machine that is off is not
# billed. Something happens when a job runs, the model works on a request, a client of ours looked
# in, or somebody types in a terminal. A dead ssh connection does not count: it may look alive for
# hours.
state=$1/.dots-ocr minutes=$2 endpoint=$3
worked=/run/dots-ocr-worked # its time: when work was last seen, or the first look after the boot

works() {
  [ -e "$state/job.lock" ] && ! flock --nonblock "$state/job.lock" true && return 0
  python3 - "$endpoint" "$state/api-key" <<'PYTHON'
import os, re, sys, urllib.request
endpoint, key_file = sys.argv[1:]
headers = {}
if os.path.exists(key_file):
    headers["Authorization"] = "Bearer " + open(key_file).read().strip()
try:
    request = urllib.request.Request(endpoint + "/metrics", headers=headers)
    text = urllib.request.urlopen(request, timeout=5).read().decode()
except OSError:
    sys.exit(1)
running = re.findall(r"^vllm:num_requests_running(?:{[^}]*})? ([0-9.e+]+)$", text, re.M)
sys.exit(0 if any(float(number) > 0 for number in running) else 1)
PYTHON
}

recent() { [ -n "$(find "$@" -mmin "-$minutes" 2>/dev/null)" ]; }

if works || [ ! -e "$worked" ]; then
  touch "$worked"
elif ! recent "$worked" "$state/seen" && ! recent /dev/pts -name '[0-9]*'; then
  logger "dots-ocr: idle for $minutes minutes, turning off" 2>/dev/null
  shutdown -h now
fi
