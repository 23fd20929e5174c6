/* Text from outside made one line that can be shown. */
#include "base/cleanup.h"
#include "base/text.h"
#include "tap.h"

int main(void)
{
	static const struct {
		const char *text, *line, *what;
	} cases[] = {
		{ "", "", "nothing" },
		{ "웹 서버 🐧 ~", "웹 서버 🐧 ~", "UTF-8 stays" },
		{ "a\tb\nc\rd", "a b c d", "tabs and line ends are blanks" },
		{ "\033[2J\007\177", " [2J  ", "so are escape, bell and delete" },
		{ "\xc2\x9b" "31m\xc2\xa9", " 31m\xc2\xa9", "and C1, but not what comes after it" },
		{ "\xe2\x80\xa8\xe2\x80\xa9\xc2\x85.", "   .", "and other line ends" },
		{ "\xff\xc0\x80 \xed\xa0\x80", "??? ???", "what is no UTF-8 is a question mark a byte" },
		{ "\xec\x9b\xb9\xec\x9b", "\xec\x9b\xb9??", "also a character that was cut" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[64];

		TEXT_COPY(text, cases[i].text);
		is_int(text_is_line(text), strcmp(cases[i].text, cases[i].line) == 0, "it is told");
		text_make_line(text);
		is_str(text, cases[i].line, cases[i].what);
		ok(text_is_line(text), "and then it is a line");
	}
	return tap_done();
}
