#!/bin/sh
# Steps of a node's way into its cluster: node.sh STEP [ARG...], run by the host.
#
# A step that waits prints a line whenever what it waits for has moved; how long
# is too long is the host's decision (labkit/node.py).
set -eu
. /lab/env

# Prints $1 unless it is what was printed last.
said=
say_once()
{
	if [ "$1" != "$said" ]; then
		echo "$1"
		said=$1
	fi
}

loaded() { [ -d "/sys/module/$1" ] || grep -qw "$1" /proc/filesystems; }
need() { loaded "$1" || modprobe "$1"; }

# What dlm_controld and the kernel's dlm talk through; there is no udev here.
step_devices()
{
	[ -d /sys/kernel/dlm ] || modprobe dlm
	[ -d /sys/kernel/config/dlm ] || mount -t configfs configfs /sys/kernel/config
	mkdir -p /dev/misc
	for device in dlm-control dlm-monitor dlm_plock; do
		ln -sf "/dev/$device" "/dev/misc/$device"
	done
}

step_corosync()
{
	mkdir -p /etc/corosync /var/log/corosync /var/lib/corosync
	cp /lab/corosync.conf /etc/corosync/corosync.conf
	corosync
}

# step_token MS: how long a silent node is waited for; 0: as corosync.conf has it
step_token()
{
	ms=$1
	[ "$ms" != 0 ] || ms=$(sed -n 's/^ *token: *//p' /etc/corosync/corosync.conf)
	corosync-cmapctl -s totem.token u32 "$ms"
}

# step_quorum MEMBERS: until this node is quorate and sees that many members.
step_quorum()
{
	while :; do
		status=$(corosync-quorumtool -s 2>&1 || true)
		members=$(echo "$status" | sed -n 's/^Nodes: *//p')
		quorate=$(echo "$status" | sed -n 's/^Quorate: *//p')
		if [ "$quorate" = Yes ] && [ "${members:-0}" -ge "$1" ]; then
			return 0
		fi
		say_once "${members:-no} of $1 members, quorate: ${quorate:-no}"
		sleep 0.1
	done
}

step_dlm()
{
	mkdir -p /etc/dlm
	cp /lab/dlm.conf /etc/dlm/dlm.conf
	dlm_controld
}

# step_dlm_members MEMBERS: until dlm_controld has that many in its group.
step_dlm_members()
{
	while :; do
		members=$(dlm_tool status 2>/dev/null | grep -c '^node .* M ' || true)
		[ "$members" -lt "$1" ] || return 0
		say_once "$members of $1 members"
		sleep 0.1
	done
}

# step_gone NODE: until a node that is off is no member any more, and fenced if the
# others may do that.  Before it boots again, or it would be fenced while it does.
step_gone()
{
	while :; do
		node=$(dlm_tool status | grep "^node $1 " || true)
		quorate=$(corosync-quorumtool -s 2>&1 | sed -n 's/^Quorate: *//p')
		# node 2 X add SECONDS rem SECONDS fail SECONDS fence SECONDS at ...
		case $node in
		"") return 0 ;;
		*" M "*) say_once "still a member" ;;
		*)
			fail=${node#* fail } fence=${node#* fence }
			[ "$quorate" = Yes ] || return 0
			[ "${fence%% *}" -lt "${fail%% *}" ] || return 0
			say_once "to be fenced" ;;
		esac
		sleep 0.1
	done
}

need_ocfs2()
{
	need ocfs2
	need ocfs2_stack_user
	echo pcmk > /sys/fs/ocfs2/cluster_stack
}

# Whatever the module was linked against has to be there before it is.
need_cohfs()
{
	loaded cohfs && return
	module=/repo/build/$KERNEL/cohfs.ko
	for dependency in $(modinfo -F depends "$module" | tr , ' '); do
		need "$dependency"
	done
	insmod "$module"
}

step_mkfs()
{
	case $FS in
	cohfs) /repo/tools/mkfs/mkfs.cohfs -f -t "$CLUSTER:$FS_NAME" -j "$JOURNALS" /dev/disk ;;
	gfs2) mkfs.gfs2 -q -O -p lock_dlm -t "$CLUSTER:$FS_NAME" -j "$JOURNALS" -J 32 /dev/disk ;;
	ocfs2)
		need_ocfs2
		mkfs.ocfs2 -q -x -F -N "$JOURNALS" -L "$FS_NAME" -J size=32M \
			--cluster-stack=pcmk --cluster-name="$CLUSTER" /dev/disk ;;
	esac
}

# step_mount OPTIONS
step_mount()
{
	case $FS in
	cohfs) need_cohfs; options=lock=dlm ;;
	gfs2) need gfs2; options=rw ;;
	ocfs2) need_ocfs2; options=rw ;;
	esac
	mount -t "$FS" -o "$options${1:+,$1}" /dev/disk /mnt/cohfs
}

step=$1
shift
"step_$step" "$@"
