# Two commands do all set-up on a machine with Go: `make run` and `make test`. `make help`
# lists the rest: of the comment above each target, the first sentence.

GO      ?= go
TAGS    := nobadger,nomysql,nopgx
# The race detector needs a C compiler; without one the tests run without it.
RACE    := $(if $(shell command -v $${CC:-cc}),-race)
ARGS    ?=
BIN     ?= bin/hookgate
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
RELEASE := linux-amd64 linux-arm64 darwin-amd64 darwin-arm64
# What decides on the bytes of a binary, set for all: two builds of one commit with one
# Go are the same file, wherever they are made.
export GOAMD64 := v1
export GOARM64 := v8.0
STATIC  := CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -tags $(TAGS) -ldflags '-s -w -X main.version=$(VERSION)'

.PHONY: run help build release package release-check test test-without-lane test-redis-family test-manifests images test-faults test-senders senders-deps test-vendors vendors-deps test-fronts fronts-deps fronts-tools bench bench-deps bench-memory bench-deaf bench-operators bench-micro soak bench-propagation bench-boot bench-herd bench-admin lint fuzz vuln fmt clean FORCE

# Runs Hookgate with an embedded store and a stand-in for Matcher.
run: build
	bin/hookgate demo $(ARGS)

# Lists the targets.
help:
	@awk '/^# / { text = text " " substr($$0, 3); next } \
		/^[a-z][a-z-]*:([^=]|$$)/ && !/: export / { sub(/:.*/, ""); sub(/\. .*/, ".", text); printf "%-18s%s\n", $$0, text } \
		!/^[A-Z_]+ *[?:]?=/ && !/: export / { text = "" }' Makefile

# Builds bin/hookgate, static and stripped.
build:
	$(STATIC) -o $(BIN) ./cmd/hookgate

# Builds what is published into dist/: binaries, archives, deb, rpm, an image, bills of materials and the checksums of all.
release: $(RELEASE:%=dist/hookgate-%)
	$(MAKE) package

dist/hookgate-%: FORCE
	GOOS=$(firstword $(subst -, ,$*)) GOARCH=$(lastword $(subst -, ,$*)) $(MAKE) build BIN=$@

# When the commit was made: no file in what is published is younger, and the same commit gives the same bytes.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
REVISION ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
# The version as deb and rpm take it: a digit first, no hyphen, a release candidate before its release.
PACKAGE_VERSION = $(shell echo '$(VERSION)' | sed -E \
	-e '/^v[0-9]/!s/^/0.0.0+$(shell date -u -d @$(SOURCE_DATE_EPOCH) +%Y%m%d%H%M)./' -e 's/^v//; s/-(alpha|beta|rc)/~\1/; s/-/./g')
LINUX := $(patsubst linux-%,%,$(filter linux-%,$(RELEASE)))
ARCHIVED := LICENSE README.md CHANGELOG.md Caddyfile.example docs/install.md docs/upgrade.md deploy/systemd/hookgate.service deploy/systemd/Caddyfile
NFPM := $(GO) tool -modfile tools/go.mod nfpm
CYCLONEDX := $(GO) tool -modfile tools/go.mod cyclonedx-gomod

