#!/bin/bash
# Prints the directory of a store of images that holds the guest image debian-12 for the tests, building it first where it isn't there.
#
# The store is kept below build/cache by its content: the same builder, catalogue entry and apt sources give the same directory, so
# a clean clone builds once. To be run as root, outside the tests' namespaces: the build fetches packages as this machine's apt does.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
vpclab=$root/build/${FLAVOUR:-release}/vpclab

key=$({
	cat images/build-debian-12.sh images/repack-wheels.py images/debian-12.image
	# a guest is of the machine's own release
	. /etc/os-release && echo "$ID $VERSION_CODENAME"
} | sha256sum | cut -c1-16)
store=$root/build/cache/debian-12-$key

if [ ! -e "$store/complete" ]; then
	mkdir -p "$store"
	run=$(mktemp -d "${TMPDIR:-/tmp}/vpclab-image.XXXXXX")
	# without guests: only the daemon's image room is wanted, and nothing of this machine's network is touched
	lab=("$vpclab" --state-dir "$store" --run-dir "$run" --set "libvirt_uri=test:///default")
	trap '"${lab[@]}" down >/dev/null 2>&1 || true; rm -rf "$run"' EXIT
	echo "# building the guest image debian-12 for the tests, 2 to 5 minutes" >&2
	"${lab[@]}" image build debian-12 >&2
	: >"$store/complete"
fi
echo "$store/images"
