# `make run` is all a newcomer needs; `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test contract soak-domain coverage bench-decide bench bench-build bench-append bench-rebuild bench-read bench-replica bench-http check fmt-check clippy audit bootstrap bootstrap-tests bootstrap-bench clean-data

# rustup puts cargo here and tells only new shells.
export PATH := $(PATH):$(HOME)/.cargo/bin
TARGET := $(or $(CARGO_TARGET_DIR),target)

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /|/' | awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

run: bootstrap ## Build and start the ledger with demo data; Ctrl-C stops it
	@cargo build --release --locked -p ledger
	@exec $(TARGET)/release/ledger serve --demo

test: bootstrap-tests ## Run every test
	scripts/clients
	# The tests run the program: built in the same step, so that both share one set of features.
	cargo build --workspace --bins --tests --locked --profile test
	MODEL_ORDERS=100000 cargo test --workspace --locked
	cargo test -p e2e --test it --locked -- --ignored --exact plans::no_operation_reads_a_growing_table_whole
	# The feature that writes the events' schemas is in no other build.
	cargo test -p domain --features schema --lib --locked contract

contract: ## Write the events' schemas of today and the golden files that are missing
	UPDATE_CONTRACT=1 cargo test -q -p domain --features schema --lib --locked -- contract::schemas sample_is_golden state_has_the_shape

soak-domain: bootstrap ## Live a million random orders against the naive model (MODEL_ORDERS, MODEL_SEED)
	cargo test --release -p domain --test model --locked -- --ignored --exact --nocapture soak

coverage: bootstrap ## Measure how much of the domain its tests reach: 95% of the lines are wanted
	@scripts/coverage

bench-decide: bootstrap ## Measure how long deciding a full order takes
	cargo bench --locked -p e2e --bench decide

bench: bench-append bench-rebuild bench-read bench-replica bench-http ## All of the benchmarks below (two processors)

bench-build: bootstrap-bench
	cargo build --release --locked -p ledger -p e2e --bins --benches

bench-append: bench-build ## Measure the write path against plain cqrs-es and pgbench
	cargo bench --locked -p ledger -p e2e --bench append

bench-rebuild: bench-build ## Measure how fast read models are made anew, against COPY of the log
	cargo bench --locked -p e2e --bench rebuild | tee docs/results/rebuild.md

bench-read: bench-build ## Measure queries of a million orders, beside PostGraphile on the same tables too
	scripts/clients e2e/benches/read/peer
	cargo bench --locked -p e2e --bench read | tee docs/results/read.md

bench-replica: bench-build ## Measure what dashboards on a read replica cost commands (two processors)
	cargo bench --locked -p e2e --bench replica

bench-http: bench-build ## Measure HTTP/2, keep-alive and TLS with h2load
	cargo bench --locked -p e2e --bench http

check: fmt-check clippy audit ## Check format, lints and dependencies

fmt-check:
	cargo fmt --all --check

clippy: bootstrap
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy -p domain --all-targets --features schema --locked -- -D warnings

audit: bootstrap ## Check the dependencies: advisories, licences, bans, sources
	@scripts/audit

bootstrap: ## Install what is missing (Debian packages)
	@scripts/bootstrap

bootstrap-tests:
	@scripts/bootstrap tests

bootstrap-bench:
	@scripts/bootstrap bench

clean-data: ## Delete the embedded database and its keys (asks first; FORCE=1 does not)
	@scripts/clean-data
