# The kernel's source, as Debian patches it.
#
# Called as: source.sh OUT SCRIPTS; VERSION comes in the environment.
# Leaves OUT/linux, which the debug kernel's build directory refers to for good.
set -eu
out=$1

cd "$out"
echo "downloading linux-source-6.12 $VERSION"
apt-get -q download "linux-source-6.12=$VERSION"
echo "unpacking the package"
dpkg-deb --fsys-tarfile linux-source-6.12_*.deb |
	tar -x --wildcards --strip-components=3 './usr/src/*.tar.xz'
rm linux-source-6.12_*.deb
echo "unpacking the source"
mkdir linux
tar -xf linux-source-6.12.tar.xz -C linux --strip-components=1
rm linux-source-6.12.tar.xz
