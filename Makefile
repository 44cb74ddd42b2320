# Each target sets itself up: a virtual environment in .venv with the package built from here.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := setup.py pyproject.toml $(shell find cython -type f)
# Workers for the tests; the suite is made for two cores.
WORKERS ?= 2

.PHONY: demo test compat django recipes lint kerberos bench wheels cross sanitize fuzz mutation soak
.PHONY: docs build clean
.DEFAULT_GOAL := test

$(BIN)/python:
	@$(PYTHON) -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Python 3.11 or newer with venv is needed: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.built: $(BIN)/python $(SOURCES)
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@

$(VENV)/.linted: $(VENV)/.built .ci/lint.txt
	$(BIN)/python -m pip install --quiet --requirement .ci/lint.txt
	@touch $@

build: $(VENV)/.built

demo: build
	$(BIN)/smtps demo

test: build
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup
	SMTPS_IMPL=pure $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -q

# CPython's own tests of smtplib against smtps.compat, on every CPython that is here.
compat: build
	$(BIN)/python tests/support/pythons.py

lint: $(VENV)/.linted
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy benchmarks docs setup.py
	PATH="$(CURDIR)/$(BIN):$$PATH" cython-lint cython
	$(BIN)/zizmor --quiet --offline .github

# Needs krb5-kdc, krb5-admin-server, krb5-user and libkrb5-dev.
kerberos: build
	$(BIN)/python -m pip install --quiet --editable '.[test,kerberos]'
	$(BIN)/python -m pytest tests/kerberos

# Airflow is large, and has an environment of its own; the other recipes are in the suite.
recipes: build
	$(PYTHON) -m venv .venv-airflow
	.venv-airflow/bin/python -m pip install --quiet --editable '.[test]' apache-airflow-providers-smtp
	.venv-airflow/bin/python -m pytest -o filterwarnings=default tests/airflow

# Every Django that the Pythons of this machine run, each in an environment of its own.
django:
	.ci/django

# Everything, in a quarter of an hour, and docs/benchmarks.md of it. On a machine that is busy with other
# work, BENCH=--realtime.
NEAR := sink-tls-1-0ms sink-plain-1-0ms sink-tls-8-0ms postfix-tls-1-0ms letters-tls letters-plain \
  composing-plain mailing-plain attachment-plain rsa-plain ed25519-plain
# Over a distance half a second is too short to tell: what is in flight grows with the round trips.
FAR := sink-tls-1-20ms postfix-tls-1-20ms
bench: build
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	$(BIN)/python benchmarks/bench_codec.py
	$(BIN)/python benchmarks/compare.py $(NEAR) --rounds 3 --seconds 0.5 $(BENCH)
	$(BIN)/python benchmarks/compare.py $(FAR) --rounds 3 --seconds 1 $(BENCH)
	$(BIN)/python benchmarks/bench_outbox.py --count 5000 --puts 500
	$(BIN)/python benchmarks/page.py

# The compiled modules under AddressSanitizer and UndefinedBehaviorSanitizer.
sanitize: build
	.ci/sanitize $(BIN)/python

# Whatever a parser or writer is given, for so many seconds in all; what breaks one stays in its corpus.
fuzz: SECONDS = 60
fuzz: SEED = 0
fuzz: build
	$(BIN)/python -m pip install --quiet atheris
	nice -n 19 $(BIN)/python -m tests.fuzz --seconds $(SECONDS) --seed $(SEED)

# So many messages through a pool to a server that fails at random, each of them accounted for.
soak: MESSAGES = 1000000
soak: build
	nice -n 19 $(BIN)/python -m tests.soak --messages $(MESSAGES)

# Mistakes made on purpose, and how many of them the tests notice: all of them take hours.
mutation: MODULE = _pure wire dialogue
mutation: SAMPLE = 300
mutation: SEED = 1
mutation: build
	$(BIN)/python -m pip install --quiet coverage
	nice -n 19 $(BIN)/python -m tests.mutation $(MODULE) --sample $(SAMPLE) --seed $(SEED)

# The pages in build/docs; a warning is an error.
docs: build
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -b html docs build/docs
	@echo "build/docs/index.html"

# The Linux wheels of every CPython on the machine, repaired and tried; releases build the others.
wheels: $(BIN)/python
	$(BIN)/python .ci/wheels

# The kernels as the compilers of other systems read them.
cross: $(BIN)/python
	$(BIN)/python -m pip install --quiet ziglang
	.ci/cross $(BIN)/python

clean:
	rm -rf build dist wheelhouse $(VENV) .compat
	find src -name '*.so' -delete
