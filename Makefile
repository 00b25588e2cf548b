# SPDX-License-Identifier: BSD-2-Clause
# flightrec. `make help` lists the targets. One pattern rule per kind of file: a new source in a
# known folder needs no edit here.

# ---- settings ------------------------------------------------------------------------------
CC      ?= gcc
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PREFIX  ?= /usr/local
B       ?= build
VERSION := $(shell cat VERSION)

# SAN=address,undefined builds into a folder of its own, so that the kinds don't mix
ifneq ($(SAN),)
O := $(B)/san
SANFLAGS := -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
else
O := $(B)
endif

ifeq ($(V),1)
Q :=
say :=
else
Q := @
say = @printf '  %-8s %s\n' "$(1)" "$(patsubst $(CURDIR)/%,%,$(2))";
endif

WARN := -Wall -Wextra -Wshadow -Wswitch-enum -Wundef -Wstrict-prototypes -Wmissing-prototypes \
	-Wvla -Werror
CPPFLAGS += -I. -I$(O) -D_GNU_SOURCE -DFR_VERSION='"$(VERSION)"'
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu11 $(CFLAGS) $(WARN) $(SANFLAGS)
BPF_ARCH := $(if $(filter aarch64,$(shell uname -m)),arm64,x86)
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -ffreestanding -std=gnu11 -D__BPF__ \
	-D__TARGET_ARCH_$(BPF_ARCH) -I. -Ibpf/lib -Wall -Wextra -Wshadow -Wswitch-enum -Wundef \
	-Wmissing-prototypes -Wno-unused-parameter -Werror

