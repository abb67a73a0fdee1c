# mmprof: `make` builds, `sudo make demo` shows, `sudo make check` proves. `make help` lists all targets.

PREFIX  ?= /usr/local
DESTDIR ?=
BUILD   ?= build
VERSION := 0.1.0

CC       ?= gcc
CLANG    ?= clang
BPFTOOL  ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PKGS     := glib-2.0 popt jansson sqlite3 libbpf libtraceevent libtracefs numa libcap
CFLAGS   ?= -O2 -g
WARN     := -Wall -Wextra -Werror
CPPFLAGS += -D_GNU_SOURCE -DMMPROF_VERSION='"$(VERSION)"' -I. -Ilib -I$(BUILD)
# lazily asked, so that `make deps` and `make help` work without the packages
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   = $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm
SAN      ?=

BPF_SRC := $(wildcard probes/*.bpf.c)
SKELS   := $(BPF_SRC:probes/%.bpf.c=$(BUILD)/probes/%.skel.h)
LIB_SRC := $(sort $(wildcard lib/*/*.c))
CMD_SRC := $(sort $(wildcard cmd/*.c))
CATALOG := $(sort $(wildcard probes/catalog/*))
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o) $(BUILD)/embed.o
CMD_OBJ := $(CMD_SRC:%.c=$(BUILD)/%.o)
UNIT    := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
TEST_BIN := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/workloads/*.c))
MAN     := $(patsubst docs/%.scd,$(BUILD)/docs/%,$(wildcard docs/*.[1-8].scd))

.PHONY: all
all: $(BUILD)/mmprof $(MAN)
.DELETE_ON_ERROR:

# --- what must be there before anything is built
NEED := $(if $(filter clean help deps lint-names,$(MAKECMDGOALS)),,need)
.PHONY: need
need:
	@scripts/deps --check build

$(BUILD)/mmprof: $(CMD_OBJ) $(BUILD)/libmmprof.a
	$(CC) $(CFLAGS) $(SAN) -o $@ $^ $(PKG_LIBS)

$(BUILD)/libmmprof.a: $(LIB_OBJ)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/%.o: %.c | $(SKELS) $(NEED)
	@mkdir -p $(@D)
	$(CC) -std=gnu17 $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) $(WARN) $(SAN) -MMD -MP -c -o $@ $<

$(BUILD)/probes/%.bpf.o: probes/%.bpf.c $(wildcard probes/*.h) | $(NEED)
	@mkdir -p $(@D)
	$(CLANG) -g -O2 -target bpf -mcpu=v3 -I/usr/include/$(shell $(CC) -print-multiarch 2>/dev/null) -Wall -Wextra -Werror -I. -c -o $@.tmp $<
	$(BPFTOOL) gen object $@ $@.tmp && rm -f $@.tmp

$(BUILD)/probes/%.skel.h: $(BUILD)/probes/%.bpf.o
	$(BPFTOOL) gen skeleton $< name $*_bpf > $@

# --- files that travel inside the binary: the schema and the probe catalogue
$(BUILD)/catalog.txt: $(CATALOG)
	@mkdir -p $(@D)
	@for f in $(CATALOG); do echo "@ $${f##*/}"; cat "$$f"; done > $@

$(BUILD)/embed.o: lib/embed.S schema.sql $(BUILD)/catalog.txt
	$(CC) -I$(BUILD) -I. -c -o $@ $<

$(BUILD)/docs/%: docs/%.scd
	@mkdir -p $(@D)
	scdoc < $< > $@

-include $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(wildcard $(BUILD)/tests/*/*.d)

# --- tests
$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libmmprof.a
	@mkdir -p $(@D)
	$(CC) -std=gnu17 $(CPPFLAGS) -DTEST_DATA='"$(CURDIR)/tests/data"' $(PKG_CFLAGS) $(CFLAGS) $(WARN) $(SAN) -MMD -MP -o $@ $< \
		$(BUILD)/libmmprof.a $(PKG_LIBS) -lcmocka

$(BUILD)/tests/workloads/%: tests/workloads/%.c
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -D_GNU_SOURCE $(CFLAGS) $(WARN) -o $@ $< -pthread

.PHONY: unit
unit: $(UNIT)
	@for t in $(UNIT); do $$t || exit 1; done

.PHONY: clean
clean:
	rm -rf $(BUILD)
