/* Images and their coming: DescribeImages, ImportImage and its tasks, and the lab's own VerifyImage and RemoveImage. The catalogue is
 * the image room's; a task lives as long as the daemon, its work survives in the image room's partial files. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/time.h"
#include "region/guest.h"
#include "region/instance.h"
#include "region/reply.h"

#define IMPORTS_KEPT 32

enum import_status { IMPORT_ACTIVE, IMPORT_COMPLETED, IMPORT_FAILED };

struct import_task {
	struct import_task *next;
	char id[ID_MAX], image[IMAGE_NAME_MAX], image_id[ID_MAX], mirror[CONFIG_VALUE_MAX];
	bool rebuild, unreachable;
	enum import_status status;
	char phase[24], detail[IMAGE_NOTE_MAX], message[ERROR_MESSAGE_MAX];
	int64_t done, total, began, ended, sequence, told;
	volatile int cancel;
};

static const struct param describe_params[] = {
	TEXTS("ImageId"), TEXTS("Owner"), TEXTS("ExecutableBy"), BOOLEAN("IncludeDeprecated"), BOOLEAN("IncludeDisabled"), PARAM_FILTERS,
	PARAM_PAGES, PARAM_END
};
static const struct param ebs_members[] = { INTEGER("volumeSize"), TEXT("volumeType"), BOOLEAN("deleteOnTermination"), BOOLEAN("encrypted"), PARAM_END };
static const struct param device_members[] = { TEXT("deviceName"), STRUCTURE("ebs", ebs_members), PARAM_END };
static const struct param image_members[] = {
	TEXT("imageId"), TEXT("imageLocation"), TEXT("imageState"), TEXT("imageOwnerId"), TEXT("imageOwnerAlias"), BOOLEAN("isPublic"),
	TEXT("architecture"), TEXT("imageType"), TEXT("name"), TEXT("description"), TEXT("rootDeviceType"), TEXT("rootDeviceName"),
	LIST("blockDeviceMapping", device_members), TEXT("virtualizationType"), TEXT("hypervisor"), BOOLEAN("enaSupport"),
	TIMESTAMP("creationDate"), TEXT("platformDetails"), TEXT("usageOperation"), REPLY_TAGS, PARAM_END
};
static const struct param describe_reply[] = { LIST("imagesSet", image_members), TEXT("nextToken"), PARAM_END };
static const struct filter_path image_filters[] = {
	{ "image-id", "imageId" },
	{ "name", "name" },
	{ "description", "description" },
	{ "state", "imageState" },
	{ "architecture", "architecture" },
	{ "owner-id", "imageOwnerId" },
	{ "owner-alias", "imageOwnerAlias" },
	{ "is-public", "isPublic" },
	{ "image-type", "imageType" },
	{ "root-device-type", "rootDeviceType" },
	{ "root-device-name", "rootDeviceName" },
	{ "virtualization-type", "virtualizationType" },
	{ "hypervisor", "hypervisor" },
	{ "block-device-mapping.volume-type", "blockDeviceMapping/ebs/volumeType" },
	{ "ena-support", "enaSupport" },
	{ NULL, NULL },
};

static void put_tag(json_t *set, const char *key, const char *value)
{
	json_t *item = add_item(set);

	put_text(item, "key", key);
	put_text(item, "value", value);
}

static void image_reply(struct region *r, json_t *item, const struct image_info *info)
{
	const struct image *image = info->image;
	json_t *o, *tags;
	char text[64];

	put_text(item, "imageId", image->id);
	snprintf(text, sizeof text, "vpclab/%.50s", image->name);
	put_text(item, "imageLocation", text);
	/* one that isn't here yet can be launched all the same: the launch fetches it */
	put_text(item, "imageState", "available");
	put_text(item, "imageOwnerId", r->config.account_id);
	put_text(item, "imageOwnerAlias", "amazon");
	put_bool(item, "isPublic", true);
	put_text(item, "architecture", image->architecture);
	put_text(item, "imageType", "machine");
	put_text(item, "name", image->name);
	put_text(item, "description", image->description);
	put_text(item, "rootDeviceType", "ebs");
	put_text(item, "rootDeviceName", image->root_device);
	o = add_item(put_list(item, "blockDeviceMapping"));
	put_text(o, "deviceName", image->root_device);
	o = put_structure(o, "ebs");
	put_int(o, "volumeSize", 8);
	put_text(o, "volumeType", "gp2");
	put_bool(o, "deleteOnTermination", true);
	put_bool(o, "encrypted", false);
	put_text(item, "virtualizationType", "hvm");
	put_text(item, "hypervisor", "xen");
	put_bool(item, "enaSupport", false);
	if (info->since_ms)
		put_time(item, "creationDate", info->since_ms);
	put_text(item, "platformDetails", "Linux/UNIX");
	put_text(item, "usageOperation", "RunInstances");
	tags = put_list(item, "tagSet");
	/* libvirt's test driver needs no disks: there every image is as good as here */
	put_tag(tags, "vpclab:local", image_state_name(compute_is_test(r->compute) ? IMAGE_AVAILABLE : info->state));
	put_tag(tags, "vpclab:kind", *image->build ? "build" : "download");
	put_tag(tags, "vpclab:default-user", image->default_user);
	if (info->bytes) {
		snprintf(text, sizeof text, "%lld", (long long)info->bytes);
		put_tag(tags, "vpclab:bytes", text);
	}
	if (*info->sha256)
		put_tag(tags, "vpclab:sha256", info->sha256);
	if (*info->signature)
		put_tag(tags, "vpclab:signature", info->signature);
}

