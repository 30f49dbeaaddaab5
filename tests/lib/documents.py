"""The documents as a reader gets them: their blocks, commands, headings and links."""

import os
import re
from glob import glob

from lib.server import SRCDIR

_FOLDERS = (".", "doc", "deploy/**", "bench/**", "tests/**")
_GOES_ON = ("\\", "&&", "||", "|")

# The languages of blocks: of commands, and of commands among what they print.
COMMANDS = ("sh", "bash", "shell")
SESSION = "console"

# How commands begin that need what only one suite of tests has: there they run as they
# stand in the documents. All others run in tests/integration.
SUITES = {
    r"(\w+=\S+ )?docker |curl http://localhost:3333/": "containers",
    r"(adduser|apt-get|chown|cp|nginx|systemctl) ": "packages",
    r"(etcdctl|npm|zkCli\.sh) ": "registries",
}


def read(*names):
    """A file of the project; the names are those of its folders and its own."""
    with open(os.path.join(SRCDIR, *names), encoding="utf-8") as file:
        return file.read()


def version():
    """The one of configure.ac."""
    return re.search(r"^AC_INIT\(\[zombie-server\], \[(.*?)\]", read("configure.ac"), re.M)[1]


def markdown():
    """All of it that the project has, by paths from its top folder."""
    found = [path for folder in _FOLDERS
             for path in glob(os.path.join(SRCDIR, folder, "*.md"), recursive=True)]  # fmt: skip
    # What npm has brought for bench/ is not ours: nobody runs what stands there.
    return sorted({os.path.relpath(path, SRCDIR) for path in found if "/node_modules/" not in path})


def manuals():
    return sorted(os.path.relpath(path, SRCDIR) for path in glob(f"{SRCDIR}/man/*.[0-9]"))


def readmes():
    """Those of the Debian packages; all of their commands run in tests/packages."""
    return sorted(os.path.relpath(path, SRCDIR) for path in glob(f"{SRCDIR}/debian/*.README.Debian"))


def fences(text):
    """(language, text) of each fenced block."""
    return re.findall(r"^```(\w*)[^\n]*\n(.*?)^```$", text, re.M | re.S)


def without_fences(text):
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def indented(text):
    """The lines of blocks that are so by four spaces, which lists and sentences are not."""
    lines = [""] + without_fences(text).splitlines()
    found, inside = [], False
    for before, line in zip(lines, lines[1:]):
        inside = line.startswith("    ") and (inside or before == "")
        if inside:
            found.append(line[4:])
    return found


def _plain(roff):
    """A literal block of mdoc as it is shown."""
    for escape, character in ((r"\e", "\\"), (r"\(aq", "'"), (r"\(dq", '"'), (r"\-", "-"), (r"\&", "")):
        roff = roff.replace(escape, character)
    return roff


def examples(manual):
    """The blocks of a manual's examples."""
    text = read(manual).partition(".Sh EXAMPLES\n")[2].partition("\n.Sh ")[0]
    return [_plain(block) for block in re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", text, re.M | re.S)]


def _joined(lines):
    """Lines to commands: a command goes on in the next line if its own says so."""
    found, goes_on = [], False
    for line in lines:
        if goes_on:
            found[-1] += "\n" + line
        else:
            found.append(line)
        goes_on = re.sub(r"\s+#.*", "", line).rstrip().endswith(_GOES_ON)
    return found


def _prompted(text):
    """The lines of commands in a session, without what was printed."""
    found, goes_on = [], False
    for line in text.splitlines():
        if line.startswith("$ ") or goes_on:
            found.append(line.removeprefix("$ "))
            goes_on = line.rstrip().endswith(_GOES_ON)
    return found


def _commands_of(language, text):
    lines = _prompted(text)
    if language in COMMANDS:
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return _joined(lines)


def _blocks(name):
    """(language, text) of each block that has commands."""
    if name.startswith("man/"):
        found = [(SESSION, text) for text in examples(name)]
    elif name.startswith("debian/"):
        found = [(COMMANDS[0], "\n".join(indented(read(name))))]
    else:
        found = [one for one in fences(read(name)) if one[0] in (*COMMANDS, SESSION)]
    return [one for one in found if _commands_of(*one)]


def blocks(name):
    """The commands of each block of a document that has some."""
    return [_commands_of(*one) for one in _blocks(name)]


def printed(name, number):
    """The lines that a session shows behind its commands."""
    language, text = _blocks(name)[number]
    typed = [line for command in _commands_of(language, text) for line in command.splitlines()]
    return [line for line in text.splitlines() if line.removeprefix("$ ") not in typed]


def suite_of(command):
    """The folder in tests/ where it runs."""
    return next((suite for begin, suite in SUITES.items() if re.match(begin, command)), "integration")


def commands_in(suite):
    """{(document, number of the block): its commands that run in that suite}"""
    found = {(name, number): [command for command in commands if suite_of(command) == suite]
             for name in (*markdown(), *manuals()) for number, commands in enumerate(blocks(name))}  # fmt: skip
    return {where: commands for where, commands in found.items() if commands}


def configurations(name):
    """The fenced blocks that have no language: configurations, and drawings."""
    return [text for language, text in fences(read(name)) if not language]


def anchors(name):
    """What links into a document may name: its headings, as a web page of it has them."""
    found = set()
    for title in re.findall(r"^#+ (.*)$", without_fences(read(name)), re.M):
        anchor = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        numbered = [anchor, *(f"{anchor}-{n}" for n in range(1, 20))]
        found.add(next(one for one in numbered if one not in found))
    return found


def links(name):
    """(path, anchor) of each link that stays here; the path is from the top folder."""
    text = re.sub(r"`[^`]*`", "", without_fences(read(name)))
    for target in re.findall(r"\]\(\s*([^)\s]+)", text):
        if not re.match(r"\w+:", target):
            path, _, anchor = target.partition("#")
            whole = os.path.join(os.path.dirname(name), path) if path else name
            yield os.path.normpath(whole), anchor
