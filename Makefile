# Every verb sets itself up first; PYTHON picks another interpreter (>= 3.11).
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo test lint bench docs format peers tracker tracker-closes crashes orders clean
setup: .venv/ready ## make the virtual environment (.venv)
.venv/ready: pyproject.toml constraints.txt
	@echo "Setting up .venv (first time: a minute or two) ..."
	@$(PYTHON) -m venv .venv && $(BIN)/python -m pip install -q --disable-pip-version-check -U "pip>=25.1"
	@$(BIN)/pip install -q --disable-pip-version-check --no-input -c constraints.txt --group dev -e . && touch $@

demo: setup ## build the demo company, print its report, serve it at http://127.0.0.1:8700
	@$(BIN)/touchline demo

test: setup ## all tests, short forms
	@$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder --cov

lint: setup ## style, types, import directions, file sizes
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/pyright && $(BIN)/lint-imports
	@$(BIN)/python tests/shape.py

docs: setup ## write the generated tables of docs/reference anew, check every page
	@$(BIN)/python tests/reference.py && $(BIN)/pytest -q tests/docs

peers: ## programs of others that some tests and benches run against (.venv-peers)
	@test -d .venv-peers || $(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/pip install -q --disable-pip-version-check -r tests/peers.txt
	@.venv-peers/bin/pip install -q --disable-pip-version-check --no-deps lifetimes==0.11.3 recordlinkage==0.16
	@cp tests/peers/package.json .venv-peers/
	@PATH="$$PATH:$(CURDIR)/$(BIN)" npm install --prefix .venv-peers --silent --no-audit --no-fund --no-package-lock \
	  && mkdir -p .venv-peers/node_modules/umami && cd .venv-peers && PATH="$$PATH:$(CURDIR)/$(BIN)" \
	  && tar xzf $$(npm pack --silent umami@2.10.0) -C node_modules/umami --strip-components=1 \
	  || echo "make peers: npm could not install the trackers of npm; their tests will be skipped"

tracker: setup ## build the browser tracker (Node from PyPI where none is installed), test its parts
	@command -v npm >/dev/null || test -x $(BIN)/npm \
	  || $(BIN)/pip install -q --disable-pip-version-check --no-input -c constraints.txt --group node
	@cd tracker && PATH="$$PATH:$(CURDIR)/$(BIN)" && npm ci --silent && npm run -s build && npm test -s

tracker-closes: setup ## the long form: 1,000 closed tabs, and ten minutes without a network
	@TOUCHLINE_TRACKER_CLOSES=1000 TOUCHLINE_TRACKER_OFFLINE_S=600 $(BIN)/pytest -q tests/tracker

SECONDS_OF_CRASHES ?= 600
crashes: setup ## the long form: stories crashed at every point, in every way, for ten minutes
	@$(BIN)/python tests/crash/simulator.py --seconds $(SECONDS_OF_CRASHES) --steps 12 --failing 20

orders: setup ## the long form: a thousand worlds of every property of who is one person
	@TOUCHLINE_LONG=1 TOUCHLINE_REQUIRE_POSTGRES=1 $(BIN)/pytest -q -n auto tests/identity/test_properties.py \
	  tests/identity/test_live.py tests/identity/test_threads.py tests/contract/test_live.py

format: setup
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: setup ## ratios measured in one run
	@$(BIN)/python bench/run.py

clean:
	@rm -rf .venv .venv-peers
