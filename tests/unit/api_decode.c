/* The decoder: what clients send against what a handler gets, good and bad. */
#include "api/decode.h"

#include "base/cleanup.h"
#include "tap.h"

static const struct param tag_members[] = { { .name = "Key", .type = PARAM_STRING, .required = true },
					    { .name = "Value", .type = PARAM_STRING },
					    { 0 } };
static const struct param spec_members[] = {
	{ .name = "ResourceType", .type = PARAM_STRING },
	{ .name = "Tag", .type = PARAM_LIST, .element = PARAM_STRUCTURE, .members = tag_members },
	{ 0 }
};
static const struct param filter_members[] = { { .name = "Name", .type = PARAM_STRING, .required = true },
					       { .name = "Value", .type = PARAM_LIST, .element = PARAM_STRING },
					       { 0 } };
static const struct param ebs_members[] = { { .name = "VolumeSize", .type = PARAM_INTEGER },
					    { .name = "DeleteOnTermination", .type = PARAM_BOOLEAN },
					    { 0 } };
static const struct param device_members[] = {
	{ .name = "DeviceName", .type = PARAM_STRING },
	{ .name = "Ebs", .type = PARAM_STRUCTURE, .members = ebs_members },
	{ 0 }
};
static const struct param run_params[] = {
	{ .name = "ImageId", .type = PARAM_STRING, .required = true },
	{ .name = "MinCount", .type = PARAM_INTEGER },
	{ .name = "EbsOptimized", .type = PARAM_BOOLEAN },
	{ .name = "UserData", .type = PARAM_BLOB },
	{ .name = "PublicKeyMaterial", .type = PARAM_BLOB },
	{ .name = "StartTime", .type = PARAM_TIMESTAMP },
	{ .name = "SecurityGroupId", .type = PARAM_LIST, .element = PARAM_STRING },
	{ .name = "Port", .type = PARAM_LIST, .element = PARAM_INTEGER },
	{ .name = "TagSpecification", .type = PARAM_LIST, .element = PARAM_STRUCTURE, .members = spec_members },
	{ .name = "BlockDeviceMapping", .type = PARAM_LIST, .element = PARAM_STRUCTURE, .members = device_members },
	{ .name = "Filter", .type = PARAM_LIST, .element = PARAM_STRUCTURE, .members = filter_members },
	{ .name = "EnableDnsHostnames", .type = PARAM_STRUCTURE, .members = ebs_members },
	{ 0 }
};
static const struct param list_params[] = {
	{ .name = "InstanceId", .type = PARAM_LIST, .element = PARAM_STRING, .required = true }, { 0 }
};
static const struct action actions[] = {
	{ .name = "Run", .service = "ec2", .params = run_params },
	{ .name = "Stop", .service = "ec2", .params = list_params },
	{ .name = "Bare", .service = "vpclab" },
};
#define RUN (&actions[0])
#define STOP (&actions[1])
#define BARE (&actions[2])

