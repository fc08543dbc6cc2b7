# SPDX-License-Identifier: Apache-2.0
#
# Every target does its own set-up: on a fresh Debian with Go, git and make,
# "make demo" and "make test" are all there is to run. Packages are installed
# as root only, and only those that are missing.

GO ?= go
FUZZTIME ?= 10s
BENCHTIME ?= 1s

# A second evaluator of seccomp profiles is linked in where libseccomp is there.
tags = $(shell test -e /usr/include/seccomp.h && command -v gcc >/dev/null && echo libseccomp)
# Kernel tests must not skip where they can run.
bpf = $(shell test "$$(id -u)" = 0 && test -e /sys/kernel/btf/vmlinux && echo 1)
root = $(filter 0,$(shell id -u))

.PHONY: all build test test-matrix test-vm test-html storm demo bench generate lint fuzz clean

all: build

.PHONY: libseccomp
libseccomp:
	@if test "$$(uname -s)" = Linux && ! test -e /usr/include/seccomp.h; then \
		fixtures/install.sh gcc libc6-dev libseccomp-dev || \
		echo "building without libseccomp: profiles are proven by one evaluator" >&2; fi

build: libseccomp
	$(GO) build -trimpath -tags "$(tags)" -o bin/advisor ./cmd/advisor

# Recorders see every container of the machine: packages that start some have it
# to themselves, one after the other.
alone = ./cmd/... ./fixtures/... ./monitor/... ./verify/...
beside = . ./bpf/... ./policies/... ./report/... ./trace/...

test: libseccomp
	$(if $(root),fixtures/bed/install.sh)
	ADVISOR_REQUIRE_BPF=$(bpf) $(GO) test -tags "$(tags)" $(beside)
	ADVISOR_REQUIRE_BPF=$(bpf) $(GO) test -p 1 -timeout 30m -tags "$(tags)" $(alone)

# Starts every service 20 times under its profile with every runtime, with and
# without no_new_privs, used from outside and by a client inside: half an hour.
# MATRIX=docker,nnp,exec,java takes part of it.
MATRIX ?= all
test-matrix: libseccomp
	$(if $(root),fixtures/bed/install.sh)
	ADVISOR_REQUIRE_BPF=$(bpf) ADVISOR_MATRIX=$(MATRIX) $(GO) test -count=1 -v -timeout 3h \
		-run '^TestMatrix$$' -tags "$(tags)" ./fixtures/enforce
	@cat build/matrix.md

# Boots Debian's 5.10, 6.1 and 6.12 for amd64 and arm64 under emulation, each with
# every kind of cgroup trees: an hour. VM=5.10,arm64-6.1:hybrid takes some.
VM ?= all
test-vm:
	fixtures/install.sh busybox-static cpio runc crun xz-utils
	ADVISOR_VM=$(VM) $(GO) test -count=1 -timeout 3h -v ./fixtures/vm

# 200 namespaces a second and, beside them, containers of runc and crun as fast as
# they can be started, all recorded, for STORM seconds.
STORM ?= 60
storm: libseccomp
	$(if $(root),fixtures/bed/install.sh)
	ADVISOR_REQUIRE_BPF=$(bpf) ADVISOR_STORM_SECONDS=$(STORM) $(GO) test -count=1 -v -timeout 15m \
		-run '^TestStorm$$' -tags "$(tags)" ./monitor

demo: build
	fixtures/demo/run.sh

# Opens the HTML report in headless Chromium.
test-html:
	report/html/browser.sh

bench: libseccomp
	GO=$(GO) TAGS="$(tags)" BENCHTIME=$(BENCHTIME) fixtures/bench.sh

generate:
	$(GO) generate ./...

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l . >&2; echo "gofmt -w would change these" >&2; exit 1; }
	$(GO) mod tidy -diff
	$(GO) vet -tags "$(tags)" ./...
	$(GO) tool staticcheck -tags "$(tags)" ./...

fuzz: libseccomp
	GO=$(GO) TAGS="$(tags)" FUZZTIME=$(FUZZTIME) fixtures/fuzz.sh

clean:
	rm -rf bin
