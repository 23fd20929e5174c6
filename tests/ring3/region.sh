# Sourced after tests/lib.sh by tests of a whole region with its network and QEMU: an image of one boot sector, whose guests run
# and do nothing, and where packets arrive. Sourced, it skips the test where QEMU isn't installed.
# shellcheck shell=bash

for program in qemu-system-x86_64 qemu-img cloud-localds; do
	command -v $program >/dev/null || skip_all "$program is not installed"
done
probe=$BUILD/ring3/probe
[ -x "$probe" ] || bail "$probe is not built (make unit)"

# sector_data: a data directory whose catalogue has the image `sector`
sector_data() {
	export VPCLAB_DATA_DIR=$T/data VPCLAB_UPLINK=none VPCLAB_ACCELERATOR=tcg
	mkdir -p "$T/data/images"
	cp -r cloud-init "$T/data/"
	printf '%s\n' 'description = a boot sector that halts' 'os = nothing' 'architecture = x86_64' 'default user = ubuntu' \
		'root device = /dev/sda1' 'build = build-sector.sh' >"$T/data/images/sector.image"
	# sti; hlt; jmp: a cylinder of it, or the firmware finds no geometry to read by
	cat >"$T/data/images/build-sector.sh" <<-'END'
		#!/bin/sh
		set -eu
		echo "phase: sector"
		{ printf '\373\364\353\375'; head -c 506 /dev/zero; printf '\125\252'; head -c 1048064 /dev/zero; } >"$4/raw"
		qemu-img convert -f raw -O qcow2 "$4/raw" "$2"
		echo "os: nothing"
	END
	chmod 755 "$T/data/images/build-sector.sh"
}

# sector_image: its id
sector_image() {
	api Action=DescribeImages Filter.1.Name=name Filter.1.Value.1=sector
	x 'string(//imageId)'
}

# arrives ADDRESS ID [ID...]: the host calls TCP 8000 of the address; prints the ids of the instances at whose taps the packet came
# out with the instance's own private address. Nothing answers, so each look takes the probe's half second.
arrives() {
	local address=$1 id fd pids=() files=() names=() private=() n=0
	shift
	for id in "$@"; do
		api Action=DescribeInstances InstanceId.1="$id"
		local eni vpc
		eni=$(x 'string(//networkInterfaceId)') vpc=$(x 'string(//instancesSet/item/vpcId)')
		private[n]=$(x 'string(//instancesSet/item/privateIpAddress)')
		names[n]=$id files[n]=$T/leaving$n
		: >"${files[n]}"
		if nsenter --net="$VPCLAB_RUN_DIR/netns/$vpc" ip link show "t${eni:4:13}" >/dev/null 2>&1; then
			nsenter --net="$VPCLAB_RUN_DIR/netns/$vpc" "$probe" leaving "t${eni:4:13}" 1200 >"${files[n]}" &
			pids+=($!)
			until grep -q ready "${files[n]}"; do read -rt 0.02 <> <(:) || :; done
		fi
		n=$((n + 1))
	done
	"$probe" tcp "$address" 8000 500 >/dev/null
	[ ${#pids[@]} = 0 ] || wait "${pids[@]}"
	for ((n = 0; n < ${#names[@]}; n++)); do
		! grep -q "^ip proto 6 from .* to ${private[n]}$" "${files[n]}" || echo "${names[n]}"
	done | paste -sd ' '
}

# another_daemon [-9]: the daemon ends, guests run on, a new one takes over
another_daemon() {
	local pid
	pid=$(daemon_pid)
	kill ${1:-} "$pid"
	await_exit "$pid" 20
	run vpclab daemon
}