static const struct {
	const struct action *action;
	const char *query, *json;
} good[] = {
	{ RUN, "ImageId=ami-1", "{\"ImageId\":\"ami-1\"}" },
	{ RUN, "Action=Run&Version=2016-11-15&DryRun=true&ImageId=ami-1&AWSAccessKeyId=x&Signature=y&X-Amz-Date=z&Timestamp=t",
	  "{\"ImageId\":\"ami-1\"}" },
	{ RUN, "&&ImageId=a+b%20c%2Bd%26&", "{\"ImageId\":\"a b c+d&\"}" },
	{ RUN, "ImageId=", "{\"ImageId\":\"\"}" },
	{ RUN, "ImageId", "{\"ImageId\":\"\"}" },
	{ RUN, "ImageId=a=b", "{\"ImageId\":\"a=b\"}" },
	{ RUN, "%49mageId=%EA%B0%95%ec%9d%98%F0%9F%90%A7", "{\"ImageId\":\"강의🐧\"}" },
	{ RUN, "ImageId=a&MinCount=-1", "{\"ImageId\":\"a\",\"MinCount\":-1}" },
	{ RUN, "ImageId=a&MinCount=9223372036854775807", "{\"ImageId\":\"a\",\"MinCount\":9223372036854775807}" },
	{ RUN, "ImageId=a&EbsOptimized=false", "{\"ImageId\":\"a\",\"EbsOptimized\":false}" },
	{ RUN, "ImageId=a&UserData=aGk%3D", "{\"ImageId\":\"a\",\"UserData\":\"aGk=\"}" },
	{ RUN, "ImageId=a&UserData=", "{\"ImageId\":\"a\",\"UserData\":\"\"}" },
	{ RUN, "ImageId=a&StartTime=2026-11-22T10:14:57.000Z", "{\"ImageId\":\"a\",\"StartTime\":\"2026-11-22T10:14:57.000Z\"}" },
	{ RUN, "ImageId=a&StartTime=2026-11-22T10:14:57%2B09:00", "{\"ImageId\":\"a\",\"StartTime\":\"2026-11-22T10:14:57+09:00\"}" },
	/* lists: from 0 or 1, gaps, by number rather than by text, in whatever order they come */
	{ RUN, "SecurityGroupId.10=k&ImageId=a&SecurityGroupId.2=c&SecurityGroupId.0=z&SecurityGroupId.1=b",
	  "{\"ImageId\":\"a\",\"SecurityGroupId\":[\"z\",\"b\",\"c\",\"k\"]}" },
	{ RUN, "ImageId=a&Port.1=22&Port.7=8000", "{\"ImageId\":\"a\",\"Port\":[22,8000]}" },
	{ RUN, "ImageId=a&TagSpecification.0.Tag.0.Key=Name&TagSpecification.0.ResourceType=instance&TagSpecification.0.Tag.0.Value=web"
	       "&TagSpecification.0.Tag.1.Key=k",
	  "{\"ImageId\":\"a\",\"TagSpecification\":[{\"ResourceType\":\"instance\",\"Tag\":[{\"Key\":\"Name\",\"Value\":\"web\"},"
	  "{\"Key\":\"k\"}]}]}" },
	{ RUN, "ImageId=a&BlockDeviceMapping.1.DeviceName=/dev/sda1&BlockDeviceMapping.1.Ebs.VolumeSize=10"
	       "&BlockDeviceMapping.1.Ebs.DeleteOnTermination=true",
	  "{\"BlockDeviceMapping\":[{\"DeviceName\":\"/dev/sda1\",\"Ebs\":{\"DeleteOnTermination\":true,\"VolumeSize\":10}}],"
	  "\"ImageId\":\"a\"}" },
	{ RUN, "ImageId=a&EnableDnsHostnames.DeleteOnTermination=true",
	  "{\"EnableDnsHostnames\":{\"DeleteOnTermination\":true},\"ImageId\":\"a\"}" },
	/* a filter without a value is a client's right */
	{ RUN, "ImageId=a&Filter.1.Name=vpc-id", "{\"Filter\":[{\"Name\":\"vpc-id\"}],\"ImageId\":\"a\"}" },
	{ RUN, "ImageId=a&Filter.1.Name=n&Filter.1.Value.1=x&Filter.1.Value.2=y",
	  "{\"Filter\":[{\"Name\":\"n\",\"Value\":[\"x\",\"y\"]}],\"ImageId\":\"a\"}" },
	{ STOP, "InstanceId.1=i-1", "{\"InstanceId\":[\"i-1\"]}" },
	{ BARE, "", "{}" },
	{ BARE, "Action=Bare&SignatureMethod=x", "{}" },
};

