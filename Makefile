# A thin front: Meson builds, tests/run tests. Everything lands in build/.

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
# Stages of tests/run, as in `make check ONLY="unit command"`; all when empty.
ONLY ?=
FUZZ_SECONDS ?= 60

MESON = meson
RELEASE = $(BUILD)/release
DEV = $(BUILD)/dev
SANITIZE = $(BUILD)/sanitize

all: $(RELEASE)/build.ninja
	@ninja -C $(RELEASE) --quiet

$(RELEASE)/build.ninja:
	@tools/install-dependencies --check build
	$(MESON) setup --buildtype=release -Dtests=false --prefix=$(PREFIX) $(RELEASE)

$(DEV)/build.ninja:
	$(MESON) setup --werror $(DEV)

$(SANITIZE)/build.ninja:
	CC=clang CXX=clang++ $(MESON) setup --werror -Db_sanitize=address,undefined -Db_lundef=false -Dfuzz=true $(SANITIZE)

dev: test-dependencies $(DEV)/build.ninja
	@ninja -C $(DEV) --quiet

sanitize: test-dependencies $(SANITIZE)/build.ninja
	@ninja -C $(SANITIZE) --quiet

dependencies:
	@tools/install-dependencies build

test-dependencies:
	@tools/install-dependencies build test

demo: dependencies
	@$(MAKE) --no-print-directory all
	@tools/demo $(BUILD)

check: dev sanitize
	@tests/run --build $(BUILD) $(ONLY)

unit: dev
	@tests/run --build $(BUILD) unit

format: test-dependencies
	@find src tests \( -name '*.c' -o -name '*.h' -o -name '*.cc' \) -print0 | xargs -0 clang-format -i

tidy: sanitize
	@tests/run --build $(BUILD) tidy

darwin: test-dependencies
	@tests/run --build $(BUILD) darwin

fuzz: sanitize
	@tests/run --build $(BUILD) --fuzz-seconds $(FUZZ_SECONDS) fuzz

bench: dependencies
	@$(MAKE) --no-print-directory all
	@bench/run --build $(BUILD) --readme README.md

completions: all
	@tools/completions $(RELEASE)/src/command/machine

install: all
	@$(MESON) configure $(RELEASE) -Dprefix=$(PREFIX)
	@DESTDIR=$(DESTDIR) $(MESON) install -C $(RELEASE)

clean:
	rm -rf $(BUILD)

.PHONY: all dev sanitize dependencies test-dependencies demo check unit format tidy darwin fuzz bench completions install clean
