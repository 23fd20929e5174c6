#!/bin/bash
# Key pairs: made, imported, described, deleted; EC2's fingerprints, computed here by other means; launches with them; the verb.
. "$(dirname "$0")/../lib.sh"
region_up
AMI=$(image)
mkdir "$T/k"
ssh-keygen -q -t ed25519 -N '' -C me@home -f "$T/k/ed"
ssh-keygen -q -t rsa -b 2048 -N '' -C me@home -f "$T/k/rsa"
b64() { base64 -w0 <"$1"; }
colons() { sed 's/ .*//; s/../&:/g; s/:$//'; }
material() { xmllint --xpath 'string(//*[local-name()="keyMaterial"])' "$T/body"; }
key=(Action=ImportKeyPair)

# --- import ---
answers "an ed25519 key" "${key[@]}" KeyName=ed PublicKeyMaterial="$(b64 "$T/k/ed.pub")" TagSpecification.1.ResourceType=key-pair \
	TagSpecification.1.Tag.1.Key=course TagSpecification.1.Tag.1.Value=클라우드
ed=$(x 'string(//keyPairId)')
like "$ed" '^key-0[0-9a-f]{16}$' "its id is EC2's form"
is "$(x 'string(//keyName)') $(x 'string(//tagSet/item/value)')" "ed 클라우드" "its name and tags are answered"
is "SHA256:$(x 'string(//keyFingerprint)' | tr -d =)" "$(ssh-keygen -lf "$T/k/ed.pub" | cut -d' ' -f2)" "its fingerprint is SHA-256, base64"
like "$(x 'string(//keyFingerprint)')" '=$' "padded, as EC2's"
answers "an RSA key" "${key[@]}" KeyName=rsa PublicKeyMaterial="$(b64 "$T/k/rsa.pub")"
md5=$(ssh-keygen -e -m PKCS8 -f "$T/k/rsa.pub" | grep -v -- ---- | base64 -d | md5sum | colons)
is "$(x 'string(//keyFingerprint)')" "$md5" "its fingerprint is MD5 of the DER of the public key"
ssh-keygen -e -f "$T/k/rsa.pub" >"$T/k/rfc4716"
answers "RFC 4716's form" "${key[@]}" KeyName=rfc4716 PublicKeyMaterial="$(b64 "$T/k/rfc4716")"
is "$(x 'string(//keyFingerprint)')" "$md5" "is the same key"
ssh-keygen -e -m PKCS8 -f "$T/k/rsa.pub" >"$T/k/pem"
answers "a DER key in base64 with PEM's lines" "${key[@]}" KeyName=pem PublicKeyMaterial="$(b64 "$T/k/pem")"
is "$(x 'string(//keyFingerprint)')" "$md5" "is the same key"
grep -v -- ---- "$T/k/pem" >"$T/k/der64"
answers "and without them" "${key[@]}" KeyName=der PublicKeyMaterial="$(b64 "$T/k/der64")"
is "$(x 'string(//keyFingerprint)')" "$md5" "is the same key"
for bits in 1024 4096; do
	ssh-keygen -q -t rsa -b $bits -N '' -f "$T/k/rsa$bits"
	answers "RSA of $bits bits" "${key[@]}" KeyName=rsa$bits PublicKeyMaterial="$(b64 "$T/k/rsa$bits.pub")"
	is "$(x 'string(//keyFingerprint)')" "$(ssh-keygen -e -m PKCS8 -f "$T/k/rsa$bits.pub" | grep -v -- ---- | base64 -d | md5sum | colons)" "has its fingerprint"
done
refuses InvalidKeyPair.Duplicate "a name that is taken" "${key[@]}" KeyName=ed PublicKeyMaterial="$(b64 "$T/k/ed.pub")"
ssh-keygen -q -t ecdsa -N '' -f "$T/k/ecdsa"
ssh-keygen -q -t rsa -b 3072 -N '' -f "$T/k/rsa3072"
for file in ecdsa.pub rsa3072.pub ed; do
	refuses InvalidKey.Format "$file" "${key[@]}" KeyName=x PublicKeyMaterial="$(b64 "$T/k/$file")"
