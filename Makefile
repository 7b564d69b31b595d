# The verbs. Each is one line; scripts/ holds what is longer.
.PHONY: build demo test quick lint fuzz soak bench golden cover journals package clean

build:    ; go build -trimpath -o vexctl ./cmd/vexctl
demo:     ; @scripts/demo
test:     ; @scripts/test
quick:    ; go vet ./... && go test -short ./...
lint:     ; @scripts/lint
fuzz:     ; @scripts/fuzz 20s
soak:     ; @scripts/fuzz 10m
bench:    ; @go run ./scripts/bench
golden:   ; go test ./cmd/vexctl -run Golden -update
cover:    ; go test -coverpkg=./cmd/...,./internal/... -coverprofile=cover.out ./... && go tool cover -func=cover.out | tail -n 1
journals: ; go run ./scripts/journals && $(MAKE) golden
package:  ; go run github.com/goreleaser/goreleaser/v2@v2.15.0 release --snapshot --clean
clean:    ; rm -rf vexctl cover.out dist
