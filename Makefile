# mmprof: `make` builds, `sudo make demo` shows, `sudo make check` proves. `make help` lists all targets.

PREFIX  ?= /usr/local
DESTDIR ?=
BUILD   ?= build
VERSION := 0.1.0

CC       ?= gcc
CLANG    ?= clang
BPFTOOL  ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PKGS     := glib-2.0 popt jansson sqlite3 libbpf libtraceevent libtracefs numa libcap zlib gsl inih libkmod
CFLAGS   ?= -O2 -g
WARN     := -Wall -Wextra -Werror
CPPFLAGS += -D_GNU_SOURCE -DMMPROF_VERSION='"$(VERSION)"' -I. -Ilib -I$(BUILD)
# lazily asked, so that `make deps` and `make help` work without the packages
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   = $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm
SAN      ?=
# `make V=1` shows commands
Q        := $(if $(V),,@)
say       = $(if $(V),,@echo "  $(1)")

BPF_SRC := $(wildcard probes/*.bpf.c)
SKELS   := $(BPF_SRC:probes/%.bpf.c=$(BUILD)/probes/%.skel.h)
LIB_SRC := $(sort $(wildcard lib/*/*.c))
CMD_SRC := $(sort $(wildcard cmd/*.c))
PLUGIN_SRC := $(sort $(wildcard scripts/plugin/*.c))
CATALOG := $(sort $(wildcard probes/catalog/*))
PLOTS   := $(sort $(wildcard plots/*.gp))
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o) $(BUILD)/embed.o
CMD_OBJ := $(CMD_SRC:%.c=$(BUILD)/%.o)
UNIT    := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(filter-out %.bpf.c,$(wildcard tests/unit/test_*.c)))
UNIT_BPF := $(patsubst tests/unit/%.bpf.c,$(BUILD)/tests/unit/%.bpf.o,$(wildcard tests/unit/*.bpf.c))
WORKLOADS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/workloads/*.c))
C_FILES  = $(wildcard cmd/*.[ch] lib/*/*.[ch] probes/*.[ch] tests/*/*.[ch] scripts/plugin/*.[ch] kmod/*/*.[ch])
BPF_CFLAGS = -g -O2 -target bpf -mcpu=v3 -I/usr/include/$(shell $(CC) -print-multiarch 2>/dev/null) -Wall -Wextra -Werror -I.
MAN     := $(patsubst docs/%.scd,$(BUILD)/docs/%,$(wildcard docs/*.[1-8].scd))

.DEFAULT_GOAL := all
.PHONY: all
all: $(BUILD)/mmprof $(BUILD)/lab-plugin.so $(MAN)
.DELETE_ON_ERROR:
.SECONDARY:

# --- what must be there before anything is built
NEED := $(if $(filter clean help deps demo check,$(MAKECMDGOALS)),,need)
.PHONY: need
need:
	@scripts/deps --check build

$(BUILD)/mmprof: $(CMD_OBJ) $(BUILD)/libmmprof.a
	$(call say,LD   $@)
	$(Q)$(CC) $(CFLAGS) $(SAN) -o $@ $^ $(PKG_LIBS)

$(BUILD)/libmmprof.a: $(LIB_OBJ)
	$(call say,AR   $@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/%.o: %.c | $(SKELS) $(NEED)
	$(call say,CC   $@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) $(WARN) $(SAN) -MMD -MP -c -o $@ $<

$(BUILD)/probes/%.bpf.o: probes/%.bpf.c $(wildcard probes/*.h) | $(NEED)
	$(call say,BPF  $@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c -o $@.tmp $<
	$(Q)$(BPFTOOL) gen object $@ $@.tmp && rm -f $@.tmp

$(BUILD)/probes/%.skel.h: $(BUILD)/probes/%.bpf.o
	$(call say,SKEL $@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

# QEMU's plugin for the lab: of no library but libc
$(BUILD)/lab-plugin.so: $(PLUGIN_SRC) $(wildcard scripts/plugin/*.h) lib/base/truth_format.h lib/host/labcall.h
	$(call say,LD   $@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE -Ilib -O2 -g $(WARN) -fPIC -fvisibility=hidden -shared -o $@ $(PLUGIN_SRC) -pthread

# --- files that travel inside the binary: the schema, the probe catalogue, the figures
$(BUILD)/catalog.txt: $(CATALOG)
	@mkdir -p $(@D)
	@for f in $(CATALOG); do echo "@ $${f##*/}"; cat "$$f"; done > $@

$(BUILD)/plots.txt: $(PLOTS)
	@mkdir -p $(@D)
	@for f in $(PLOTS); do echo "@ $${f##*/}"; cat "$$f"; done > $@

$(BUILD)/embed.o: lib/embed.S schema.sql $(BUILD)/catalog.txt $(BUILD)/plots.txt
	$(call say,AS   $@)
	$(Q)$(CC) -I$(BUILD) -I. -c -o $@ $<

$(BUILD)/docs/%: docs/%.scd
	$(call say,MAN  $@)
	@mkdir -p $(@D)
	$(Q)scdoc < $< > $@

-include $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(wildcard $(BUILD)/tests/*/*.d)

# --- tests. TAP through prove; the lab's boot stock kernels in QEMU.
$(BUILD)/tests/unit/%.bpf.o: tests/unit/%.bpf.c $(wildcard probes/*.h) | $(NEED)
	$(call say,BPF  $@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libmmprof.a $(UNIT_BPF)
	$(call say,CC   $@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 $(CPPFLAGS) -DTEST_BUILD='"$(CURDIR)/$(BUILD)/tests"' $(PKG_CFLAGS) $(CFLAGS) $(WARN) $(SAN) \
		-MMD -MP -o $@ $< $(BUILD)/libmmprof.a $(PKG_LIBS) -lcmocka

$(BUILD)/tests/workloads/%: tests/workloads/%.c
	$(call say,CC   $@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE $(CFLAGS) $(WARN) -o $@ $< -pthread

$(BUILD)/tests/bench/%.bpf.o: tests/bench/%.bpf.c | $(NEED)
	$(call say,BPF  $@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(BUILD)/tests/bench/%: tests/bench/%.c | $(NEED)
	$(call say,CC   $@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE -Ilib $(CFLAGS) $(WARN) -o $@ $< -lbpf -lnuma

# The kernel modules, for the lab's kernels.
.PHONY: kmod
kmod:
	$(MAKE) -C kmod

.PHONY: tests unit cli lab check
tests: all $(UNIT) $(WORKLOADS)

unit: $(UNIT)
	tests/run unit

cli: tests
	tests/run cli

lab: tests kmod
	tests/run lab

# Everything, in one `prove`, which counts what was skipped and why.
check: deps
	$(MAKE) -j$$(nproc) tests
	$(MAKE) -j$$(nproc) kmod
	$(MAKE) layers
	tests/run

# --- what a newcomer types first: measures a small workload on this very kernel
.PHONY: demo
demo: deps
	$(MAKE) all $(WORKLOADS)
	$(BUILD)/mmprof record --db $(BUILD)/demo.db --name memhog -- $(BUILD)/tests/workloads/memhog --mib 256 --seconds 3
	$(BUILD)/mmprof report --db $(BUILD)/demo.db

.PHONY: deps
deps:
	scripts/deps --install

# --- the cost of a probed call, in the lab, beside the floor and the peers
.PHONY: bench
bench: all kmod $(BUILD)/tests/workloads/pages $(BUILD)/tests/bench/faultloop $(BUILD)/tests/bench/floor $(BUILD)/tests/bench/floor.bpf.o $(BUILD)/tests/bench/movepages $(BUILD)/tests/workloads/tierwork
	scripts/bench
	scripts/bench-pgcache
	scripts/bench-tiering

# --- the same tests under the address and undefined-behaviour sanitizers, but for the lab's
.PHONY: asan
asan:
	$(MAKE) BUILD=build-asan SAN="-fsanitize=address,undefined -fno-sanitize-recover=undefined" CFLAGS="-O1 -g" tests
	BUILD=build-asan MMPROF=$(CURDIR)/build-asan/mmprof tests/run unit cli

# --- form: formatting, shell scripts, layers
.PHONY: lint layers format
SHELL_FILES = $(wildcard $(filter-out scripts/plugin,$(wildcard scripts/*)) tests/*.sh tests/run tests/*/*.t tests/lab/*.sh) .ci/run
lint: layers
	@clang-format --dry-run --Werror $(C_FILES)
	shellcheck -x $(SHELL_FILES)

format:
	@clang-format -i $(C_FILES)

layers:
	@scripts/layers

.PHONY: install
install: all
	install -D -m 755 $(BUILD)/mmprof $(DESTDIR)$(PREFIX)/bin/mmprof
	install -D -m 755 scripts/lab $(DESTDIR)$(PREFIX)/lib/mmprof/lab
	install -D -m 644 scripts/lab-init $(DESTDIR)$(PREFIX)/lib/mmprof/lab-init
	install -D -m 644 $(BUILD)/lab-plugin.so $(DESTDIR)$(PREFIX)/lib/mmprof/lab-plugin.so
	ln -sf ../lib/mmprof/lab $(DESTDIR)$(PREFIX)/bin/mmprof-lab
	for page in $(MAN); do \
		install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; done

.PHONY: clean help
clean:
	rm -rf $(BUILD) build-asan
	$(MAKE) -C kmod clean

help:
	@echo "make            build (no root needed)"
	@echo "sudo make demo  install what is missing, build, measure a small workload here, show the report"
	@echo "sudo make check install what is missing, build, run all tests, the lab's included"
	@echo "make unit|cli|lab   one kind of tests;  make asan: unit and cli under sanitizers"
	@echo "make kmod       the kernel modules, for the lab's kernels"
	@echo "make bench      cost of a probed call, in the lab;  make lint;  make format"
	@echo "make install PREFIX=/usr/local DESTDIR=;  make deps: the Debian packages;  make clean"
