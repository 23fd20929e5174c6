/* The lecture's lab as checks: an instance, Ubuntu's user, a venv with Django, a server on port 8000, an inbound rule, an answer. */
#pragma once

#include "lesson/check.h"
#include "region/query.h"

#define LAB_PORT 8000

/* Runs all checks of one instance; changes nothing in it. Returns -1 only where it can't be told at all (unknown instance). */
int django_check(struct region *r, const char *instance_id, int64_t deadline, struct checks *ret, struct error *err);

/* What the script in the guest printed, `key=value` lines; pure, for foreign bytes. */
#define FACT_MAX 256
struct guest_facts {
	char vcpus[FACT_MAX], memory_kib[FACT_MAX], os[FACT_MAX], user[FACT_MAX], cloud_init[FACT_MAX], cloud_init_detail[FACT_MAX];
	char python[FACT_MAX], django[FACT_MAX], listen[FACT_MAX], service[FACT_MAX], outbound[FACT_MAX], root_kib[FACT_MAX];
};
void guest_facts_parse(struct guest_facts *ret, const char *text, size_t len);
