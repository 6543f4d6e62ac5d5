#!/bin/sh
# Install what the machine does by itself, as systemd units: sudo install.sh HOME MINUTES ENDPOINT
# - dots-ocr-model: after a boot the model's container runs again, and loads before anybody asks;
# - dots-ocr-idle: the idle watchdog. MINUTES 0 takes it away.
set -eu
home=$1 minutes=$2 endpoint=$3
units=/etc/systemd/system

cat >"$units/dots-ocr-model.service" <<UNIT
[Unit]
Description=Start the model of dots-ocr that ran before
After=docker.service
Requires=docker.service

[Service]
Type=oneshot
ExecStart=-docker start dots-ocr-model

[Install]
WantedBy=multi-user.target
UNIT
cat >"$units/dots-ocr-idle.service" <<UNIT
[Unit]
Description=Turn the machine off when dots-ocr has been idle

[Service]
Type=oneshot
ExecStart=/usr/local/lib/dots-ocr/idle.sh $home $minutes $endpoint
UNIT
cat >"$units/dots-ocr-idle.timer" <<UNIT
[Unit]
Description=Look every minute whether dots-ocr is idle

[Timer]
OnBootSec=10
OnUnitActiveSec=60
AccuracySec=5

[Install]
WantedBy=timers.target
UNIT
install -D -m 755 "$home/vm_side/machine/idle.sh" /usr/local/lib/dots-ocr/idle.sh
systemctl daemon-reload
systemctl enable dots-ocr-model.service
if [ "$minutes" = 0 ]; then
  systemctl disable --now dots-ocr-idle.timer
else
  systemctl enable --now dots-ocr-idle.timer
fi
