#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks the page in headless Chromium, and installs what that needs: node and
# Chromium from the distribution where they are missing, playwright-core as
# package-lock.json pins it. ADVISOR_CHROMIUM names another browser.
set -eu
cd "$(dirname "$0")"

need=
command -v node >/dev/null || need="$need nodejs"
command -v npm >/dev/null || need="$need npm"
command -v "${ADVISOR_CHROMIUM:-chromium}" >/dev/null || need="$need chromium fonts-dejavu-core"
if [ -n "$need" ]; then
	apt-get update -qq
	# shellcheck disable=SC2086
	apt-get -o DPkg::Lock::Timeout=300 install -qqy --no-install-recommends $need >/dev/null
fi
npm ci --silent
ADVISOR_REQUIRE_BROWSER=1 go test -count=1 -timeout 10m -run 'TestBrowser' .
