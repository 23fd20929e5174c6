#!/bin/bash
# The rules of the house: who includes whom, banned functions and headers (tests/lint.py); scripts; what is generated; names of machines.
# Prints one line a finding and exits with 1 for any. What wants a tool that isn't installed is said and left out.
set -u
cd "$(dirname "$0")/.." || exit 1
status=0
found() { printf '%s\n' "$@"; status=1; }

if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
	mapfile -t files < <(git ls-files --cached --others --exclude-standard)
else # a source archive
	mapfile -t files < <(find . -path ./build -prune -o -type f -print | sed 's|^\./||')
fi

python3 tests/lint.py "${files[@]}" || status=1

# --- scripts ---
scripts=()
for f in "${files[@]}"; do
	[ -f "$f" ] || continue
	case $f in
	tests/golden/* | cloud-init/*) ;; # what is made from templates, and the templates
	*.sh | *.t | .ci/run) scripts+=("$f") ;;
	esac
done
for f in "${scripts[@]}"; do
	said=$(bash -n "$f" 2>&1) || found "$said"
	case $f in
	*/lib.sh | */region.sh | */tiny.sh) ;; # sourced
	*) [ -x "$f" ] || found "$f: is not executable" ;;
	esac
done
if command -v shellcheck >/dev/null; then
	# SC1091: sourced files are looked at by themselves; SC2154, SC2034: variables of the sourced library
	shellcheck --severity=warning --exclude=SC1091,SC2154,SC2034 --shell=bash --format=gcc "${scripts[@]}" || status=1
else
	echo "lint: shellcheck is not installed; the scripts are only parsed." >&2
fi

# --- every header stands alone ---
if flags=$(pkg-config --cflags libvirt libxml-2.0 libnl-route-3.0 jansson 2>/dev/null); then
	for f in "${files[@]}"; do
		case $f in src/*.h) [ -f "$f" ] || continue ;; *) continue ;; esac
		# shellcheck disable=SC2086
		said=$(${CC:-gcc} -std=gnu17 -D_GNU_SOURCE -Isrc $flags -fsyntax-only -x c -include "$f" - </dev/null 2>&1) ||
			found "$f: does not compile by itself: $(head -n 1 <<<"$said")"
	done
fi

# --- what is generated is current ---
for vpclab in build/release/vpclab build/asan/vpclab; do [ ! -x $vpclab ] || break; done
if [ -x $vpclab ] && compgen -G 'docs/*.md' >/dev/null; then
	for what in verbs settings actions; do
		text=$($vpclab reference $what 2>&1) || { found "docs: \`vpclab reference $what\` says: $text"; continue; }
		current=no
		for f in docs/*.md; do
			[[ $(<"$f") != *"$text"* ]] || current=yes
		done
		[ $current = yes ] || found "docs: no page has the present text of \`vpclab reference $what\`; write it anew"
	done
elif [ ! -x $vpclab ]; then
	echo "lint: vpclab is not built; the generated pages are not compared (make)." >&2
fi

# --- nothing of this machine: its archive's hosts, where the checkout is, who works here ---
strangers=()
if command -v apt-get >/dev/null; then
	mapfile -t strangers < <(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | sed -E 's|^[a-z+]+:/*||; s|[/:].*||' | grep -F . | sort -u)
fi
strangers+=("$PWD/")
case ${HOME:-/} in / | /root | /nonexistent) ;; *) strangers+=("$HOME/") ;; esac
for word in "${strangers[@]}"; do
	for f in "${files[@]}"; do
		[ -f "$f" ] || continue
		while IFS= read -r line; do found "$f:${line%%:*}: names $word, which is this machine's"; done < <(grep -nF -- "$word" "$f")
	done
done

[ $status = 0 ] && echo "lint: ${#files[@]} files are clean."
exit $status
