# SPDX-License-Identifier: GPL-2.0-only
#
# Host tests of fs/core, fs/map.c and mkfs, to be included by tests/host/Makefile or
# used alone:
#	make -f tests/host/core.mk [core-test]
#
# Runs in the top folder.  Every test prints "ok NAME" or "not ok NAME" and exits
# with 1 if there was one of the latter.

CORE_OUT ?= build/host
CORE_CC ?= $(CC)
CORE_SAN ?= -fsanitize=address,undefined -fno-sanitize-recover=all
CORE_CFLAGS ?= -std=gnu11 -g -O1 -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare
CORE_INC := -Itests/host/shim -Itools/lib/shim -Iinclude -Iinclude/uapi
CORE_MKFS ?= tools/mkfs/mkfs.cohfs

CORE_TESTS := core_bitmap core_check core_dirhash core_dirleaf core_logwalk core_mapblock core_stride \
	      core_map core_map_low core_mkfs
CORE_BINS := $(addprefix $(CORE_OUT)/,$(CORE_TESTS))
CORE_OBJS := $(patsubst %,$(CORE_OUT)/core/%.o,bitmap check dirhash dirleaf logwalk \
	       mapblock stride crc32c)
# core_map.c includes the others as source
CORE_MAP_OBJS := $(patsubst %,$(CORE_OUT)/core/%.o,bitmap dirhash dirleaf crc32c)

core-build = $(CORE_CC) $(CORE_CFLAGS) -MMD -MP $(CORE_SAN) $(CORE_INC)

core-test: $(CORE_BINS) core-mkfs
	@rc=0; for t in $(CORE_BINS); do MKFS=$(CORE_MKFS) $$t || rc=1; done; exit $$rc

core-mkfs:
	@$(MAKE) -s -C tools

$(CORE_OUT)/core/%.o: fs/core/%.c
	@mkdir -p $(@D)
	$(core-build) -c -o $@ $<

# most of the run time, and too simple to need sanitizers
$(CORE_OUT)/core/crc32c.o: tools/lib/crc32c.c
	@mkdir -p $(@D)
	$(CORE_CC) $(CORE_CFLAGS) -O2 -MMD -MP $(CORE_INC) -c -o $@ $<

$(CORE_OUT)/core_map: tests/host/core_map.c $(CORE_MAP_OBJS)
	$(core-build) -o $@ $< $(CORE_MAP_OBJS)

$(CORE_OUT)/core_map_low: tests/host/core_map.c $(CORE_MAP_OBJS)
	$(core-build) -DTEST_RECS=6 -o $@ $< $(CORE_MAP_OBJS)

$(CORE_OUT)/core_%: tests/host/core_%.c $(CORE_OBJS)
	$(core-build) -o $@ $< $(CORE_OBJS)

-include $(wildcard $(CORE_OUT)/core_*.d $(CORE_OUT)/core/*.d)

.PHONY: core-test core-mkfs