static int describe_images(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const json_t *ids = json_object_get(in, "ImageId"), *owners = json_object_get(in, "Owner"), *v;
	AUTO_FREE struct image_info *all = NULL;
	json_t *items;
	size_t count, i;
	bool owned = !owners;

	(void)caller;
	json_array_foreach(ids, i, v)
	{
		const char *id = json_string_value(v);

		if (!id_well_formed(id, "ami"))
			return error_set_code(err, ERROR_USAGE, "InvalidAMIID.Malformed", "Invalid id: \"%.64s\" (expecting \"ami-...\")", id);
		if (!image_find(r->images, id, NULL))
			return error_set_code(err, ERROR_USAGE, "InvalidAMIID.NotFound", "The image id '[%.64s]' does not exist", id);
	}
	json_array_foreach(owners, i, v)
	{
		const char *owner = json_string_value(v);

		owned |= strcmp(owner, "self") == 0 || strcmp(owner, "amazon") == 0 || strcmp(owner, r->config.account_id) == 0 ||
			 strcmp(owner, "099720109477") == 0; /* Canonical's account, as courses name it */
	}
	if (image_ls(r->images, &all, &count, err) < 0)
		return -1;
	items = json_array();
	for (size_t k = 0; owned && k < count; k++) {
		if (!ids || in_list(ids, all[k].image->id))
			image_reply(r, add_item(items), &all[k]);
	}
	return describe_finish(in, out, "imagesSet", items, image_filters, ids != NULL, err);
}

static void task_changed(struct region *r, struct import_task *t)
{
	t->sequence++;
	t->told = time_mono_ms();
	region_changed(r);
}

struct import_run {
	struct region *r;
	struct import_task *t;
};

static void on_progress(void *arg, const struct image_progress *p)
{
	struct import_run *run = arg;
	struct import_task *t = run->t;

	region_lock(run->r);
	/* a word of a new kind at once, bytes a few times a second */
	if (p->notice || strcmp(t->phase, p->phase) != 0 || (p->detail && strcmp(t->detail, p->detail) != 0) ||
	    time_mono_ms() - t->told >= 250) {
		snprintf(t->phase, sizeof t->phase, "%s", p->phase);
		snprintf(t->detail, sizeof t->detail, "%s", p->detail ? p->detail : "");
		t->done = p->done;
		t->total = p->total;
		task_changed(run->r, t);
	}
	region_unlock(run->r);
}

