# syntax=docker/dockerfile:1
# docker build --build-arg VERSION=$(git describe --tags --always) --tag hookgate .

FROM --platform=$BUILDPLATFORM golang:1.26.8-trixie AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=unknown
ARG TARGETOS
ARG TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    GOOS=$TARGETOS GOARCH=$TARGETARCH make build VERSION="$VERSION"
# For Caddy's state, where no volume is mounted in its place.
RUN mkdir -m 0700 /state

# Nothing but the binary and the authorities that it trusts: no shell, no package to
# patch. It runs with a read-only root file system.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/bin/hookgate /usr/bin/hookgate
COPY --from=build --chown=65532:65532 /state /var/lib/hookgate
ENV HOME=/var/lib/hookgate XDG_DATA_HOME=/var/lib/hookgate XDG_CONFIG_HOME=/var/lib/hookgate
USER 65532:65532
# Vendors, operators, probes and metrics: as the Caddyfile has them.
EXPOSE 8080 8081 9090
# It fails only while nothing can be decided; a lost Redis alone is no reason to restart.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/usr/bin/hookgate", "check", "--server", "http://127.0.0.1:9090"]
ENTRYPOINT ["/usr/bin/hookgate"]
CMD ["run", "--config", "/etc/hookgate/Caddyfile", "--adapter", "caddyfile"]
