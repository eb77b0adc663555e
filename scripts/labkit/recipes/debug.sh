# The debug kernel: allnoconfig plus kernel-debug.config.
#
# Called as: debug.sh OUT SCRIPTS; SOURCE comes in the environment.
# Leaves OUT/build, a kernel build directory: the vmlinux to boot and the KDIR
# to build modules against.  It may be renamed (it names only its source).
set -eu
out=$1 scripts=$2
fragment=$scripts/kernel-debug.config
build=$out/build

linux() { make -s -C "$SOURCE/linux" O="$build" ARCH=x86_64 "$@"; }

# Says which lines of the fragment the configuration did not take; Kconfig
# itself drops a symbol with an unmet dependency without a word.
missing_symbols()
{
	grep -E '^(CONFIG_|# CONFIG_.* is not set)' "$fragment" |
	while read -r line; do
		name=$(expr "$line" : '[# ]*\(CONFIG_[A-Z0-9a-z_]*\)')
		case $line in
		"#"*) ! grep -q "^$name=" "$build/.config" || echo "$line" ;;
		*) grep -qxF "$line" "$build/.config" || echo "$line" ;;
		esac
	done
}

mkdir "$build"
echo "configuring"
linux KCONFIG_ALLCONFIG="$fragment" allnoconfig
linux olddefconfig
missing=$(missing_symbols)
if [ -n "$missing" ]; then
	printf 'kernel-debug.config asks for what Kconfig did not grant:\n%s\n' "$missing" >&2
	exit 1
fi
# Without -s: each CC line is the progress display.
make -C "$SOURCE/linux" O="$build" ARCH=x86_64 -j"$(nproc)" vmlinux modules
