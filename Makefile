# SPDX-License-Identifier: GPL-2.0-only
# Human front door.  `make help` lists what there is; Kbuild is kbuild's door.

# kbuild includes the Makefile of an M= directory only when there is no Kbuild.

SHELL	:= /bin/bash
LAB	:= scripts/lab
PROGS	:= build/tests/.built

.PHONY: all help setup module module-debug tools programs images host mutations sparse \
	style gate-test kunit cluster torture check check-rest check-all check-long demo \
	bench clean

all: module tools	## module for Debian's 6.12 kernel, and the tools

help:			## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | \
		sed -E 's/^([a-z-]+):[^#]*## *(.*)/  \1\t\2/' | expand -t 18

setup:			## install what is missing on this machine (needs root)
	@scripts/setup-host

module: setup		## build/stock/cohfs.ko
	@scripts/build-module stock

module-debug: setup	## build/debug/cohfs.ko and cohfs-kunit.ko
	@scripts/build-module debug

tools: setup		## mkfs.cohfs, fsck.cohfs, cohfs-dump, in tools/
	@$(MAKE) -s -C tools

programs: setup		## the programs that run in the guests
	@$(MAKE) -s -C tests/cluster/prog

images: setup		## what makes the damaged images of test 308
	@$(MAKE) -s -f tests/host/fsck.mk fsck-images

host: setup		## tests of the pure code on this machine, ASan and UBSan
	@$(MAKE) -s -f tests/host/core.mk core-test
	@$(MAKE) -s -f tests/host/glue.mk glue-test
	@$(MAKE) -s -f tests/host/range.mk range-test
	@$(MAKE) -s -f tests/host/fresh.mk fresh-test
	@$(MAKE) -s -f tests/host/fsck.mk fsck-test

mutations: setup	## break locks and fsck on purpose; tests must notice
	@$(MAKE) -s -f tests/host/glue.mk glue-mutants
	@$(MAKE) -s -f tests/host/range.mk range-mutants
	@$(MAKE) -s -f tests/host/fresh.mk fresh-mutants
	@$(MAKE) -s -f tests/host/fsck.mk fsck-mutants

sparse: module		## sparse over module and tools, no warning allowed
	@scripts/run-sparse

style:			## checkpatch, dependency directions, documents against code
	@scripts/check-style

gate-test: setup	## the log gate, tried on guests that misbehave
	@scripts/test-gate

kunit: module-debug	## KUnit in a QEMU guest on the debug kernel
	@scripts/run-kunit

cluster: module-debug tools programs images	## cluster tests on the debug kernel (T=001,...)
	@tests/cluster/run $(if $(T),--tests $(T)) $(CLUSTER_ARGS)

torture: module-debug module tools programs	## nodes die at random for MINUTES=5, NODES=3 (SEED=, KERNEL=stock)
	@tests/cluster/run -T torture --name torture --kernel $(or $(KERNEL),stock) \
		--minutes $(or $(MINUTES),5) --nodes $(or $(NODES),3) --seed $(or $(SEED),0)

check:			## what every change is tried with
	@scripts/check

check-rest:		## what else must pass before it lands
	@scripts/check --rest

check-all:		## both in one go
	@scripts/check --all

check-long:		## both, with more of everything and the long cluster tests
	@scripts/check --long

demo: module tools programs	## two nodes share a page before your eyes
	@scripts/demo

bench: module tools programs	## one table: cohfs, GFS2 and OCFS2 on the same rig
	@scripts/bench $(BENCH_ARGS)

clean:			## remove what was built here (the cache stays)
	rm -rf build
	$(MAKE) -s -C tools clean
