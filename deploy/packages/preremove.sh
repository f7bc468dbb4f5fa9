#!/bin/sh
# Run by dpkg as "remove" or "upgrade", by rpm as 0 for a removal and 1 for an upgrade.
set -e

case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now hookgate.service || true
	fi
	;;
esac
