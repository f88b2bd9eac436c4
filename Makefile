# nbdconform. `make help` lists what there is.

TARGET   ?= reference
# SUITE is the former name of RELEASE, which still works.
ifdef SUITE
$(shell echo 'make: SUITE= is now RELEASE=' >&2)
RELEASE  ?= $(SUITE)
endif
RELEASE  ?= bookworm
PROVIDER ?= container
PROFILE  ?=
FILTER   ?=
QUIRK    ?=
BASELINE ?= containers/known/$(TARGET).yaml
PROGRAM  ?= reference
FUZZTIME ?= 10s
FUZZFLAGS ?=
KNOWN    ?= containers/known
SPEC     ?= ../shared/spec/proto.md
# nopsk leaves pre-shared keys out, which would make the program a dynamic one.
TAGS     ?= nopsk

export CGO_ENABLED ?= 0

VERSION := $(shell git describe --always --dirty --tags 2>/dev/null || echo unknown)
BIN     := bin/nbdconform
RUN     := $(BIN) run --target $(TARGET) --release $(RELEASE) --provider $(PROVIDER) \
           $(if $(PROFILE),--profile $(PROFILE)) $(if $(FILTER),--filter '$(FILTER)') \
           $(if $(QUIRK),--quirk $(QUIRK))
GATED   := reports/out/gate/$(TARGET)-$(RELEASE)$(if $(PROFILE),-$(PROFILE))

.PHONY: help build conformance clients gate gate-clients image action-test example test lint prove images matrix interop support sweep controls fuzz fuzz-native fuzz-smoke fuzz-score bench bench-go race spec-check generate clean FORCE

help: ## list the targets of this file
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "Variables: TARGET PROGRAM RELEASE PROVIDER PROFILE FILTER QUIRK BASELINE FUZZTIME FUZZFLAGS SPEC TAGS ROUNDS RUNTIME"

build: $(BIN) ## build the static binary bin/nbdconform; TAGS= adds TLS with pre-shared keys

$(BIN): FORCE
	@go build -trimpath -tags '$(TAGS)' -ldflags '-X main.stamped=$(VERSION)' -o $@ ./cmd/nbdconform

conformance: build ## judge TARGET (reference, qemu-nbd, nbdkit, nbd-server, uri:URI)
	@$(RUN)

gate: build ## judge TARGET and compare with the known failures in BASELINE
	@rm -rf $(GATED)
	@$(RUN) --out $(GATED) >/dev/null || [ $$? -eq 1 ]
	@$(BIN) gate $(GATED) --baseline $(BASELINE)

gate-clients: build ## judge the client PROGRAM from RELEASE and compare with containers/known/clients
	@rm -rf reports/out/gate/client-$(PROGRAM)-$(RELEASE)
	@$(BIN) clients --program $(PROGRAM) --release $(RELEASE) --provider $(PROVIDER) --out reports/out/gate/client-$(PROGRAM)-$(RELEASE) >/dev/null || [ $$? -eq 1 ]
	@$(BIN) gate reports/out/gate/client-$(PROGRAM)-$(RELEASE) --baseline containers/known/clients/$(PROGRAM).yaml

image: build ## build a container image with the suite and nothing else
	@mkdir -p bin/image/tmp && cp $(BIN) bin/image/
	docker build -q -t nbdconform -f Dockerfile bin/image

action-test: ## run the steps of action.yml as a runner would
	go test -count 1 -v -run 'TestAction|TestGitLab' ./ci/

example: ## test the server of examples/library with the suite as a library
	cd examples/library && go test ./...

clients: build ## judge the client PROGRAM (reference, nbdcopy, qemu-img, ...)
	@$(BIN) clients --program $(PROGRAM) --release $(RELEASE) --provider $(PROVIDER) $(if $(FILTER),--filter '$(FILTER)')

test: ## run every test; NBDCONFORM_REQUIRE_CONTAINERS=1 insists on containers
	go test ./...

race: ## run every test with the race detector
	CGO_ENABLED=1 go test -race ./...

lint: ## run golangci-lint
	go tool -modfile=tools/go.mod golangci-lint run ./...

prove: build ## show that every spec can fail, and that a good server passes
	@$(BIN) prove

images: build ## build the container images
	@$(BIN) images

matrix: build ## judge every version of every server side by side, in representative profiles
	@$(BIN) matrix

controls: build ## show that published bugs are found where they are, and only there
	@$(BIN) controls

sweep: build ## judge TARGET from RELEASE in every profile
	@$(BIN) matrix --targets $(TARGET) --releases $(RELEASE) --profiles $(or $(PROFILE),all) \
	  --out reports/out/sweep/$(TARGET)-$(RELEASE)

# Those who meet others have pre-shared keys to meet them with.
interop: TAGS =
interop: build ## run the reference with the programs of others
	@$(BIN) interop

support: ## write docs/support.md from what is heard in interop
	@go build -trimpath -tags '' -ldflags '-X main.stamped=$(VERSION)' -o bin/nbdconform-psk ./cmd/nbdconform
	@bin/nbdconform-psk interop --write docs/support.md

# Without a TARGET the native fuzz targets run, which need no server.
ifeq ($(origin TARGET),file)
fuzz: fuzz-native ## fuzz TARGET (all: every server) for FUZZTIME; none: as fuzz-native
else
fuzz: build
	@$(BIN) fuzz --target $(TARGET) --release $(RELEASE) --provider $(PROVIDER) --time $(FUZZTIME) \
	  $(if $(PROFILE),--profile $(PROFILE)) $(if $(QUIRK),--quirk $(QUIRK)) --baseline $(KNOWN) --baseline $(KNOWN)/fuzz $(FUZZFLAGS)
endif

fuzz-native: ## run every native fuzz target for FUZZTIME
	@sh fuzz/all.sh $(FUZZTIME)

fuzz-smoke: ## run every native fuzz target for a moment
	@sh fuzz/all.sh 300x

fuzz-score: build ## measure the session fuzzer with quirks; BUDGET=1m for each
	@$(BIN) fuzz-score $(if $(BUDGET),--budget $(BUDGET))

bench: build ## compare the speed of servers; ROUNDS, RUNTIME=500ms
	@$(BIN) bench $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(RUNTIME),--runtime $(RUNTIME))

bench-go: ## run the benchmarks of Go
	go test -run '^$$' -bench . -benchmem ./...

spec-check: build ## compare the clause catalogue with the document at SPEC
	@$(BIN) spec-check $(SPEC)

generate: ## write generated files again
	go generate ./...

clean: ## remove what was built and written
	rm -rf bin reports/out
