SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

PREFIX ?= /usr/local
CONFIG ?= configs/fashion-mnist.yaml

# What `make bench` measures: one config in detail, small ones first for whole steps.
BENCH := .build/release/ddp-bench
BENCH_CONFIG ?= fashion-mnist
BENCH_STEPS ?= logistic-regression mlp lenet residual fashion-mnist

# The processor to build for, in clang's words; ARCH=x86-64-v3 runs on any with AVX2.
ifdef ARCH
export DDP_ARCH := $(ARCH)
endif
# One folder per processor: another flag would rebuild everything.
STATIC := .build-static$(addprefix -,$(ARCH))

# Suites that talk over MPI, a regular expression, and the rank counts they are run with.
MPI_SUITES := MPICollectivesTests
TEST_RANKS := 1 2 3 4
# Suites about deadlines, of real schedulers, hosts and hangs: run when the others have left the cores.
PATIENT_SUITES := SlurmTests|HostsTests|HangTests|KillTests

# What `ddp-train version` says; Package.swift reads it.
# mpirun gives ranks a terminal, so they would colour the log.
export NO_COLOR := 1
export DDP_REVISION := $(shell git describe --always --abbrev=40 --dirty=-changed 2>/dev/null || echo unknown)

TESTS := .build/release/ddp-trainPackageTests.xctest
# What each part of the tests printed, a file per part.
TEST_LOGS := .build/test-logs
SWIFT_TEST := swift test -c release --skip-build --disable-xctest

.PHONY: run test build lint bench bench-peers install clean setup test-setup toolchain

## run: set up, build, train CONFIG on all cores of this machine; ARGS="key=value ..." changes it
run: build
	launch/local $(CONFIG) $(ARGS)

## test: set up, then every test, the ones under mpirun with 1, 2, 3 and 4 ranks included
test: test-setup toolchain
	swift build -c release --build-tests
	@rm -rf $(TEST_LOGS); mkdir -p $(TEST_LOGS); failed=0; \
	$(SWIFT_TEST) --skip "$(MPI_SUITES)|$(PATIENT_SUITES)" 2>&1 | tee $(TEST_LOGS)/most || failed=1; \
	$(SWIFT_TEST) --filter "$(PATIENT_SUITES)" 2>&1 | tee $(TEST_LOGS)/patient || failed=1; \
	for ranks in $(TEST_RANKS); do \
	  echo "== $(MPI_SUITES) on $$ranks ranks"; \
	  timeout 600 launch/ranks $$ranks $(TESTS) --testing-library swift-testing --no-parallel \
	    --filter "$(MPI_SUITES)" 2>&1 | tee $(TEST_LOGS)/ranks-$$ranks || failed=1; \
	done; \
	if [ $$failed = 1 ]; then \
	  echo "== What failed; all of the output is in $(TEST_LOGS)"; \
	  grep -E -A 2 "recorded an issue|rror:|unexpected signal" $(TEST_LOGS)/* | grep -vE "[◇✔]" | tail -n 60; \
	  exit 1; \
	fi; \
	total=0; \
	for log in $(TEST_LOGS)/*; do \
	  total=$$((total + $$(sed -n "s/.*Test run with \([0-9]*\) test.*/\1/p" $$log | tail -n 1))); \
	done; \
	echo "$$total passed, 0 failed"

## build: the release binary .build/release/ddp-train
build: setup toolchain
	swift build -c release --product ddp-train

## lint: formatting, checked
lint:
	swift format lint --strict -r Sources Tests

## bench: kernels, a plan's instructions, steps at 1 and 2 ranks, sums, checkpoint, start; JSON in .build/bench
bench: setup toolchain
	swift build -c release --product ddp-train
	swift build -c release --product ddp-bench
	install -d .build/bench
	$(BENCH) kernels --json .build/bench/kernels.json
	$(BENCH) plan $(BENCH_CONFIG) --json .build/bench/plan.json
	for ranks in 1 2; do \
	  launch/ranks $$ranks $(BENCH) steps $(BENCH_STEPS) --json .build/bench/steps-$$ranks.json; \
	done
	launch/ranks 2 $(BENCH) sums --json .build/bench/sums.json
	$(BENCH) checkpoint $(BENCH_CONFIG) --folder .build/bench --json .build/bench/checkpoint.json
	for ranks in 1 2; do \
	  $(BENCH) start $(BENCH_CONFIG) --launcher "launch/ranks $$ranks" --json .build/bench/start-$$ranks.json; \
	done

## bench-peers: ours beside PyTorch DDP, which is installed below .build/peers; PEERS="--networks mlp --rounds 5"
bench-peers: setup toolchain
	swift build -c release --product ddp-train
	Tests/Peers/bench_peers.py --json .build/bench-peers.json $(PEERS)

## install: binary, launch scripts and configs below PREFIX; ARCH=x86-64-v3 for other machines than this
install: setup toolchain
	swift build -c release --static-swift-stdlib --product ddp-train --scratch-path $(STATIC)
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/ddp-train/launch" \
	  "$(DESTDIR)$(PREFIX)/share/ddp-train/configs"
	install $(STATIC)/release/ddp-train "$(DESTDIR)$(PREFIX)/bin/ddp-train"
	install launch/local launch/living launch/probe launch/ranks launch/cores launch/program \
	  launch/shards launch/slurm.sbatch launch/pbs.sh "$(DESTDIR)$(PREFIX)/share/ddp-train/launch"
	install -m 644 launch/hosts.example "$(DESTDIR)$(PREFIX)/share/ddp-train/launch"
	install -m 644 configs/*.yaml configs/*.names "$(DESTDIR)$(PREFIX)/share/ddp-train/configs"
	ln -sfn ../share/ddp-train/launch/local "$(DESTDIR)$(PREFIX)/bin/ddp-train-local"

## clean: removes what was built; run folders stay
clean:
	rm -rf .build .build-static*

## setup: packages of the system, through apt, when some are missing
setup:
	@launch/setup

## test-setup: the same, and as root or in CI what tests on a real Slurm and on several hosts need
test-setup:
	@launch/setup --tests

toolchain:
	@version=$$(swift --version 2>/dev/null | sed -n "s/.*Swift version \([0-9.]*\).*/\1/p" || true); \
	if [ -z "$$version" ]; then \
	  echo "make: swift is not on the search path" >&2; \
	  echo "  expected: Swift 6.2 or later" >&2; \
	  echo "  to fix:   install a toolchain from https://www.swift.org/install/linux" >&2; \
	  exit 1; \
	elif [ "$$(printf "%s\n" 6.2 "$$version" | sort -V | head -n 1)" != 6.2 ]; then \
	  echo "make: swift $$version is too old" >&2; \
	  echo "  expected: Swift 6.2 or later" >&2; \
	  echo "  to fix:   install a toolchain from https://www.swift.org/install/linux" >&2; \
	  exit 1; \
	fi