done
like "$MESSAGE" 'private key' "the sentence says that a private key was sent"
cut -c1-60 "$T/k/rsa.pub" >"$T/k/short"
sed 's/^ssh-ed25519/ssh-rsa/' "$T/k/ed.pub" >"$T/k/lie"
cat "$T/k/ed.pub" "$T/k/rsa.pub" >"$T/k/two"
printf 'ssh-ed25519 AAAA\0' >"$T/k/zero"
printf 'hello' >"$T/k/words"
printf ' ' >"$T/k/blank"
for file in short lie two zero words blank; do
	refuses InvalidKey.Format "a key that is $file" "${key[@]}" KeyName=x PublicKeyMaterial="$(b64 "$T/k/$file")"
done
refuses MissingParameter "no key" "${key[@]}" KeyName=x
refuses MissingParameter "no name" "${key[@]}" PublicKeyMaterial="$(b64 "$T/k/ed.pub")"
for name in "" " x" "x " 키 "$(printf 'x%.0s' {1..256})" $'a\tb'; do
	refuses InvalidParameterValue "the name '${name:0:8}'" "${key[@]}" KeyName="$name" PublicKeyMaterial="$(b64 "$T/k/ed.pub")"
done
answers "a name of 255, spaces within" "${key[@]}" KeyName="$(printf 'x %.0s' {1..127})x" PublicKeyMaterial="$(b64 "$T/k/ed.pub")"
refuses DryRunOperation "a dry run" "${key[@]}" KeyName=dry PublicKeyMaterial="$(b64 "$T/k/ed.pub")" DryRun=true
refuses InvalidKeyPair.NotFound "makes nothing" Action=DescribeKeyPairs KeyName.1=dry

# --- create ---
answers "a pair" Action=CreateKeyPair KeyName=made
made=$(x 'string(//keyPairId)') print=$(x 'string(//keyFingerprint)')
material >"$T/k/made"
chmod 600 "$T/k/made"
like "$(head -n 1 "$T/k/made")" '^-----BEGIN RSA PRIVATE KEY-----$' "is RSA when no type is named, in PKCS#1's PEM"
public=$(ssh-keygen -y -f "$T/k/made")
is "$(ssh-keygen -lf "$T/k/made" | cut -d' ' -f1)" 2048 "of 2048 bits"
cp "$T/k/made" "$T/k/pkcs8"
ssh-keygen -q -p -m PKCS8 -N '' -f "$T/k/pkcs8" >"$T/k/log" 2>&1
is "$(head -n 1 "$T/k/pkcs8")" "-----BEGIN PRIVATE KEY-----" "as PKCS#8"
is "$print" "$(grep -v -- ---- "$T/k/pkcs8" | base64 -d | sha1sum | colons)" "its fingerprint is SHA-1 of the DER of the private key"
answers "an ed25519 pair" Action=CreateKeyPair KeyName=made-ed KeyType=ed25519 KeyFormat=pem TagSpecification.1.ResourceType=key-pair \
	TagSpecification.1.Tag.1.Key=Name TagSpecification.1.Tag.1.Value=mine
