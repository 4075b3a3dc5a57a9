# Every target installs and builds what it needs. `make help` lists them.

N ?= 4
DIR ?= .cluster
BASE_PORT ?= 7400
DETACH ?=
BYZANTINE ?=
SEED ?=
HASHES ?=
COUNT ?=
FROM ?=
MINUTES ?=
HOSTILE_HOURS ?=
RATE ?=
ROUNDS ?=
DEAD ?=
SIGNAL ?=
LOAD_SECONDS ?=
BUG ?=
ATTACK ?=
SECONDS ?=
QUICK ?=
FILE ?=
SVG ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

# npm writes this file last, when it has installed everything.
MODULES := node_modules/.package-lock.json
BUILD := dist/.stamp
TSX := node --import tsx
# Folders too: a file that is gone makes its folder newer.
SOURCES := $(shell find src -name '.*' -prune -o \( -type d -o -name '*.ts' \) -print)

# A flag for a variable that somebody set: an existing cluster goes on with its own numbers.
given = $(if $(filter-out file,$(origin $(2))),$(1) '$($(2))')

##@ Start
.PHONY: help setup proto build cluster cluster-stop
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile
	@printf '\nVariables (now): N=%s DIR=%s BASE_PORT=%s DETACH=%s BYZANTINE=%s\n' \
	  '$(N)' '$(DIR)' '$(BASE_PORT)' '$(DETACH)' '$(BYZANTINE)'
	@printf '                 SEED=%s COUNT=%s FROM=%s MINUTES=%s RATE=%s ROUNDS=%s\n' \
	  '$(SEED)' '$(COUNT)' '$(FROM)' '$(MINUTES)' '$(RATE)' '$(ROUNDS)'

setup: $(MODULES) ## Install the dependencies (npm ci)

proto: $(MODULES) ## Generate src/wire/gen and test/gen from proto/
	@npm run --silent proto

build: $(BUILD) ## Compile src/ into dist/

cluster: $(BUILD) ## Start N replicas in DIR; DETACH=1 returns when all serve; BYZANTINE=2=equivocate makes a traitor
	@node bin/pbft.js cluster --dir '$(DIR)' $(call given,--replicas,N) $(call given,--base-port,BASE_PORT) \
	  $(if $(BYZANTINE),--byzantine '$(BYZANTINE)') $(if $(filter 1,$(DETACH)),--detach)

cluster-stop: $(BUILD) ## Stop the replicas that DIR/cluster.json names
	@node bin/pbft.js cluster --dir '$(DIR)' --stop

##@ Judge
.PHONY: test check lint format simulate scenario swarm planted-bugs endurance bench failover betrayal attack
test: $(MODULES) ## Run the quick tests of every kind
	@$(TSX) test/support/run-suites.ts test

check: $(MODULES) ## Run all that CI runs: static checks, all tests, the simulator
	@$(TSX) test/support/run-suites.ts check

lint: $(MODULES) ## Run the static checks alone
	@npm run --silent proto:lint
	@npm run --silent types
	@npm run --silent lint:code
	@npm run --silent lint:layers
	@npm run --silent lint:dead-code

format: $(MODULES) ## Format code and protos, and apply safe fixes
	@npm run --silent format

simulate: $(MODULES) ## Run the simulator's fixed seeds; SEED= runs one; HASHES=check compares their traces with those kept
	@$(TSX) test/simulation/main.ts $(if $(SEED),--seed '$(SEED)') $(if $(HASHES),--hashes '$(HASHES)')

scenario: $(MODULES) ## Play a scenario of your own, FILE=, and print what follows; SVG= draws it too
	@$(TSX) test/scenario/main.ts $(if $(FILE),'$(FILE)') $(if $(SVG),--svg '$(SVG)')

swarm: $(MODULES) ## Run COUNT seeds beyond the fixed ones, FROM a seed or where the last swarm ended; or HOSTILE_HOURS
	@$(TSX) test/simulation/main.ts $(if $(HOSTILE_HOURS),--hostile-hours '$(HOSTILE_HOURS)', \
	  --swarm $(if $(COUNT),--count '$(COUNT)') $(if $(FROM),--from '$(FROM)') $(if $(MINUTES),--minutes '$(MINUTES)'))

endurance: $(BUILD) ## Kill replicas under load for ROUNDS rounds, 100 by default; SEED= repeats a run; SIGNAL=SIGINT stops all
	@$(TSX) test/endurance/main.ts $(if $(ROUNDS),--rounds '$(ROUNDS)') $(if $(SEED),--seed '$(SEED)') \
	  $(if $(SIGNAL),--signal '$(SIGNAL)') $(if $(LOAD_SECONDS),--load-seconds '$(LOAD_SECONDS)') $(call given,--replicas,N)

planted-bugs: $(MODULES) ## Plant bugs in a copy of the code, each must be caught; BUG= some, QUICK=1 one seed each
	@$(TSX) test/planted-bugs/main.ts $(if $(QUICK),--quick) $(BUG)

bench: $(BUILD) ## Measure a fresh cluster; RATE= operations a second makes it an open loop
	@test -f test/bench/main.ts || { echo 'bench: there is no benchmark yet' >&2; exit 1; }
	@$(TSX) test/bench/main.ts $(if $(RATE),--rate '$(RATE)')

failover: $(BUILD) ## Measure how long callers wait when the primary is killed; DEAD=2 kills two in a row
	@$(TSX) test/bench/failover-main.ts $(if $(ROUNDS),--rounds '$(ROUNDS)') $(if $(DEAD),--dead '$(DEAD)') \
	  $(call given,--replicas,N)

betrayal: $(BUILD) ## Measure throughput before, while and after the primary censors, equivocates or is slow
	@$(TSX) test/bench/betrayal-main.ts $(call given,--replicas,N)

attack: $(BUILD) ## Measure what honest callers lose to attacks by callers and peers; ATTACK= some by name, SECONDS=
	@$(TSX) test/hostile/attack/main.ts $(if $(ATTACK),--attacks '$(ATTACK)') $(if $(SECONDS),--seconds '$(SECONDS)')

##@ Clean
.PHONY: clean
clean: ## Remove what was built, not what was installed and no cluster
	@rm -rf dist dist.* coverage .cache

$(MODULES): package-lock.json
	npm ci
	@touch $@

# Compiled beside dist/ and put in its place when it is whole: a failed build leaves the last good one.
$(BUILD): $(MODULES) tsconfig.json $(SOURCES)
	@next=dist.$$$$ && rm -rf $$next && \
	  if node_modules/.bin/tsc --outDir $$next; then rm -rf dist && mv $$next dist && touch $@; \
	  else rm -rf $$next; exit 1; fi
