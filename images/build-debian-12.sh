#!/usr/bin/env bash
# Builds the guest image debian-12 on this machine, from this machine's own apt
# sources: a full-disk qcow2 that boots by itself, as a vendor's cloud image does.
#
#   build-debian-12.sh --output FILE.qcow2 [--work DIR] [--size 3G]
#
# Standard output carries only lines `phase: NAME [TEXT]` and, once, `os: NAME`; what the tools say goes
# to standard error. No loop device and no mount outside mmdebstrap's own mount
# namespace is needed, for containers have none.
#
# On an Ubuntu host the machine's sources hold no Debian, so the guest is of the
# host's own suite; everything else is the same.
set -euo pipefail
export LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin
umask 022

SELF=$(readlink -f "${BASH_SOURCE[0]}")
readonly SELF HERE=${SELF%/*}
readonly LABEL=cloudimg-rootfs
readonly CMDLINE="console=tty0 console=ttyS0,115200"

# Disk layout, in sectors of 512 bytes. The root partition is the last, so that
# growpart can grow it; numbers as in Ubuntu's images.
readonly BIOS_START=2048 BIOS_SECTORS=8192 ROOT_START=10240

# What the guest holds beyond the minimal base, by Debian's and Ubuntu's names; a
# name that the suite doesn't have is left out when it is marked with `?`.
readonly PACKAGES=(
    systemd-sysv dbus udev kmod initramfs-tools lz4 grub-pc-bin grub2-common
    netplan.io systemd-resolved? iproute2 iputils-ping netcat-openbsd curl ca-certificates
    cloud-init cloud-guest-utils gdisk fdisk openssh-server sudo qemu-guest-agent
    python3 python3-venv python3-pip tzdata
    procps less vim-tiny bash-completion
)
readonly DJANGO_DEBS=(python3-django python3-asgiref python3-sqlparse python3-tz
    python3-typing-extensions libjs-jquery)

phase() { printf 'phase: %s\n' "$*"; printf -- '--- %s\n' "$*" >&2; }
die() { printf 'build-debian-12: %s\n' "$*" >&2; exit 1; }

# --- the machine's sources -------------------------------------------------------

# Prints one-line sources for the machine's own release: its distribution's main
# archive, updates and security, and nothing of third parties.
machine_sources() {
    local origin=$1 codename=$2 components=' main '
    [ "$origin" = Ubuntu ] && components=' main universe '
    # indextargets reads every form of source (list, deb822, options, disabled
    # entries), so no parser of ours has to. Origin is known once lists are there.
    local line target_origin release component uri options seen=' '
    while IFS='|' read -r target_origin release component uri; do
        [ "$target_origin" = "$origin" ] || [[ $target_origin == '$('* ]] || continue
        case $release in "$codename" | "$codename-updates" | "$codename-security") ;; *) continue ;; esac
        [[ $components == *" $component "* ]] || continue
        line="deb $uri $release $component"
        [[ $seen == *"|$line|"* ]] && continue
        seen+="|$line|"
        printf '%s\n' "$line"
    done < <(apt-get indextargets --format '$(ORIGIN)|$(RELEASE)|$(COMPONENT)|$(REPO_URI)' 'Created-By: Packages')
}

# Prints the keyrings by which apt on this machine trusts its sources.
machine_keyrings() {
    local path
    for path in /etc/apt/trusted.gpg.d /usr/share/keyrings/debian-archive-keyring.gpg \
        /usr/share/keyrings/ubuntu-archive-keyring.gpg; do
        [ ! -e "$path" ] || printf '%s\n' "$path"
    done
    { grep -rhoiE '^signed-by:[[:space:]]*/[^[:space:]]+' /etc/apt/sources.list.d/ --include='*.sources' || true
      grep -rhoE 'signed-by=/[^] ,]+' /etc/apt/sources.list /etc/apt/sources.list.d/ --include='*.list' --include=sources.list || true
    } 2>/dev/null | sed -E 's/^[^/]*//' | sort -u | while read -r path; do
        [ ! -f "$path" ] || printf '%s\n' "$path"
    done
}

