# Everything a person or CI does with this repository. `make` alone lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# Outside the work tree, so that several clones share what is built.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/kyb/target
# rustup puts cargo here; a shell that was open before does not know it yet.
export PATH := $(HOME)/.cargo/bin:$(PATH)

TOOLS := $(HOME)/.cache/kyb/tools
CARGO_DENY_VERSION := 0.20.2
CARGO_MUTANTS_VERSION := 27.1.0
# A copy of the RustSec advisory database; fetched where there is none.
ADVISORIES ?= ../shared/data/rustsec

# Where images are put.
IMAGES_DIR ?= $(HOME)/.cache/kyb/images

.PHONY: help
help: ## List the targets
	@echo 'Usage: make TARGET'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: ## Install missing Debian packages, and check that Rust is there
	@scripts/setup.sh

.PHONY: demo
demo: setup ## From here to a region of real pods that verifies three businesses (as root; or in the cluster of KUBECONFIG)
	@scripts/demo.sh up

.PHONY: demo-down
demo-down: ## Take the demo down; nothing stays
	@scripts/demo.sh down

.PHONY: images
images: setup ## Build the images of the programs, PostgreSQL and Redis into IMAGES_DIR, for `docker load` or a lab
	@scripts/lab-setup.sh
	@programs=$$(scripts/static.sh); "$$programs/kyb-lab" images --programs "$$programs" --output "$(IMAGES_DIR)"

# Where the plugin's archive is put.
PLUGIN_DIR ?= $(HOME)/.cache/kyb/plugin

.PHONY: plugin
plugin: setup ## Pack the kubectl plugin for this platform into PLUGIN_DIR, as the manifest for krew names it
	@scripts/plugin.sh "$(PLUGIN_DIR)"

.PHONY: demo-local
demo-local: setup ## Start everything on loopback, without a cluster, and verify three businesses (WATCHLISTS=folder for a real list)
	@cargo build --locked -p kyb-cli
	@exec "$$CARGO_TARGET_DIR/debug/kyb" demo $(if $(WATCHLISTS),--lists "$(WATCHLISTS)")

.PHONY: test
test: setup ## Run all tests, with real PostgreSQL and Kubernetes servers that they start themselves
	@scripts/lab-setup.sh
	@scripts/test.sh $(TEST_ARGS)

.PHONY: test-clients
test-clients: setup ## Run nomenklatura's yente enricher and Watchman's Go client against a gateway (fetches both)
	@scripts/clients.sh

.PHONY: soak
soak: setup ## Run the operator under every plan of faults, through a thousand sequences of changes, against a hundred plans, and with 10,000 tenants: some hours
	@scripts/lab-setup.sh
	@KYB_SEQUENCES=1000 KYB_SEQUENCES_SEED=$$RANDOM scripts/test.sh --workspace --test sequences -- --nocapture
	@KYB_FAULT_PLANS=all scripts/test.sh --workspace --test faults -- --nocapture
	@KYB_PLANS=100 scripts/test.sh --workspace --test api_server -- planning:: --nocapture
	@KYB_LEADER_POINTS=200 scripts/test.sh --workspace --test leader -- --nocapture
	@cargo build --locked --release --workspace --bins
	@"$$CARGO_TARGET_DIR/release/kyb-bench" --only scale --small --tenants 1000,10000 --idle-minutes 1

.PHONY: seeded-bugs
seeded-bugs: setup ## Show that the tests notice bugs: those of operator/seeded, or some of them (BUG=name,name)
	@scripts/lab-setup.sh
	@BUG="$(BUG)" scripts/seeded-bugs.sh

.PHONY: mutants
mutants: setup $(TOOLS)/bin/cargo-mutants ## Change the operator's code at many places, and count what its tests notice (SHARD=k/n for every n-th place)
	@scripts/lab-setup.sh
	@PATH="$(TOOLS)/bin:$$PATH" SHARD="$(SHARD)" scripts/mutants.sh

$(TOOLS)/bin/cargo-mutants: Makefile
	cargo install cargo-mutants --locked --version $(CARGO_MUTANTS_VERSION) --root $(TOOLS)
	@touch $@

.PHONY: lint
lint: setup ## Check the format, clippy, the docs' links, that there is one TLS provider, and that seeded bugs still fit
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --quiet
	@scripts/one-tls-provider.sh
	@scripts/seeded-patches.sh

.PHONY: crds
crds: ## Write the definitions of the custom resources, their reference, and what the charts make of them
	cargo build --locked --workspace --example kyb-crds-yaml
	"$$CARGO_TARGET_DIR/debug/examples/kyb-crds-yaml" crds/yaml docs/kinds/reference
	scripts/charts-crds.sh

.PHONY: charts
charts: ## Render what follows from the charts (needs helm)
	scripts/charts-crds.sh
	scripts/kustomize-base.sh

.PHONY: charts-test
charts-test: ## Check charts, overlays and install.yaml (needs helm and kubectl)
	charts/test.sh

.PHONY: install-yaml
install-yaml: ## Write everything that an installation needs into install.yaml (needs helm)
	scripts/install-yaml.sh install.yaml

# How many regions, 1 to 3.
REGIONS ?= 1
LAB = "$$CARGO_TARGET_DIR/debug/kyb-lab"

.PHONY: lab-build
lab-build: setup
	@scripts/lab-setup.sh
	@cargo build --locked --workspace --bins

.PHONY: lab-up
lab-up: lab-build ## Start REGIONS real Kubernetes regions on this machine (as root)
	@$(LAB) up --regions $(REGIONS)

.PHONY: lab-down
lab-down: lab-build ## Take them down; nothing stays
	@$(LAB) down

.PHONY: fmt
fmt: ## Format the code
	cargo fmt --all

.PHONY: bench
bench: setup ## Measure, each figure beside its baseline; JSON lines on standard output (BENCH_ARGS)
	@# The whole workspace, as the benchmark itself builds the programs: with `-p` cargo would build everything twice.
	@cargo build --locked --release --workspace --bins
	@exec "$$CARGO_TARGET_DIR/release/kyb-bench" $(BENCH_ARGS)

.PHONY: bench-screening
bench-screening: setup ## Measure screening: quality on labelled pairs beside other engines, speed, latency and loading
	@cargo build --locked --release --workspace --bins
	@exec "$$CARGO_TARGET_DIR/release/kyb-bench" --only quality --only screen --only loading --only million $(BENCH_ARGS)

.PHONY: bench-operator
bench-operator: setup ## Measure the operator in a real API server: times, requests and memory of tenants
	@scripts/lab-setup.sh
	@cargo build --locked --release --workspace --bins
	@exec "$$CARGO_TARGET_DIR/release/kyb-bench" --only operator --only scale

.PHONY: docs
docs: ## Build the documentation of the crates
	cargo doc --locked --workspace --no-deps
	@echo "open $$CARGO_TARGET_DIR/doc/kyb_domain/index.html"

.PHONY: deny
deny: $(TOOLS)/bin/cargo-deny ## Check licences, known vulnerabilities, banned and foreign crates
	@PATH="$(TOOLS)/bin:$$PATH" scripts/deny.sh "$(ADVISORIES)"

$(TOOLS)/bin/cargo-deny: Makefile
	cargo install cargo-deny --locked --version $(CARGO_DENY_VERSION) --root $(TOOLS)
	@touch $@

.PHONY: ci
ci: lint test ## What CI runs
