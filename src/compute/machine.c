#include "compute/machine.h"

#include "base/cleanup.h"

/* QEMU's own default for the translation cache is a fraction of host memory; a guest's kernel, systemd and Python fit here. */
#define TCG_CACHE_MIB 256
/* Where EC2's Nitro machines have their first network card, so that systemd calls it ens5 in both. */
#define NETWORK_CARD_SLOT "0x05"

/* Under TCG the plainest model boots fastest: `max` took 10 to 30 % longer to cloud-init's first stage, for 57-bit page
 * tables and vectors that TCG only imitates; Intel's models longer still, for the kernel then guards against Meltdown at
 * each system call. These make it an x86-64-v2, which compiled Python wheels ask for, and give the guest random numbers. */
static const char *const tcg_features[] = { "ssse3", "sse4.1", "sse4.2", "popcnt", "aes", "pclmuldq", "rdrand" };

static void text_element(struct buffer *out, const char *before, const char *text, const char *after)
{
	buffer_add(out, before);
	buffer_add_xml(out, text ? text : "");
	buffer_add(out, after);
}

/* The words that EC2's machines say of themselves by SMBIOS. The uuid does not begin with "ec2": the seed is NoCloud, and
 * cloud-init's ds-identify must not be told otherwise. */
static void sysinfo(struct buffer *out, const struct machine_spec *s)
{
	buffer_add(out, "  <sysinfo type='smbios'>\n"
			"    <bios>\n"
			"      <entry name='vendor'>Amazon EC2</entry>\n"
			"      <entry name='version'>1.0</entry>\n"
			"    </bios>\n"
			"    <system>\n"
			"      <entry name='manufacturer'>Amazon EC2</entry>\n");
	text_element(out, "      <entry name='product'>", s->instance_type, "</entry>\n");
	text_element(out, "      <entry name='serial'>", s->id, "</entry>\n");
	text_element(out, "      <entry name='uuid'>", s->uuid, "</entry>\n");
	text_element(out, "      <entry name='family'>", s->region, "</entry>\n");
	buffer_add(out, "    </system>\n"
			"    <baseBoard>\n"
			"      <entry name='manufacturer'>Amazon EC2</entry>\n");
	text_element(out, "      <entry name='asset'>", s->id, "</entry>\n");
	buffer_add(out, "    </baseBoard>\n"
			"    <chassis>\n"
			"      <entry name='manufacturer'>Amazon EC2</entry>\n"
			"      <entry name='asset'>Amazon EC2</entry>\n"
			"    </chassis>\n"
			"  </sysinfo>\n");
}

static void processor(struct buffer *out, const struct machine_spec *s)
{
	if (s->kvm) {
		buffer_add(out, "  <cpu mode='host-passthrough' check='none' migratable='on'/>\n");
		return;
	}
	buffer_add(out, "  <cpu mode='custom' match='exact' check='none'>\n"
			"    <model fallback='forbid'>qemu64</model>\n");
	for (size_t i = 0; i < ARRAY_SIZE(tcg_features); i++)
		buffer_addf(out, "    <feature policy='require' name='%s'/>\n", tcg_features[i]);
	buffer_add(out, "  </cpu>\n");
}

static void disks(struct buffer *out, const struct machine_spec *s)
{
	buffer_add(out, "    <disk type='file' device='disk'>\n"
			"      <driver name='qemu' type='qcow2' cache='writeback' discard='unmap'/>\n");
	text_element(out, "      <source file='", s->disk, "'/>\n");
	if (s->base) {
		text_element(out,
			     "      <backingStore type='file'>\n"
			     "        <format type='qcow2'/>\n"
			     "        <source file='",
			     s->base,
			     "'>\n"
			     "          <seclabel model='dac' relabel='no'/>\n"
			     "        </source>\n"
			     "        <backingStore/>\n"
			     "      </backingStore>\n");
	}
	buffer_add(out, "      <target dev='vda' bus='virtio'/>\n"
			"      <boot order='1'/>\n"
			"    </disk>\n");
	if (!s->seed)
		return;
	buffer_add(out, "    <disk type='file' device='disk'>\n"
			"      <driver name='qemu' type='raw' cache='writeback'/>\n");
	text_element(out, "      <source file='", s->seed, "'/>\n");
	buffer_add(out, "      <target dev='vdb' bus='virtio'/>\n"
			"      <readonly/>\n"
			"      <serial>seed</serial>\n"
			"    </disk>\n");
}

