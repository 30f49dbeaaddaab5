"""What dpkg tells: to which packages files belong, what these depend on, how large they are."""
import re
import shutil
import subprocess
from typing import NamedTuple

FORMAT = ("${db:Status-Abbrev}\t${Package}\t${Installed-Size}\t${Essential}\t${Provides}\t"
          "${Pre-Depends}, ${Depends}\n")


class Package(NamedTuple):
    kb: int
    essential: bool
    needs: list  # of lists of names, one of each is enough


def missing():
    return None if shutil.which("dpkg-query") else "there is no dpkg-query, this is not Debian"


def ask(*arguments):
    """What dpkg-query prints; files that belong to nobody are no failure."""
    return subprocess.run(["dpkg-query", *arguments], capture_output=True, text=True,
                          check=False).stdout


def names(field):
    """Of a field such as "libc6 (>= 2.36), gawk | awk:any": [["libc6"], ["gawk", "awk"]]."""
    return [[re.split("[ :(]", name.strip())[0] for name in one.split("|")]
            for one in field.split(",") if one.strip()]


class Installed:
    """All packages that are, from what dpkg-query prints by FORMAT."""

    def __init__(self, text):
        self.packages, self.provided = {}, {}
        for line in text.splitlines():
            status, name, kb, essential, provides, needs = line.split("\t")
            if status.startswith("ii"):
                self.packages[name] = Package(int(kb or 0), essential == "yes", names(needs))
                self.provided |= {other: name for [other] in names(provides)}

    def find(self, alternatives):
        """The first of these names that there is, or what provides it; [] if there is none."""
        there = [name if name in self.packages else self.provided.get(name)
                 for name in alternatives]
        return list(filter(None, there))[:1]

    def closure(self, some):
        """These packages and all that they depend on."""
        found, new = set(), set(some)
        while new:
            found |= new
            new = {name for one in new for need in self.packages[one].needs
                   for name in self.find(need)} - found
        return found

    def base(self):
        """What every system has."""
        return self.closure(name for name, one in self.packages.items() if one.essential)

    def kb(self, some):
        return sum(self.packages[name].kb for name in some)


def installed():
    return Installed(ask("-W", "-f", FORMAT))


def spellings(path):
    """/lib is a link to /usr/lib; some packages have their files in one, some in the other."""
    path = str(path)
    return (path, path.removeprefix("/usr")) if path.startswith("/usr/") else (path, f"/usr{path}")


def owners(paths):
    """The names of the packages that have these files."""
    asked = [spelling for path in paths for spelling in spellings(path)]
    return set(re.findall(r"(?m)^([^:,\s]+)(?::[^:,\s]+)?: /", ask("-S", *asked)))
