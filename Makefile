# crumb. 'make' builds, 'make run' shows it, 'make test' tests it, 'make help' lists the rest.
#
# Build trees stand side by side: build/ for release, build/MODE/ for MODE=debug, asan, tsan, clang, fuzz.

MODE ?= release
SETUP ?= yes
B := $(if $(filter release,$(MODE)),build,build/$(MODE))

WARN := -Wall -Wextra -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes -Werror
CPPFLAGS := -D_GNU_SOURCE -Iinclude -isystem /usr/share/include
CFLAGS.release := -O2 -g
CFLAGS.debug := -O0 -g
CFLAGS.clang := -O2 -g
CFLAGS.asan := -O1 -g -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=undefined,float-cast-overflow -fno-omit-frame-pointer -DCRUMB_SMALL_MAPS
CFLAGS.tsan := -O1 -g -fsanitize=thread -DCRUMB_SMALL_MAPS
CFLAGS.fuzz := -O1 -g -fsanitize=address,undefined,float-cast-overflow,fuzzer-no-link -fno-sanitize-recover=undefined,float-cast-overflow -DCRUMB_SMALL_MAPS
CC := $(if $(filter clang fuzz asan tsan,$(MODE)),clang,gcc)
CFLAGS := -std=c11 -pthread $(CFLAGS.$(MODE))
LDFLAGS := -pthread $(filter -fsanitize%,$(CFLAGS.$(MODE)))
LDLIBS := -levent_core -llmdb -lmsgpackc -lmaxminddb -lroaring -lsodium -lzstd -lyaml -ljansson -lyajl -lhs -lcurl -lcrypto -lz -lutf8proc -lidn2 -lm
LLHTTP := /usr/share/llhttp

