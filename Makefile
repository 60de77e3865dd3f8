# lastcall: `make deps`, `make`, `make test`, `make install`. README.md has the rest.
VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
LIBC    ?= musl
B       ?= build

LIBDIR := /usr/lib/$(shell gcc -print-multiarch 2>/dev/null)
ifeq ($(wildcard $(LIBDIR)/libinih.a),)
LIBDIR := /usr/lib
endif
ifeq ($(LIBC),musl)
CC := $(if $(shell command -v musl-gcc 2>/dev/null),musl-gcc,gcc)
else
CC := gcc
endif

# Link-time optimisation for size; the objects stay readable for nm, which the second gate needs.
LTO    ?= -flto -ffat-lto-objects
WARN   := -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
          -Wvla -Wundef -Wwrite-strings
HARDEN := -fstack-protector --param=ssp-buffer-size=4 -D_FORTIFY_SOURCE=2
# With link-time optimisation GCC 12 takes no array of char for one, and -fstack-protector guards next to nothing.
# Where strangers' bytes are read, it has to be the strong one.
STRONG := text store net
SIZE   := -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-pie \
          -fno-jump-tables -fno-tree-switch-conversion -fno-tree-sra -fno-ipa-sra -fno-tree-loop-im -fno-tree-dominator-opts \
          -fno-move-loop-invariants -fno-caller-saves -fno-expensive-optimizations --param=uninlined-function-insns=0 \
          -fno-if-conversion -fno-forward-propagate -fno-tree-tail-merge $(if $(findstring x86_64,$(LIBDIR)),-malign-data=abi) \
          $(LTO)
CFLAGS ?= -Oz -g
MODE   := -std=gnu11 -D_GNU_SOURCE -DLASTCALL_VERSION='"$(VERSION)"' $(WARN)
# The data's bytes follow the code's in the file: without a small common-page-size they would begin a page.
ifeq ($(LIBC),musl)
LAYOUT := -Wl,-T,src/layout.ld -Wl,-z,norelro -Wl,-z,common-page-size=64
else
LAYOUT := -Wl,-z,relro,-z,now
endif
LINK   := -static -no-pie -Wl,--gc-sections -Wl,-z,noexecstack -Wl,-z,noseparate-code -flto-partition=one $(LAYOUT)

