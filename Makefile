SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help build test deps lint unit examples peers demo race fuzz bench clean

GO ?= go
FUZZTIME ?= 30s

# What `make test` runs, in this order; it stops at the first that fails.
STAGES := deps lint unit examples peers demo

# The stages append their times and their numbers of tests here.
REPORT := bin/report.txt

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build bin/callwright
	$(GO) build -trimpath -o bin/callwright ./cmd/callwright

test: export CALLWRIGHT_PEERS = 1
test: ## Run every stage, as CI does: deps lint unit examples peers demo
	@mkdir -p bin && : > $(REPORT)
	@for stage in $(STAGES); do \
		echo "=== $$stage"; started=$$SECONDS; \
		$(MAKE) --no-print-directory $$stage || { echo "=== $$stage failed after $$((SECONDS - started)) s"; exit 1; }; \
		echo "=== $$stage took $$((SECONDS - started)) s" | tee -a $(REPORT); \
	done
	@awk '/passed,/ { passed += $$1; skipped += $$5 } /took/ { times = times " " $$2 " " $$4 " s,"; sum += $$4 } \
		END { printf "=== %d tests passed, %d skipped;%s together %d s\n", passed, skipped, times, sum }' $(REPORT)

deps: ## Install the programs that the tests talk to (Debian, as root)
	@tools/install-peers

lint: bin/golangci-lint ## Look for what the compiler lets pass
	@bin/golangci-lint run --allow-parallel-runners ./...
	@cd tools && ../bin/golangci-lint run --allow-parallel-runners --config ../.golangci.yml ./...

# The time-outs below are for tests that hang: a busy machine of two processors needs
# minutes for the databases under the race detector.
unit: bin/testreport ## Run the tests of every package under the race detector
	@$(GO) test -race -timeout 15m -json $$($(GO) list ./... | grep -v -e '/examples$$' -e '/test$$') | bin/testreport | tee -a $(REPORT)

examples: bin/testreport ## Run the example apps as processes and send them the documented requests
	@$(GO) test -race -count=1 -timeout 15m -json ./examples | bin/testreport | tee -a $(REPORT)

peers: bin/testreport ## Run sipp, baresip, linphone, kamailio and apps on npm's sipgateio against the callwright binary
	@$(GO) test -race -count=1 -timeout 15m -parallel 6 -json ./test | bin/testreport | tee -a $(REPORT)

demo: ## Run one whole call: server, sample app and two phones
	@$(GO) run ./cmd/callwright demo

race: ## Run all tests under the race detector, skipping those whose peers are missing
	$(GO) test -race ./...

fuzz: ## Fuzz each target for FUZZTIME (30s)
	@$(GO) test -list '^Fuzz' ./... | awk '/^Fuzz/ { names = names " " $$1 } /^ok/ { n = split(names, name, " "); names = ""; \
		for (i = 1; i <= n; i++) print $$2, name[i] }' | while read -r package target; do \
		echo "=== $$package $$target"; \
		$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x "$$package" </dev/null; \
	done

bench: ## Print the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

clean: ## Remove what was built
	rm -rf bin

bin/golangci-lint: tools/go.mod tools/go.sum
	$(GO) build -C tools -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

bin/testreport: tools/go.mod $(wildcard tools/testreport/*.go)
	@$(GO) build -C tools -o ../$@ ./testreport
