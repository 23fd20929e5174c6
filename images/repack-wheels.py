#!/usr/bin/env python3
"""repack-wheels.py UNPACKED-DEBS WHEELHOUSE DEB...

Turns the Python projects found in Debian packages into wheels, so that a real
`pip install Django` works in a guest with no package index in reach.

UNPACKED-DEBS is a directory that holds the content of every DEB (dpkg-deb -x);
the DEB files themselves are read for their dependencies. Only the standard
library and dpkg-deb are used, for this runs inside the half-built image.
"""
import base64
import hashlib
import os
import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

# Wheels are built from packages whose content is fixed, so two builds of one
# package must give one wheel: no clock is read.
ZIP_TIME = (2020, 1, 1, 0, 0, 0)


def die(message):
    sys.exit(f"repack-wheels: {message}")


def canonical(name):
    """The form in which pip compares project names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def deb_field(deb, field):
    out = subprocess.run(["dpkg-deb", "-f", deb, field], check=True,
                         stdout=subprocess.PIPE, text=True)
    return out.stdout.strip()


def deb_files(deb):
    """Paths in a package, relative to the root, directories left out."""
    tar = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], check=True,
                         stdout=subprocess.PIPE).stdout
    names = subprocess.run(["tar", "-tf", "-"], input=tar, check=True,
                           stdout=subprocess.PIPE).stdout.decode()
    return [n.lstrip("./") for n in names.splitlines() if not n.endswith("/")]


def parse_requires_txt(text):
    """egg-info's requires.txt -> [(requirement, marker)].

    A section is `[extra]`, `[extra:marker]` or `[:marker]`; what stands before
    the first section is needed always.
    """
    needs, extra, marker = [], "", ""
    for line in text.splitlines():
        line = line.strip()
        if not line:
            continue
        section = re.fullmatch(r"\[([^:\]]*)(?::(.*))?\]", line)
        if section:
            extra, marker = section.group(1).strip(), (section.group(2) or "").strip()
            continue
        parts = [f"({marker})"] if marker else []
        if extra:
            parts.append(f'extra == "{extra}"')
        needs.append((line, " and ".join(parts), extra))
    return needs


class Project:
    def __init__(self, deb, info, root, files):
        self.deb, self.info, self.root, self.files = deb, info, root, files
        meta = "METADATA" if info.endswith(".dist-info") else "PKG-INFO"
        path = root / info / meta
        if not path.is_file():
            die(f"{info} in {deb} has no {meta}; the package is laid out in a way that is not known")
        text = path.read_text(encoding="utf-8")
        self.meta = Parser().parsestr(text)
        self.name, self.version = self.meta["Name"], self.meta["Version"]
        self.package = deb_field(deb, "Package")
        self.stem = f"{re.sub(r'[-_.]+', '_', self.name)}-{self.version}"

    def site(self):
        """The directory that stands for site-packages."""
        return os.path.dirname(self.info)

    def read(self, name):
        path = self.root / self.info / name
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def requirements(self, by_package):
        """Needs from egg-info and, as dh_python3 strips from requires.txt what
        it made a package dependency, from the package's own Depends."""
        lines, extras, seen = [], [], set()
        for need in self.meta.get_all("Requires-Dist", []):
            lines.append(need)
            if ";" not in need:
                seen.add(canonical(re.match(r"[A-Za-z0-9._-]+", need).group(0)))
        extras += self.meta.get_all("Provides-Extra", [])
        for need, marker, extra in parse_requires_txt(self.read("requires.txt")):
            lines.append(f"{need} ; {marker}" if marker else need)
            if not marker:
                seen.add(canonical(re.match(r"[A-Za-z0-9._-]+", need).group(0)))
            if extra and extra not in extras:
                extras.append(extra)
        for clause in deb_field(self.deb, "Depends").split(","):
            # Of alternatives the guest's own python3 may be one that is met
            # already; then the others are not needed.
            options = [re.split(r"[\s:(]", o.strip(), maxsplit=1)[0] for o in clause.split("|")]
            if len(options) > 1 and "python3" in options:
                continue
            other = by_package.get(options[0])
            if other is None or other is self or canonical(other.name) in seen:
                continue
            seen.add(canonical(other.name))
            lines.append(other.name)
        return lines, extras

    def metadata(self, by_package):
        lines, extras = self.requirements(by_package)
        head = ["Metadata-Version: 2.1", f"Name: {self.name}", f"Version: {self.version}"]
        for key in ("Summary", "Home-page", "Author", "License", "Requires-Python"):
            value = self.meta.get(key)
            if value and value != "UNKNOWN" and "\n" not in value:
                head.append(f"{key}: {value}")
        head += [f"Provides-Extra: {e}" for e in extras]
        head += [f"Requires-Dist: {need}" for need in lines]
        return "\n".join(head) + "\n"

    def content(self):
        """(name in the wheel, bytes) of each module and data file."""
        site = self.site() + "/"
        for name in sorted(self.files):
            if not name.startswith(site) or name.startswith(self.info + "/"):
                continue
            if "/__pycache__/" in name or name.endswith(".pyc"):
                continue
            path = self.root / name
            if path.is_symlink():
                path = self.resolve(path)
                if path is None:
                    continue  # points into a package that was not fetched
            yield name[len(site):], path.read_bytes(), path.stat().st_mode

    def resolve(self, link):
        """Follows links as if UNPACKED-DEBS were the root directory."""
        for _ in range(16):
            target = os.readlink(link)
            base = self.root / target.lstrip("/") if target.startswith("/") else link.parent / target
            link = Path(os.path.normpath(base))
            if not link.is_relative_to(self.root):
                return None
            if not link.is_symlink():
                return link if link.is_file() else None
        return None

    def write(self, wheelhouse, by_package):
        info = f"{self.stem}.dist-info"
        entries = list(self.content())
        if not entries:
            die(f"{self.package} holds no Python files under {self.site()}")
        extra = [("METADATA", self.metadata(by_package)),
                 ("WHEEL", "Wheel-Version: 1.0\nGenerator: vpclab\n"
                           "Root-Is-Purelib: true\nTag: py3-none-any\n")]
        for name in ("entry_points.txt", "top_level.txt"):
            if self.read(name):
                extra.append((name, self.read(name)))
        entries += [(f"{info}/{name}", text.encode(), 0o644) for name, text in extra]
        path = wheelhouse / f"{self.stem}-py3-none-any.whl"
        record = []
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
            for name, data, mode in entries:
                add(wheel, name, data, mode)
                digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
                record.append(f"{csv_field(name)},sha256={digest.decode()},{len(data)}")
            record.append(f"{info}/RECORD,,")
            add(wheel, f"{info}/RECORD", ("\n".join(record) + "\n").encode(), 0o644)
        return path


def csv_field(text):
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",\n]', text) else text


def add(wheel, name, data, mode):
    entry = zipfile.ZipInfo(name, ZIP_TIME)
    entry.external_attr = (0o100755 if mode & 0o100 else 0o100644) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    wheel.writestr(entry, data)


def main(argv):
    if len(argv) < 4:
        die("usage: repack-wheels.py UNPACKED-DEBS WHEELHOUSE DEB...")
    root, wheelhouse = Path(argv[1]).resolve(), Path(argv[2])
    wheelhouse.mkdir(parents=True, exist_ok=True)
    projects = []
    for deb in argv[3:]:
        files = deb_files(deb)
        infos = {m.group(0) for m in (re.match(r".*?/(?:dist|site)-packages/[^/]+\.(?:egg|dist)-info(?=/)", f)
                                      for f in files) if m}
        for info in sorted(infos):
            projects.append(Project(deb, info, root, files))
    by_package = {p.package: p for p in projects}
    if not projects:
        die("none of the packages holds a Python project")
    for project in projects:
        print(project.write(wheelhouse, by_package))


if __name__ == "__main__":
    main(sys.argv)
