#include "network/firewall.h"

#include <errno.h>
#include <nftables/libnftables.h>
#include <pthread.h>
#include <string.h>

#define COMPLAINT_MAX 300

/* libnftables' parser keeps some of its state in globals; VPCs apply side by side */
static pthread_mutex_t parser = PTHREAD_MUTEX_INITIALIZER;

static int run(struct nft_ctx *nft, const char *ruleset, const char *what, struct error *err)
{
	const char *said;
	size_t len;

	if (nft_run_cmd_from_buffer(nft, ruleset) == 0)
		return 0;
	said = nft_ctx_get_error_buffer(nft);
	if (!said || !*said)
		said = "nftables gave no reason";
	len = strcspn(said, "\n");
	return error_set(err, ERROR_ENVIRONMENT, "The firewall's ruleset was refused (%s): %.*s", what,
			 (int)(len < COMPLAINT_MAX ? len : COMPLAINT_MAX), said);
}

static int with_context(const char *ruleset, bool for_real, struct error *err)
{
	struct nft_ctx *nft;
	int r = -1;

	pthread_mutex_lock(&parser);
	nft = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!nft || nft_ctx_buffer_error(nft) != 0) {
		error_set(err, ERROR_ENVIRONMENT, "nftables can't be reached in this kernel.");
	} else {
		nft_ctx_set_dry_run(nft, true);
		r = run(nft, ruleset, "dry run", err);
		if (r == 0 && for_real) {
			nft_ctx_set_dry_run(nft, false);
			r = run(nft, ruleset, "commit", err);
		}
	}
	if (nft)
		nft_ctx_free(nft);
	pthread_mutex_unlock(&parser);
	return r;
}

int firewall_apply(const char *ruleset, struct error *err)
{
	return with_context(ruleset, true, err);
}

int firewall_check(const char *ruleset, struct error *err)
{
	return with_context(ruleset, false, err);
}
