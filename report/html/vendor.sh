#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rebuilds assets/vendor/graph.min.js from the versions in package-lock.json:
# the published minified files behind their licence texts, nothing else done to
# them. cytoscape-dagre carries dagre and graphlib inside; the two packages are
# installed for their licences only.
set -eu
cd "$(dirname "$0")"
npm ci --omit=dev --silent

out=assets/vendor/graph.min.js
mkdir -p assets/vendor
version() { node -p "require('./node_modules/$1/package.json').version"; }
{
	echo '/*! The graph library of this page. Licences of what is in it:'
	for package in cytoscape cytoscape-dagre @dagrejs/dagre @dagrejs/graphlib; do
		echo
		echo "=== $package $(version "$package")"
		cat "node_modules/$package/LICENSE"
	done
	echo '*/'
	# The licence is above, so the banner that repeats it goes.
	sed '1,/^ \*\/$/d' node_modules/cytoscape/dist/cytoscape.min.js
	echo ';'
	grep -v '^//# sourceMappingURL=' node_modules/cytoscape-dagre/dist/cytoscape-dagre.min.js
} >"$out.new"

# Text inside a script element must not end it, and an HTML parser changes CR and
# NUL, after which the hash in the page's policy would not match.
if [ "$(tr -cd '\r\000' <"$out.new" | wc -c)" -ne 0 ]; then
	echo "vendor.sh: the library holds CR or NUL" >&2
	exit 1
fi
if grep -qi -e '</script' -e '<!--' "$out.new"; then
	echo "vendor.sh: the library holds text that ends a script element" >&2
	exit 1
fi
mv "$out.new" "$out"