# ---- what there is -------------------------------------------------------------------------
FORMATS_SRC := $(wildcard formats/*/*.c)
TOOLS_SRC   := $(wildcard tools/*.c)
RECORD_SRC  := $(filter-out recorder/main.c,$(wildcard recorder/*.c))
BPF_SRC     := $(wildcard bpf/*.bpf.c bpf/aux/*.bpf.c)
TESTBPF_SRC := $(wildcard tests/*/*.bpf.c)
UNIT_SRC    := $(wildcard tests/unit/test_*.c)
FUZZ_SRC    := $(wildcard tests/fuzz/fuzz_*.c)
INTEG_SRC   := $(wildcard tests/integration/*_test.c tests/fault/*_test.c)
BENCH_SRC   := $(filter-out %.bpf.c,$(wildcard tests/bench/*.c))
WORK_SRC    := $(wildcard tests/workload/*.c)

FORMATS_OBJ := $(FORMATS_SRC:%.c=$(O)/%.o)
TOOLS_OBJ   := $(TOOLS_SRC:%.c=$(O)/%.o)
RECORD_OBJ  := $(RECORD_SRC:%.c=$(O)/%.o)
# the programs of the recorder are embedded: bpf/ names the families, bpf/aux/ the helpers
BPF_OBJ     := $(BPF_SRC:%.bpf.c=$(O)/%.bpf.o)
TESTBPF_OBJ := $(TESTBPF_SRC:%.bpf.c=$(O)/%.bpf.o)
EMBED_OBJ   := $(O)/recorder/bpf_embed.o

UNIT_BIN  := $(UNIT_SRC:%.c=$(O)/%)
FUZZ_BIN  := $(FUZZ_SRC:%.c=$(O)/%)
REPLAY_BIN := $(FUZZ_SRC:tests/fuzz/fuzz_%.c=$(O)/tests/fuzz/replay_%)
INTEG_BIN := $(INTEG_SRC:%.c=$(O)/%)
BENCH_BIN := $(BENCH_SRC:%.c=$(O)/%)
WORK_BIN  := $(WORK_SRC:%.c=$(O)/%)

FORMATS_LIBS := -llz4 -lzstd -lxxhash
TOOLS_LIBS   := $(FORMATS_LIBS) -lcurl -lz
RECORD_LIBS  := -lbpf -linih $(FORMATS_LIBS)

# ---- everyday targets ----------------------------------------------------------------------
.DEFAULT_GOAL := all
.PHONY: help all demo test test-unit test-long bench fuzz lint golden install uninstall deps clean \
	check-deps FORCE
.DELETE_ON_ERROR:
.SECONDARY:

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22
	@echo '  V=1 shows commands, SAN=address,undefined builds with sanitizers, CC=clang changes the compiler'

all: check-deps $(O)/flightrecd $(O)/flightrec ## build build/flightrecd and build/flightrec

demo: ## install what is missing, build, record a real workload, dump, convert
	$(Q)tests/deps.sh build demo
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tools/demo/demo.sh

test: ## install what is missing, build, run all that is quick
	$(Q)tests/deps.sh build test
	$(Q)$(MAKE) --no-print-directory all test-bins
	$(Q)tests/run.sh quick

test-unit: $(UNIT_BIN) $(REPLAY_BIN) ## unit tests and corpus replay only (works with SAN=)
	$(Q)O=$(O) tests/run.sh unit

test-long: ## long stresses, other Go releases, real consumers of the formats
	$(Q)tests/deps.sh build test long
	$(Q)$(MAKE) --no-print-directory all test-bins
	$(Q)tests/run.sh long

.PHONY: test-bins
test-bins: $(UNIT_BIN) $(REPLAY_BIN) $(INTEG_BIN) $(WORK_BIN) $(BENCH_BIN) $(TESTBPF_OBJ)

bench: ## measure costs, as ratios against a baseline of the same run
	$(Q)tests/deps.sh build test bench
	$(Q)$(MAKE) --no-print-directory all test-bins
	$(Q)tests/bench/run.sh

FUZZ_SECONDS ?= 60
fuzz: ## run every fuzz target for FUZZ_SECONDS each
	$(Q)$(MAKE) --no-print-directory CC=$(CLANG) SAN=address,undefined,fuzzer-no-link \
		B=$(B)/fuzz fuzz-bins
	$(Q)O=$(B)/fuzz/san tests/fuzz/run.sh $(FUZZ_SECONDS)

.PHONY: fuzz-bins
fuzz-bins: $(FUZZ_BIN)

lint: ## style, includes, documentation against programs
	$(Q)tests/lint/run.sh

golden: all ## regenerate golden outputs (review the diff)
	$(Q)tests/golden/run.sh --update

deps: ## install what building and testing need (Debian)
	$(Q)tests/deps.sh build test demo

check-deps:
	@tests/deps.sh --check build

clean: ## remove build/
	rm -rf $(B)

# ---- programs ------------------------------------------------------------------------------
$(O)/flightrec: $(TOOLS_OBJ) $(O)/libformats.a $(O)/tools.list
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(TOOLS_LIBS)
$(O)/flightrecd: $(O)/recorder/main.o $(RECORD_OBJ) $(EMBED_OBJ) $(O)/libformats.a $(O)/recorder.list
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(RECORD_LIBS)

$(O)/libformats.a: $(FORMATS_OBJ) $(O)/formats.list
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $(FORMATS_OBJ)

# A list that changes when files come or go: deleting a source relinks what contained it.
define list_rule
$(1): FORCE
	@mkdir -p $$(@D); echo '$(2)' | cmp -s - $$@ || echo '$(2)' > $$@
endef
$(eval $(call list_rule,$(O)/formats.list,$(FORMATS_OBJ)))
$(eval $(call list_rule,$(O)/tools.list,$(TOOLS_OBJ)))
$(eval $(call list_rule,$(O)/recorder.list,$(RECORD_OBJ)))
$(eval $(call list_rule,$(O)/bpf.list,$(BPF_OBJ)))
FORCE:

# ---- rules, one per kind -------------------------------------------------------------------
$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/%.bpf.o: %.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$<)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $< && \
		$(if $(shell command -v llvm-strip),llvm-strip -g $@,true)

# Every BPF object goes into the daemon as bytes, with its name: a new file needs no edit.
$(O)/recorder/bpf_embed.c: $(BPF_OBJ) $(O)/bpf.list tools/embed.sh
	@mkdir -p $(@D)
	$(call say,EMBED,$@)tools/embed.sh $(BPF_OBJ) > $@
$(O)/recorder/bpf_embed.o: $(O)/recorder/bpf_embed.c
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(O)/tests/unit/%: tests/unit/%.c $(O)/libformats.a
	@mkdir -p $(@D)
	$(call say,TEST,$<)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -MF $@.d -o $@ $< \
		$(filter %.o,$^) $(filter %.a,$^) -lcmocka $(FORMATS_LIBS) $(UNIT_LIBS)

# unit tests of the recorder's own modules link those modules too
UNIT_REC := $(filter $(O)/tests/unit/test_recorder_%,$(UNIT_BIN))
$(UNIT_REC): $(RECORD_OBJ) $(EMBED_OBJ)
$(UNIT_REC): UNIT_LIBS := -lbpf -linih

$(O)/tests/fuzz/%: tests/fuzz/%.c $(O)/libformats.a
	@mkdir -p $(@D)
	$(call say,FUZZ,$<)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -fsanitize=fuzzer -MMD -MP -MF $@.d -o $@ $< \
		$(O)/libformats.a $(FORMATS_LIBS)

# the same targets without a fuzzer, for every compiler: they replay tests/fuzz/corpus
$(O)/tests/fuzz/replay_%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $(O)/libformats.a
	@mkdir -p $(@D)
	$(call say,TEST,$<)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -o $@ $^ $(FORMATS_LIBS)

$(O)/tests/integration/% $(O)/tests/fault/%: $(RECORD_OBJ) $(EMBED_OBJ) $(O)/libformats.a
$(O)/tests/integration/%: tests/integration/%.c
	@mkdir -p $(@D)
	$(call say,TEST,$<)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -MF $@.d -o $@ $< \
		$(RECORD_OBJ) $(EMBED_OBJ) $(O)/libformats.a -lpthread $(RECORD_LIBS)
$(INTEG_BIN): $(RECORD_OBJ) $(EMBED_OBJ) $(O)/libformats.a
$(O)/tests/bench/%: tests/bench/%.c $(RECORD_OBJ) $(EMBED_OBJ) $(O)/libformats.a
	@mkdir -p $(@D)
	$(call say,BENCH,$<)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -MF $@.d -o $@ $< \
		$(RECORD_OBJ) $(EMBED_OBJ) $(O)/libformats.a -lpthread -lm $(RECORD_LIBS)
$(O)/tests/workload/%: tests/workload/%.c
	@mkdir -p $(@D)
	$(call say,WORK,$<)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -MF $@.d -o $@ $< -lpthread

# ---- installing ----------------------------------------------------------------------------
DESTDIR ?=
install: all ## install programs, man pages, completion, unit, example settings (PREFIX, DESTDIR)
	install -Dm755 $(B)/flightrecd $(DESTDIR)$(PREFIX)/sbin/flightrecd
	install -Dm755 $(B)/flightrec $(DESTDIR)$(PREFIX)/bin/flightrec
	install -Dm644 tools/flightrec.1 $(DESTDIR)$(PREFIX)/share/man/man1/flightrec.1
	install -Dm644 recorder/flightrecd.8 $(DESTDIR)$(PREFIX)/share/man/man8/flightrecd.8
	install -Dm644 recorder/flightrec.ini.5 $(DESTDIR)$(PREFIX)/share/man/man5/flightrec.ini.5
	install -Dm644 tools/completion.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/flightrec
	ln -sf flightrec $(DESTDIR)$(PREFIX)/share/bash-completion/completions/flightrecd
	install -Dm644 recorder/flightrec.ini $(DESTDIR)$(PREFIX)/share/doc/flightrec/flightrec.ini
	install -Dm644 recorder/flightrecd.service $(DESTDIR)$(PREFIX)/lib/systemd/system/flightrecd.service
	sed -i 's|/usr/local/sbin|$(PREFIX)/sbin|' $(DESTDIR)$(PREFIX)/lib/systemd/system/flightrecd.service

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/sbin/flightrecd $(DESTDIR)$(PREFIX)/bin/flightrec \
		$(DESTDIR)$(PREFIX)/share/man/man1/flightrec.1 $(DESTDIR)$(PREFIX)/share/man/man8/flightrecd.8 \
		$(DESTDIR)$(PREFIX)/share/man/man5/flightrec.ini.5 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/flightrec \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/flightrecd \
		$(DESTDIR)$(PREFIX)/share/doc/flightrec/flightrec.ini \
		$(DESTDIR)$(PREFIX)/lib/systemd/system/flightrecd.service

-include $(shell find $(O) -name '*.d' 2>/dev/null)
