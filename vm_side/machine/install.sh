#!/bin/sh
# After a boot the model's container runs again, and loads before anybody asks: as root.
set -eu
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
systemctl daemon-reload
systemctl enable dots-ocr-model.service