# Packs the binaries that are in dist/; a part of release.
package: export DIST := $(abspath dist)
package: export SOURCE_DATE_EPOCH := $(SOURCE_DATE_EPOCH)
package: export PACKAGE_VERSION := $(PACKAGE_VERSION)
package:
	rm -rf dist/package dist/image dist/*.deb dist/*.rpm dist/*.tar dist/*.tar.gz dist/*.cdx.json dist/SHA256SUMS
	mkdir dist/package
	sed -e 's|/usr/local/bin/|/usr/bin/|' -e 's|^DynamicUser=yes$$|User=hookgate\nGroup=hookgate|' \
		-e '/^#   install /d' -e 's|^# A user that exists only while.*|# The user that the package made, which owns nothing but its state.|' \
		deploy/systemd/hookgate.service >dist/package/hookgate.service
	set -e; for system in $(RELEASE); do \
		$(CYCLONEDX) bin -json -noserial -notimestamp -std -version $(VERSION) -output dist/hookgate-$$system.cdx.json dist/hookgate-$$system; \
		install -m 0755 dist/hookgate-$$system dist/package/hookgate; \
		tar -c --format=ustar --mtime=@$(SOURCE_DATE_EPOCH) --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
			--transform='s|^.*/||;s|^|hookgate/|' --use-compress-program='gzip -n' \
			-f dist/hookgate-$$system.tar.gz dist/package/hookgate $(ARCHIVED); \
	done
	set -e; for processor in $(LINUX); do for packager in deb rpm; do \
		PROCESSOR=$$processor $(NFPM) package --config deploy/packages/nfpm.yaml --packager $$packager --target dist/; \
	done; done
	$(GO) -C tools run ./image -output $$DIST/image -binaries $$DIST/hookgate-linux- -version $(VERSION) -revision $(REVISION) \
		-created $(SOURCE_DATE_EPOCH) $(LINUX)
	tar -c --format=ustar --sort=name --mtime=@$(SOURCE_DATE_EPOCH) --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
		-C dist/image -f dist/hookgate-image.tar .
	rm -r dist/package
	cd dist && sha256sum $(RELEASE:%=hookgate-%) *.tar.gz *.deb *.rpm *.cdx.json hookgate-image.tar >SHA256SUMS && sha256sum --quiet --check SHA256SUMS

# Installs and runs what release built, and builds it elsewhere with one binary built anew: all of it is the same to the byte.
release-check:
	HOOKGATE_DIST=$(abspath dist) HOOKGATE_VERSION=$(VERSION) $(GO) -C tools test -count 1 ./release
	elsewhere=$$(mktemp -d) && trap 'rm -rf "$$elsewhere"' EXIT && mkdir "$$elsewhere/src" && \
	git ls-files -z | tar -c --null -T - | tar -x -C "$$elsewhere/src" && \
	same="VERSION=$(VERSION) REVISION=$(REVISION) SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH)" && \
	GOCACHE="$$elsewhere/cache" $(MAKE) -C "$$elsewhere/src" dist/hookgate-linux-amd64 $$same && \
	cp -n $(RELEASE:%=dist/hookgate-%) "$$elsewhere/src/dist/" && \
	$(MAKE) -C "$$elsewhere/src" package $$same && \
	cmp dist/SHA256SUMS "$$elsewhere/src/dist/SHA256SUMS"

# Runs every test, those of the binary with either proxy behind the guard. Those that need a redis-server are skipped where there is none,
# unless HOOKGATE_REQUIRE_REDIS=1; those of the console need Chromium in the same way, HOOKGATE_REQUIRE_CHROMIUM=1.
# Those of a full disk need the right to mount a file system: HOOKGATE_REQUIRE_MOUNT=1. Those of an upgrade need all of the
# repository's history: HOOKGATE_REQUIRE_HISTORY=1.
# Those of the binary are a module of their own, to keep what only they need out of ours; with vendors' HTTP clients they are
# test-senders.
test:
	$(GO) test $(RACE) -timeout 10m ./...
	cd test && $(GO) test $(RACE) -timeout 10m $$($(GO) list ./... | grep -v /senders$$)
	cd test && HOOKGATE_TERMINAL=reverse_proxy $(GO) test -timeout 10m .

# The tests of the binary, with vendors' HTTP clients too, with the express lane off: every request takes Caddy's way.
test-without-lane: build
	cd test && HOOKGATE_EXPRESS=off $(GO) test -count 1 -timeout 10m .
	cd test/senders && HOOKGATE_EXPRESS=off HOOKGATE_BINARY=$(abspath $(BIN)) $(GO) test -count 1 -parallel 4 -timeout 10m

# Takes the README's pictures of the console anew.
images:
	cd test && HOOKGATE_REQUIRE_CHROMIUM=1 HOOKGATE_IMAGES=1 $(GO) test -count 1 -run 'WideAndLight|NarrowAndDark' ./console

# Reads the manifests in deploy/ as Kubernetes, Helm and Docker Compose read them. It is a
# module of its own, too.
test-manifests: build
	cd test/manifests && HOOKGATE_BINARY=$(abspath $(BIN)) $(GO) test -timeout 5m ./...

