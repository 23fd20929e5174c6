# vpclab: `make run` builds and runs the lab, `make test` runs every test, `make help` lists the rest.

PREFIX  ?= /usr/local
DESTDIR ?=
FLAVOUR ?= release
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
V       ?= 0
Q       := $(if $(filter 1,$(V)),,@)

B := build/$(FLAVOUR)
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo 0.1)
PKGS := libvirt libvirt-qemu libcurl sqlite3 libmicrohttpd jansson libxml-2.0 libnftables libnl-3.0 libnl-route-3.0 \
	nettle yaml-0.1 smartcols
GOALS_WITHOUT_PKGS := deps help clean
# what a fresh machine lacks is installed by `deps` before the recursive make that asks pkg-config
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS))
PKG_LIBS = $(shell pkg-config --libs $(PKGS))

WARN := -Wall -Wextra -Wformat=2 -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wundef \
	-Wswitch-enum
ifneq ($(findstring gcc,$(CC)),)
WARN += -Wcast-align=strict -Wlogical-op -Wduplicated-cond -Wnull-dereference
endif
WARN += $(if $(CI),-Werror)
HARDEN := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
LINK := -pie -Wl,-z,relro -Wl,-z,now
ifeq ($(FLAVOUR),asan)
OPT := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
HARDEN :=
LINK := -fsanitize=address,undefined
else ifeq ($(FLAVOUR),fuzz)
OPT := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
HARDEN :=
LINK := -fsanitize=address,undefined
else
OPT := -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(shell $(CC) -dumpversion 2>/dev/null | awk '{print ($$1+0 >= 12) ? 3 : 2}')
endif
CFLAGS ?=
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -Isrc -DVPCLAB_VERSION='"$(VERSION)"' $(OPT) $(WARN) $(HARDEN) $(PKG_CFLAGS) $(CFLAGS)

