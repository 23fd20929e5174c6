#include "region/action.h"

int action_dry_run(const struct caller *caller, struct error *err)
{
	if (!caller->dry_run)
		return 0;
	error_set_code(err, ERROR_USAGE, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.");
	if (err)
		err->http_status = 412;
	return -1;
}
