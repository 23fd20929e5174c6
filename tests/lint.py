#!/usr/bin/env python3
"""The rules of the house that a program can check in the sources: who includes whom, functions with a better way, headers, lengths.

Run by tests/lint.sh from the repository's root with the files that git knows as arguments. One line a finding; exit status 1 for any.
"""
import re
import sys

# Who may include whom: docs/architecture.md. Siblings don't know each other; cli is a client and has base alone.
ROOMS = {
    "base": {"base"},
    "compute": {"compute", "base"},
    "network": {"network", "base"},
    "seed": {"seed", "base"},
    "image": {"image", "base"},
    "region": {"region", "compute", "network", "seed", "image", "base"},
    "lesson": {"lesson", "region", "base"},
    "api": {"api", "lesson", "region", "base"},
    "cli": {"cli", "base"},
    "main": {"cli", "api", "base"},
}

# A room's own business, however its header is reached.
INTERNAL = re.compile(r"/(internal|private|store)\.h$")

# Libraries that one place alone sees.
LIBRARIES = [
    (r"libvirt/", r"src/compute/", "libvirt is the compute room's"),
    (r"nftables/", r"src/network/", "nftables is the network room's"),
    (r"(netlink/|linux/(rt)?netlink|linux/if_|linux/neighbour|linux/veth)", r"src/network/", "netlink is the network room's"),
    (r"sqlite3\.h", r"src/region/store\w*\.c$", "SQLite is region/store.c's"),
    (r"microhttpd\.h", r"src/api/", "the HTTP server is the api room's"),
    (r"curl/", r"src/base/http\.c$", "libcurl is base/http.c's"),
    (r"libsmartcols/", r"src/base/table\.c$", "smartcols is base/table.c's"),
    (r"yaml\.h", r"src/seed/", "YAML is the seed room's"),
]

# Functions with a better way: reason, then what to use.
BANNED = {
    "strcpy": "knows no size; TEXT_COPY or text_copy of base/text.h",
    "strcat": "knows no size; struct buffer of base/buffer.h, or snprintf",
    "stpcpy": "knows no size; text_copy of base/text.h",
    "strncpy": "may leave no end; text_copy of base/text.h",
    "strncat": "its size is not the buffer's; struct buffer of base/buffer.h",
    "sprintf": "knows no size; snprintf, or buffer_addf",
    "vsprintf": "knows no size; vsnprintf, or buffer_addv",
    "gets": "knows no size; getline",
    "scanf": "overflows are undefined; strtoll, or a parser",
    "sscanf": "overflows are undefined; strtoll, or a parser",
    "strtok": "not for threads; strtok_r",
    "strerror": "not for threads, and the sentence wants more; error_set_errno",
    "perror": "library code doesn't print; error_set_errno",
    "system": "a shell reads it; process_run of base/process.h",
    "popen": "a shell reads it; process_run of base/process.h",
    "execlp": "process_run of base/process.h",
    "execvp": "process_run of base/process.h",
    "alloca": "takes any size from the stack; malloc, or an array of a named size",
    "atoi": "takes anything for a number; strtol and a look at its end",
    "atol": "takes anything for a number; strtol and a look at its end",
    "atof": "takes anything for a number; strtod and a look at its end",
    "sleep": "waits for no event; poll with a deadline of base/time.h",
    "usleep": "waits for no event; poll with a deadline of base/time.h",
    "tmpnam": "another may take the name; mkdtemp or mkstemp",
    "tempnam": "another may take the name; mkdtemp or mkstemp",
    "mktemp": "another may take the name; mkdtemp or mkstemp",
    "rand": "can be guessed; random_bytes of base/id.h",
    "srand": "random_bytes of base/id.h",
    "random": "can be guessed; random_bytes of base/id.h",
    "gmtime": "not for threads; gmtime_r, or time_iso of base/time.h",
    "localtime": "not for threads, and the region speaks UTC; time_iso of base/time.h",
    "ctime": "not for threads; time_iso of base/time.h",
    "asctime": "not for threads; time_iso of base/time.h",
    "inet_addr": "255.255.255.255 is its error; ipv4_parse of base/cidr.h",
    "inet_aton": "reads octal; ipv4_parse of base/cidr.h",
    "inet_ntoa": "not for threads; ipv4_format of base/cidr.h",
    "gethostbyname": "not for threads; getaddrinfo",
    "exit": "only main ends the process; return -1 with an error",
    "assert": "a daemon with guests must not end so; an error of ERROR_INTERNAL",
}
PRINTING = {"printf", "puts", "putchar", "vprintf", "fputs", "fprintf"}
MAY_PRINT = re.compile(r"^src/(main\.c|cli/|base/(log|table)\.c)")