SRC := $(filter-out src/main.c,$(wildcard src/*/*.c))
OBJ := $(SRC:src/%.c=$(B)/%.o)
UNIT := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/*.c))
FUZZ := $(filter-out run_corpus,$(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c)))
CORPUS := $(FUZZ:%=$(B)/tests/fuzz_%)
FUZZER := $(FUZZ:%=$(B)/fuzz/%)
FUZZ_S ?= 60
RING3 := $(patsubst tests/ring3/%.c,$(B)/ring3/%,$(wildcard tests/ring3/*.c))

.PHONY: all deps run test unit lint asan fuzz fuzz-deps fuzzers format docs clean help install uninstall
.DELETE_ON_ERROR:

all: $(B)/vpclab ## build vpclab (build/release/vpclab, linked as ./vpclab)
ifeq ($(FLAVOUR),release)
	$(Q)ln -sfn $(B)/vpclab vpclab
endif

# the data directory and the version are part of what main and config are compiled from
$(B)/base/config.o: CFLAGS += -DVPCLAB_DATA_DIR='"$(PREFIX)/share/vpclab"'

$(B)/%.o: src/%.c
	@mkdir -p $(@D)
	@[ $(V) = 1 ] || echo "  CC    $<"
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(B)/libvpclab.a: $(OBJ)
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/vpclab: $(B)/main.o $(B)/libvpclab.a
	@[ $(V) = 1 ] || echo "  LINK  $@"
	$(Q)$(CC) $(OPT) $(LINK) $^ $(PKG_LIBS) -lresolv -lpthread -o $@

$(B)/tests/%: tests/unit/%.c $(B)/libvpclab.a
	@mkdir -p $(@D)
	@[ $(V) = 1 ] || echo "  TEST  $<"
	$(Q)$(CC) $(ALL_CFLAGS) -Itests -MMD -MP $< $(B)/libvpclab.a $(OPT) $(LINK) $(PKG_LIBS) -lresolv -lpthread -o $@

# fuzz targets: over their corpus as ordinary tests (tests/fuzz/run_corpus.c), or as libFuzzer's (FLAVOUR=fuzz, clang)
$(CORPUS): $(B)/tests/fuzz_%: tests/fuzz/%.c tests/fuzz/run_corpus.c $(B)/libvpclab.a
	@mkdir -p $(@D)
	@[ $(V) = 1 ] || echo "  TEST  $<"
	$(Q)$(CC) $(ALL_CFLAGS) -Itests -MMD -MP -MF $@.d $< tests/fuzz/run_corpus.c -DFUZZ_TARGET='"$*"' $(B)/libvpclab.a $(OPT) $(LINK) \
		$(PKG_LIBS) -lresolv -lpthread -o $@

$(FUZZER): $(B)/fuzz/%: tests/fuzz/%.c $(B)/libvpclab.a
	@mkdir -p $(@D)
	@[ $(V) = 1 ] || echo "  FUZZ  $<"
	$(Q)$(CC) $(ALL_CFLAGS) -Itests -MMD -MP $< $(B)/libvpclab.a $(OPT) -fsanitize=fuzzer $(PKG_LIBS) -lresolv -lpthread -o $@

fuzzers: $(FUZZER)

# ring 3's own programs: tests/ring3/*.c
$(B)/ring3/%: tests/ring3/%.c $(B)/libvpclab.a
	@mkdir -p $(@D)
	@[ $(V) = 1 ] || echo "  TEST  $<"
	$(Q)$(CC) $(ALL_CFLAGS) -Itests -MMD -MP $< $(B)/libvpclab.a $(OPT) $(LINK) $(PKG_LIBS) -lresolv -lpthread -o $@

unit: $(UNIT) $(CORPUS) $(RING3)

deps: ## install the Debian/Ubuntu packages that are missing (apt)
	$(Q)tests/deps.sh

run: deps ## install what it needs, build, run the whole lab, print the URL
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(SUDO) ./vpclab up

test: deps ## install what it needs, build, run every test
	$(Q)$(MAKE) --no-print-directory all unit
	$(Q)tests/run.sh

lint: deps ## who includes whom, banned functions, formatting of what is generated
	$(Q)tests/lint.sh

asan: deps ## unit, region and network tests under the address and undefined-behaviour sanitizers
	$(Q)$(MAKE) --no-print-directory FLAVOUR=asan all unit
	$(Q)FLAVOUR=asan tests/run.sh --no-guests

fuzz-deps:
	$(Q)tests/deps.sh --with fuzz

fuzz: deps fuzz-deps ## every parser of foreign bytes under libFuzzer, FUZZ_S seconds each (60)
	$(Q)$(MAKE) --no-print-directory FLAVOUR=fuzz CC=clang fuzzers
	$(Q)tests/fuzz/run.sh $(FUZZ_S)

format: ## clang-format in place
	$(Q)clang-format -i $(shell git ls-files 'src/*.[ch]' 'tests/*.[ch]')

docs: all ## print docs/verbs.md, actions.md and settings.md anew from their tables
	$(Q)for page in verbs actions settings; do $(B)/vpclab reference $$page >docs/$$page.md.tmp && \
		mv docs/$$page.md.tmp docs/$$page.md || exit 1; done

clean: ## remove what was built
	$(Q)rm -rf build vpclab

# printed by the program itself: `vpclab reference WHAT`, and where below share it goes
PAGES := bash:bash-completion/completions/vpclab zsh:zsh/site-functions/_vpclab \
	fish:fish/vendor_completions.d/vpclab.fish man:man/man1/vpclab.1

install: all ## install into DESTDIR/PREFIX
	install -D -m 755 $(B)/vpclab $(DESTDIR)$(PREFIX)/bin/vpclab
	install -d $(DESTDIR)$(PREFIX)/share/vpclab/images $(DESTDIR)$(PREFIX)/share/vpclab/cloud-init
	install -m 644 $(wildcard images/*.image) $(DESTDIR)$(PREFIX)/share/vpclab/images
	install -m 755 $(wildcard images/*.sh images/*.py) $(DESTDIR)$(PREFIX)/share/vpclab/images
	install -m 644 $(wildcard cloud-init/*) $(DESTDIR)$(PREFIX)/share/vpclab/cloud-init
	$(Q)set -e; for page in $(PAGES); do \
		install -d $(DESTDIR)$(PREFIX)/share/$$(dirname $${page#*:}); \
		$(B)/vpclab reference $${page%%:*} >$(B)/page.tmp; \
		install -m 644 $(B)/page.tmp $(DESTDIR)$(PREFIX)/share/$${page#*:}; \
	done; rm -f $(B)/page.tmp

uninstall: ## remove what install put there
	rm -rf $(DESTDIR)$(PREFIX)/bin/vpclab $(DESTDIR)$(PREFIX)/share/vpclab
	rm -f $(foreach page,$(PAGES),$(DESTDIR)$(PREFIX)/share/$(lastword $(subst :, ,$(page))))

help: ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

-include $(OBJ:.o=.d) $(B)/main.d $(UNIT:=.d) $(CORPUS:=.d) $(FUZZER:=.d) $(RING3:=.d)
