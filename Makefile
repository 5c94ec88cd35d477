# crumb. 'make' builds, 'make run' shows it, 'make test' tests it, 'make help' lists the rest.
#
# Build trees stand side by side: build/ for release, build/MODE/ for MODE=debug, asan, tsan, clang, fuzz, cov.

MODE ?= release
SETUP ?= yes
V ?=

# A line for each file; V=1 shows the commands. What compilers say is shown whole, one file after the other, also when several are compiled at once.
Q := $(if $(filter-out 0,$(V)),,@)
SAY = @$(if $(or $(findstring s,$(firstword -$(MAKEFLAGS))),$(if $Q,,v)),:,echo) "  $(1)  $(2)"
CORES := $(or $(shell nproc 2>/dev/null),1)
# All cores, unless -j says how many. Goals that are not only built come one after the other.
ifeq ($(MAKELEVEL)$(filter-out all unit fuzzers install build/%,$(MAKECMDGOALS)),0)
MAKEFLAGS += -j$(CORES) -Otarget
endif
BUILD = $(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(CORES)) -Otarget
B := $(if $(filter release,$(MODE)),build,build/$(MODE))

WARN := -Wall -Wextra -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes -Werror
CPPFLAGS := -D_GNU_SOURCE -Iinclude -isystem /usr/share/include
CFLAGS.release := -O2 -g
CFLAGS.debug := -O0 -g
CFLAGS.clang := -O2 -g
CFLAGS.cov := -O0 -g --coverage -fprofile-update=atomic
CFLAGS.asan := -O1 -g -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=undefined,float-cast-overflow -fno-omit-frame-pointer -DCRUMB_SMALL_MAPS
CFLAGS.tsan := -O1 -g -fsanitize=thread -DCRUMB_SMALL_MAPS
CFLAGS.fuzz := -O1 -g -fsanitize=address,undefined,float-cast-overflow,fuzzer-no-link -fno-sanitize-recover=undefined,float-cast-overflow -DCRUMB_SMALL_MAPS
CC := $(if $(filter clang fuzz asan tsan,$(MODE)),clang,gcc)
CFLAGS := -std=c11 -pthread $(CFLAGS.$(MODE))
LDFLAGS.tsan := -Wl,-u,thrd_create # src/broker/c11.c, in the place of the C library's
LDFLAGS := -pthread $(filter -fsanitize% --coverage,$(CFLAGS.$(MODE))) $(LDFLAGS.$(MODE))
LDLIBS := -levent_openssl -levent_core -llmdb -lmsgpackc -lmaxminddb -lroaring -lsodium -lzstd -lyaml -ljansson -lyajl -lhs -lcurl -lssl -lcrypto -lz -lutf8proc -lidn2 -lpsl -lm
LLHTTP := /usr/share/llhttp

# KAFKA=no leaves librdkafka out: begin with make clean.
KAFKA ?= yes
ifeq ($(KAFKA),no)
CPPFLAGS += -DCRUMB_WITHOUT_KAFKA
else
LDLIBS += -lrdkafka
endif

