# SPDX-License-Identifier: Apache-2.0
#
# docker build -t advisor:local .             the recorder, and nothing else
# docker build -t advisor:ci --target ci .    with a shell and git, for pipelines
FROM golang:1.26-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev libseccomp-dev
WORKDIR /source
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN go build -trimpath -tags libseccomp,netgo,osusergo -ldflags '-s -w -linkmode external -extldflags -static' -o /advisor ./cmd/advisor

FROM debian:12-slim AS ci
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates git && rm -rf /var/lib/apt/lists/*
COPY --from=build /advisor /usr/local/bin/advisor

FROM scratch
COPY --from=build /advisor /advisor
ENTRYPOINT ["/advisor"]
