#!/bin/sh
# Run by dpkg as "configure", with the version before where there is one, and by rpm as 1
# for the first installation and 2 for an upgrade.
set -e

# The service runs as this user, which owns its state and nothing else.
if ! getent passwd hookgate >/dev/null; then
	useradd --system --user-group --home-dir /var/lib/hookgate --no-create-home \
		--shell /usr/sbin/nologin --comment Hookgate hookgate
fi

# It is neither enabled nor started: it needs its secrets first. One that runs is drained
# and started as the new version.
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	case "$1:${2-}" in
	configure:?* | 2:*) systemctl try-restart hookgate.service || true ;;
	esac
fi
