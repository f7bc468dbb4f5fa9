#!/usr/bin/env bash
# Redis 7.0.15 (Debian 12) and 8.0.2 (Debian 13). Needs Debian's apt.
#
# A client finds by a script that somebody else's write is done already, and asks with WAIT
# whether a replica has it before it says so. Up to 7.0 every command moved the offset that
# WAIT waits for, and the answer is 0 while the replica lags. Since 7.2 only a command that
# wrote something moves it: behind a script that changed nothing, a new client's WAIT answers
# at once, with the number of replicas, though none of them has the write. The answer to a
# repeated request is the one for which the lag counts most, and the change came without a
# word from the server.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill -CONT $(jobs -p) 2>/dev/null; kill $(jobs -p) 2>/dev/null; wait; rm -rf "$dir"' EXIT
cd "$dir"

# unpack <suite> <folder>: a suite's redis-server with the libraries it is linked with.
unpack() {
	local apt=$dir/$2/apt
	mkdir -p "$apt/etc/preferences.d" "$apt/lists/partial" "$apt/cache/archives/partial" "$dir/$2/root"
	: >"$apt/status"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $1 main" >"$apt/etc/sources.list"
	local options=(-q -o Dir::Etc="$apt/etc" -o Dir::State="$apt" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache"
		-o APT::Sandbox::User=root -o Debug::NoLocking=1 -o Acquire::Languages=none)
	apt-get "${options[@]}" update
	apt-get "${options[@]}" install -y --download-only --no-install-recommends redis-server
	for archive in "$apt"/cache/archives/*.deb; do dpkg-deb -x "$archive" "$dir/$2/root"; done
}

# run <folder> <program> <arguments>: with the C library that the program was built for.
run() {
	local root=$dir/$1/root program=$2 loader libraries
	shift 2
	loader=$(find "$root" -name 'ld-linux*' -type f | head -n 1)
	libraries=$(find "$root" -name 'lib*.so*' -path "*$(basename "$(dirname "$loader")")*" -printf '%h\n' | sort -u | paste -sd :)
	exec "$loader" --library-path "$libraries" "$root/usr/bin/$program" "$@"
}

# until_seen <text> <command>: at most 20 s.
until_seen() {
	for _ in $(seq 200); do
		if "${@:2}" 2>/dev/null | grep -q "$1"; then return; fi
		sleep 0.1
	done
	echo "not seen: $1" >&2
	exit 1
}

got=
port=27400
for release in bookworm:7.0 trixie:8.0; do
	suite=${release%:*} folder=${release#*:}
	unpack "$suite" "$folder" >apt.log 2>&1
	ask() { (run "$folder" redis-cli -p "$@"); }
	port=$((port + 2))
	(run "$folder" redis-server --port $port --bind 127.0.0.1 --save '' --repl-diskless-sync-delay 0) >/dev/null &
	until_seen PONG ask $port ping
	(run "$folder" redis-server --port $((port + 1)) --bind 127.0.0.1 --save '' --replicaof 127.0.0.1 $port) >/dev/null &
	replica=$!
	until_seen 'state=online' ask $port info replication
	kill -STOP $replica # a replica that lags
	ask $port set revoked 1 >/dev/null
	waited=$(printf '%s\n' "EVAL \"return redis.call('EXISTS', KEYS[1])\" 1 revoked" 'WAIT 1 300' | ask $port | paste -sd ' ')
	kill -CONT $replica
	got+="$(ask $port info server | grep -o 'redis_version:[0-9.]*'): found $(cut -d' ' -f1 <<<"$waited"), replicas that have it $(cut -d' ' -f2 <<<"$waited")
"
done
want='redis_version:7.0.15: found 1, replicas that have it 0
redis_version:8.0.2: found 1, replicas that have it 1
'
printf %s "$got"
[ "$got" = "$want" ] || { echo "it was: $want" >&2; exit 1; }
