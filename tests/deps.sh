#!/bin/bash
# Installs the Debian and Ubuntu packages that vpclab needs and this machine lacks: Debian 12, Ubuntu 22.04, Ubuntu 24.04.
#
#   deps.sh           installs what is missing (by sudo where not root); does nothing, without apt, when all is there
#   deps.sh --check   only lists what is missing; exit status 1 when something is
#   deps.sh --with fuzz   also what `make fuzz` needs (clang and its run-time library)
#
# Nothing here wants systemd or D-Bus: of libvirt only the driver is taken, not libvirt-daemon-system.
set -eu
export LC_ALL=C.UTF-8

# PACKAGE[|ANOTHER THAT WILL DO]  why. The first that the machine's release has is installed.
needs() {
	cat <<-'LIST'
		gcc                          compiles vpclab
		libc6-dev                    compiles vpclab: the C library
		make                         runs the Makefile
		pkg-config|pkgconf           finds the libraries
		libvirt-dev                  machines: the library
		libcurl4-gnutls-dev          downloads, probes, calls over the region's socket
		libsqlite3-dev               the region's store
		libmicrohttpd-dev            the region's HTTP server
		libjansson-dev               replies and documents as JSON
		libxml2-dev                  reading libvirt's XML
		libnftables-dev              security groups in the kernel
		libnl-route-3-dev            links, addresses, routes
		nettle-dev                   hashes
		libyaml-dev                  checking user data
		libsmartcols-dev             tables for people
		libvirt-daemon               machines: libvirt's helpers
		libvirt-daemon-driver-qemu   machines: libvirt's QEMU driver, loaded by the library
		qemu-system-x86              machines: QEMU
		qemu-utils                   disks: qemu-img
		cloud-image-utils            seeds: cloud-localds
		dnsmasq-base                 DHCP and DNS of a VPC
		passt|slirp4netns            the guests' way to the internet
		openssh-client               connect and exec; the region's certificate authority
		gpgv                         signatures of downloaded images
		mmdebstrap                   building the guest image debian-12
		e2fsprogs                    building the guest image: its file system
		fdisk                        building the guest image: its partition table
		util-linux                   tests: namespaces (unshare, nsenter, setpriv)
		iproute2                     tests: links and addresses
		nftables                     doctor's look at the kernel's nftables; tests
		perl                         tests: prove
		curl                         tests: calls to the region by hand
		libxml2-utils                tests: xmllint
		gpg                          tests: signing what a pretended image server serves
		gpg-agent                    tests: the same
		gpgconf                      tests: the same
		python3                      tests: servers that misbehave on purpose
	LIST
	[ $with_fuzz = no ] || cat <<-'LIST'
		clang                        fuzzing: the compiler
		libclang-rt-dev|libclang-rt-14-dev|libclang-common-14-dev   fuzzing: libFuzzer and the sanitizers
	LIST
}

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; }

check_only=no
with_fuzz=no
while [ $# -gt 0 ]; do
	case $1 in
	--check) check_only=yes ;;
	--with)
		[ "${2-}" = fuzz ] || { echo "deps.sh: --with is followed by fuzz; see --help." >&2; exit 2; }
		with_fuzz=yes
		shift
		;;
	-h | --help) usage; exit 0 ;;
	*) echo "deps.sh: there is no option $1; see --help." >&2; exit 2 ;;
	esac
	shift
done

if ! command -v dpkg-query >/dev/null; then
	echo "deps.sh: this machine has no dpkg; vpclab runs on Debian 12, Ubuntu 22.04 and Ubuntu 24.04." >&2
	exit 3
fi

# Installed names, virtual ones that installed packages provide included.
installed=" $(dpkg-query -W -f '${db:Status-Status} ${Package} ${Provides}\n' | sed -n 's/^installed //p' |
	sed 's/([^)]*)//g; s/,/ /g' | tr '\n' ' ') "

missing=()
reasons=()
while read -r names why; do
	have=no
	for name in ${names//|/ }; do
		[[ $installed != *" $name "* ]] || have=yes
	done
	[ $have = yes ] || { missing+=("$names"); reasons+=("$why"); }
done < <(needs)

account=yes
getent passwd libvirt-qemu >/dev/null || account=no

[ ${#missing[@]} -gt 0 ] || [ $account = no ] || exit 0
for i in "${!missing[@]}"; do printf '%-28s %s\n' "${missing[i]}" "${reasons[i]}"; done
[ $account = yes ] || printf '%-28s %s\n' "(account libvirt-qemu)" "the user as which QEMU runs, without rights of its own"
[ $check_only = no ] || exit 1

as_root=()
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || {
		echo "deps.sh: the packages above are missing and only root can install them; run this as root, for there is no sudo." >&2
		exit 3
	}
	as_root=(sudo)
fi
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -qq -o Dpkg::Use-Pty=0)

# Is there a version of it to install? (A machine whose lists were never fetched knows none.)
known() { [ -n "$(apt-cache madison "$1" 2>/dev/null)" ]; }

choose() {
	local names name
	chosen=()
	for names in "${missing[@]}"; do
		for name in ${names//|/ }; do
			if known "$name"; then
				chosen+=("$name")
				continue 2
			fi
		done
		unknown=$names
		return 1
	done
}

if [ ${#missing[@]} -gt 0 ]; then
	choose || {
		echo "Fetching the lists of packages."
		"${apt[@]}" update
		choose || {
			echo "deps.sh: no source of this machine's apt has ${unknown//|/ or }; add one (on Ubuntu the component universe) to /etc/apt." >&2
			exit 3
		}
	}
	echo "Installing ${#chosen[@]} packages, without what they only recommend."
	install=("${apt[@]}" install -y --no-install-recommends "${chosen[@]}")
	# lists may be older than the archive
	"${install[@]}" || { "${apt[@]}" update && "${install[@]}"; } || {
		echo "deps.sh: apt could not install: ${chosen[*]}; its own words are above." >&2
		exit 3
	}
fi

# libvirt-daemon-system would make it, with the number that base-passwd's list reserves.
if ! getent passwd libvirt-qemu >/dev/null; then
	getent group libvirt-qemu >/dev/null || "${as_root[@]}" groupadd --system --gid 64055 libvirt-qemu
	"${as_root[@]}" useradd --system --uid 64055 --gid libvirt-qemu --home-dir /var/lib/libvirt --no-create-home \
		--shell /usr/sbin/nologin libvirt-qemu
fi
