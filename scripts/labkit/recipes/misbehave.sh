# tests/gate/misbehave.ko for the debug kernel.
#
# Called as: misbehave.sh OUT SCRIPTS; DEBUG comes in the environment.
set -eu
out=$1 scripts=$2

cp "$scripts/../tests/gate/Kbuild" "$scripts/../tests/gate/misbehave.c" "$out"
make -C "$DEBUG/build" M="$out" modules
