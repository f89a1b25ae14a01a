# A thin front: Meson builds, tests/run tests. Everything goes to build/. `make help` lists the targets.

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
# Stages of tests/run, as in `make check ONLY="unit command"`; empty = all.
ONLY ?=
# Part of the names of the tests that `make test` runs.
T ?=
FUZZ_SECONDS ?= 60
# How long tests/fault/test_soak.py has one VM at work.
SOAK_SECONDS ?= 300
export SOAK_SECONDS
# Keys that `make dist` signs with: an ssh key, a key of minisign's. Empty = no signature.
SIGN_KEY ?=
MINISIGN_KEY ?=
# Where the formula for Homebrew says that releases are, such as https://forge.example/me/machine. Empty = the tarball just made.
# `make site` links the project's other files there. Empty = such links are left out.
PROJECT_URL ?=

MESON = meson
RELEASE = $(BUILD)/release
DEV = $(BUILD)/dev
SANITIZE = $(BUILD)/sanitize

# If ccache is installed, it finds what another clone has compiled.
CCACHE := $(shell command -v ccache)
export CCACHE_BASEDIR = $(CURDIR)
export CCACHE_NOHASHDIR = 1

all: $(RELEASE)/build.ninja
	@ninja -C $(RELEASE) --quiet

help:
	@echo "make               build the program into $(RELEASE)"
	@echo "make demo          install what is missing, and take examples/hello through a real VM"
	@echo "make check         install what the tests need, build, run the checks (ONLY=\"STAGE…\" runs some)"
	@echo "make quick         the checks that take a minute: structure, scripts, format, unit, command"
	@echo "make test T=TEXT   the tests of any kind with TEXT in their names"
	@echo "make check-long    everything: also the shipped recipe, each profile, long kills (FUZZ_SECONDS=$(FUZZ_SECONDS) for each fuzzer,"
	@echo "                   SOAK_SECONDS=$(SOAK_SECONDS) for a VM at work; 3600 is an hour)"
	@echo "make fuzz          look for new inputs with each fuzzer, for FUZZ_SECONDS=$(FUZZ_SECONDS) each"
	@echo "make format, make tidy, make darwin, make unit, make contract (engines)"
	@echo "make bench         measure what people wait for"
	@echo "make completions   write completions/ again"
	@echo "make site          the documents, the manual and the commands as a site, into $(BUILD)/site"
	@echo "make install       PREFIX=$(PREFIX) DESTDIR=$(DESTDIR); make uninstall with the same two removes it"
	@echo "make dist          a release of the last commit into $(BUILD)/dist, signed if SIGN_KEY=FILE or MINISIGN_KEY=FILE is set"
	@echo "make deb           the same as Debian's package, into $(BUILD)/deb"
	@echo "make clean         remove $(BUILD)"

$(RELEASE)/build.ninja:
	@tools/install-dependencies --check build
	$(MESON) setup --buildtype=release -Dtests=false $(RELEASE)

$(DEV)/build.ninja:
	$(MESON) setup --werror $(DEV)

$(SANITIZE)/build.ninja:
	CC="$(CCACHE) clang" CXX="$(CCACHE) clang++" $(MESON) setup --werror -Db_sanitize=address,undefined -Db_lundef=false -Dfuzz=true $(SANITIZE)

# The program as users have it, for tests of VMs and networks. `make check-long` also compiles its unit tests.
dev: test-dependencies
	@$(MAKE) --no-print-directory $(DEV)/build.ninja
	@ninja -C $(DEV) --quiet programs

sanitize: test-dependencies
	@$(MAKE) --no-print-directory $(SANITIZE)/build.ninja
	@ninja -C $(SANITIZE) --quiet all meson-test-prereq

dependencies:
	@tools/install-dependencies build

test-dependencies:
	@tools/install-dependencies build test

demo: dependencies
	@$(MAKE) --no-print-directory all
	@tools/demo $(BUILD)

check: dev sanitize
	@tests/run --build $(BUILD) $(ONLY)

check-long: dev sanitize
	@tools/install-dependencies site
	@ninja -C $(DEV) --quiet meson-test-prereq
	@tests/run --build $(BUILD) --long --fuzz-seconds $(FUZZ_SECONDS) $(ONLY)

quick: sanitize
	@tests/run --build $(BUILD) --quick

test: dev sanitize
	@test -n "$(T)" || { echo "make test: T is not set. Set it to a part of a test's name: make test T=exit_status" >&2; exit 2; }
	@tests/run --build $(BUILD) --match "$(T)"

# ENGINES="lima" chooses which.
contract: dev
	@tests/run --build $(BUILD) engine

unit: sanitize
	@tests/run --build $(BUILD) unit

format: test-dependencies
	@find src tests \( -name '*.c' -o -name '*.h' -o -name '*.cc' \) -print0 | xargs -0 clang-format -i

tidy: sanitize
	@tests/run --build $(BUILD) --long tidy

darwin: test-dependencies
	@tests/run --build $(BUILD) --long darwin

fuzz: sanitize
	@tests/run --build $(BUILD) --fuzz-seconds $(FUZZ_SECONDS) fuzz

bench: dependencies
	@$(MAKE) --no-print-directory all
	@bench/run --build $(BUILD) --readme README.md

completions: all
	@tools/completions $(RELEASE)/src/command/machine

site: all
	@tools/site/build --machine $(RELEASE)/src/command/machine --build $(BUILD) --project-url "$(PROJECT_URL)"

install: all
	@tools/install --prefix "$(PREFIX)" --destdir "$(DESTDIR)" $(RELEASE)

uninstall:
	@tools/install --prefix "$(PREFIX)" --destdir "$(DESTDIR)" --remove

dist:
	@tools/dist --out $(BUILD)/dist --sign-key "$(SIGN_KEY)" --minisign-key "$(MINISIGN_KEY)" --project-url "$(PROJECT_URL)"

deb: dist
	@tools/install-dependencies build deb
	@tools/deb $(abspath $(BUILD))/deb $(abspath $(BUILD))/dist/machine-*.tar.gz

clean:
	rm -rf $(BUILD)

.PHONY: all help dev sanitize dependencies test-dependencies demo check check-long quick test contract unit format tidy darwin fuzz bench completions site install uninstall dist deb clean
