# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of fsck.cohfs and cohfs-dump, to be used alone:
#	make -f tests/host/fsck.mk [fsck-test|fsck-long|fsck-mutants|fsck-images]
#
# fsck_kinds shows that each kind of damage is found and repaired; fsck_status stops fsck
# and lets it run out of space; fsck_fuzz damages a populated filesystem at random.  They
# have fsck.cohfs compiled in, with sanitizers, on a disk in memory.  fsck_program,
# fsck_memory and fsck_dump run the real programs.  fsck_images writes what fsck_fuzz
# tries, for the module.  Runs in the top folder, prints like core.mk.

FSCK_OUT ?= build/host
FSCK_CC ?= $(CC)
FSCK_SAN ?= -fsanitize=address,undefined -fno-sanitize-recover=all
FSCK_CFLAGS ?= -std=gnu11 -g -O1 -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare \
	       -Wno-missing-field-initializers
FSCK_INC := -D_GNU_SOURCE -Itests/host/shim -Itools/lib/shim -Iinclude -Iinclude/uapi

# the tools but for their way to the device, which is fsck_disk.c here
fsck-code := $(wildcard tools/fsck/*.c) $(filter-out tools/lib/io.c tools/lib/crc32c.c, \
	     $(wildcard tools/lib/*.c)) $(wildcard fs/core/*.c)
fsck-rig := $(addprefix tests/host/fsck_,disk.c build.c log.c compare.c)
fsck-hurt := $(addprefix tests/host/fsck_,hurt.c hurt_fixed.c hurt_inode.c hurt_dir.c)
fsck_kinds-srcs := tests/host/fsck_kinds.c $(fsck-hurt)
fsck_status-srcs := tests/host/fsck_status.c $(fsck-hurt)
fsck_memory-core := $(patsubst %,fs/core/%.c,bitmap check dirhash dirleaf mapblock) \
		    tools/lib/crc32c.c
fsck_fuzz-srcs := $(addprefix tests/host/fsck_,fuzz.c damage.c)
fsck-srcs := $(filter-out fs/core/rangetree.c,$(fsck-code)) $(fsck-rig)
fsck-objs := $(fsck-srcs:%.c=$(FSCK_OUT)/fsck/%.o) $(FSCK_OUT)/core/crc32c.o
fsck-plain := $(patsubst %.c,$(FSCK_OUT)/fsck_plain/%.o,$(fsck-srcs) tools/lib/crc32c.c \
	      $(fsck_kinds-srcs))
fsck_images-objs := $(patsubst %.c,$(FSCK_OUT)/fsck_plain/%.o,$(fsck-srcs) \
		    tools/lib/crc32c.c $(addprefix tests/host/fsck_,images.c damage.c))
FSCK_TESTS := fsck_kinds fsck_status fsck_fuzz fsck_program fsck_memory fsck_dump
FSCK_BINS := $(addprefix $(FSCK_OUT)/,$(FSCK_TESTS))

fsck-build = $(FSCK_CC) $(FSCK_CFLAGS) -MMD -MP $(FSCK_SAN) $(FSCK_INC)

fsck-test: $(FSCK_BINS) fsck-tools
	@rc=0; for t in $(FSCK_BINS); do TOOLS=tools $$t || rc=1; done; exit $$rc

fsck-long: $(FSCK_OUT)/fsck_fuzz
	@COHFS_LONG=1 $(FSCK_OUT)/fsck_fuzz

fsck-mutants: $(fsck-plain)
	@tests/host/fsck-mutate "$(FSCK_CC) $(FSCK_CFLAGS) $(FSCK_INC)" $(FSCK_OUT)

fsck-images: $(FSCK_OUT)/fsck_images

fsck-tools:
	@$(MAKE) -s -C tools

$(FSCK_OUT)/fsck/tools/fsck/main.o: tools/fsck/main.c
	@mkdir -p $(@D)
	$(fsck-build) -Dmain=fsck_main -c -o $@ $<

$(FSCK_OUT)/fsck/%.o: %.c
	@mkdir -p $(@D)
	$(fsck-build) -c -o $@ $<

# for the mutations: they are to be found wrong by the test, not by luck
$(FSCK_OUT)/fsck_plain/tools/fsck/main.o: tools/fsck/main.c
	@mkdir -p $(@D)
	$(FSCK_CC) $(FSCK_CFLAGS) -MMD -MP $(FSCK_INC) -Dmain=fsck_main -c -o $@ $<

$(FSCK_OUT)/fsck_plain/%.o: %.c
	@mkdir -p $(@D)
	$(FSCK_CC) $(FSCK_CFLAGS) -MMD -MP $(FSCK_INC) -c -o $@ $<

# most of the run time, and too simple to need sanitizers
$(FSCK_OUT)/core/crc32c.o: tools/lib/crc32c.c
	@mkdir -p $(@D)
	$(FSCK_CC) $(FSCK_CFLAGS) -O2 -MMD -MP $(FSCK_INC) -c -o $@ $<

$(FSCK_OUT)/fsck_program: tests/host/fsck_program.c $(FSCK_OUT)/core/crc32c.o
	@mkdir -p $(@D)
	$(fsck-build) -o $@ $^

# what it measures would be its own memory, with sanitizers
$(FSCK_OUT)/fsck_memory: tests/host/fsck_memory.c $(fsck_memory-core)
	@mkdir -p $(@D)
	$(FSCK_CC) $(FSCK_CFLAGS) -O2 -MMD -MP $(FSCK_INC) -o $@ $^

$(FSCK_OUT)/fsck_kinds: $(fsck_kinds-srcs:%.c=$(FSCK_OUT)/fsck/%.o) $(fsck-objs)
	$(FSCK_CC) $(FSCK_SAN) -o $@ $^

$(FSCK_OUT)/fsck_status: $(fsck_status-srcs:%.c=$(FSCK_OUT)/fsck/%.o) $(fsck-objs)
	$(FSCK_CC) $(FSCK_SAN) -o $@ $^

$(FSCK_OUT)/fsck_dump: $(FSCK_OUT)/fsck/tests/host/fsck_dump.o $(fsck-objs)
	$(FSCK_CC) $(FSCK_SAN) -o $@ $^

$(FSCK_OUT)/fsck_fuzz: $(fsck_fuzz-srcs:%.c=$(FSCK_OUT)/fsck/%.o) $(fsck-objs)
	$(FSCK_CC) $(FSCK_SAN) -o $@ $^

$(FSCK_OUT)/fsck_images: $(fsck_images-objs)
	$(FSCK_CC) -o $@ $^

-include $(wildcard $(FSCK_OUT)/fsck_*.d $(FSCK_OUT)/fsck/*/*.d $(FSCK_OUT)/fsck/*/*/*.d \
	 $(FSCK_OUT)/fsck_plain/*/*/*.d)

.SECONDARY:
.PHONY: fsck-test fsck-long fsck-mutants fsck-images fsck-tools