# Prints mmdebstrap options that hand on how this machine reaches its archive.
machine_apt_options() {
    apt-config dump | sed -nE \
        '/^Acquire::(http|https|ftp)::([^ ]*::)?(Proxy|Timeout)[^ ]* ".+";$/p; /^Acquire::(Check-Valid-Until|Check-Date|Retries) ".+";$/p' |
        while IFS= read -r line; do printf -- '--aptopt=%s\n' "${line%;}"; done
}

# --- inside mmdebstrap (hooks) ---------------------------------------------------

# Runs a program in the half-built guest, without this machine's environment.
in_guest() {
    local root=$1
    shift
    env -i PATH="$PATH" LC_ALL=C.UTF-8 HOME=/root DEBIAN_FRONTEND=noninteractive chroot "$root" "$@" >&2
}

# Before packages are configured: settings that their scripts read.
hook_essential() {
    local root=$1
    mkdir -p "$root/etc/initramfs-tools/conf.d" "$root/etc/kernel-img.d"
    # The modules by which QEMU's machines are met; MODULES=dep can't look at a
    # machine that isn't there, MODULES=most takes a third more time to boot under TCG.
    cat >"$root/etc/initramfs-tools/conf.d/vpclab" <<-'END'
		MODULES=list
		COMPRESS=lz4
	END
    printf '%s\n' virtio_pci virtio_blk virtio_scsi virtio_net sd_mod nvme ahci ata_piix ata_generic \
        ext4 crc32c_generic crc32c_intel >"$root/etc/initramfs-tools/modules"
}

# After every package is there.
hook_customize() {
    local root=$1
    wheelhouse "$root"
    settings "$root"
    boot_loader_files "$root"
    strip_identity "$root"
}