# The long form of the tests against Redis servers that fail, of every kind, and the one of
# memory after many revocations; minutes.
test-faults:
	HOOKGATE_REQUIRE_REDIS=1 HOOKGATE_FAULTS=long $(GO) test $(RACE) -count 1 -timeout 15m ./store
	cd test && HOOKGATE_REQUIRE_REDIS=1 HOOKGATE_FAULTS=long $(GO) test $(RACE) -count 1 -timeout 15m ./faults
	cd test && HOOKGATE_REQUIRE_REDIS=1 HOOKGATE_FAULTS=long $(GO) test -count 1 -timeout 15m -run TestMemoryAfterRevocations .

ON_SERVER = HOOKGATE_REDIS_SERVER=$(abspath $(or $(shell command -v "$(SERVER)"),$(SERVER))) HOOKGATE_REQUIRE_REDIS=1 HOOKGATE_FAULTS=$(FAULTS)

# The tests that need Redis, on SERVER=<path> of another server of its family. They are conformance, the binary as a process
# and faults; of those the long form, unless FAULTS=short.
FAULTS ?= long
test-redis-family:
	$(if $(SERVER),,$(error SERVER=<path> is missing))
	$(SERVER) --version
	$(ON_SERVER) $(GO) test -count 1 -timeout 10m -skip '/^(miniredis|embedded)$$' ./store ./store/redisconn ./store/redistest
	cd test && $(ON_SERVER) $(GO) test -count 1 -timeout 10m -skip '/embedded$$' \
		-run '^Test(DataSetCommands|AcknowledgedChanges|Outage|StartWithoutRedis|EmptiedRedis|NoRedisOnTheRequestPath|APIPathWithoutRedis|ScriptsOnEachStore|BeforeMatcher)' .
	cd test && $(ON_SERVER) $(GO) test -count 1 -timeout 15m ./faults

# Posts to the binary with the HTTP clients that vendors use, through either proxy. Those
# that are missing are skipped, unless HOOKGATE_REQUIRE_SENDERS=1.
test-senders: build
	cd test/senders && HOOKGATE_BINARY=$(abspath $(BIN)) $(GO) test -count 1 -parallel 4 -timeout 10m

# Installs the HTTP clients of test-senders on Debian. A Java and a Node that are there already are taken.
senders-deps:
	apt-get install -y --no-install-recommends curl wget2 libhttpclient5-java libgoogle-gson-java \
		python3-requests python3-httpx python3-aiohttp php-cli php-curl php-guzzlehttp-guzzle ruby perl \
		erlang-base erlang-inets erlang-jiffy $$(command -v javac >/dev/null || echo default-jdk-headless) \
		$$(command -v npm >/dev/null || echo nodejs npm)
	cd test/senders/node && npm ci --no-audit --no-fund

# Compares the schemes of proof/ with what vendors' own libraries sign and take. It is a module
# of its own, too. Without the libraries for Node it is skipped, unless HOOKGATE_REQUIRE_VENDORS=1.
test-vendors: build
	cd test/vendors && HOOKGATE_BINARY=$(abspath $(BIN)) $(GO) test -count 1 -timeout 10m ./...

# Installs the libraries for Node of test-vendors. A Node that is there already is taken.
vendors-deps:
	command -v npm >/dev/null || apt-get install -y --no-install-recommends nodejs npm
	cd test/vendors/node && npm ci --ignore-scripts --no-audit --no-fund

# What vendors send, through the proxies that docs/ingress-proxies.md shows; `make test` does so
# with those that are installed.
test-fronts: fronts-tools
	cd test && HOOKGATE_REQUIRE_FRONTS=1 HOOKGATE_REQUIRE_REDIS=1 $(GO) test -count 1 -timeout 5m ./fronts

# These proxies, on Debian. Varnish compiles its configuration with a C compiler.
fronts-deps:
	apt-get install -y --no-install-recommends nginx-light haproxy apache2-bin varnish lighttpd squid gcc libc6-dev
	command -v npm >/dev/null || apt-get install -y --no-install-recommends nodejs npm

# Those that Debian does not have: http-proxy of npm, and the Caddy that is downloaded.
fronts-tools: test/fronts/testdata/node_modules test/fronts/testdata/stockcaddy

test/fronts/testdata/node_modules: test/fronts/testdata/package-lock.json
	npm ci --prefix test/fronts/testdata --no-audit --no-fund
	touch $@