static const struct {
	const struct action *action;
	const char *query;
	size_t len; /* 0: strlen */
	const char *code, *message;
} bad[] = {
	{ RUN, "", 0, "MissingParameter", "The request must contain the parameter ImageId" },
	{ STOP, "", 0, "MissingParameter", "The request must contain the parameter InstanceId" },
	{ RUN, "ImageId=a&Filter.3.Value.1=x", 0, "MissingParameter", "The request must contain the parameter Filter.3.Name" },
	{ RUN, "ImageId=a&TagSpecification.1.Tag.2.Value=x", 0, "MissingParameter",
	  "The request must contain the parameter TagSpecification.1.Tag.2.Key" },
	{ RUN, "ImageId=a&Nonsense=1", 0, "UnknownParameter", "The parameter Nonsense is not recognized" },
	{ RUN, "ImageId=a&imageId=1", 0, "UnknownParameter", "The parameter imageId is not recognized" },
	{ RUN, "ImageId=a&ImageI=1", 0, "UnknownParameter", "The parameter ImageI is not recognized" },
	{ RUN, "ImageId=a&ImageId.1=1", 0, "UnknownParameter", "The parameter ImageId.1 is not recognized" },
	{ RUN, "ImageId=a&ImageId.=1", 0, "UnknownParameter", "The parameter ImageId. is not recognized" },
	{ RUN, "ImageId=a&.ImageId=1", 0, "UnknownParameter", "The parameter .ImageId is not recognized" },
	{ RUN, "ImageId=a&.=1", 0, "UnknownParameter", "The parameter . is not recognized" },
	{ RUN, "ImageId=a&SecurityGroupId=sg", 0, "UnknownParameter", "The parameter SecurityGroupId is not recognized" },
	{ RUN, "ImageId=a&SecurityGroupId.=sg", 0, "UnknownParameter", "The parameter SecurityGroupId. is not recognized" },
	{ RUN, "ImageId=a&SecurityGroupId.x=sg", 0, "UnknownParameter", "The parameter SecurityGroupId.x is not recognized" },
	{ RUN, "ImageId=a&SecurityGroupId.01=sg", 0, "UnknownParameter", "The parameter SecurityGroupId.01 is not recognized" },
	{ RUN, "ImageId=a&SecurityGroupId.-1=sg", 0, "UnknownParameter", "The parameter SecurityGroupId.-1 is not recognized" },
	{ RUN, "ImageId=a&SecurityGroupId.4294967297=sg", 0, "UnknownParameter",
	  "The parameter SecurityGroupId.4294967297 is not recognized" },
	{ RUN, "ImageId=a&SecurityGroupId.member.1=sg", 0, "UnknownParameter",
	  "The parameter SecurityGroupId.member.1 is not recognized" },
	{ RUN, "ImageId=a&SecurityGroupId.1.x=sg", 0, "UnknownParameter", "The parameter SecurityGroupId.1.x is not recognized" },
	{ RUN, "ImageId=a&Filter.1=sg", 0, "UnknownParameter", "The parameter Filter.1 is not recognized" },
	{ RUN, "ImageId=a&EnableDnsHostnames=true", 0, "UnknownParameter", "The parameter EnableDnsHostnames is not recognized" },
	{ RUN, "ImageId=a&\xff\x01=1", 0, "UnknownParameter", "The parameter ?? is not recognized" },
	{ BARE, "DryRun=true", 0, "UnknownParameter", "The parameter DryRun is not recognized" },
	{ RUN, "ImageId=a&ImageId=a", 0, "InvalidParameterValue", "The parameter ImageId was sent 2 times; send it once." },
	{ RUN, "ImageId=a&Port.1=1&Port.1=2&Port.1=3", 0, "InvalidParameterValue",
	  "The parameter Port.1 was sent 3 times; send it once." },
	{ RUN, "ImageId=a&MinCount=one", 0, "InvalidParameterValue", "Invalid value 'one' for MinCount: an integer is expected." },
	{ RUN, "ImageId=a&MinCount=", 0, "InvalidParameterValue", "Invalid value '' for MinCount: an integer is expected." },
	{ RUN, "ImageId=a&MinCount=-", 0, "InvalidParameterValue", "Invalid value '-' for MinCount: an integer is expected." },
	{ RUN, "ImageId=a&MinCount=1.5", 0, "InvalidParameterValue", "Invalid value '1.5' for MinCount: an integer is expected." },
	{ RUN, "ImageId=a&MinCount=+1", 0, "InvalidParameterValue", "Invalid value ' 1' for MinCount: an integer is expected." },
	{ RUN, "ImageId=a&MinCount=0x10", 0, "InvalidParameterValue", "Invalid value '0x10' for MinCount: an integer is expected." },
	{ RUN, "ImageId=a&MinCount=1%00", 0, "InvalidParameterValue", "Invalid value '1?' for MinCount: an integer is expected." },
	{ RUN, "ImageId=a&MinCount=9223372036854775808", 0, "InvalidParameterValue",
	  "Invalid value '9223372036854775808' for MinCount: the integer is out of range." },
	{ RUN, "ImageId=a&Port.3=x", 0, "InvalidParameterValue", "Invalid value 'x' for Port.3: an integer is expected." },
	{ RUN, "ImageId=a&EbsOptimized=True", 0, "InvalidParameterValue",
	  "Invalid value 'True' for EbsOptimized: true or false is expected." },
	{ RUN, "ImageId=a&EbsOptimized=1", 0, "InvalidParameterValue", "Invalid value '1' for EbsOptimized: true or false is expected." },
	{ RUN, "ImageId=a&UserData=not!", 0, "InvalidUserData.Malformed", "Invalid BASE64 encoding of user data." },
	{ RUN, "ImageId=a&PublicKeyMaterial=aGk", 0, "InvalidParameterValue",
	  "Invalid value 'aGk' for PublicKeyMaterial: base64 is expected." },
	{ RUN, "ImageId=a&StartTime=yesterday", 0, "InvalidParameterValue",
	  "Invalid value 'yesterday' for StartTime: a time such as 2026-11-22T10:14:57Z is expected." },
	{ RUN, "ImageId=a&StartTime=2026-13-22T10:14:57Z", 0, "InvalidParameterValue",
	  "Invalid value '2026-13-22T10:14:57Z' for StartTime: a time such as 2026-11-22T10:14:57Z is expected." },
	{ RUN, "ImageId=a%00b", 0, "InvalidParameterValue", "Invalid value 'a?b' for ImageId: it has a NUL byte in it." },
	{ RUN, "ImageId=a\0b", 11, "InvalidParameterValue", "Invalid value 'a?b' for ImageId: it has a NUL byte in it." },
	{ RUN, "ImageId=%ff", 0, "InvalidParameterValue", "Invalid value '?' for ImageId: it is not valid UTF-8." },
	{ RUN, "ImageId=%ED%A0%80", 0, "InvalidParameterValue", "Invalid value '\?\?\?' for ImageId: it is not valid UTF-8." },
	{ RUN, "ImageId=%EA%B0", 0, "InvalidParameterValue", "Invalid value '\?\?' for ImageId: it is not valid UTF-8." },
	{ RUN, "ImageId=100%", 0, "MalformedQueryString",
	  "The query has a broken escape at '%': after % come two hexadecimal digits, and % itself is sent as %25." },
	{ RUN, "ImageId=%4", 0, "MalformedQueryString",
	  "The query has a broken escape at '%4': after % come two hexadecimal digits, and % itself is sent as %25." },
	{ RUN, "ImageId=%zzb", 0, "MalformedQueryString",
	  "The query has a broken escape at '%zzb': after % come two hexadecimal digits, and % itself is sent as %25." },
	{ RUN, "=x", 0, "MalformedQueryString", "The query has a value without a name: send Name=value pairs joined by '&'." },
	{ RUN, "Image%00Id=x", 0, "MalformedQueryString", "The parameter name 'Image?Id' has a NUL byte in it." },
	{ RUN, "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q=x", 0, "MalformedQueryString",
	  "The parameter name 'a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q' has more than 16 parts." },
};