LINES_SMELL, LINES_MAX = 600, 900
COLUMNS_MAX = 180

findings = 0


def find(path, line, what):
    global findings
    findings += 1
    print(f"{path}:{line}: {what}" if line else f"{path}: {what}")


def code_only(text):
    """The text with comments and the insides of strings blanked, newlines kept."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def blank(m):
        t = m.group(0)
        if t[0] in "\"'":
            return t[0] + " " * (len(t) - 2) + t[0]
        return re.sub(r"[^\n]", " ", t)

    return pattern.sub(blank, text)


def check_includes(path, text, code):
    room = path.split("/")[1] if path.count("/") > 1 else "main"
    if room not in ROOMS:
        find(path, 0, f"there is no room {room}; the rooms are in docs/architecture.md")
        return
    for n, line in enumerate(text.split("\n"), 1):
        m = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if not m:
            continue
        kind, name = m.groups()
        if kind == '"':
            if "/" not in name or name.startswith("."):
                find(path, n, f'include "{name}" from the root: "room/{name}"')
                continue
            to = name.split("/")[0]
            if to not in ROOMS[room]:
                find(path, n, f"{room} may not include {name}; it may include {', '.join(sorted(ROOMS[room]))}")
            elif to != room and INTERNAL.search("/" + name):
                find(path, n, f"{name} is the {to} room's own")
            continue
        for pattern, where, why in LIBRARIES:
            if re.match(pattern, name) and not re.match(where, path):
                find(path, n, f"<{name}>: {why}")


def check_functions(path, code):
    for m in re.finditer(r"(?<![\w.>])([a-z_]\w*)\s*\(", code):
        name = m.group(1)
        line = code.count("\n", 0, m.start()) + 1
        if name in BANNED:
            find(path, line, f"{name}(): {BANNED[name]}")
        elif name in PRINTING and not MAY_PRINT.match(path):
            find(path, line, f"{name}(): library code doesn't print; it returns an error, or logs")


def check_header(path, text, code):
    if not text.startswith("/*"):
        find(path, 1, "a header begins with a comment that says what it is for")
    if "#pragma once" not in text:
        find(path, 1, "a header has #pragma once")


def check_text(path, data):
    if not data or path.startswith("tests/fuzz/corpus/"):  # foreign bytes, odd on purpose
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        find(path, 0, "is neither UTF-8 nor a known binary")
        return None
    if not path.startswith("tests/golden/"):
        if not text.endswith("\n"):
            find(path, text.count("\n") + 1, "the last line has no end")
        for n, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip():
                find(path, n, "white space at the line's end")
    return text


def check_source(path, text):
    lines = text.count("\n")
    code = code_only(text)
    if lines > LINES_MAX:
        find(path, 0, f"{lines} lines; past {LINES_MAX} a file is split")
    elif lines > LINES_SMELL:
        print(f"warning: {path}: {lines} lines; past {LINES_SMELL} it wants splitting", file=sys.stderr)
    for n, line in enumerate(text.split("\n"), 1):
        if len(line.expandtabs(8)) > COLUMNS_MAX and '"' not in line:
            find(path, n, f"{len(line.expandtabs(8))} columns; at most {COLUMNS_MAX}")
    if path.startswith("src/"):
        check_includes(path, text, code)
        check_functions(path, code)
        if path.endswith(".h"):
            check_header(path, text, code)


for path in sys.argv[1:]:
    if path.endswith((".png", ".ico", ".woff2", ".gz", ".bin")):
        continue
    try:
        with open(path, "rb") as f:
            text = check_text(path, f.read())
    except FileNotFoundError:  # removed, not yet committed
        continue
    if text is not None and path.endswith((".c", ".h")):
        check_source(path, text)
    if text is not None and path.endswith(".py"):
        try:
            compile(text, path, "exec")
        except SyntaxError as e:
            find(path, e.lineno, e.msg)
sys.exit(1 if findings else 0)