static void job_import(struct region *r, void *arg)
{
	struct import_run *run = arg;
	struct import_task *t = run->t;
	bool unreachable = false;
	struct image_job job = {
		.progress = on_progress,
		.arg = run,
		.cancel = &t->cancel,
		.mirror = *t->mirror ? t->mirror : r->config.image_mirror,
		.ret_unreachable = &unreachable,
	};
	struct error err = { 0 };
	int rc = t->rebuild ? image_build(r->images, t->image, &job, &err) : image_ensure(r->images, t->image, &job, &err);

	if (rc < 0)
		log_warn("image %s: %s", t->image, err.message);
	region_lock(r);
	t->status = rc < 0 ? IMPORT_FAILED : IMPORT_COMPLETED;
	t->unreachable = unreachable;
	t->ended = time_mono_ms();
	snprintf(t->message, sizeof t->message, "%s", rc < 0 ? err.message : "");
	task_changed(r, t);
	region_unlock(r);
	free(run);
}

void imports_cancel(struct region *r)
{
	for (struct import_task *t = r->imports; t; t = t->next)
		t->cancel = 1;
}

void imports_free(struct region *r)
{
	while (r->imports) {
		struct import_task *next = r->imports->next;

		free(r->imports);
		r->imports = next;
	}
}

static const struct param import_params[] = {
	{ "ImageId", PARAM_STRING, 0, NULL, false, "or Name" },
	{ "Name", PARAM_STRING, 0, NULL, false, "an image of the catalogue" },
	{ "Mirror", PARAM_STRING, 0, NULL, false, "a school's copy of the vendor's directory: http, https or file URL" },
	{ "Rebuild", PARAM_BOOLEAN, 0, NULL, false, "build a local image anew although it is there" },
	PARAM_END,
};
static const struct param task_members[] = {
	TEXT("importTaskId"), TEXT("imageId"), TEXT("name"), TEXT("status"), TEXT("statusMessage"), TEXT("progress"), INTEGER("sequence"),
	TEXT("phase"), TEXT("detail"), INTEGER("bytesDone"), INTEGER("bytesTotal"), INTEGER("elapsedMs"), BOOLEAN("unreachable"), PARAM_END
};

static void task_reply(json_t *item, const struct import_task *t)
{
	static const char *const words[] = { "active", "completed", "deleted" };
	int64_t percent = t->status == IMPORT_COMPLETED ? 100 : t->total > 0 ? t->done * 100 / t->total : 0;
	char text[24];

	put_text(item, "importTaskId", t->id);
	put_text(item, "imageId", t->image_id);
	put_text(item, "name", t->image);
	put_text(item, "status", words[t->status]);
	put_text(item, "statusMessage", t->message);
	snprintf(text, sizeof text, "%lld", (long long)percent);
	put_text(item, "progress", text);
	put_int(item, "sequence", t->sequence);
	put_text(item, "phase", t->phase);
	put_text(item, "detail", t->detail);
	put_int(item, "bytesDone", t->done);
	put_int(item, "bytesTotal", t->total);
	put_int(item, "elapsedMs", (t->ended ? t->ended : time_mono_ms()) - t->began);
	put_bool(item, "unreachable", t->unreachable);
}

static int images_in_use(struct region *r, const struct image *image, struct error *err)
{
	for (size_t i = 0; i < model_count(r->model, KIND_INSTANCE); i++) {
		const struct instance *one = model_at(r->model, KIND_INSTANCE, i);

		if (one->state != STATE_TERMINATED && strcmp(one->image_name, image->name) == 0)
			return error_set_code(err, ERROR_USAGE, "InvalidAMIID.Unavailable",
					      "The image %s is in use: instance %s runs on it; terminate it first.", image->name, one->o.id);
	}
	return 0;
}