static json_t *decode(const struct action *a, const char *text, size_t len, struct error *err)
{
	AUTO_QUERY struct query q = QUERY_INIT;

	if (query_parse(&q, text, len, err) < 0)
		return NULL;
	return decode_params(a, &q, err);
}

static void test_good(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct error e = { 0 };
		json_t *got = decode(good[i].action, good[i].query, strlen(good[i].query), &e);
		AUTO_FREE char *text = got ? json_dumps(got, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
		json_t *want = json_loads(good[i].json, 0, NULL);

		if (!ok(want && json_equal(got, want), "%s", good[i].query))
			printf("# got %s, %s: %s\n", text ? text : "nothing", e.code, e.message);
		json_decref(got);
		json_decref(want);
	}
}

static void test_bad(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		size_t len = bad[i].len ? bad[i].len : strlen(bad[i].query);
		/* a copy without a NUL behind it: the sanitizer sees reads past the end */
		AUTO_FREE char *copy = malloc(len + 1);
		struct error e = { 0 };
		json_t *got;

		memcpy(copy, bad[i].query, len);
		got = decode(bad[i].action, copy, len, &e);
		if (!ok(!got && strcmp(e.code, bad[i].code) == 0 && strcmp(e.message, bad[i].message) == 0 &&
				error_http_status(&e) == 400,
			"refused: %s", bad[i].message))
			printf("# got %s %s: %s\n", got ? "a tree" : "nothing", e.code, e.message);
		json_decref(got);
	}
}

/* prefix0=i&prefix1=i&... n times. */
static char *many(const char *prefix, int n, size_t *ret_len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_len);

	for (int i = 0; i < n; i++) {
		fprintf(f, "%s%d=i&", prefix, i);
	}
	fclose(f);
	return text;
}

static void is_refused(const struct action *a, const char *text, size_t len, const char *message)
{
	struct error e = { 0 };
	json_t *got = decode(a, text, len, &e);

	ok(!got, "refused by its size");
	is_str(e.message, message, "and the sentence says the limit");
	json_decref(got);
}

