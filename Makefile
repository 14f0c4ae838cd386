# Everything runs from here. The first `make run` or `make test` on a machine sets it up; later ones are quick.
BIN := .venv/bin
PROOFS ?= ledger stock-race power bridge-kill ddl-kill approve outage versions fields authz formula definitions drafts
BENCHES ?= records lists import workflow bridge http studio ledger
TESTS ?=
PORT ?= 8000
# Databases of tests live in memory where there is room for them, since a disk is what tests wait for most.
ROOM := $(shell [ "$$(df -k --output=avail /dev/shm 2>/dev/null | tail -1)" -gt 3000000 ] 2>/dev/null && echo TMPDIR=/dev/shm)

.PHONY: help run test check format proof bench pictures clean

help:
	@echo "make run     set up, fill the demo and serve it (prints the address; PORT=8010 chooses the port)"
	@echo "make test    set up, then every check and every test (TESTS=... narrows pytest)"
	@echo "make check   ruff, mypy --strict and the import contracts"
	@echo "make format  let ruff put the code in order"
	@echo "make proof   the reliability proofs (PROOFS=... chooses)"
	@echo "make bench   the speed figures (BENCHES=... chooses)"
	@echo "make pictures make the pictures of the README, by the browser tests"
	@echo "make clean   remove what was set up; instance/ stays"

run: .make/formloop .make/browser-libraries
	$(BIN)/formloop demo --if-needed
	$(BIN)/formloop serve --port $(PORT)

test: .make/tests .make/browser-libraries
	@.ci/chromium >/dev/null
	@$(MAKE) --no-print-directory check
	$(ROOM) $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(TESTS)

check: .make/tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .make/tests
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

proof: .make/tests .make/browser-libraries
	@for name in $(PROOFS); do $(BIN)/formloop proof $$name || exit 1; done
	FORMLOOP_WHOLE=1 $(BIN)/python -m pytest -m shared tests/packs

bench: .make/tests .make/browser-libraries
	@for name in $(BENCHES); do $(BIN)/formloop bench $$name || exit 1; done

pictures: .make/tests .make/browser-libraries
	@.ci/chromium >/dev/null
	$(BIN)/python -m pytest tests/browser/test_story.py
	@mkdir -p docs/pictures
	cp build/screenshots/order-en-US.png build/screenshots/order-zh-CN.png docs/pictures/
	cp build/screenshots/task-en-US.png build/screenshots/task-zh-CN.png docs/pictures/

clean:
	rm -rf .venv .make static/node_modules static/vendor build

# --- Set-up: one stamp a step, so that a step runs again only when what it reads has changed,
# --- or when what it made has been removed.
ifeq ($(wildcard .venv/bin/python),)
$(shell rm -f .make/venv .make/formloop .make/tests)
endif
ifeq ($(wildcard static/vendor/icons.svg),)
$(shell rm -f .make/browser-libraries)
endif

.make/venv:
	@.ci/venv
	@mkdir -p .make && touch $@

.make/formloop: pyproject.toml .make/venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.make/tests: pyproject.toml .make/venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ .make/formloop

.make/browser-libraries: static/package.json static/package-lock.json static/icons.txt .ci/browser_libraries.py | .make/formloop
	$(BIN)/python .ci/browser_libraries.py
	@touch $@
