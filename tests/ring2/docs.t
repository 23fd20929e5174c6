#!/bin/bash
# The documentation keeps up: generated pages are what the tables print, links lead somewhere, the verbs and flags that pages name
# are there, and every error code of the sources is explained.
. "$(dirname "$0")/../lib.sh"

# the compiled-in data directory follows PREFIX, the page has the usual one
same_prefix() { sed 's|`/[^`]*/share/vpclab`|`PREFIX/share/vpclab`|' "$1"; }
for page in verbs actions settings; do
	vpclab reference $page >"$T/$page.md"
	is "$(same_prefix docs/$page.md | cksum)" "$(same_prefix "$T/$page.md" | cksum)" "docs/$page.md is what the table prints (make docs)" ||
		diag "$(diff docs/$page.md "$T/$page.md" | head -n 10)"
done
says 2 'reference of nothing' "there is no other page" vpclab reference nothing

pages=(README.md docs/*.md)

# [text](target): a file beside the page; #anchors are headings of it
broken=
for page in "${pages[@]}"; do
	while read -r target; do
		case $target in http://* | https://*) continue ;; esac
		file=${target%%#*} anchor=
		[[ $target != *#* ]] || anchor=${target#*#}
		if [ -n "$file" ]; then file=$(dirname "$page")/$file; else file=$page; fi
		if [ ! -e "$file" ]; then
			broken+="$page: $target"$'\n'
		elif [ -n "$anchor" ] && ! sed -n 's/^##* *//p' "$file" | tr '[:upper:]' '[:lower:]' |
			sed 's/[^a-z0-9 _-]//g; s/ /-/g' | grep -qxF -- "$anchor"; then
			broken+="$page: $target, a heading that is not there"$'\n'
		fi
	done < <(grep -o '](\([^) ]*\))' "$page" | sed 's/^](//; s/)$//')
done
is "$broken" "" "every link leads to a file, and to a heading of it"

# `vpclab VERB ... --flag`, in text and in blocks
verbs=" $(grep -o '^### vpclab [a-z]*' docs/verbs.md | awk '{print $3}' | tr '\n' ' ') reference "
flags=" $(grep -o '^| `--[a-z-]*' docs/verbs.md | sed 's/^| `//' | sort -u | tr '\n' ' ') "
unknown=
for page in "${pages[@]}"; do
	while read -r words; do
		# settings may stand before the verb
		words=${words#*vpclab }
		while [[ $words =~ ^--(set|state-dir|run-dir|data-dir|config)\ +[^\ ]+\ +(.*)$ ]]; do words=${BASH_REMATCH[2]}; done
		verb=${words%% *}
		[[ $verb =~ ^[a-z]+$ ]] || continue
		[[ $verbs == *" $verb "* ]] || unknown+="$page: vpclab $verb"$'\n'
		# what follows ` -- ` is the guest's
		for word in ${words%% -- *}; do
			[[ $word =~ ^(--[a-z-]+) ]] || continue
			[[ $flags == *" ${BASH_REMATCH[1]} "* ]] || unknown+="$page: vpclab $verb ${BASH_REMATCH[1]}"$'\n'
		done
	done < <(
		grep -o '`\(sudo \)\?\(\./\)\?vpclab [^`]*`' "$page" | tr -d '`'
		awk '/^```/ { inside = !inside; next } inside' "$page" | grep -oE '^\$ (sudo )?(\./)?vpclab [^#|;&>]*' || true
	)
done
is "$unknown" "" "every verb and flag that a page names is there"

# the codes of the sources, in calls of error_set_code and in its tables of codes
codes=$(cat src/*/*.c | tr '\n' ' ' |
	grep -oE 'error_set_code\([^,]*, *ERROR_[A-Z]+, *"[A-Za-z.0-9]+"|\{ "[a-z]+", "Invalid[A-Za-z]+\.[A-Za-z]+" \}|, "Invalid[A-Za-z]+\.NotFound"' |
	grep -oE '"[A-Z][A-Za-z.0-9]+"' | tr -d '"' | sort -u)
at_most 40 "$(wc -w <<<"$codes")" "the sources name codes by the dozen, and they are found"
missing=
for code in $codes; do grep -qF "\`$code\`" docs/errors.md || missing+="$code "; done
is "$missing" "" "docs/errors.md explains each of them"

# settings: each is told in the reference by hand too
missing=
while read -r key; do grep -qF "\`$key\`" docs/reference.md || missing+="$key "; done < <(sed -n 's/^| `\([a-z_]*\)`.*/\1/p' docs/settings.md)
is "$missing" "" "docs/reference.md tells each setting's values"
done_testing
