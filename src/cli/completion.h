/* Completion for three shells and the manual page, printed from the table of verbs. Pure. */
#pragma once

#include "base/buffer.h"
#include "cli/verb.h"

void completion_bash(struct buffer *out);
void completion_zsh(struct buffer *out);
void completion_fish(struct buffer *out);
/* vpclab(1), in man's macros. */
void manual_page(struct buffer *out, const char *version);

/* What a word or a flag's value may be, as `vpclab complete KIND` lists it: "names", "images", "types", "groups"; "verbs", which
 * the shells know; "files", "dirs", which they find themselves; "" for nothing that can be listed. */
const char *completion_of_flag(const struct flag *f);
/* Of word i (from 0) of the verb; "words" where the synopsis lists them (completion_words). */
const char *completion_of_word(const struct verb *v, size_t i);
/* "ls pull build": the synopsis's choices parted by blanks; "" where there are none. */
void completion_words(struct buffer *out, const struct verb *v);