LIB := $(patsubst src/%.c,$B/obj/%.o,$(filter-out src/app/% src/cli/%,$(wildcard src/*/*.c))) \
	$B/obj/gen/tag_js.o $B/obj/gen/tag_debug_js.o $B/obj/gen/sensitive.o $B/obj/gen/crawlers.o $B/obj/gen/referrers.o $B/obj/gen/countries.o $B/obj/gen/web.o $B/obj/llhttp/api.o $B/obj/llhttp/http.o $B/obj/llhttp/llhttp.o
APP := $(patsubst src/%.c,$B/obj/%.o,$(wildcard src/app/*.c))
CLI := $(patsubst src/%.c,$B/obj/%.o,$(wildcard src/cli/*.c))

.PHONY: all run test cluster-test cov stress peers docs check fuzz faults sim bench install deb release uninstall clean help setup-% FORCE
all: $B/crumbd $B/crumb build/country.mmdb
	@:
.SECONDARY: # what is made on the way stays

help:
	@echo "make                     build crumbd and crumb into build/ on all cores (-j2: on two); V=1 shows the commands"
	@echo "make run                 install what is missing, build, start the demo shop and crumb on loopback"
	@echo "make test                install what is missing, run the tests; the last line counts them. FULL=1: all of them under the sanitizers, too; QUICK=1: only unit tests under one, no faults, simulations, fuzzers, browser"
	@echo "make cov                 run the unit tests, say which lines of each folder they ran, fail below tests/cov-floor.txt; a minute or two. FULL=1: with the functional tests"
	@echo "make stress [ROUNDS=5] [LOOPS=4]   all tests so many times beside so many busy loops; says what failed, and in how many rounds"
	@echo "make cluster-test        test beside real Kafka brokers; fetches them by Maven, or takes those of KAFKA_HOME"
	@echo "make peers               test beside Prebid.js, Segment's libraries and other programs from npm"
	@echo "make docs                write the tables in docs/ from the rows of the program that is built"
	@echo "make check               style: layers and circles by includes and calls, banned functions, file sizes"
	@echo "make faults              fail writes, syncs, memory, descriptors, the power and whole disks, damage files; CRUMB_FAULT_RUNS=600 tries more"
	@echo "make sim [SEEDS=6] [EVENTS=20000]   simulate months with the clock, the disk and the machine's death in a seed's hand; SEED=7: with this one only"
	@echo "make fuzz [SECONDS=30]   fuzz everything that parses"
	@echo "make bench [SUBJECT=collect|ingest|evaluate|sweep|lookup|store|age|replay|rules|backfill|lookalike|report|dashboard|instructions]   measure beside the peers; LARGE=1: evaluate also 10,000,000 visitors, train on 1,000,000"
	@echo "make install             into PREFIX=/usr, below DESTDIR= if given; configuration that is there stays as it is; uninstall takes it away again"
	@echo "make deb                 a Debian package of the same, in build/"
	@echo "make release             source archive, package and sums of this version, in build/release, once all tests pass; TAG=yes makes the tag, DRY=1 only says what would be done"
	@echo "make KAFKA=no            build without librdkafka"
	@echo "make MODE=asan           build with a sanitizer into build/asan (also tsan, debug, clang)"

# What is missing is installed first; SETUP=no leaves the machine alone.
setup-%:
	@[ "$(SETUP)" = no ] || tools/setup.sh $*

$B/obj/%.o: src/%.c | build/.setup
	@mkdir -p $(@D)
	$(call SAY,CC  ,$<)
	$Q$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -MMD -MP -c $< -o $@

$B/obj/llhttp/%.o: | build/.setup
	@mkdir -p $(@D)
	$(call SAY,CC  ,llhttp/$*.c)
	$Q$(CC) -I/usr/share/include/llhttp -DLLHTTP_STRICT_MODE=1 $(CFLAGS) -c $(LLHTTP)/$*.c -o $@

$B/obj/gen/%.o: $B/gen/%.c
	@mkdir -p $(@D)
	$(call SAY,CC  ,$<)
	$Q$(CC) $(CFLAGS) -c $< -o $@

# The dashboard: its files, packed, with Debian's libraries for charts and for text beside them.
$B/gen/codemirror.js: tools/web.py | build/.setup
	@mkdir -p $(@D)
	$(call SAY,GEN ,$@)
	$Qtools/web.py small lib/codemirror.js $@

WEB := $(wildcard src/web/*.html src/web/*.css src/web/*.js src/web/*.svg src/web/*/*.js)
$B/gen/web.c: $(WEB) $B/gen/codemirror.js tools/web.py src/web/web_files.h src/web | build/.setup
	@mkdir -p $(@D)
	$(call SAY,GEN ,$@)
	$Qtools/web.py src/web $B/gen/codemirror.js $@

$B/obj/gen/web.o: CFLAGS += -Isrc/web

$B/gen/%.c: etc/%.txt tools/embed.sh | build/.setup
	@mkdir -p $(@D)
	$(call SAY,GEN ,$@)
	$Qtools/embed.sh etc/$*.txt $*_txt >$@

$B/gen/tag_js.c: NAME := crumb
$B/gen/tag_debug_js.c: NAME := crumb-debug
$B/gen/tag_js.c $B/gen/tag_debug_js.c: $B/gen/%.c: $(wildcard tags/*.js) tools/embed.sh | build/.setup
	@mkdir -p $(@D)
	$(call SAY,GEN ,$@)
	$Quglifyjs tags/$(NAME).js --compress passes=3,inline=0 --mangle -o $B/gen/$(NAME).min.js
	$Qtools/embed.sh $B/gen/$(NAME).min.js $* >$@

$B/libcrumb.a: $(LIB)
	@rm -f $@
	$(call SAY,AR  ,$@)
	$Qar rcs $@ $^

$B/crumbd: $(APP) $B/libcrumb.a
	$(call SAY,LINK,$@)
	$Q$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

$B/crumb: $(CLI) $B/libcrumb.a
	$(call SAY,LINK,$@)
	$Q$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

build/country.mmdb: tools/make-country.pl | build/.setup
	$(call SAY,GEN ,$@)
	@perl tools/make-country.pl $@ >/dev/null

# The packages that building needs, looked at once for each change of the list.
# '+': what it says comes while it works, not after (-Otarget).
build/.setup: tools/setup.sh
	@mkdir -p build
	+@[ "$(SETUP)" = no ] || $(if $(findstring n,$(firstword -$(MAKEFLAGS))),:,tools/setup.sh build)
	@touch $@

PREFIX ?= /usr
SHARE := $(PREFIX)/share
UNITS := $(PREFIX)/lib/systemd/system
# Documents keep their folders, so that links from one to another lead there.
DOCUMENTS := $(wildcard *.md docs/*.md docs/*/*.md docs/*.png)
DOCUMENT_FOLDERS := $(patsubst %/,%,$(sort $(dir $(wildcard docs/*/*.md)))) docs
VOCABULARIES := $(wildcard etc/vocabularies/*.yaml)
EXAMPLES := nginx-crumb.conf prometheus-crumb.yaml grafana-crumb.json Containerfile
SNIPPETS := $(wildcard tags/snippets/*.js)
# What install makes and uninstall takes away. Configuration and stores are the operator's.
INSTALLED := $(PREFIX)/bin/crumbd $(PREFIX)/bin/crumb $(SHARE)/crumb/country.mmdb $(SHARE)/crumb/rules.schema.json $(SHARE)/crumb/openapi.json \
	$(VOCABULARIES:etc/%=$(SHARE)/crumb/%) $(SNIPPETS:tags/%=$(SHARE)/crumb/%) $(addprefix $(SHARE)/doc/crumb/,$(DOCUMENTS)) $(addprefix $(SHARE)/doc/crumb/examples/,$(EXAMPLES)) \
	$(SHARE)/man/man1/crumb.1 $(SHARE)/man/man8/crumbd.8 $(SHARE)/bash-completion/completions/crumb $(SHARE)/bash-completion/completions/crumbd \
	$(UNITS)/crumbd.service $(UNITS)/crumbd.socket $(PREFIX)/lib/sysusers.d/crumb.conf $(PREFIX)/lib/tmpfiles.d/crumb.conf

install: all
	@install -Dm755 -t $(DESTDIR)$(PREFIX)/bin $B/crumbd $B/crumb
	@install -Dm644 -t $(DESTDIR)$(SHARE)/crumb build/country.mmdb etc/rules.schema.json etc/openapi.json
	@install -Dm644 -t $(DESTDIR)$(SHARE)/crumb/vocabularies $(VOCABULARIES)
	@install -Dm644 -t $(DESTDIR)$(SHARE)/crumb/snippets $(SNIPPETS)
	@for f in $(DOCUMENTS); do install -Dm644 $$f $(DESTDIR)$(SHARE)/doc/crumb/$$f; done
	@install -Dm644 -t $(DESTDIR)$(SHARE)/doc/crumb/examples $(addprefix etc/,$(EXAMPLES))
	@tools/man.py $B/man $B
	@install -Dm644 -t $(DESTDIR)$(SHARE)/man/man1 $B/man/crumb.1
	@install -Dm644 -t $(DESTDIR)$(SHARE)/man/man8 $B/man/crumbd.8
	@tools/completion.py $B >$B/man/completion
	@install -Dm644 $B/man/completion $(DESTDIR)$(SHARE)/bash-completion/completions/crumb
	@ln -sf crumb $(DESTDIR)$(SHARE)/bash-completion/completions/crumbd
	@install -d $(DESTDIR)$(UNITS)
	@sed 's,/usr/bin/,$(PREFIX)/bin/,' etc/crumbd.service >$(DESTDIR)$(UNITS)/crumbd.service
	@install -m644 etc/crumbd.socket $(DESTDIR)$(UNITS)/crumbd.socket
	@install -Dm644 etc/crumb.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/crumb.conf
	@install -Dm644 etc/crumb.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/crumb.conf
	@for f in crumb.yaml destinations.yaml rules/shop.yaml; do \
		to=$(DESTDIR)/etc/crumb/$$f; \
		if [ -e "$$to" ]; then echo "$$to stays as it is"; else install -Dm644 etc/$$f "$$to"; fi; \
	done
	@echo "crumb is installed. Next:"
	@echo "  1. /etc/crumb/crumb.yaml: sites, trusted_proxies, cookie; /etc/crumb/rules/: your segments. 'crumb rules check' looks at them."
	@echo "  2. systemd-sysusers && systemd-tmpfiles --create && systemctl daemon-reload && systemctl enable --now crumbd.socket crumbd"
	@echo "  3. a proxy with TLS in front: $(SHARE)/doc/crumb/examples/nginx-crumb.conf"
	@echo "  4. the tag in your pages: $(SHARE)/doc/crumb/README.md. How to run it: $(SHARE)/doc/crumb/docs/OPERATING.md, man crumbd, man crumb"

# A Debian package of the same.
deb: setup-deb
	@$(BUILD) all
	@tools/deb/make.sh $B

# What a version is given out as. DRY=1 only says what would be done, TAG=yes names the commit.
release: $(if $(DRY),,setup-deb setup-test)
	@DRY="$(DRY)" TAG="$(TAG)" tools/release.sh

uninstall:
	@rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	@for d in $(SHARE)/crumb/vocabularies $(SHARE)/crumb/snippets $(SHARE)/crumb $(SHARE)/doc/crumb/examples \
		$(addprefix $(SHARE)/doc/crumb/,$(DOCUMENT_FOLDERS)) $(SHARE)/doc/crumb; do \
		if [ -d "$(DESTDIR)$$d" ]; then rmdir "$(DESTDIR)$$d" || true; fi; \
	done
	@echo "crumb is uninstalled. /etc/crumb, /var/lib/crumb and /var/spool/crumb stay: they are yours"

run: setup-run
	@$(BUILD) all
	@python3 tools/demo/demo.py

test: setup-test
	@tools/test.sh

# Beside real Kafka brokers: needs Java, which nothing else does.
cluster-test: setup-cluster
	@$(BUILD) all
	@CRUMB_BUILD=$B tools/cluster-test.sh

# Which lines the tests run, by folder. FULL=1: with the functional tests.
cov: setup-test
	@$(BUILD) MODE=cov unit $(if $(FULL),all)
	@tools/cov.sh build/cov

# Beside busy loops: no test may depend on a machine that has nothing else to do.
stress: setup-test
	@ROUNDS="$(ROUNDS)" LOOPS="$(LOOPS)" tools/stress.sh

docs: setup-run
	@$(BUILD) all
	@tools/docs.py $B

check: setup-run
	@$(BUILD) all
	@tools/check.sh

fuzz: setup-test
	@$(BUILD) MODE=fuzz fuzzers
	@tools/fuzz.sh $(SECONDS)

# The Nth write, sync, allocation, descriptor or thread fails, disks are full, files are damaged: what must hold, holds.
faults: setup-test
	@$(BUILD) all $B/test/faults-shim.so
	@CRUMB_BUILD=$B /usr/bin/python3 -B tests/faults/run.py

# One process, one thread, a seed that chooses everything that happens, and a model that says what should be so.
sim: setup-test
	@$(BUILD) $B/test/sim
	@CRUMB_BUILD=$B SEED=$(SEED) SEEDS=$(SEEDS) EVENTS=$(EVENTS) /usr/bin/python3 -B tests/sim/run.py

bench: setup-bench
	@$(BUILD) all
	@/usr/bin/python3 -B tests/bench/bench.py $(SUBJECT)

# Beside the real Prebid.js, Segment's libraries and others' readers, from npm.
peers: setup-test setup-bench
	@$(BUILD) all
	@tools/peers.sh

# --- tests

# A program for each layer that has unit tests (tests/unit/main.c).
UNIT := $(patsubst tests/unit/%/,$B/test/unit-%,$(wildcard tests/unit/*/))
PROPERTY := $(patsubst tests/property/%.c,$B/test/property-%,$(wildcard tests/property/*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$B/test/fuzz-%,$(wildcard tests/fuzz/*.c))
# A cluster of Kafka in memory, for functional tests; always of the release tree, since it is none of crumb.
MOCK := $(if $(filter no,$(KAFKA)),,build/test/mock-cluster)
.PHONY: unit fuzzers
# Programs of layers that have no tests any more would still be run.
STALE = $(filter-out $(UNIT),$(wildcard $B/test/unit-*))
unit: $(UNIT) $(PROPERTY) $(MOCK)
	@$(if $(STALE),rm -f $(STALE),:)
fuzzers: $(FUZZERS)

# Memory runs out when a test says so (tests/unit/starve.h).
$(UNIT): LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
$B/test/unit-base: LDFLAGS += -Wl,--wrap=pthread_create
$B/test/unit-delivery: LDFLAGS += -Wl,--wrap=read

$B/obj/unit/%.o: tests/unit/%.c | build/.setup
	@mkdir -p $(@D)
	$(call SAY,CC  ,$<)
	$Q$(CC) $(CPPFLAGS) -I. -Itests/unit $(CFLAGS) $(WARN) -Wno-unused-parameter -MMD -MP -c $< -o $@

# The folder of a layer is newer than its program when a file of it is gone.
define unit
$B/test/unit-$(1): $(patsubst tests/unit/%.c,$B/obj/unit/%.o,$(wildcard tests/unit/*.c tests/unit/$(1)/*.c)) $B/libcrumb.a tests/unit/$(1)
	@mkdir -p $$(@D)
	$$(call SAY,LINK,$$@)
	$$Q$$(CC) $$(LDFLAGS) $$(filter %.o %.a,$$^) $$(LDLIBS) -lcmocka -o $$@
endef
$(foreach layer,$(patsubst tests/unit/%/,%,$(wildcard tests/unit/*/)),$(eval $(call unit,$(layer))))