# model is only nouns; core, conf and text decide and are pure, and so is world, which only simulates; the
# rest does.
PURE := model core conf text world
DOES := sys store run net verbs
pure_src := $(wildcard $(PURE:%=src/%/*.c))
does_src := $(wildcard $(DOES:%=src/%/*.c)) src/main.c
pure_obj := $(pure_src:src/%.c=$(B)/obj/%.o)
does_obj := $(does_src:src/%.c=$(B)/obj/%.o)
objects   = $(pure_obj) $(does_obj)

all: $(B)/lastcall gates

$(B)/lastcall: $(objects) src/layout.ld
	@echo "  LD   $@"
	@$(CC) $(CFLAGS) $(HARDEN) $(SIZE) $(LINK) $(LDFLAGS) -o $@.full $(objects) $(LIBDIR)/libinih.a $(LIBDIR)/libmd.a
	@strip -s -R .comment -o $@ $@.full

# Each pure room is compiled with its own include path only, so that an import the wrong way is an
# error. core and text see model; conf sees text as well.
rooms_model :=
rooms_core  := core
rooms_text  := text
rooms_conf  := conf text
rooms_world := world core
see = $(foreach room,model $(rooms_$(1)),-iquote $(B)/see/$(room))

$(B)/see: Makefile
	@rm -rf $@ && mkdir -p $@ $(B)/include
	@for room in $(PURE); do mkdir -p $@/$$room && ln -sfn $(CURDIR)/src/$$room $@/$$room/$$room; done
	@cp /usr/include/ini.h /usr/include/sha2.h $(B)/include/

define pure_room
$(B)/obj/$(1)/%.o: src/$(1)/%.c Makefile | $(B)/see
	@mkdir -p $$(@D)
	@echo "  CC   $$<"
	@$(CC) $(MODE) $$(HARDEN) $(SIZE) $(CFLAGS) $(call see,$(1)) $(if $(filter conf,$(1)),-isystem $(B)/include) -MMD -MP -c -o $$@ $$<
endef
$(STRONG:%=$(B)/obj/%/%.o): HARDEN += -fstack-protector-strong

$(foreach room,$(PURE),$(eval $(call pure_room,$(room))))

$(B)/obj/%.o: src/%.c Makefile | $(B)/see
	@mkdir -p $(@D)
	@echo "  CC   $<"
	@$(CC) $(MODE) $(HARDEN) $(SIZE) $(CFLAGS) -iquote src -isystem $(B)/include -MMD -MP -c -o $@ $<

-include $(objects:.o=.d)

# The second gate: the archive of the pure rooms calls nothing but these (inih has an object of its own).
gates: $(pure_obj) $(B)/lastcall
	@rm -f $(B)/pure.a && ar rcs $(B)/pure.a $(pure_obj)
	@GATE_ANY_SIZE=$(GATE_ANY_SIZE) sh tests/gates.sh $(B)/pure.a $(B)/lastcall

deps:
	sh tests/deps.sh

# The names of the inits whose place it takes; never laid without being asked for. Hard links: who resolves
# the path of tini still calls tini. Those that are there go with the program, when it is renewed and when it goes.
BIN   := $(DESTDIR)$(PREFIX)/bin
MAN   := $(DESTDIR)$(PREFIX)/share/man
NAMES := tini tini-static docker-init dumb-init catatonit podman-init
LAID  := $$(for name in $(NAMES); do if [ $(BIN)/$$name -ef $(BIN)/lastcall ]; then echo $$name; fi; done)

install: $(B)/lastcall
	@set -e; laid="$(LAID)"; install -D -m 755 $(B)/lastcall $(BIN)/lastcall; \
		for name in $$laid; do ln -f $(BIN)/lastcall $(BIN)/$$name; done
	install -D -m 644 man/lastcall.1 $(MAN)/man1/lastcall.1
	install -D -m 644 man/lastcall.ini.5 $(MAN)/man5/lastcall.ini.5
	install -D -m 644 man/lastcall-http.7 $(MAN)/man7/lastcall-http.7

install-links: install
	@set -e; for name in $(NAMES); do ln -f $(BIN)/lastcall $(BIN)/$$name; done

uninstall:
	@for name in $(LAID); do rm -f $(BIN)/$$name; done
	rm -f $(BIN)/lastcall $(MAN)/man1/lastcall.1 $(MAN)/man5/lastcall.ini.5 $(MAN)/man7/lastcall-http.7

# Tests. Unit tests and the simulator link the pure rooms, compiled with the sanitizers.
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g -O1
unit_names := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
unit_bins  := $(unit_names:%=$(B)/unit/%)
test_objs  := $(pure_src:src/%.c=$(B)/san/%.o)

$(B)/san/%.o: src/%.c | $(B)/see
	@mkdir -p $(@D)
	@echo "  CC   $< (sanitizers)"
	@gcc $(MODE) $(SAN) -iquote src -isystem $(B)/include -MMD -MP -c -o $@ $<
-include $(test_objs:.o=.d)

$(B)/san.a: $(test_objs)
	@rm -f $@ && ar rcs $@ $^

$(B)/unit/%: tests/unit/%.c $(wildcard tests/unit/*.h) $(B)/san.a
	@mkdir -p $(@D)
	@echo "  CC   $<"
	@gcc $(MODE) -Wno-missing-prototypes $(SAN) -iquote src -iquote tests/unit -o $@ $< $(B)/san.a $(LIBDIR)/libinih.a -lcriterion

$(B)/sim: $(wildcard tests/sim/*.c tests/sim/*.h) $(pure_obj) $(B)/see
	gcc $(MODE) -O3 -flto=auto -g -iquote src -o $@ $(wildcard tests/sim/*.c) $(wildcard src/core/*.c src/model/*.c)

# All faults of all system calls (the ordinary tests take a sample): an hour, or many.
faults: $(B)/lastcall
	LASTCALL_FAULTS=all /usr/bin/python3 -m pytest -q -n $(JOBS) tests/system/test_faults.py tests/system/test_fault_verbs.py \
		tests/system/test_store.py tests/system/test_checkpoint_verbs.py

$(B)/every: $(wildcard tests/every/*.c tests/every/*.h) $(pure_obj) $(B)/see
	gcc $(MODE) -O2 -g -iquote src -o $@ $(wildcard tests/every/*.c) $(wildcard src/core/*.c src/model/*.c)

# All that can happen to small systems (numbered in tests/every/main.c): a little of each and more of the smallest
# here, and that what is forgotten on the way makes no difference.
every: $(B)/every
	$(B)/every -w 300
	$(B)/every -t -e 0 -b 21 3 5 7 11 19 20 22
	$(B)/every -t -e 1 -b 19 0 1 2 12 14 15 16 17
	$(B)/every -e 1 18 21 23
	$(B)/every -e 2 2 3 4 5 6 7 8 9 10 11 13 14 19 20
	$(B)/every -e 4 -b 22 22
	$(B)/every -e 6 0 1 12 15 16 17

# By hand, within half an hour and 5 GB: all with six events from outside, but for three with four: one that even KILL
# does not end at once, and two of two services and two drains with a schedule of saves.
every-long: $(B)/every
	$(B)/every -e 6 -b 26 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 19 20 22
	$(B)/every -e 4 -b 27 18 21 23

# A store of checkpoints inside one process: random histories with crashes, errors and damage, and lost power. On
# tmpfs, if there is one. HISTORIES=N SEED=N, CHOICES=N (of what survives a loss of power) try more.
seam_calls := mkdir mkdirat openat write fsync syncfs renameat unlinkat symlinkat flock read fstatat
store_deps := tests/store/seam.c $(wildcard src/store/*.c src/text/*.c src/model/*.c) src/sys/fd.c src/sys/clock.c
$(B)/store-%: tests/store/%.c $(store_deps) $(wildcard tests/store/*.h src/store/*.h src/text/*.h)
	@mkdir -p $(@D)
	@echo "  CC   $<"
	@gcc $(MODE) -Wno-missing-prototypes -O1 -g -iquote src -o $@ $< $(store_deps) -lmd $(seam_calls:%=-Wl,--wrap=%)

# The store by command, made of the objects that lastcall is made of.
$(B)/store-driver: tests/store/driver.c $(objects)
	@echo "  LD   $@"
	@$(CC) $(MODE) $(HARDEN) $(SIZE) $(CFLAGS) $(LINK) -iquote src -isystem $(B)/include -o $@ $< \
		$(filter-out $(B)/obj/main.o,$(objects)) $(LIBDIR)/libinih.a $(LIBDIR)/libmd.a

HISTORIES ?= 10000
CHOICES   ?= 4
store: $(B)/store-histories $(B)/store-power
	@dir=$$(mktemp -d -p $$(test -w /dev/shm && echo /dev/shm || echo /tmp) lc-store-XXXXXX); trap 'rm -rf "$$dir"' EXIT; \
		$(B)/store-histories $$dir $(HISTORIES) $(SEED) && $(B)/store-power $$dir $(CHOICES) $(SEED)

.PHONY: mutants store every every-long all gates deps install install-links uninstall unit sim sim-long system peers faults docs fuzz fuzz-smoke coverage test test-san \
        compile-clang test-engine demo bench clean

unit: $(unit_bins)
	@for t in $(unit_bins); do echo "== $$t"; $$t --quiet -j2 || { $$t -j2; exit 1; }; done

# Scenes that failed once, then shutdowns drawn from seeds. One that fails is made small and kept with the others.
sim: $(B)/sim
	$(B)/sim tests/sim/kept/*.scene
	$(B)/sim -r 5000
	$(B)/sim -n 300000 -b 3000 -k tests/sim/kept

# SEED=N goes on elsewhere.
SEED ?= 1
sim-long: $(B)/sim
	$(B)/sim -n 1000000 -b 10000 -s $(SEED) -k tests/sim/kept

# Breaks the decision code in small ways, and counts those that no test notices: all of them, or MUTANTS=N drawn by
# SEED. What noticed is remembered in build/, so that the next time is shorter.
MUTANTS ?= 0
mutants:
	/usr/bin/python3 tests/mutants/mutants.py --sample $(MUTANTS) --seed $(SEED) --cache $(B)/mutants.json

# System tests mostly wait; twice as many at a time as there are processors keep them busy.
JOBS ?= $(shell expr 2 '*' $$(nproc))

# The storms have the machine to themselves: whatever has a deadline beside them would miss it.
system: $(B)/lastcall
	/usr/bin/python3 -m pytest -q -n $(JOBS) tests/system --ignore tests/system/test_storms.py
	/usr/bin/python3 -m pytest -q tests/system/test_storms.py

# The tests of the personalities on the real ones: those judge the tests.
peers: $(B)/lastcall
	LASTCALL_PEERS=only /usr/bin/python3 -m pytest -q -n $(JOBS) tests/system/test_peers.py tests/system/test_tini.py \
		tests/system/test_dumb_init.py tests/system/test_catatonit.py

docs: $(B)/lastcall
	sh tests/docs.sh $(B)/lastcall

test: all unit sim every store system docs

# The same tests on a binary with AddressSanitizer and UndefinedBehaviourSanitizer (glibc, dynamic).
$(B)/lastcall-san: $(pure_src) $(does_src) $(wildcard src/*/*.h) | $(B)/see
	gcc $(MODE) $(SAN) -iquote src -isystem $(B)/include -o $@ $(pure_src) $(does_src) $(LIBDIR)/libinih.a $(LIBDIR)/libmd.a

test-san: $(B)/lastcall-san
	LASTCALL_BIN=$(B)/lastcall-san /usr/bin/python3 -m pytest -q -n $(JOBS) tests/system

# The same binary under real Docker: a daemon of the tests' own, which leaves nothing behind. Needs root.
test-engine: $(B)/lastcall
	sh tests/engine/deps.sh
	/usr/bin/python3 -m pytest -q tests/engine

# Fuzz targets: each for a moment, or (`make fuzz FUZZ_SECONDS=600 TARGETS="conf words"`) some for long, and how
# much of what they are for is then reached.
fuzz_names := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

FUZZ := -g -O1 -fno-sanitize-recover=all
fuzz_objs := $(pure_src:src/%.c=$(B)/fuzz/obj/%.o)

$(B)/fuzz/obj/%.o: src/%.c | $(B)/see
	@mkdir -p $(@D)
	@echo "  CC   $< (fuzzing)"
	@clang $(MODE) $(FUZZ) -fsanitize=fuzzer-no-link,address,undefined -iquote src -isystem $(B)/include -MMD -MP -c -o $@ $<
-include $(fuzz_objs:.o=.d)

$(B)/fuzz/%: tests/fuzz/fuzz_%.c $(fuzz_objs)
	@echo "  CC   $<"
	@clang $(MODE) -Wno-missing-prototypes $(FUZZ) -fsanitize=fuzzer,address,undefined -iquote src -MMD -MP -MF $@.d -o $@ $< \
		$(fuzz_objs) $(LIBDIR)/libinih.a
-include $(wildcard $(B)/fuzz/*.d)

.SECONDARY: $(fuzz_objs) $(test_objs)

one_by_one = printf '%s\n' $(1) | xargs -P $$(nproc) -I NAME sh tests/fuzz/run.sh $(B) $(FUZZ_SECONDS) NAME

fuzz-smoke: FUZZ_SECONDS ?= 4
fuzz-smoke: $(fuzz_names:%=$(B)/fuzz/%)
	@$(call one_by_one,$(fuzz_names))

TARGETS ?= $(fuzz_names)
fuzz: FUZZ_SECONDS ?= 300
fuzz: $(TARGETS:%=$(B)/fuzz/%) $(TARGETS:%=$(B)/cov/fuzz_%)
	@$(call one_by_one,$(TARGETS)) coverage

# What the tests see of the code that decides: of each line, and of each outcome of each condition. All programs
# that link the pure rooms count: unit tests, sim, every, and the seeds of the fuzz targets.
COV := -g -O1 -fprofile-instr-generate -fcoverage-mapping
cov_objs := $(pure_src:src/%.c=$(B)/cov/obj/%.o)
cov_bins := $(unit_names) sim every $(fuzz_names:%=fuzz_%)
counted   = LLVM_PROFILE_FILE=$(B)/cov/$(1).%4m.raw $(B)/cov/$(1)

$(B)/cov/obj/%.o: src/%.c | $(B)/see
	@mkdir -p $(@D)
	@echo "  CC   $< (coverage)"
	@clang $(MODE) $(COV) -iquote src -isystem $(B)/include -MMD -MP -c -o $@ $<
-include $(cov_objs:.o=.d)

$(B)/cov.a: $(cov_objs)
	@rm -f $@ && ar rcs $@ $^

cov_cc = clang $(MODE) -Wno-missing-prototypes -Wno-sign-compare $(COV) -iquote src -iquote tests/unit -o $@ \
	$(filter tests/%.c,$^) $(B)/cov.a $(LIBDIR)/libinih.a
$(B)/cov/test_%: tests/unit/test_%.c $(B)/cov.a
	@$(cov_cc) -MMD -MP -MF $@.d -lcriterion
$(B)/cov/fuzz_%: tests/fuzz/fuzz_%.c $(B)/cov.a
	@$(cov_cc) -MMD -MP -MF $@.d -fsanitize=fuzzer
-include $(wildcard $(B)/cov/*.d)
$(B)/cov/sim: $(wildcard tests/sim/*.c) $(B)/cov.a
	@$(cov_cc)
$(B)/cov/every: $(wildcard tests/every/*.c) $(B)/cov.a
	@$(cov_cc)

coverage: $(cov_bins:%=$(B)/cov/%)
	@rm -f $(B)/cov/*.raw
	@for t in $(unit_names); do $(call counted,$$t) --quiet -j2 || exit 1; done
	@$(call counted,sim) -n 200000 -b 1000 >/dev/null
	@$(call counted,every) -e 1 >/dev/null
	@for name in $(fuzz_names); do $(call counted,fuzz_$$name) -runs=0 tests/fuzz/seeds/$$name 2>$(B)/cov/fuzz.log || \
		{ cat $(B)/cov/fuzz.log; exit 1; }; done
	@/usr/bin/python3 tests/coverage.py $(B)/cov

# The same sources through the other compiler: warnings only, nothing is linked.
compile-clang: | $(B)/see
	@for f in $(pure_src) $(does_src); do \
		clang $(MODE) -fsyntax-only -iquote src -isystem $(B)/include $$f || exit 1; done; echo "clang: no warning"

demo: $(B)/lastcall
	demo/run

# BENCH=--json prints the raw figures, BENCH=--check fails where those that no load changes got worse.
bench: $(B)/lastcall $(B)/store-driver
	tests/bench/run $(BENCH)
	$(if $(filter --json --markdown,$(BENCH)),,tests/bench/store $(BENCH))

clean:
	rm -rf $(B)
