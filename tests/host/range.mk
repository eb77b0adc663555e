# SPDX-License-Identifier: GPL-2.0-only
#
# Host tests of range locks, to be used alone:
#	make -f tests/host/range.mk [range-test|range-mutants|range-long]
#
# range_tree tests fs/core/rangetree.c.  range_model runs fs/range.c, rnode.c, revoke.c
# rcache.c, cover.c and climb.c on the lock layer with its state machine, all of them unchanged, on a fake
# kernel and with small regions.  Runs in the top folder, prints like glue.mk.

RANGE_OUT ?= build/host
RANGE_CC ?= $(CC)
# the kernel is compiled so that numbers wrap
RANGE_SAN ?= -fsanitize=address,undefined -fno-sanitize=shift -fno-sanitize-recover=all
RANGE_CFLAGS ?= -std=gnu11 -g -O1 -fwrapv -Wall -Wextra -Wno-unused-parameter \
		-Wno-sign-compare -Wno-missing-field-initializers -Wno-type-limits
range-shim := $(RANGE_OUT)/range_shim
RANGE_INC := -Itools/lib/shim -Iinclude -Iinclude/uapi -I$(range-shim)

# what is tested
range-code := $(addprefix fs/,range.c rnode.c revoke.c rcache.c climb.c cover.c \
	      core/rangetree.c) \
	      $(addprefix dlm_glue/,lock.c holder.c worker.c) \
	      $(addprefix dlm_glue/core/,mode.c fsm.c res.c name.c order.c)
range-fakes := $(addprefix tests/host/,range_sched.c range_lm.c range_pages.c \
	       range_tasks.c range_model.c)
range-headers := $(wildcard fs/*.h fs/core/*.h dlm_glue/*.h dlm_glue/core/*.h \
		 include/cohfs/*.h tests/host/*.h tests/host/shim/*.h tools/lib/shim/cohfs/*.h)

# stands in for fs/inode.h and the like, whose guards it defines
range-flags := $(RANGE_CFLAGS) $(RANGE_INC) -D_GNU_SOURCE -DCOHFS_RT_REGION_SHIFT=2 \
	       -include tests/host/shim/range_fs.h
range-objs = $(patsubst %.c,$(RANGE_OUT)/$(1)/%.o,$(range-code) $(range-fakes))

# headers of the kernel are empty: the fake comes before everything else
$(range-shim)/.made: $(range-code) $(range-headers)
	@sed -n 's/^#include <\(\(linux\|trace\)\/.*\.h\)>.*/\1/p' $(range-code) \
		fs/*.h dlm_glue/*.h | sort -u | \
		grep -vE '^linux/(cohfs_ondisk|types|errno|ioctl|magic)\.h' | \
		while read -r h; do mkdir -p $(@D)/$$(dirname $$h); : >$(@D)/$$h; done
	@touch $@

$(RANGE_OUT)/range/%.o: %.c $(range-headers) $(range-shim)/.made
	@mkdir -p $(@D)
	$(RANGE_CC) $(range-flags) $(RANGE_SAN) -c -o $@ $<

# for the mutations: they are to be found wrong by the test, not by luck
$(RANGE_OUT)/range_plain/%.o: %.c $(range-headers) $(range-shim)/.made
	@mkdir -p $(@D)
	$(RANGE_CC) $(range-flags) -c -o $@ $<

$(RANGE_OUT)/range_model: $(call range-objs,range)
	$(RANGE_CC) $(RANGE_SAN) $^ -o $@

$(RANGE_OUT)/range_tree: tests/host/range_tree.c fs/core/rangetree.c \
			 dlm_glue/core/mode.c $(range-headers)
	@mkdir -p $(@D)
	$(RANGE_CC) $(RANGE_CFLAGS) $(RANGE_SAN) -Itools/lib/shim -Iinclude \
		-Iinclude/uapi $(filter %.c,$^) -o $@

range-test: $(RANGE_OUT)/range_tree $(RANGE_OUT)/range_model
	@$(RANGE_OUT)/range_tree
	@$(RANGE_OUT)/range_model

range-long: $(RANGE_OUT)/range_tree $(RANGE_OUT)/range_model
	@$(RANGE_OUT)/range_tree
	@COHFS_LONG=1 $(RANGE_OUT)/range_model

range-mutants: $(call range-objs,range_plain)
	@tests/host/range-mutate "$(RANGE_CC) $(range-flags)" $(RANGE_OUT) $(range-code)

.PHONY: range-test range-long range-mutants
