# What is in the initramfs of every node, whichever lab it belongs to.
#
# Called as: boot.sh OUT SCRIPTS; STOCK, the stock kernel's item, comes in the
# environment if the modules for it are wanted.
# Leaves OUT/tree: busybox, the agent and, in the order to load them, modules.
set -eu
out=$1 scripts=$2
tree=$out/tree

cd "$out"
echo "downloading busybox"
apt-get -q -o APT::Sandbox::User=root download busybox-static
mkdir -p "$tree/bin" "$tree/modules"
dpkg-deb --fsys-tarfile busybox-static_*.deb | tar -x ./bin/busybox
rm busybox-static_*.deb
mv bin/busybox "$tree/bin/busybox"
rmdir bin

echo "compiling the agent"
gcc -std=gnu11 -O2 -Wall -Wextra -Werror -static -s -o "$tree/agent" "$scripts/labkit/guest/agent.c"
install -m 755 "$scripts/labkit/guest/init" "$tree/init"

if [ -n "${STOCK:-}" ]; then
	echo "choosing modules"
	number=10
	release=$(ls "$STOCK/lib/modules")
	for module in virtio_blk ext4 overlay virtio_net 9p 9pnet_virtio; do
		modprobe -d "$STOCK" -S "$release" --show-depends "$module"
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' |
	while read -r module; do
		cp "$module" "$tree/modules/$number-$(basename "$module")"
		number=$((number + 1))
	done
fi