static void network_card(struct buffer *out, const struct machine_spec *s)
{
	if (!s->tap)
		return;
	buffer_add(out, "    <interface type='ethernet'>\n");
	text_element(out, "      <mac address='", s->mac, "'/>\n");
	text_element(out, "      <target dev='", s->tap, "' managed='no'/>\n");
	buffer_add(out, "      <model type='virtio'/>\n"
			"      <rom enabled='no'/>\n"
			"      <address type='pci' domain='0x0000' bus='0x00' slot='" NETWORK_CARD_SLOT "' function='0x0'/>\n"
			"    </interface>\n");
}

static void consoles(struct buffer *out, const struct machine_spec *s, const char *agent_socket)
{
	/* a pty, so that someone can attach later; whoever reads it or not, all of it is in the log */
	buffer_add(out, "    <serial type='pty'>\n");
	if (s->console_log)
		text_element(out, "      <log file='", s->console_log, "' append='on'/>\n");
	buffer_add(out, "      <target port='0'/>\n"
			"    </serial>\n");
	if (!agent_socket)
		return;
	buffer_add(out, "    <channel type='unix'>\n");
	text_element(out, "      <source mode='bind' path='", agent_socket, "'/>\n");
	buffer_add(out, "      <target type='virtio' name='org.qemu.guest_agent.0'/>\n"
			"    </channel>\n");
}

static void head(struct buffer *out, const struct machine_spec *s, const char *type)
{
	text_element(out, "<domain type='", type, "'>\n");
	text_element(out, "  <name>", s->id, "</name>\n");
	text_element(out, "  <uuid>", s->uuid, "</uuid>\n");
	buffer_addf(out, "  <memory unit='MiB'>%u</memory>\n", s->memory_mib);
	buffer_addf(out, "  <vcpu placement='static'>%u</vcpu>\n", s->vcpus);
}

void machine_xml(struct buffer *out, const struct machine_spec *s, const char *agent_socket)
{
	head(out, s, s->kvm ? "kvm" : "qemu");
	sysinfo(out, s);
	buffer_add(out, "  <os>\n"
			"    <type arch='x86_64' machine='pc'>hvm</type>\n"
			"    <bios useserial='yes'/>\n"
			"    <smbios mode='sysinfo'/>\n"
			"  </os>\n"
			"  <features>\n"
			"    <acpi/>\n"
			"    <apic/>\n");
	if (!s->kvm)
		buffer_addf(out,
			    "    <tcg>\n"
			    "      <tb-cache unit='MiB'>%u</tb-cache>\n"
			    "    </tcg>\n",
			    TCG_CACHE_MIB);
	buffer_add(out, "  </features>\n");
	processor(out, s);
	buffer_add(out, "  <clock offset='utc'/>\n"
			"  <on_poweroff>destroy</on_poweroff>\n"
			"  <on_reboot>restart</on_reboot>\n"
			"  <on_crash>destroy</on_crash>\n"
			"  <devices>\n");
	disks(out, s);
	network_card(out, s);
	consoles(out, s, agent_socket);
	buffer_add(out, "    <controller type='usb' model='none'/>\n"
			"    <memballoon model='virtio' freePageReporting='on'/>\n"
			"    <rng model='virtio'>\n"
			"      <backend model='random'>/dev/urandom</backend>\n"
			"    </rng>\n"
			"    <input type='keyboard' bus='ps2'/>\n"
			"    <audio id='1' type='none'/>\n"
			"  </devices>\n"
			"</domain>\n");
}

void machine_xml_test(struct buffer *out, const struct machine_spec *s)
{
	head(out, s, "test");
	buffer_add(out, "  <os>\n"
			"    <type>hvm</type>\n"
			"  </os>\n"
			"</domain>\n");
}
