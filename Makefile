# Names -> commands. The code of a target is in tools/NAME.py; its knobs are in config.env.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install --quiet --require-hashes
PARITY := .venv-parity
VLLMS := 0.11.0 0.26.0 0.32.0
VLLM ?= $(VLLMS)
# Test folders that start no machine and no fleet, and run no whole command
PARTS := tests/tools/lib $(addprefix tests/vm_side/,answer picture results server trust)
MENDING := tests/vllm/mend.py tests/vllm/torchvision_without_cuda.py
VERBS := all plan check-account create image start upload process download stop status logs report apply export compare check score tune clean delete

# Variables from make's command line go to the script unchanged: make itself would expand a $ in them as
# a variable of its own, and run what is in $(shell …). The script refuses names that it does not know.
MAKE_LINE := $(strip $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name))))
$(foreach name,$(MAKE_LINE),$(eval override $(name) := $$(value $(name))))
export MAKE_LINE $(MAKE_LINE)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup $(VERBS) test test-quick test-vllm lint mutate bench bench-card parity samples pictures schema knobs

help: ## Show this
	@echo 'make TARGET [KNOB=value …]   read page images with dots.ocr'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'Knobs, with their defaults, are in config.env. To try it: make all INPUT=samples TARGET=local'

all: $(VENV)/setup ## start, upload, process, download, stop (also after an error), report: INPUT=folder
plan: $(VENV)/setup ## Show what make all would take: pages, hours, USD; no machine is needed
check-account: $(VENV)/setup ## Check that your Google account can rent the VM: what is wrong, what to do; asks before it costs
create: $(VENV)/setup ## Create the VM, and turn it off; DRY_RUN=1 only shows what it would be
image: $(VENV)/setup ## Build the image of the model server on the machine
start: $(VENV)/setup ## Turn the machine on and start its model server; WORKERS=8 adds spot VMs
upload: $(VENV)/setup ## Make the machine's input a mirror of INPUT
process: $(VENV)/setup ## Wait for the model, then read what is missing or failed
download: $(VENV)/setup ## Bring the results of INPUT's pages to OUTPUT
stop: $(VENV)/setup ## Turn the machine off, and its workers
status: $(VENV)/setup ## Show the machine, its model server and the pages
logs: $(VENV)/setup ## Follow the log of the job, or of the model server
report: $(VENV)/setup ## Make OUTPUT/report.html, to look at the results
apply: $(VENV)/setup ## Write corrections that the report saved into OUTPUT: CORRECTIONS=file
export: $(VENV)/setup ## Make documents of what is in OUTPUT: FORMATS=md,pdf
compare: $(VENV)/setup ## Show what differs between two results: A=results1 B=results2
check: $(VENV)/setup ## Read what is in OUTPUT a second time, by OCR on this computer, and compare
score: $(VENV)/setup ## Show how good the results in OUTPUT are, by their truth: TRUTH=folder
tune: $(VENV)/setup ## Show how many pixels a page needs, by a sample of your pages: SAMPLE=50
clean: $(VENV)/setup ## Empty the machine's input and result folders
delete: $(VENV)/setup ## Delete the VM, its disk and its workers; asks first

$(VERBS):
	@$(PY) tools/$(subst -,_,$@).py

setup: $(VENV)/setup ## Make the environment (the first use of any target does this)

$(VENV)/setup: requirements.txt
	@$(PYTHON) tools/setup.py $(VENV) $<
	@touch $@

$(VENV)/setup-dev: $(VENV)/setup requirements-dev.txt vm_side/cpu_endpoint/requirements.txt
	@$(PIP) -r requirements-dev.txt
	@$(PIP) --no-deps -r vm_side/cpu_endpoint/requirements.txt
	@touch $@

# Let Python keep its compiled files, whatever your shell says: a test run starts it a thousand times
test test-quick: export PYTHONDONTWRITEBYTECODE :=
# A variable on our command line, such as PYTEST_ADDOPTS=-x, is not for the makes that the tests run
test test-quick: export MAKE_LINE :=

test: $(VENV)/setup-dev ## Run the tests
	@$(PY) -m pytest -n 4 --dist loadfile --no-loadscope-reorder

test-quick: $(VENV)/setup-dev ## Run the tests of the single parts: a minute or two, for every change
	@$(PY) -m pytest -n auto --dist loadfile $(PARTS)

lint: $(VENV)/setup-dev ## Check style and types
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m mypy vm_side tools tests

mutate: $(VENV)/setup-dev ## Put faults into decisions, show those that no test sees; ONLY=vm_side/answer: these files
	@nice -n 19 $(PY) tests/mutate "$$ONLY"

bench: $(VENV)/setup-dev $(PARITY)/setup ## Measure the client, the GPU's idle time, the bill, a fleet: hours
	@$(PY) tests/bench/client.py
	@$(PY) tests/bench/workers.py
	@$(PY) tests/bench/gpu.py
	@$(PY) tests/bench/bill.py
	@$(PY) tests/bench/scaling.py
	@$(PY) tests/bench/trust.py
	@$(PY) tests/bench/joins.py
	@$(PY) tests/bench/export.py

bench-card: $(VENV)/setup-dev $(PARITY)/setup ## Measure this machine's own card, with vLLM: under 8 minutes a call
	@$(PY) tests/bench/card

parity: $(VENV)/setup-dev $(PARITY)/setup ## Compare pictures and cells with dots.ocr's own client
	@$(PY) -m pytest tests/parity

$(PARITY)/setup: tests/parity/requirements.txt
	@$(PYTHON) -m venv --clear $(PARITY)
	@$(PARITY)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps -r $<
	@touch $@

test-vllm: $(VLLM:%=test-vllm-%) ## Run the client against real vLLMs on the CPU; VLLM=0.11.0: only this one

$(VLLMS:%=test-vllm-%): test-vllm-%: $(VENV)/setup-dev .venv-vllm-%/setup
	@VLLM=$* $(PY) -m pytest --timeout=900 tests/vllm

test-vllm-%:
	@echo "VLLM=$* is not known here; known: $(VLLMS)" >&2; exit 2

# First torch with its dependencies: if its wheel is the one for CUDA, these are 4 GB more
$(VLLMS:%=.venv-vllm-%/setup): .venv-vllm-%/setup: tests/vllm/requirements-%.txt $(MENDING)
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip --disable-pip-version-check install --quiet -c $< torch
	@$(@D)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps -r $<
	@$(@D)/bin/python tests/vllm/mend.py
	@touch $@

samples: $(VENV)/setup-dev ## Render the sample pages again
	@$(PY) tests/samples/render.py

pictures: $(VENV)/setup-dev ## Draw the pictures of README and docs/ again; needs chromium
	@$(PY) tests/pictures/draw.py
	@$(PY) tests/pictures/cast.py
	@$(PY) tests/samples/selection.py

schema: $(VENV)/setup-dev ## Write the JSON Schemas in docs/schema again
	@$(PY) tests/schemas/write.py

knobs: $(VENV)/setup-dev ## Write names and defaults in docs/knobs.md again
	@$(PY) tests/knobs/write.py
