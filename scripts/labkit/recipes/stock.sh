# Debian's own kernel, unpacked rather than installed.
#
# Called as: stock.sh OUT SCRIPTS; VERSION (of the package) and RELEASE (uname -r)
# come in the environment.
# Leaves OUT/vmlinux, the modules a lab can need, uncompressed, in
# OUT/lib/modules, and the same as an ext4 image in OUT/modules.img.
set -eu
out=$1
modules=$out/lib/modules/$RELEASE

cd "$out"
echo "downloading linux-image-$RELEASE-unsigned $VERSION"
apt-get -q -o APT::Sandbox::User=root download "linux-image-$RELEASE-unsigned=$VERSION"
echo "unpacking"
dpkg-deb -x linux-image-*.deb package
rm linux-image-*.deb

# The bzImage's header says where in it the compressed kernel lies: booting the
# ELF file inside spares an emulated CPU the seconds of decompressing it.
echo "extracting vmlinux"
bzimage=package/boot/vmlinuz-$RELEASE
number() { od -An -v -t "$1" -j "$2" -N "${1#u}" "$bzimage" | tr -d ' '; }
setup=$(( ($(number u1 497) + 1) * 512 ))
offset=$(number u4 584)
length=$(number u4 588)
# The last four bytes are the unpacked size, which zstd does not know about.
tail -c "+$((setup + offset + 1))" "$bzimage" | head -c "$((length - 4))" | zstd -dq > vmlinux
if [ "$(head -c 4 vmlinux | tail -c 3)" != ELF ]; then
	echo "what $bzimage holds is not a zstd-compressed ELF kernel" >&2
	exit 1
fi

# All of Debian's modules are 400 MB unpacked.  These folders, and whatever their
# modules depend on elsewhere, are what a guest with virtio devices can use.
echo "choosing modules"
depmod -b package "$RELEASE"
cd "package/lib/modules/$RELEASE"
grep -E '^kernel/(fs|lib|crypto|arch/x86/crypto|block|net/(9p|sctp|sunrpc|sched|ipv4|netfilter|packet)|drivers/(block|md|nvme|virtio|char/hw_random|net/(virtio_net|net_failover|dummy|netdevsim|veth|ifb)))[./]' \
	modules.dep | tr -d : | tr ' ' '\n' | sort -u > wanted
mkdir -p "$modules"
cp modules.order modules.builtin modules.builtin.modinfo "$modules"
tar -cf - -T wanted | tar -xf - -C "$modules"
cd "$out"
rm -r package
echo "unpacking modules"
find "$modules" -name '*.ko.xz' -print0 | xargs -0 xz -d
depmod -b "$out" "$RELEASE"
echo "making modules.img"
megabytes=$(du -sm "$modules" | cut -f1)
mke2fs -q -t ext4 -O ^has_journal -d "$out/lib/modules" modules.img "$((megabytes + megabytes / 8 + 16))M"
