#!/bin/bash
# What `make install` puts where: the program, its data, three completions and the manual page; bash's completion at work.
. "$(dirname "$0")/../lib.sh"

R=$T/root
run make --no-print-directory FLAVOUR="$FLAVOUR" install DESTDIR="$R" PREFIX=/usr
is "$STATUS" 0 "make install" || diag "$OUT" "$ERR"
BASH_FILE=$R/usr/share/bash-completion/completions/vpclab
ZSH_FILE=$R/usr/share/zsh/site-functions/_vpclab
FISH_FILE=$R/usr/share/fish/vendor_completions.d/vpclab.fish
MAN_FILE=$R/usr/share/man/man1/vpclab.1
for file in "$R/usr/bin/vpclab" "$BASH_FILE" "$ZSH_FILE" "$FISH_FILE" "$MAN_FILE"; do
	ok "${file#"$R"} is there" test -s "$file"
done
is "$(find "$R" -type f -perm /022; find "$R/usr/share" -name '*.tmp')" "" "nothing is writable for others, nothing half made"

verbs=$(vpclab help | awk '/^Flags/ {exit} /^  [a-z]/ {print $1}' | sort -u)
at_most 20 "$(wc -w <<<"$verbs")" "help lists verbs by the score"

# --- the manual page ---
if command -v groff >/dev/null; then
	is "$(groff -man -ww -Tutf8 "$MAN_FILE" 2>&1 >"$T/page")" "" "groff reads the manual page without a warning"
	plain=$(sed -E 's/\x1b\[[0-9;]*m//g; s/.\x08//g' "$T/page")
	like "$plain" 'vpclab.*an AWS region on one machine' "it has a name line"
fi
missing=
for verb in $verbs; do grep -qE "^\.SS \"vpclab $verb( |\")" "$MAN_FILE" || missing+="$verb "; done
is "$missing" "" "it tells of every verb"
is "$(grep -nE "^'|^\.[^A-Zs\\\\]" "$MAN_FILE")" "" "and no text of it is taken for a request"

# --- bash ---
ok "the bash completion is bash" bash -n "$BASH_FILE"
if command -v shellcheck >/dev/null; then ok "and shellcheck has nothing to say" shellcheck --severity=warning --shell=bash "$BASH_FILE"; fi
# offers WORD...: what is offered for the last word, sorted
offers() {
	PATH=$BUILD:$PATH bash --norc -c '
		. "$1"; shift
		COMP_WORDS=(vpclab "$@") COMP_CWORD=$# COMPREPLY=()
		_vpclab 2>/dev/null
		printf "%s\n" "${COMPREPLY[@]}"' bash "$BASH_FILE" "$@" | sort | tr '\n' ' '
}
like "$(PATH=$BUILD:$PATH bash --norc -c '. "$1"; complete -p vpclab' bash "$BASH_FILE")" '-F _vpclab vpclab' "it is registered"
is "$(offers '' | xargs)" "$(xargs <<<"$verbs")" "no word: every verb"
is "$(offers te)" "terminate " "the beginning of a verb"
is "$(offers launch --ty)" "--type " "of a flag"
like "$(offers ls --)" '--json .*--state-dir ' "flags of every verb"
is "$(offers image p)" "pull " "a verb's own words"
is "$(offers nosuch x)" " " "an unknown verb: nothing"
is "$(offers show '')" " " "names, while no region runs: none"
is "$(processes)" "" "and none is started for it"
is "$(offers exec web -- ca)" " " "the guest's command is not ours to complete"
mkdir -p "$T/files/one-dir" && touch "$T/files/one-file"
is "$(cd "$T/files" && offers up --user-data one)" "one-dir one-file " "files for a flag that takes one"
is "$(cd "$T/files" && offers ls --state-dir one)" "one-dir " "directories"

region_up
launch TagSpecification.1.ResourceType=instance TagSpecification.1.Tag.1.Key=Name TagSpecification.1.Tag.1.Value=web >/dev/null
launch TagSpecification.1.ResourceType=instance TagSpecification.1.Tag.1.Key=Name TagSpecification.1.Tag.1.Value='my db' >/dev/null
nameless=$(launch)
is "$(offers show w)" "web " "an instance's name"
is "$(offers stop web '' | wc -w)" 3 "each word of a verb that takes several; what a shell would take apart is an id"
is "$(offers show "${nameless:0:12}")" "$nameless " "an id where there is no name"
is "$(offers launch x --image debian)" "debian-12 " "images"
is "$(offers image rm debian)" "debian-12 " "images for the verb of images"
like "$(offers launch --type t2.)" 't2.micro .*t2.small ' "types"
is "$(offers launch --group def)" "default " "groups"
is "$(offers allow --group=def 2>/dev/null; offers allow --group = def)" " default " "a value behind =, which bash makes a word"
state=$VPCLAB_STATE_DIR dir=$VPCLAB_RUN_DIR
is "$(env -u VPCLAB_STATE_DIR -u VPCLAB_RUN_DIR PATH="$BUILD:$PATH" bash --norc -c ". '$BASH_FILE'; COMP_WORDS=(vpclab --state-dir '$state' --run-dir '$dir' show w) COMP_CWORD=6; _vpclab; echo \${COMPREPLY[*]}")" \
	web "of the region that the line is about"
says 2 'nothing to complete' "a kind that there is not" vpclab complete colours
region_down

# --- zsh and fish, where they are ---
for verb in $verbs; do
	grep -qE "^	$verb\)$" "$ZSH_FILE" || missing+="zsh:$verb "
	grep -qE -- "-a $verb -d" "$FISH_FILE" || missing+="fish:$verb "
done
is "$missing" "" "zsh's and fish's completions know every verb"
if command -v zsh >/dev/null; then ok "the zsh completion is zsh" zsh -n "$ZSH_FILE"; fi
if command -v fish >/dev/null; then
	ok "the fish completion is fish" fish -n "$FISH_FILE"
	fish_offers() { PATH=$BUILD:$PATH fish --no-config -c "source $FISH_FILE; complete -C'$1'" | cut -f 1 | sort | tr '\n' ' '; }
	is "$(fish_offers 'vpclab te')" "terminate " "a verb in fish"
	like "$(fish_offers 'vpclab launch --ty')" '--type' "a flag in fish"
	is "$(fish_offers 'vpclab image pu')" "pull " "a word in fish"
fi

run make --no-print-directory FLAVOUR="$FLAVOUR" uninstall DESTDIR="$R" PREFIX=/usr
is "$STATUS $(find "$R" -type f)" "0 " "make uninstall removes every file"
done_testing