test/fronts/testdata/stockcaddy: bench/stockcaddy/main.go bench/stockcaddy/go.mod
	cd bench/stockcaddy && $(GO) build -tags $(TAGS) -ldflags '-s -w' -o $(abspath $@) .

# What a request costs, beside other ways to check a token. ARGS='-rounds 3 -setups caddy,hookgate' and so on.
bench:
	$(GO) run ./bench $(ARGS)

# What credentials and idle connections take of memory.
bench-memory:
	$(GO) run ./bench memory $(ARGS)

# What a flood of refusals that nobody reads takes.
bench-deaf:
	$(GO) run ./bench deaf $(ARGS)

# What vendors and other operators notice of operators who list and search without pause.
bench-operators:
	$(GO) run ./bench operators $(ARGS)

# Every step of the decision, with allocations.
bench-micro:
	HOOKGATE_REQUIRE_REDIS=1 $(GO) test -run '^$$' -bench '^Benchmark(DigestToken|WellFormedToken|Lookup|MarkUsed|Claim|Route|Decide|Forwarding|Guard|Verify|Spans)$$' \
		$(ARGS) ./internal/spans ./proof ./credential ./keyring ./store ./guard ./caddymodule/handlers

# Whether anything grows under full load with 200 reloads.
DURATION ?= 10m
soak:
	$(GO) run ./bench soak -duration $(DURATION) $(ARGS)

# What the benchmark compares with, on Debian.
bench-deps:
	apt-get install -y --no-install-recommends redis-server wrk nginx-light libnginx-mod-http-lua haproxy

# How long a revocation takes to every sidecar, beside plain pub/sub.
bench-propagation:
	HOOKGATE_REQUIRE_REDIS=1 $(GO) test -run '^$$' -bench Propagation -benchtime 1000x ./bench/propagation

# How long a sidecar takes to load a million credentials, and what they cost it.
bench-boot:
	HOOKGATE_REQUIRE_REDIS=1 $(GO) test -run '^$$' -bench Boot -benchtime 5x ./store

# What it costs Redis that up to a thousand sidecars read anew at once, and one change to as many; takes some 8 GB of memory.
bench-herd:
	HOOKGATE_REQUIRE_REDIS=1 $(GO) test -run '^$$' -bench Herd -benchtime 1x -timeout 60m ./store

# What a mint costs beyond the script that Redis runs, and a page of a long list.
bench-admin:
	HOOKGATE_REQUIRE_REDIS=1 $(GO) test -run '^$$' -bench '^Benchmark(Mint|BareScript|MintRequest)$$' -benchtime 5000x ./store ./admin
	HOOKGATE_REQUIRE_REDIS=1 $(GO) test -run '^$$' -bench ListPage -benchtime 500x ./admin

# What CI checks before the tests.
lint:
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt -l:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	staticcheck=$$($(GO) tool -n staticcheck) && for module in test tools; do \
		(cd $$module && $(GO) vet ./... && "$$staticcheck" ./...) || exit 1; \
	done

# Runs every fuzz target of every package, FUZZTIME each. What one finds is kept in the
# testdata/fuzz of its package, and from then on is a case of `make test`.
FUZZTIME ?= 10s
fuzz:
	@grep -rEo --include='*_test.go' --exclude-dir=node_modules '^func Fuzz[A-Za-z0-9_]+' . | sort | while IFS=: read -r file target; do \
		cd "$(CURDIR)/$$(dirname "$$file")" && \
		$(GO) test -run '^$$' -fuzz "^$${target#func }\$$" -fuzztime $(FUZZTIME) . </dev/null || exit 1; \
	done

# Looks for known vulnerabilities in the code that the binary calls. It asks
# https://vuln.go.dev, or the mirror that GOVULNDB names.
vuln:
	@$(GO) tool govulncheck -tags $(TAGS) ./cmd/hookgate || { status=$$?; \
		test $$status -eq 3 || echo "make vuln: nothing has been checked. govulncheck needs its database: https://vuln.go.dev, or a mirror that GOVULNDB names." >&2; \
		exit $$status; }

# Formats all Go files.
fmt:
	gofmt -w .

# Removes what build and release made.
clean:
	rm -rf bin dist