static void test_caps(void)
{
	AUTO_FREE char *long_value = malloc(2 << 20);
	char name[400];
	size_t len;
	json_t *got;

	AUTO_FREE char *full = many("InstanceId.", PARAM_LIST_MAX, &len);
	got = decode(STOP, full, len, NULL);
	is_int((long long)json_array_size(json_object_get(got, "InstanceId")), PARAM_LIST_MAX, "a list as long as allowed");
	json_decref(got);
	AUTO_FREE char *list = many("InstanceId.", PARAM_LIST_MAX + 1, &len);
	is_refused(STOP, list, len, "The list InstanceId has more than 1000 members; send fewer at a time.");
	AUTO_FREE char *pairs = many("p", QUERY_PAIRS_MAX + 1, &len);
	is_refused(STOP, pairs, len, "The request has more than 4096 parameters; send fewer at a time.");

	memset(long_value, 'x', 2 << 20);
	memcpy(long_value, "ImageId=", 8);
	is_refused(RUN, long_value, 8 + PARAM_STRING_MAX + 1, "The value of ImageId has 32769 bytes, more than the 32768 allowed.");
	is_refused(RUN, long_value, 8 + QUERY_VALUE_MAX + 1, "The value of ImageId has 262145 bytes, more than the 262144 allowed.");
	is_refused(RUN, long_value, QUERY_BODY_MAX + 1, "The request has 1048577 bytes, more than the 1048576 allowed.");
	got = decode(RUN, long_value, 8 + PARAM_STRING_MAX, NULL);
	ok(got, "a value as long as allowed");
	json_decref(got);
	memset(name, 'n', sizeof name);
	is_refused(RUN, name, 300,
		   "The parameter name 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
		   "...' is longer than 256 bytes.");
}

static void is_common_error(const char *text, const char *code, const char *message)
{
	AUTO_QUERY struct query q = QUERY_INIT;
	struct decode_common c;
	struct error e = { 0 };

	ok(query_parse(&q, text, strlen(text), NULL) == 0 && decode_common(&q, &c, &e) < 0, "refused: %s", text);
	is_str(e.code, code, "its code");
	is_str(e.message, message, "its sentence");
}

static void test_common(void)
{
	AUTO_QUERY struct query q = QUERY_INIT, plain = QUERY_INIT;
	const char *text = "Action=Run&Version=2013-10-15", *body = "DryRun=true&ContentType=JSON";
	struct decode_common c;

	ok(query_parse(&q, text, strlen(text), NULL) == 0 && query_parse(&q, body, strlen(body), NULL) == 0 &&
		   decode_common(&q, &c, NULL) == 0,
	   "a query and a body together");
	is_str(c.action->value, "Run", "the action");
	ok(c.dry_run && c.json, "DryRun and ContentType");
	ok(query_parse(&plain, "Action=Run", 10, NULL) == 0 && decode_common(&plain, &c, NULL) == 0 && !c.dry_run && !c.json,
	   "neither, and no Version");
	is_common_error("InstanceId.1=i", "MissingAction",
			"The request is missing an Action parameter, such as Action=DescribeInstances.");
	is_common_error("Action=", "MissingAction",
			"The request is missing an Action parameter, such as Action=DescribeInstances.");
	is_common_error("Action=A&Action=B", "InvalidParameterValue", "The parameter Action was sent more than once; send it once.");
	is_common_error("Action=A&Version=latest", "InvalidParameterValue",
			"Invalid value 'latest' for Version: a date such as 2016-11-15 is expected.");
	is_common_error("Action=A&DryRun=maybe", "InvalidParameterValue",
			"Invalid value 'maybe' for DryRun: true or false is expected.");
}

/* Bytes of every kind must be taken or refused, never more; a fixed seed, so that a failure can be seen again. */
static void test_noise(void)
{
	static const char alphabet[] = "ImageId.01&=%+2Fa\xff.Tag..SecurityGroupId.1=x&Filter.1.Name=&";
	unsigned seed = 20261122, taken = 0, refused = 0;

	for (int round = 0; round < 20000; round++) {
		size_t len = (size_t)rand_r(&seed) % 120;
		AUTO_FREE char *text = malloc(len + 1);
		struct error e = { 0 };
		json_t *got;

		for (size_t i = 0; i < len; i++)
			text[i] = rand_r(&seed) % 8 ? alphabet[(size_t)rand_r(&seed) % (sizeof alphabet - 1)] : (char)rand_r(&seed);
		got = decode(rand_r(&seed) % 2 ? RUN : STOP, text, len, &e);
		if (got)
			taken++;
		else if (e.kind == ERROR_USAGE && e.code[0] && e.message[0])
			refused++;
		json_decref(got);
	}
	is_int(taken + refused, 20000, "noise is taken or refused with a code and a sentence");
}

int main(void)
{
	test_good();
	test_bad();
	test_caps();
	test_common();
	test_noise();
	return tap_done();
}
