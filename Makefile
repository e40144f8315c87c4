# pipec. `make help` lists what there is.

VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo development)
PREFIX   ?= /usr/local
FUZZTIME ?= 30s
BENCH    ?= .
BASE     ?= HEAD~1

# What is built: agents for the architectures of clusters' nodes, and releases for the platforms of users.
AGENTS    := amd64 arm64
PLATFORMS := linux-amd64 linux-arm64 darwin-amd64 darwin-arm64
IMAGE     := bin/pipec-agent.oci/oci-layout
HOST      := $(shell go env GOOS GOARCH 2>/dev/null | paste -sd- -)
NEEDS_GO  := command -v go >/dev/null || { echo "pipec is built with Go 1.26 or later: https://go.dev/dl" >&2; exit 1; }

# Static, without paths of this machine, and with its version.
GOBUILD  := CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)'

.DEFAULT_GOAL := help
.PHONY: help build ui pictures test lint generate recording fuzz faults faults-nightly mutations faults-real faults-cluster bench bench-versions bench-scale quickstart agent-image release cluster-up cluster-down cluster-env demo-cluster bench-cluster install clean FORCE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: bin/pipec bin/pipec-agent ## build bin/pipec and bin/pipec-agent, static

bin/pipec: FORCE
	@$(NEEDS_GO)
	$(GOBUILD) -o $@ ./cmd/pipec

# Agents are for Linux. The one for this machine is also in the image, and is built once for both.
ifneq ($(filter $(AGENTS:%=linux-%),$(HOST)),)
bin/pipec-agent: bin/agents/$(HOST:linux-%=%)
	@install -m 755 $< $@
else
bin/pipec-agent: FORCE
	@$(NEEDS_GO)
	$(GOBUILD) -o $@ ./cmd/pipec-agent
endif

# go build links only what has changed, but changes the time of the file always. A copy keeps its time as long as the content
# is the same, so that make knows what depends on it.
bin/agents/%: FORCE
	@$(NEEDS_GO)
	@mkdir -p bin/agents
	GOOS=linux GOARCH=$* $(GOBUILD) -o bin/agents/.$* ./cmd/pipec-agent
	@cmp -s bin/agents/.$* $@ || cp bin/agents/.$* $@

# The image's digest follows from the binaries alone: pipec push finds it beside bin/pipec.
ui: ui/node_modules ## build the page of pipec ui from ui/, which needs Node
	cd ui && node_modules/.bin/tsc --noEmit && node build.mjs

pictures: ui/node_modules ## draw the pictures of docs/ui.md from real runs in a browser
	rm -rf bin/pictures && mkdir -p bin/pictures
	PIPEC_SHOTS='$(CURDIR)/bin/pictures' go test ./test/ui -count=1
	cp bin/pictures/run-light.png docs/ui-run.png
	cp bin/pictures/runs-dark.png docs/ui-runs.png

ui/node_modules: ui/package.json ui/package-lock.json
	cd ui && npm ci --no-audit --no-fund
	@touch $@

agent-image: build $(IMAGE) ## make the image of pipec-agent, for amd64 and arm64, in bin/pipec-agent.oci

