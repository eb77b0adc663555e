# SPDX-License-Identifier: GPL-2.0-only
#
# Host tests of dlm_glue/core, to be included by tests/host/Makefile or used alone:
#	make -f tests/host/glue.mk [glue-test|glue-mutants|glue-long]
#
# Runs in the top folder.  Every test prints "ok NAME" or "not ok NAME" and exits
# with 1 if there was one of the latter.

GLUE_OUT ?= build/host
GLUE_CC ?= $(CC)
GLUE_SAN ?= -fsanitize=address,undefined -fno-sanitize-recover=all
GLUE_CFLAGS ?= -std=gnu11 -g -O1 -Wall -Wextra -Wno-unused-parameter
GLUE_INC := -Itools/lib/shim -Iinclude -Iinclude/uapi
GLUE_CORE := dlm_glue/core
GLUE_HDRS := $(wildcard $(GLUE_CORE)/*.h include/cohfs/*.h tests/host/glue_*.h \
	       tools/lib/shim/cohfs/*.h include/uapi/linux/*.h)

glue_algebra-src := tests/host/glue_algebra.c $(addprefix $(GLUE_CORE)/,mode.c name.c \
		    order.c lvb.c) tools/lib/crc32c.c
glue_fsm-src := tests/host/glue_fsm.c $(addprefix $(GLUE_CORE)/,mode.c fsm.c)
glue_model-src := tests/host/glue_model.c tests/host/glue_cluster.c \
		  $(addprefix $(GLUE_CORE)/,mode.c fsm.c res.c)
GLUE_TESTS := glue_algebra glue_fsm glue_model

# every mutation in core/fsm.c, by number; each must make the model test fail
GLUE_MUTANTS := $(shell sed -n 's/.*MUTANT(\([0-9]\+\)).*/\1/p' $(GLUE_CORE)/fsm.c | \
		  sort -nu)

glue-build = $(GLUE_CC) $(GLUE_CFLAGS) $(GLUE_SAN) $(GLUE_INC)

$(GLUE_OUT):
	@mkdir -p $@

define glue-test-rule
$(GLUE_OUT)/$(1): $$($(1)-src) $(GLUE_HDRS) | $(GLUE_OUT)
	$$(glue-build) $$($(1)-src) -o $$@
endef
$(foreach t,$(GLUE_TESTS),$(eval $(call glue-test-rule,$(t))))

# no sanitizers: they are to be found wrong by the test, not by luck
$(GLUE_OUT)/glue_mutant_%: $(glue_model-src) $(GLUE_HDRS) | $(GLUE_OUT)
	$(GLUE_CC) $(GLUE_CFLAGS) $(GLUE_INC) -DCOHFS_MUTATE=$* $(glue_model-src) -o $@

glue-test: $(addprefix $(GLUE_OUT)/,$(GLUE_TESTS))
	@set -e; for t in $(GLUE_TESTS); do $(GLUE_OUT)/$$t; done

glue-long: $(addprefix $(GLUE_OUT)/,$(GLUE_TESTS))
	@set -e; for t in $(GLUE_TESTS); do COHFS_LONG=1 $(GLUE_OUT)/$$t; done

glue-mutants: $(foreach n,$(GLUE_MUTANTS),$(GLUE_OUT)/glue_mutant_$(n))
	@bad=0; for n in $(GLUE_MUTANTS); do \
		if timeout 600 $(GLUE_OUT)/glue_mutant_$$n >$(GLUE_OUT)/glue_mutant_$$n.log \
				2>&1; then \
			echo "not ok mutant_$$n survived"; bad=1; \
		elif grep -q '^not ok' $(GLUE_OUT)/glue_mutant_$$n.log; then \
			echo "ok mutant_$$n"; \
		else \
			echo "not ok mutant_$$n: died before it was found wrong"; bad=1; \
		fi; \
	done; exit $$bad

.PHONY: glue-test glue-long glue-mutants
