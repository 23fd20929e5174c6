#cloud-boothook
#!/bin/sh
# The lab's own needs in every guest. A boothook, because the user's cloud-config would
# override the keys of a cloud-config given here; it runs at every boot, before sshd.
set -eu
ca_public_key='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJlZ2luIHJlZ2lvbiBjYSBrZXkgZm9yIHRlc3Rz vpclab ap-northeast-2'

# `connect` and `exec` come with a certificate of the region, as EC2 Instance Connect
# does with a key: it is good for a minute, and its principal is the login name.
install -d -m 0755 /etc/ssh/sshd_config.d
umask 022
printf '%s\n' "$ca_public_key" >/etc/ssh/vpclab_ca.pub.new
mv /etc/ssh/vpclab_ca.pub.new /etc/ssh/vpclab_ca.pub
printf 'TrustedUserCAKeys /etc/ssh/vpclab_ca.pub\n' >/etc/ssh/sshd_config.d/10-vpclab.conf
if ! grep -qi '^[[:space:]]*include[[:space:]].*sshd_config\.d' /etc/ssh/sshd_config 2>/dev/null; then
    # first, for what stands after a Match belongs to it
    sed -i '1i Include /etc/ssh/sshd_config.d/*.conf' /etc/ssh/sshd_config
fi

# An sshd that runs already (an image that starts it early) must be told.
if [ -s /run/sshd.pid ]; then
    kill -HUP "$(cat /run/sshd.pid)" 2>/dev/null || true
fi
