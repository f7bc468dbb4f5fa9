#!/bin/sh
# The user and /var/lib/hookgate, where an embedded store may be, stay: they are an
# operator's to remove.
set -e

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
