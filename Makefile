# vmnet_ext: build with PGXS.  "make test" and "make demo" need nothing but
# this tree and Debian's packages; see README.md.

EXTENSION   = vmnet_ext
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" vmnet_ext.control)

MODULE_big  = $(EXTENSION)
OBJS        = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))

SCRIPT      = sql/$(EXTENSION)--$(EXTVERSION).sql
PARTS      := sql/header.sql $(sort $(wildcard sql/*/*.sql))
DATA        = $(sort $(filter-out $(SCRIPT),$(wildcard sql/$(EXTENSION)--*.sql)) $(SCRIPT))
EXTRA_CLEAN = $(SCRIPT)

PG_CPPFLAGS = -I$(srcdir)/src -DVMNET_EXT_VERSION="\"$(EXTVERSION)\""
PG_CFLAGS   = -fvisibility=hidden $(if $(WERROR),-Wextra -Werror -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers)

PG_CONFIG  ?= pg_config
HAVE_PGTAP := $(wildcard $(shell $(PG_CONFIG) --sharedir 2>/dev/null)/extension/pgtap.control)

TESTS        := $(sort $(wildcard test/sql/*.sql))
REGRESS      := $(filter-out $(if $(HAVE_PGTAP),,tap_%),$(patsubst test/sql/%.sql,%,$(TESTS)))
REGRESS_OPTS  = --inputdir=test --load-extension=$(EXTENSION)

ISOLATION      := $(sort $(patsubst test/specs/%.spec,%,$(wildcard test/specs/*.spec)))
ISOLATION_OPTS  = --inputdir=test --outputdir=. --load-extension=$(EXTENSION)

TAP_TESTS    := $(if $(wildcard test/t/*.pl),1)
PROVE_TESTS   = test/t/*.pl

PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifneq ($(PGXS),)
include $(PGXS)

$(OBJS) $(OBJS:.o=.bc): $(wildcard src/*.h src/*/*.h)

all: $(SCRIPT)

# The install script is its parts, joined in the order of folders and names.
$(SCRIPT): $(PARTS) vmnet_ext.control
	cat $(PARTS) > $@
else
all install installcheck:
	@echo "pg_config was not found: install postgresql-server-dev-15, or say make PG_CONFIG=/path/to/pg_config" >&2; false
endif

.PHONY: test test-quick soak lint check-changes demo demo-cloudstack bench check-asan check-valgrind check-clients report
# One HTML page about an inventory: make report INVENTORY=cloud_report PGDATABASE=... OUT=report.html
report:
	@contrib/report/report

test test-quick soak lint check-changes demo demo-cloudstack bench check-asan check-valgrind check-clients:
	@PG_CONFIG="$(if $(filter file default,$(origin PG_CONFIG)),,$(PG_CONFIG))" test/$@.sh