wheelhouse() {
    local root=$1 dir=$1/var/tmp/vpclab-wheels
    mkdir -p "$dir/debs" "$dir/root"
    (cd "$dir/debs" && APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get download "${DJANGO_DEBS[@]}") >&2
    local deb
    for deb in "$dir"/debs/*.deb; do dpkg-deb -x "$deb" "$dir/root"; done
    cp "$HERE/repack-wheels.py" "$dir/"
    (cd "$dir/debs" && ls -- *.deb) >"$dir/list"
    in_guest "$root" /bin/sh -ec 'cd /var/tmp/vpclab-wheels/debs &&
        python3 ../repack-wheels.py ../root /usr/share/vpclab/wheels *.deb'
    cat >"$root/etc/pip.conf" <<-'END'
		# The guest may have no package index in reach, so pip takes Django and what it
		# needs from the image. With a way out, `PIP_NO_INDEX=0 pip install NAME` asks
		# the index.
		[global]
		no-index = true
		find-links = /usr/share/vpclab/wheels
		disable-pip-version-check = true
		[install]
		# Written only for what is imported, at its first import: compiling all of Django
		# takes half a minute without KVM. pip's own rule for this key: `no` switches it on.
		no-compile = no
	END
    # Proof before the image leaves this machine: the lecture's own commands.
    in_guest "$root" /bin/sh -ec '
        dir=/var/tmp/vpclab-wheels/try
        python3 -m venv $dir/venv
        . $dir/venv/bin/activate
        pip install --no-cache-dir Django
        pip check
        cd $dir && django-admin startproject sample
        python sample/manage.py check'
    rm -rf "$dir"
}

settings() {
    local root=$1
    install -d "$root/etc/cloud/cloud.cfg.d"
    cat >"$root/etc/cloud/cloud.cfg.d/90_vpclab.cfg" <<-'END'
		# NoCloud is what vpclab's seed is; Ec2 is the metadata service.
		datasource_list: [ NoCloud, Ec2, None ]
		system_info:
		  default_user:
		    name: ubuntu
		    gecos: Ubuntu
		    groups: [adm, sudo]
		    sudo: ["ALL=(ALL) NOPASSWD:ALL"]
		    shell: /bin/bash
		    lock_passwd: true
		  network:
		    renderers: [networkd, netplan, eni]
		    activators: [networkd, netplan]
		locale: C.UTF-8
		# The builder's sources mean nothing in the guest: take the vendor's.
		apt:
		  preserve_sources_list: false
		# No package of this image asks where GRUB is.
		grub_dpkg:
		  enabled: false
		# An RSA key takes seconds to make without KVM and no client of today needs it.
		ssh_genkeytypes: [ed25519, ecdsa]
		growpart:
		  mode: auto
		  devices: ["/"]
		resize_rootfs: true
	END
    printf 'LANG=C.UTF-8\n' >"$root/etc/default/locale"
    printf 'LABEL=%s / ext4 discard,errors=remount-ro 0 1\n' "$LABEL" >"$root/etc/fstab"

    # Work that a laboratory guest has no use for and that costs seconds under TCG.
    local unit
    for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
        dpkg-db-backup.timer man-db.timer motd-news.timer grub-common.service grub-initrd-fallback.service \
        update-notifier-download.timer update-notifier-motd.timer; do
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
    in_guest "$root" systemctl enable systemd-networkd.service systemd-networkd-wait-online.service \
        ssh.service serial-getty@ttyS0.service
    [ ! -e "$root/lib/systemd/system/systemd-resolved.service" ] ||
        in_guest "$root" systemctl enable systemd-resolved.service
    # As on Ubuntu: names are asked of the VPC's resolver alone.
    install -d "$root/etc/systemd/resolved.conf.d"
    printf '[Resolve]\nLLMNR=no\nMulticastDNS=no\n' >"$root/etc/systemd/resolved.conf.d/vpclab.conf"
    # t2 and t3 offer no nested virtualization, whatever the CPU model says.
    printf 'blacklist kvm_intel\nblacklist kvm_amd\n' >"$root/etc/modprobe.d/vpclab.conf"
    # A guest without network must not hold its boot for two minutes.
    install -d "$root/etc/systemd/system/systemd-networkd-wait-online.service.d"
    cat >"$root/etc/systemd/system/systemd-networkd-wait-online.service.d/vpclab.conf" <<-'END'
		[Service]
		ExecStart=
		ExecStart=/lib/systemd/systemd-networkd-wait-online --any --timeout=60
	END
}

# GRUB's modules and the first configuration. update-grub in the guest writes its
# own later, from /etc/default/grub.
boot_loader_files() {
    local root=$1 kernel initrd modules=$1/usr/lib/grub/i386-pc
    kernel=$(cd "$root/boot" && ls -v vmlinuz-* | tail -n1)
    initrd=initrd.img-${kernel#vmlinuz-}
    [ -s "$root/boot/$initrd" ] || die "the kernel package made no /boot/$initrd; see the log above for update-initramfs"
    install -d "$root/boot/grub/i386-pc"
    cp "$modules"/*.mod "$modules"/*.lst "$root/boot/grub/i386-pc/"
    cat >"$root/boot/grub/grub.cfg" <<-END
		set default=0
		set timeout=0
		menuentry 'Linux' {
		    search --no-floppy --label $LABEL --set=root
		    linux /boot/$kernel root=LABEL=$LABEL ro $CMDLINE
		    initrd /boot/$initrd
		}
	END
    cat >"$root/etc/default/grub" <<-END
		GRUB_DEFAULT=0
		GRUB_TIMEOUT=0
		GRUB_TIMEOUT_STYLE=hidden
		GRUB_RECORDFAIL_TIMEOUT=0
		GRUB_DISABLE_OS_PROBER=true
		GRUB_TERMINAL=console
		GRUB_CMDLINE_LINUX_DEFAULT=""
		GRUB_CMDLINE_LINUX="$CMDLINE"
	END
    install -d "$root/var/tmp/vpclab-boot"
    cat >"$root/var/tmp/vpclab-boot/embedded.cfg" <<-END
		search --no-floppy --label $LABEL --set=root
		set prefix=(\$root)/boot/grub
		configfile \$prefix/grub.cfg
	END
    # The guest's own GRUB makes the image, so it always fits the modules beside it.
    in_guest "$root" grub-mkimage -O i386-pc -p /boot/grub -c /var/tmp/vpclab-boot/embedded.cfg \
        -o /var/tmp/vpclab-boot/core.img biosdisk part_gpt part_msdos ext2 search search_label search_fs_uuid \
        configfile normal linux boot echo test minicmd ls cat reboot halt
    cp "$modules/boot.img" "$root/var/tmp/vpclab-boot/"
}

# What must differ between any two instances, and what names this machine.
strip_identity() {
    local root=$1
    rm -f "$root"/etc/ssh/ssh_host_* "$root"/etc/apt/sources.list.d/0000*.list \
        "$root"/etc/apt/apt.conf.d/99mmdebstrap "$root"/etc/dpkg/dpkg.cfg.d/99mmdebstrap "$root"/var/lib/dbus/machine-id \
        "$root"/var/lib/systemd/random-seed "$root"/etc/apt/apt.conf.d/*proxy*
    # cloud-init writes the vendor's usual sources at the first boot.
    : >"$root/etc/apt/sources.list"
    : >"$root/etc/machine-id"
    printf 'localhost\n' >"$root/etc/hostname"
    printf '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n' \
        >"$root/etc/hosts"
    ln -sfn ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
    rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb \
        "$root"/var/cache/debconf/*-old "$root"/var/log/*.log "$root"/var/log/apt "$root"/root/.cache
}

# --- the disk --------------------------------------------------------------------

# Bytes of a size such as 3G or 3072M.
size_bytes() {
    numfmt --from=iec "$1" 2>/dev/null || die "--size $1 is not a size; write it as 3G or 3072M"
}

# Little-endian bytes of a number at an offset of a file.
poke() {
    local file=$1 offset=$2 width=$3 value=$4 i escaped=
    for ((i = 0; i < width; i++)); do
        escaped+=$(printf '\\x%02x' $(((value >> (8 * i)) & 255)))
    done
    printf "$escaped" | dd of="$file" bs=1 seek="$offset" conv=notrunc status=none
}

# ext4 without the features that GRUB 2.06 can't read; older mke2fs knows neither
# these names nor the features.
make_root_filesystem() {
    local tree=$1 disk=$2 sectors=$3 probe=$2.probe features='' feature
    for feature in metadata_csum_seed orphan_file; do
        truncate -s 8M "$probe"
        if mke2fs -q -F -t ext4 -O "^$feature" "$probe" 2>/dev/null; then features+="${features:+,}^$feature"; fi
        rm -f "$probe"
    done
    # Tables are written now (holes in the file), or the guest's kernel writes them
    # into every overlay after its first boot.
    mke2fs -q -F -t ext4 -L "$LABEL" ${features:+-O "$features"} \
        -E lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0,offset=$((ROOT_START * 512)) \
        -d "$tree" "$disk" $((sectors / 2))k >&2
}

# What grub-bios-setup does, on a plain file: boot.img into the MBR and core.img into
# the BIOS boot partition, each told where the next sector is.
install_boot_loader() {
    local disk=$1 boot=$2 core=$3 sectors
    sectors=$((($(stat -c %s "$core") + 511) / 512))
    [ "$sectors" -le "$BIOS_SECTORS" ] || die "GRUB's core.img has $sectors sectors and its partition only $BIOS_SECTORS"
    poke "$boot" $((0x5c)) 8 "$BIOS_START"        # where core.img starts
    poke "$boot" $((0x66)) 2 $((0x9090))          # trust the BIOS's drive number only from 0x80 on
    poke "$core" $((0x1f4)) 8 $((BIOS_START + 1)) # where its second sector is
    dd if="$boot" of="$disk" bs=1 count=440 conv=notrunc status=none
    dd if="$core" of="$disk" bs=512 seek="$BIOS_START" conv=notrunc status=none
}

# --- the way ---------------------------------------------------------------------

main() {
    local output='' work='' size=3G
    while [ $# -gt 0 ]; do
        case $1 in
            --output) output=${2:?--output needs a file name}; shift 2 ;;
            --work) work=${2:?--work needs a directory}; shift 2 ;;
            --size) size=${2:?--size needs a size such as 3G}; shift 2 ;;
            -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$SELF"; exit 0 ;;
            *) die "there is no option $1; see --help" ;;
        esac
    done
    [ -n "$output" ] || die "--output FILE.qcow2 is needed"
    [ "$(id -u)" = 0 ] || die "building an image needs root, to unpack packages with their owners"
    local tool missing=
    for tool in mmdebstrap apt-get mke2fs sfdisk qemu-img chroot numfmt; do
        command -v "$tool" >/dev/null || missing+=" $tool"
    done
    [ -z "$missing" ] || die "missing programs:$missing; \`make deps\` installs them"
    local bytes
    bytes=$(size_bytes "$size")
    [ "$bytes" -ge $((2 << 30)) ] || die "--size $size is too small; the guest needs at least 2G"

    phase sources
    local ID='' VERSION_CODENAME='' origin
    # shellcheck disable=SC1091
    . /etc/os-release
    case $ID in
        debian) origin=Debian ;;
        ubuntu) origin=Ubuntu ;;
        *) die "this machine runs $ID; a guest can be built from the sources of Debian or Ubuntu only" ;;
    esac
    # A second run inside a directory of its own: two builds never meet.
    mkdir -p "${work:=${TMPDIR:-/var/tmp}}"
    WORK=$(mktemp -d "$(readlink -f "$work")/build-debian-12.XXXXXX")
    trap 'rm -rf --one-file-system "$WORK"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    # mmdebstrap drops to no one: the tree above must be passable.
    chmod 755 "$WORK"
    # Without package lists apt knows neither a source's origin nor what a suite holds.
    apt-get indextargets --format '$(ORIGIN)' 'Created-By: Packages' | grep -qx "$origin" || apt-get update >&2
    machine_sources "$origin" "$VERSION_CODENAME" >"$WORK/sources.list"
    [ -s "$WORK/sources.list" ] ||
        die "apt on this machine has no source of $origin $VERSION_CODENAME; add one to /etc/apt and run apt-get update"
    if [ "$VERSION_CODENAME" != bookworm ]; then
        printf 'build-debian-12: this machine has no source of Debian 12, so the guest is %s %s\n' "$origin" "$VERSION_CODENAME" >&2
    fi

    local kernel=linux-image-cloud-amd64 package include=()
    [ "$origin" = Debian ] || kernel=linux-image-virtual
    for package in "${PACKAGES[@]}" "$kernel"; do
        if [[ $package == *'?' ]]; then
            package=${package%'?'}
            [ -n "$(apt-cache show --no-all-versions "$package" 2>/dev/null)" ] || continue
        fi
        include+=("$package")
    done
    local options=() keyring
    while IFS= read -r keyring; do options+=("--keyring=$keyring"); done < <(machine_keyrings)
    while IFS= read -r package; do options+=("$package"); done < <(machine_apt_options)

    phase bootstrap "$origin $VERSION_CODENAME"
    mmdebstrap --mode=root --variant=minbase --format=directory \
        --include="$(IFS=,; echo "${include[*]}")" "${options[@]}" \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --essential-hook="bash '$SELF' hook-essential \"\$1\"" \
        --customize-hook='echo "phase: customize" >&3' \
        --customize-hook="bash '$SELF' hook-customize \"\$1\"" \
        "$VERSION_CODENAME" "$WORK/root" "$WORK/sources.list" 3>&1 >&2
    mv "$WORK/root/var/tmp/vpclab-boot" "$WORK/boot"
    # shellcheck disable=SC1091
    printf 'os: %s\n' "$(. "$WORK/root/etc/os-release" && printf '%s %s' "$NAME" "$VERSION_ID")"

    phase disk
    truncate -s "$bytes" "$WORK/disk.raw"
    # The last MiB is the second partition table's.
    sfdisk -q "$WORK/disk.raw" >&2 <<-END
		label: gpt
		1 : start=$ROOT_START, size=$((bytes / 512 - ROOT_START - 2048)), type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
		14 : start=$BIOS_START, size=$BIOS_SECTORS, type=21686148-6449-6E6F-744E-656564454649
	END
    make_root_filesystem "$WORK/root" "$WORK/disk.raw" $((bytes / 512 - ROOT_START - 2048))
    install_boot_loader "$WORK/disk.raw" "$WORK/boot/boot.img" "$WORK/boot/core.img"
    phase convert
    mkdir -p "$(dirname "$output")"
    qemu-img convert -q -f raw -O qcow2 "$WORK/disk.raw" "$output.partial"
    # A name that appears is a whole image.
    sync "$output.partial"
    mv -f "$output.partial" "$output"
    phase finished "$(stat -c %s "$output") bytes"
}

case ${1-} in
    hook-essential) hook_essential "$2" ;;
    hook-customize) hook_customize "$2" ;;
    *) main "$@" ;;
esac
