#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks the page in headless Chromium, and installs what that needs: node and
# Chromium from the distribution where they are missing, playwright-core as
# package-lock.json pins it (the newest for node 18, which Debian 12 has).
# ADVISOR_CHROMIUM is the path of another browser, ADVISOR_SHOTS a directory to
# leave pictures of the pages in.
set -eu
cd "$(dirname "$0")"

packages=
command -v node >/dev/null || packages="$packages nodejs"
command -v npm >/dev/null || packages="$packages npm"
[ -n "${ADVISOR_CHROMIUM:-}" ] || packages="$packages chromium fonts-dejavu-core"
# shellcheck disable=SC2086 # a list of words
../../fixtures/install.sh $packages
npm ci --silent
ADVISOR_REQUIRE_BROWSER=1 go test -count=1 -timeout 10m -run 'TestBrowser' .