material >"$T/k/made-ed"
chmod 600 "$T/k/made-ed"
is "SHA256:$(x 'string(//keyFingerprint)' | tr -d =)" "$(ssh-keygen -lf "$T/k/made-ed" | cut -d' ' -f2)" "has OpenSSH's fingerprint"
is "$(x 'string(//tagSet/item/value)')" mine "and its tags"
refuses InvalidKeyPair.Duplicate "a name that is taken" Action=CreateKeyPair KeyName=made
refuses InvalidParameterValue "an unknown type" Action=CreateKeyPair KeyName=x KeyType=dsa
refuses InvalidParameterValue "an unknown format" Action=CreateKeyPair KeyName=x KeyFormat=jks
refuses UnsupportedOperation "PuTTY's format" Action=CreateKeyPair KeyName=x KeyFormat=ppk
refuses DryRunOperation "a dry run" Action=CreateKeyPair KeyName=dry DryRun=true
secret=$(sed -n 3p "$T/k/made")
ok "the private key's third line is one" test ${#secret} -gt 40
nok "the private key is in no file of the region" grep -rqsF "$secret" "$VPCLAB_STATE_DIR" "$VPCLAB_RUN_DIR"
is "$(find "$VPCLAB_RUN_DIR" "$TMPDIR" -name 'key-pair*')" "" "and no directory of its making is left"

# --- describe ---
answers "all" Action=DescribeKeyPairs
is "$(x 'count(//keySet/item)')" 10 "are ten"
is "$(x 'count(//publicKey)')" 0 "without their public keys"
like "$(x 'string(//keySet/item/createTime)')" '^20[0-9-]{8}T[0-9:]{8}\.[0-9]{3}Z$' "with the time of their making"
answers "by name and by id" Action=DescribeKeyPairs KeyName.1=made KeyPairId.1="$ed" IncludePublicKey=true
is "$(x 'count(//keySet/item)') $(x 'string(//keySet/item[1]/keyType)') $(x 'string(//keySet/item[2]/keyType)')" "2 ed25519 rsa" "both are found, with their types"
is "$(x 'string(//keySet/item[2]/publicKey)')" "$public made" "the public key is the private one's, with the pair's name"
is "$(x 'string(//keySet/item[1]/publicKey)')" "$(cut -d' ' -f1,2 "$T/k/ed.pub") ed" "and the imported one's"
refuses InvalidKeyPair.NotFound "an unknown name" Action=DescribeKeyPairs KeyName.1=made KeyName.2=nobody
like "$MESSAGE" nobody "the sentence names it"
refuses InvalidKeyPair.NotFound "an unknown id" Action=DescribeKeyPairs KeyPairId.1=key-0123456789abcdef0
refuses InvalidParameterValue "a malformed id" Action=DescribeKeyPairs KeyPairId.1=made
for filter in "key-name made" "key-pair-id $made" "fingerprint $print"; do
	answers "the filter ${filter% *}" Action=DescribeKeyPairs Filter.1.Name="${filter% *}" Filter.1.Value.1="${filter#* }"
	is "$(x 'count(//keySet/item)') $(x 'string(//keyPairId)')" "1 $made" "finds it"
done
answers "the filter tag:course" Action=DescribeKeyPairs Filter.1.Name=tag:course Filter.1.Value.1='클*'
is "$(x 'string(//keyPairId)')" "$ed" "finds the tagged one"
refuses InvalidParameterValue "an unknown filter" Action=DescribeKeyPairs Filter.1.Name=colour Filter.1.Value.1=green
answers "tags are added later too" Action=CreateTags ResourceId.1="$made" Tag.1.Key=course Tag.1.Value=other
api Action=DescribeKeyPairs Filter.1.Name=tag-key Filter.1.Value.1=course
is "$(x 'count(//keySet/item)')" 2 "and found"

# --- launches ---
answers "a launch with a key pair" Action=RunInstances ImageId="$AMI" MinCount=1 MaxCount=1 KeyName=made
id=$(x 'string(//instanceId)')
is "$(x 'string(//keyName)')" made "names it"
ok "it runs" await "$id" running
plain=$(launch)
is "$(field "$id" keyName) $(field "$plain" keyName)" "made " "and DescribeInstances does"
api Action=DescribeInstances Filter.1.Name=key-name Filter.1.Value.1='ma*'
is "$(x 'count(//instancesSet/item)') $(x 'string(//instanceId)')" "1 $id" "the filter key-name finds it"
refuses InvalidKeyPair.NotFound "a launch with an unknown pair" Action=RunInstances ImageId="$AMI" MinCount=1 MaxCount=1 KeyName=nobody

# --- delete ---
refuses DryRunOperation "a dry run" Action=DeleteKeyPair KeyName=made DryRun=true
answers "by name" Action=DeleteKeyPair KeyName=made
is "$(x 'string(//return)') $(x 'string(//keyPairId)')" "true $made" "answers the id"
refuses InvalidKeyPair.NotFound "it is gone" Action=DescribeKeyPairs KeyName.1=made
is "$(field "$id" keyName)" made "the instance keeps its name"
answers "again" Action=DeleteKeyPair KeyName=made
is "$(x 'string(//return)')" true "is success, as in EC2"
refuses InvalidParameterCombination "an id with another's name" Action=DeleteKeyPair KeyPairId="$ed" KeyName=rsa
answers "by id" Action=DeleteKeyPair KeyPairId="$ed"
refuses InvalidKeyPair.NotFound "it is gone" Action=DescribeKeyPairs KeyPairId.1="$ed"
refuses MissingParameter "neither" Action=DeleteKeyPair
refuses InvalidKeyPair.NotFound "tags on what is gone" Action=CreateTags ResourceId.1="$ed" Tag.1.Key=a

# --- the region starts anew ---
pid=$(daemon_pid)
kill -9 "$pid"
ok "the daemon dies" await_exit "$pid" 10
run vpclab daemon
is "$STATUS" 0 "and another starts"
api Action=DescribeKeyPairs KeyName.1=made-ed IncludePublicKey=true
is "$(x 'string(//publicKey)')" "$(ssh-keygen -y -f "$T/k/made-ed" | cut -d' ' -f1,2) made-ed" "key pairs are there still"
is "$(x 'string(//tagSet/item/value)')" mine "with their tags"
is "$(field "$id" keyName)" made "and the instance's"

# --- the verb ---
cd "$T/k" || exit 1
run vpclab key create laptop
is "$STATUS" 0 "key create" || diag "$ERR"
like "$OUT" 'laptop \(key-0[0-9a-f]{16}\), private key in laptop\.pem' "says where the key is"
is "$(stat -c %a laptop.pem)" 600 "in a file for its owner alone"
ok "which is a private key" ssh-keygen -y -f laptop.pem
says 2 'laptop\.pem is there already' "a file is not overwritten" vpclab key create laptop
says 2 'InvalidKeyPair.Duplicate' "nor is a pair" vpclab key create laptop --file other.pem
nok "and no empty file is left" test -e other.pem
run vpclab key create piped --type rsa --file -
like "$OUT" '^-----BEGIN RSA PRIVATE KEY-----' "--file - prints it"
run vpclab key create json --json
is "$(python3 -c 'import json,sys; print(json.load(sys.stdin)["keyName"])' <<<"$OUT")" json "--json prints the reply"
nok "and writes no file" test -e json.pem
run vpclab key import mine "$T/k/ed.pub"
is "$STATUS" 0 "key import" || diag "$ERR"
like "$OUT" "mine \(key-0[0-9a-f]+\), fingerprint [A-Za-z0-9+/]{43}=" "says its fingerprint"
says 2 'InvalidKey.Format' "import of a private key" vpclab key import bad "$T/k/ed"
says 2 'nowhere' "import of no file" vpclab key import bad "$T/k/nowhere"
says 2 'Which public key' "import of nothing" vpclab key import bad
run vpclab key
like "$OUT" 'laptop +key-0[0-9a-f]{16} +ed25519 +[A-Za-z0-9+/]{43}=' "key alone lists them"
run vpclab key ls --json
ok "as JSON too" python3 -m json.tool <<<"$OUT"
run vpclab launch web --image debian-12 --key laptop --type t2.nano
is "$STATUS" 0 "launch --key" || diag "$ERR"
run vpclab show web
like "$OUT" 'Key pair +laptop' "show names it"
says 2 'nobody.*InvalidKeyPair.NotFound' "launch with an unknown one" vpclab launch x --image debian-12 --key nobody
run vpclab key rm laptop
like "$STATUS $OUT" '^0 The key pair laptop is deleted' "key rm"
run vpclab key rm laptop
like "$STATUS $OUT" '^0 There is no key pair laptop' "of what is gone is no error"
says 2 'Which key pair' "rm of nothing" vpclab key rm
says 2 'did you mean create' "a misspelt word" vpclab key creat x
says 2 'word too many' "a word too many" vpclab key rm a b
cd / || exit 1
region_down
done_testing
