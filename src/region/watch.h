/* A thread that starts dnsmasq and the uplink of VPCs in use again when they end. */
#pragma once

#include "region/internal.h"

struct region_watch *region_watch_new(struct region *r, struct error *err);
/* Networks came, changed or went: there are other processes to watch. NULL is allowed. */
void region_watch_news(struct region_watch *w);
void region_watch_free(struct region_watch *w);
