# SPDX-License-Identifier: GPL-2.0-only
#
# Host tests of fresh blocks, to be used alone:
#	make -f tests/host/fresh.mk [fresh-test|fresh-mutants]
#
# fresh_model runs fs/fresh.c, unchanged, on a fake kernel.  Runs in the top folder, prints
# like glue.mk.

FRESH_OUT ?= build/host
FRESH_CC ?= $(CC)
FRESH_SAN ?= -fsanitize=address,undefined -fno-sanitize-recover=all
FRESH_CFLAGS ?= -std=gnu11 -g -O1 -pthread -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare
fresh-shim := $(FRESH_OUT)/fresh_shim
fresh-flags := $(FRESH_CFLAGS) -Itools/lib/shim -Iinclude -Iinclude/uapi -I$(fresh-shim) -Ifs \
	       -D_GNU_SOURCE -include tests/host/shim/fresh_fs.h
fresh-fakes := tests/host/fresh_sched.c tests/host/fresh_model.c
fresh-headers := fs/fresh.h tests/host/shim/fresh_fs.h tests/host/glue_check.h

# headers of the kernel are empty: the fake comes before everything else
$(fresh-shim)/.made: fs/fresh.c fs/fresh.h
	@sed -n 's/^#include <\(linux\/.*\.h\)>.*/\1/p' $^ | sort -u | grep -v '^linux/types\.h' | \
		while read -r h; do mkdir -p $(@D)/$$(dirname $$h); : >$(@D)/$$h; done
	@touch $@

$(FRESH_OUT)/fresh_model: fs/fresh.c $(fresh-fakes) $(fresh-headers) $(fresh-shim)/.made
	@mkdir -p $(@D)
	$(FRESH_CC) $(fresh-flags) $(FRESH_SAN) fs/fresh.c $(fresh-fakes) -o $@

fresh-test: $(FRESH_OUT)/fresh_model
	@$(FRESH_OUT)/fresh_model

fresh-mutants: $(fresh-shim)/.made
	@tests/host/fresh-mutate "$(FRESH_CC) $(fresh-flags)" $(FRESH_OUT) $(fresh-fakes)

.PHONY: fresh-test fresh-mutants