LIB := $(patsubst src/%.c,$B/obj/%.o,$(filter-out src/app/% src/cli/%,$(wildcard src/*/*.c))) \
	$B/obj/gen/tag_js.o $B/obj/gen/sensitive.o $B/obj/gen/crawlers.o $B/obj/gen/countries.o $B/obj/llhttp/api.o $B/obj/llhttp/http.o $B/obj/llhttp/llhttp.o
APP := $(patsubst src/%.c,$B/obj/%.o,$(wildcard src/app/*.c))
CLI := $(patsubst src/%.c,$B/obj/%.o,$(wildcard src/cli/*.c))

.PHONY: all run test peers check fuzz faults bench install clean help setup-% FORCE
all: $B/crumbd $B/crumb build/country.mmdb

help:
	@echo "make                     build crumbd and crumb into build/"
	@echo "make run                 install what is missing, build, start the demo shop and crumb on loopback"
	@echo "make test                install what is missing, run every test; the last line counts them"
	@echo "make peers               test beside Prebid.js, Segment's libraries and other programs from npm"
	@echo "make check               style: layers, banned functions, file sizes"
	@echo "make faults              fail writes, syncs, memory, descriptors and whole disks, damage files; CRUMB_FAULT_RUNS=600 tries more"
	@echo "make fuzz [SECONDS=30]   fuzz everything that parses"
	@echo "make bench [SUBJECT=collect|ingest|evaluate|sweep|lookup|store|age|replay|rules|backfill|lookalike|instructions]   measure beside the peers; LARGE=1: also evaluate 10,000,000 visitors"
	@echo "make install             into PREFIX=/usr, below DESTDIR= if given; configuration that is there stays as it is"
	@echo "make MODE=asan           build with a sanitizer into build/asan (also tsan, debug, clang)"

# What is missing is installed first; SETUP=no leaves the machine alone.
setup-%:
	@[ "$(SETUP)" = no ] || tools/setup.sh $*

$B/obj/%.o: src/%.c | build/.setup
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -MMD -MP -c $< -o $@

$B/obj/llhttp/%.o: | build/.setup
	@mkdir -p $(@D)
	$(CC) -I/usr/share/include/llhttp -DLLHTTP_STRICT_MODE=1 $(CFLAGS) -c $(LLHTTP)/$*.c -o $@

$B/obj/gen/%.o: $B/gen/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c $< -o $@

$B/gen/%.c: etc/%.txt tools/embed.sh | build/.setup
	@mkdir -p $(@D)
	tools/embed.sh etc/$*.txt $*_txt >$@

$B/gen/tag_js.c: tags/crumb.js tools/embed.sh | build/.setup
	@mkdir -p $(@D)
	uglifyjs tags/crumb.js --compress --mangle -o $B/gen/crumb.min.js
	tools/embed.sh $B/gen/crumb.min.js tag_js >$@

$B/libcrumb.a: $(LIB)
	@rm -f $@
	ar rcs $@ $^

$B/crumbd: $(APP) $B/libcrumb.a
	$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

$B/crumb: $(CLI) $B/libcrumb.a
	$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

build/country.mmdb: tools/make-country.pl | build/.setup
	@perl tools/make-country.pl $@ >/dev/null

# The packages that building needs, looked at once for each change of the list.
build/.setup: tools/setup.sh
	@mkdir -p build
	@[ "$(SETUP)" = no ] || tools/setup.sh build
	@touch $@

PREFIX ?= /usr
install: all
	install -Dm755 -t $(DESTDIR)$(PREFIX)/bin $B/crumbd $B/crumb
	install -Dm644 -t $(DESTDIR)$(PREFIX)/share/crumb build/country.mmdb
	tools/man.sh $B/man $B
	install -Dm644 -t $(DESTDIR)$(PREFIX)/share/man/man1 $B/man/crumb.1
	install -Dm644 -t $(DESTDIR)$(PREFIX)/share/man/man8 $B/man/crumbd.8
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's,/usr/bin/,$(PREFIX)/bin/,' etc/crumbd.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/crumbd.service
	install -m644 etc/crumbd.socket $(DESTDIR)$(PREFIX)/lib/systemd/system/crumbd.socket
	install -Dm644 etc/crumb.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/crumb.conf
	install -Dm644 etc/crumb.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/crumb.conf
	@for f in crumb.yaml destinations.yaml rules/shop.yaml; do \
		to=$(DESTDIR)/etc/crumb/$$f; \
		if [ -e "$$to" ]; then echo "$$to stays as it is"; else install -Dm644 etc/$$f "$$to"; fi; \
	done

run: setup-run
	@$(MAKE) --no-print-directory all
	@python3 tools/demo/demo.py

test: setup-test
	@tools/test.sh

check:
	@tools/check.sh

fuzz: setup-test
	@$(MAKE) --no-print-directory MODE=fuzz fuzzers
	@tools/fuzz.sh $(SECONDS)

# The Nth write, sync, allocation, descriptor or thread fails, disks are full, files are damaged: what must hold, holds.
faults: setup-test
	@$(MAKE) --no-print-directory all $B/test/faults-shim.so
	@CRUMB_BUILD=$B /usr/bin/python3 -B tests/faults/run.py

bench: setup-bench
	@$(MAKE) --no-print-directory all
	@/usr/bin/python3 -B tests/bench/bench.py $(SUBJECT)

# Beside the real Prebid.js, Segment's libraries and others' readers, from npm.
peers: setup-test setup-bench
	@$(MAKE) --no-print-directory all
	@tools/peers.sh

# --- tests

UNIT := $(patsubst tests/unit/%.c,$B/test/unit-%,$(wildcard tests/unit/*.c))
PROPERTY := $(patsubst tests/property/%.c,$B/test/property-%,$(wildcard tests/property/*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$B/test/fuzz-%,$(wildcard tests/fuzz/*.c))
.PHONY: unit fuzzers
unit: $(UNIT) $(PROPERTY)
fuzzers: $(FUZZERS)

$B/test/unit-%: tests/unit/%.c $B/libcrumb.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -Wno-unused-parameter $(LDFLAGS) $< $B/libcrumb.a $(LDLIBS) -lcmocka -o $@

$B/test/property-%: tests/property/%.c $B/libcrumb.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) $(LDFLAGS) $< $B/libcrumb.a $(LDLIBS) -o $@

$B/test/fuzz-%: tests/fuzz/%.c $B/libcrumb.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -Wno-missing-prototypes -fsanitize=fuzzer $(LDFLAGS) $< $B/libcrumb.a $(LDLIBS) -o $@

$B/test/faults-shim.so: tests/faults/shim.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=c11 -O1 -g -pthread $(WARN) -fPIC -shared $< -o $@

$B/test/bench-%: tests/bench/%.c $B/libcrumb.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) $(LDFLAGS) $< $B/libcrumb.a $(LDLIBS) -o $@

clean:
	rm -rf build

-include $(shell find $B/obj -name '*.d' 2>/dev/null)