$(IMAGE): $(AGENTS:%=bin/agents/%) $(wildcard internal/agentimage/*.go runtime/image/agent/*.go)
	go run ./internal/agentimage -out $(@D) -version '$(VERSION)' $(AGENTS:%=bin/agents/%)

release: $(IMAGE) $(PLATFORMS:%=bin/release/%/pipec) ## make the archives of a release with their checksums, in bin/release/VERSION
	go run ./internal/release -out 'bin/release/$(VERSION)' -version '$(VERSION)' -image $(dir $(IMAGE)) $(foreach p,$(PLATFORMS),$(p)=bin/release/$(p)/pipec)

bin/release/%/pipec: FORCE
	@$(NEEDS_GO)
	GOOS=$(firstword $(subst -, ,$*)) GOARCH=$(lastword $(subst -, ,$*)) $(GOBUILD) -o $@ ./cmd/pipec

test: bin/tools/staticcheck bin/tools/govulncheck bin/tools/testsum ## run everything: fast tests, lint, all tests
	scripts/python-deps.sh --tests examples/digits
	scripts/test.sh

lint: bin/tools/staticcheck bin/tools/govulncheck ## check the source: gofmt, go vet, go.mod, staticcheck, govulncheck
	scripts/lint.sh

generate: ## write the generated pages of docs/ and the graphs of the examples
	go test ./internal/docs ./cmd/pipec -run 'Docs|Current' -count=1 -update

recording: ## draw docs/run.svg from a real run of the digits example
	@MAKE='$(MAKE)' scripts/recording.sh

fuzz: ## run each fuzz target for FUZZTIME (30s)
	FUZZTIME=$(FUZZTIME) scripts/fuzz.sh

faults: ## simulate runs on a cluster that fails, about 26,000 of them; SEED='…' repeats one and prints its history
	go test ./test/faults -count=1 -timeout 60m -v $(if $(SEED),-run 'TestFaults$$' -cell '$(SEED)',-run 'TestFaults$$|TestMutations$$' -all)

faults-nightly: ## simulate other such runs each time, with up to four faults, for an hour or as long as FOR says
	go test ./test/faults -count=1 -timeout 24h -v -run 'TestRandom$$' -for $(or $(FOR),1h)

mutations: ## break one line of the coordinator at a time, and see that a simulated run fails
	go test ./test/faults -count=1 -timeout 180m -v -run 'TestMutations$$' -mutations

faults-real: ## run such cells on a real API server, 2,000 or CELLS of them, chosen by PICK; SEED='…' repeats one
	scripts/with-cluster.sh go test ./test/faults/real -count=1 -timeout 120m -v -run 'TestCells$$' $(if $(SEED),-cell '$(SEED)',-count-cells $(or $(CELLS),2000) -pick $(or $(PICK),1))

faults-cluster: ## disturb runs on the test cluster, and restart its programs; nothing else may use the cluster meanwhile
	scripts/with-cluster.sh go test ./test/faults/cluster -count=1 -timeout 60m -v -long
	scripts/with-cluster.sh go test ./test/faults/cluster -count=1 -timeout 60m -v -run 'TestRestarts$$' -restarts -long

bench-versions: ## compare this version with the one of BASE, a commit, on the same projects in turn
	go run ./test/bench -base '$(BASE)'

bench: ## print what compiling and running cost, beside what they are compared with; then BENCH, a pattern of benchmarks
	go run ./test/bench
	go test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 60m ./...

bench-scale: ## measure a coordinator of large runs, with an API server in memory
	go run ./test/bench/scale

quickstart: ## run the digits example, installing what is missing
	@MAKE='$(MAKE)' scripts/quickstart.sh

cluster-up: ## start a real Kubernetes on this machine, for tests; the first time builds it (test/cluster/README.md)
	scripts/cluster.sh up

cluster-down: ## end it
	scripts/cluster.sh down

cluster-env: ## print its addresses, as shell exports
	@scripts/cluster.sh env

demo-cluster: ## run the digits example on it, in pods; KEEP=1 leaves the cluster up
	@MAKE='$(MAKE)' scripts/with-cluster.sh scripts/demo-cluster.sh

bench-cluster: ## print what runs on it cost, beside bare pods, the S3 store beside the SDK's transfer manager, and what a large run costs others
	@scripts/with-cluster.sh scripts/bench-cluster.sh

install: build agent-image ## install both into PREFIX/bin (/usr/local), and the agent's image into PREFIX/libexec/pipec
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/libexec/pipec'
	install -m 755 bin/pipec bin/pipec-agent '$(DESTDIR)$(PREFIX)/bin'
	rm -rf '$(DESTDIR)$(PREFIX)/libexec/pipec/pipec-agent.oci'
	cp -R bin/pipec-agent.oci '$(DESTDIR)$(PREFIX)/libexec/pipec/'

clean: ## remove what was built
	rm -rf bin

bin/tools/staticcheck: tools/go.mod tools/go.sum
	go -C tools build -o ../$@ honnef.co/go/tools/cmd/staticcheck

bin/tools/govulncheck: tools/go.mod tools/go.sum
	go -C tools build -o ../$@ golang.org/x/vuln/cmd/govulncheck

bin/tools/testsum bin/tools/termsvg: $(wildcard tools/testsum/*.go tools/termsvg/*.go)
	go -C tools build -o ../$@ ./$(notdir $@)