static const struct image *named_image(struct region *r, const json_t *in, struct error *err)
{
	const char *id = in_text(in, "ImageId"), *name = in_text(in, "Name");

	if (id || name)
		return image_find(r->images, id ? id : name, err);
	error_set_code(err, ERROR_USAGE, "MissingParameter", "The request must contain the parameter ImageId or Name.");
	return NULL;
}

static void forget_old_tasks(struct region *r)
{
	struct import_task **p = &r->imports;
	size_t n = 0;

	while (*p) {
		struct import_task *t = *p;

		if (++n > IMPORTS_KEPT && t->status != IMPORT_ACTIVE) {
			*p = t->next;
			free(t);
		} else {
			p = &t->next;
		}
	}
}

static struct import_task *new_task(struct region *r, const json_t *in, const struct image *image, struct error *err)
{
	const char *mirror = in_text(in, "Mirror");
	struct import_task *t = calloc(1, sizeof *t);
	struct import_run *run = calloc(1, sizeof *run);

	if (!t || !run) {
		free(t);
		free(run);
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		return NULL;
	}
	id_new(t->id, "import-ami");
	snprintf(t->image, sizeof t->image, "%s", image->name);
	snprintf(t->image_id, sizeof t->image_id, "%s", image->id);
	snprintf(t->mirror, sizeof t->mirror, "%s", mirror ? mirror : "");
	t->rebuild = in_bool(in, "Rebuild", false);
	t->began = time_mono_ms();
	t->sequence = 1;
	*run = (struct import_run){ r, t };
	if (job_start(r, job_import, run, err) < 0) {
		free(t);
		free(run);
		return NULL;
	}
	forget_old_tasks(r);
	t->next = r->imports;
	r->imports = t;
	return t;
}

static int import_image(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const char *mirror = in_text(in, "Mirror");
	const struct image *image = named_image(r, in, err);
	struct import_task *t;
	int rc = -1;

	if (!image)
		return -1;
	if (mirror && (strlen(mirror) >= CONFIG_VALUE_MAX || (strncmp(mirror, "http://", 7) != 0 && strncmp(mirror, "https://", 8) != 0 &&
							      strncmp(mirror, "file://", 7) != 0)))
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "The mirror %.128s is not a URL that begins with http://, https:// or file://.", mirror);
	region_lock(r);
	for (t = r->imports; t; t = t->next)
		if (t->status == IMPORT_ACTIVE && strcmp(t->image, image->name) == 0)
			break; /* one download however many ask */
	if (!t && in_bool(in, "Rebuild", false)) {
		if (!*image->build)
			rc = error_set_code(err, ERROR_USAGE, "InvalidParameterCombination",
					    "The image %s is fetched from its vendor, not built here; remove it and pull it again.",
					    image->name);
		else
			rc = images_in_use(r, image, err);
		if (rc < 0)
			goto out;
	}
	if (action_dry_run(caller, err) < 0)
		goto out;
	if (!t)
		t = new_task(r, in, image, err);
	if (t) {
		task_reply(out, t);
		rc = 0;
	}
out:
	region_unlock(r);
	return rc;
}

static const struct param tasks_params[] = {
	TEXTS("ImportTaskId"),
	{ "After", PARAM_INTEGER, 0, NULL, false, "the lab's own: wait until a task's sequence is beyond this" },
	{ "WaitSeconds", PARAM_INTEGER, 0, NULL, false, "the lab's own: so long at most (60)" },
	PARAM_FILTERS,
	PARAM_PAGES,
	PARAM_END,
};
static const struct param tasks_reply[] = { LIST("importImageTaskSet", task_members), TEXT("nextToken"), PARAM_END };
static const struct filter_path task_filters[] = { { "task-state", "status" }, { NULL, NULL } };

static struct import_task *find_task(struct region *r, const char *id)
{
	struct import_task *t = r->imports;

	while (t && strcmp(t->id, id) != 0)
		t = t->next;
	return t;
}