$B/test/property-%: tests/property/%.c $B/libcrumb.a
	@mkdir -p $(@D)
	$(call SAY,CC  ,$@)
	$Q$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) $(LDFLAGS) $< $B/libcrumb.a $(LDLIBS) -o $@

$B/test/fuzz-%: tests/fuzz/%.c $B/libcrumb.a
	@mkdir -p $(@D)
	$(call SAY,CC  ,$@)
	$Q$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -Wno-missing-prototypes -fsanitize=fuzzer $(LDFLAGS) $< $B/libcrumb.a $(LDLIBS) -o $@

build/test/mock-cluster: tests/cluster/mock.c | build/.setup
	@mkdir -p $(@D)
	$(call SAY,CC  ,$@)
	$Qgcc -std=c11 -D_GNU_SOURCE -O2 -g -pthread $(WARN) $< -lrdkafka -o $@

SIM := $(wildcard tests/sim/*.c)
$B/test/sim: $(SIM) $(wildcard tests/sim/*.h) $B/libcrumb.a
	@mkdir -p $(@D)
	$(call SAY,CC  ,$@)
	$Q$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) $(LDFLAGS) -rdynamic $(SIM) $B/libcrumb.a $(LDLIBS) -o $@

$B/test/faults-shim.so: tests/faults/shim.c tests/faults/power.c tests/faults/power.h
	@mkdir -p $(@D)
	$(call SAY,CC  ,$@)
	$Q$(CC) $(CPPFLAGS) -std=c11 -O1 -g -pthread $(WARN) -fPIC -shared $(filter %.c,$^) -o $@

$B/test/bench-%: tests/bench/%.c $B/libcrumb.a
	@mkdir -p $(@D)
	$(call SAY,CC  ,$@)
	$Q$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) $(LDFLAGS) $< $B/libcrumb.a $(LDLIBS) -o $@

clean:
	rm -rf build

-include $(shell find $B/obj -name '*.d' 2>/dev/null)
