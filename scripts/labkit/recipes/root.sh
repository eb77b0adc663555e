# The guests' userland: one read-only image, which all nodes of all labs share.
#
# Called as: root.sh OUT SCRIPTS.  Leaves OUT/root.img.
set -eu
out=$1

packages="
	corosync dlm-controld gfs2-utils ocfs2-tools
	e2fsprogs xfsprogs util-linux mount fdisk parted dmsetup
	attr acl quota fio strace keyutils libcap2-bin
	procps psmisc iproute2 iputils-ping iptables ethtool netcat-openbsd socat
	kmod less file bc bsdextrautils time perl python3-minimal
	libaio1 libblkid1 libuuid1 liburing2 libgdbm6 libssl3
"

if [ "$(id -u)" != 0 ]; then
	echo "building the guest root needs root (once; set COHFS_CACHE to share a cache)" >&2
	exit 1
fi

# The archive is whatever this host's own apt uses, with its proxies and keys.
# bookworm by name: corosync, dlm and the comparison filesystems are Debian 12's.
apt-get indextargets --format '$(ORIGIN) $(CODENAME) deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
	'Created-By: Packages' |
	sed -n 's/^Debian bookworm[a-z-]* //p' | sort -u > "$out/sources.list"
if [ ! -s "$out/sources.list" ]; then
	echo "this host's apt knows no Debian bookworm archive; has apt-get update been run?" >&2
	exit 1
fi
apt-config dump | grep -E '^Acquire::(http|https|ftp)::' > "$out/apt.conf" || true

mmdebstrap --variant=minbase --mode=root \
	--include="$(echo $packages | tr ' ' ,)" \
	--aptopt="$out/apt.conf" \
	--dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/doc/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' \
	--dpkgopt='path-exclude=/usr/share/i18n/*' \
	bookworm "$out/root" "$out/sources.list"

# ctdb is wanted for one small program; the package would bring half of Samba.
echo "adding ping_pong"
cd "$out"
apt-get -q -o APT::Sandbox::User=root download ctdb
dpkg-deb --fsys-tarfile ctdb_*.deb | tar -x -C root ./usr/bin/ping_pong
rm ctdb_*.deb

echo "settling what a lab expects"
rm -rf root/var/cache/apt root/var/lib/apt/lists root/var/log/*
mkdir -p root/usr/lib/modules root/lab root/repo root/share root/mnt/cohfs root/var/log/corosync
ln -sf /proc/self/mounts root/etc/mtab
printf '127.0.0.1 localhost\n' > root/etc/hosts

echo "making root.img"
megabytes=$(du -sm root | cut -f1)
mke2fs -q -t ext4 -O ^has_journal -L root -d root root.img "$((megabytes + megabytes / 8 + 32))M"
rm -r root