static int describe_tasks(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const json_t *ids = json_object_get(in, "ImportTaskId"), *v;
	int64_t after = in_int(in, "After", 0), wait = in_int(in, "WaitSeconds", 0), deadline = deadline_in(wait * 1000);
	json_t *items = json_array();
	size_t i;
	int rc = 0;

	(void)caller;
	if (wait < 0 || wait > LONG_POLL_MAX_S) {
		json_decref(items);
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "WaitSeconds is 0 to %d, not %lld.", LONG_POLL_MAX_S,
				      (long long)wait);
	}
	region_lock(r);
	for (;;) {
		bool news = false;

		json_array_foreach(ids, i, v)
		{
			struct import_task *t = find_task(r, json_string_value(v));

			if (!t && rc == 0)
				rc = error_set_code(err, ERROR_USAGE, "InvalidConversionTaskId.Malformed",
						    "The import task '%.64s' does not exist", json_string_value(v));
			news |= t && (t->sequence > after || t->status != IMPORT_ACTIVE);
		}
		if (rc < 0 || news || !ids || !wait || r->closing || !region_wait(r, deadline))
			break;
	}
	for (struct import_task *t = r->imports; rc == 0 && t; t = t->next) {
		if (!ids || in_list(ids, t->id))
			task_reply(add_item(items), t);
	}
	region_unlock(r);
	if (rc < 0) {
		json_decref(items);
		return -1;
	}
	return describe_finish(in, out, "importImageTaskSet", items, task_filters, ids != NULL, err);
}

static const struct param one_params[] = {
	{ "ImageId", PARAM_STRING, 0, NULL, false, "or Name" }, { "Name", PARAM_STRING, 0, NULL, false, NULL }, PARAM_END
};
static const struct param verify_reply[] = {
	TEXT("imageId"), TEXT("name"), TEXT("state"), TEXT("sha256"), INTEGER("bytes"), TEXT("signature"), PARAM_END
};

static int verify_image(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const struct image *image = named_image(r, in, err);
	struct image_job job = { 0 };
	struct image_info info;

	(void)caller;
	if (!image || image_verify(r->images, image->name, &job, err) < 0 || image_stat(r->images, image->name, &info, err) < 0)
		return -1;
	put_text(out, "imageId", image->id);
	put_text(out, "name", image->name);
	put_text(out, "state", "ok");
	put_text(out, "sha256", info.sha256);
	put_int(out, "bytes", info.bytes);
	put_text(out, "signature", info.signature);
	return 0;
}

static const struct param remove_reply[] = { BOOLEAN("return"), TEXT("imageId"), PARAM_END };

static int remove_image(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const struct image *image = named_image(r, in, err);
	struct image_job job = { 0 };
	int rc;

	if (!image)
		return -1;
	region_lock(r);
	rc = images_in_use(r, image, err);
	region_unlock(r);
	if (rc < 0 || action_dry_run(caller, err) < 0 || image_rm(r->images, image->name, &job, err) < 0)
		return -1;
	put_bool(out, "return", true);
	put_text(out, "imageId", image->id);
	return 0;
}

const struct action image_actions[] = {
	{ "DescribeImages", "ec2", "Lists the catalogue's images; tags say which are on this machine.", describe_params, describe_reply, false,
	  describe_images },
	{ "ImportImage", "ec2", "Brings an image of the catalogue to this machine: downloads or builds it.", import_params, task_members, true,
	  import_image },
	{ "DescribeImportImageTasks", "ec2", "How far imports are.", tasks_params, tasks_reply, false, describe_tasks },
	{ "VerifyImage", "vpclab", "Hashes an image and compares it with its record (the lab's own).", one_params, verify_reply, false,
	  verify_image },
	{ "RemoveImage", "vpclab", "Removes an image that no instance runs on from this machine (the lab's own).", one_params, remove_reply,
	  true, remove_image },
	{ NULL, NULL, NULL, NULL, NULL, false, NULL },
};
