#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./run build, ./run install, ./run uninstall.

install.py build                           builds what ships and puts it into out/
install.py check [--no-build] PREFIX       fails if PREFIX cannot be written to
install.py install [--no-build] PREFIX     build, and a copy of out/
install.py uninstall PREFIX                removes what the manifest there lists

Copies, no links: Bazel's own folders move with its options. The programs know
version and commit (--config=stamped).
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from lab import process, programs  # noqa: E402

OUT = ROOT / "out"
IMAGE = "share/forelock/forelock-svsm.elf"
MANIFEST = "share/forelock/manifest"
DOCS = "share/doc/forelock"
EXAMPLES = "docs/examples"

# What the programs have in them of others: Bazel's external repositories, and
# Debian's packages of headers.
REPOSITORIES = ["abseil-cpp", "mbedtls", "protobuf_c"]
PACKAGES = ["libasio-dev", "libtomlplusplus-dev", "nlohmann-json3-dev"]


class Failure(Exception):
    pass


def bazel(*arguments):
    """What a Bazel command prints."""
    command = ["bazel", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)} failed")
    return done.stdout.strip()


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


# --- What goes where: path below a PREFIX -> bytes.


def commands_of(program):
    """The words of each command, as --help lists them: "image configure"."""
    # A word of arguments ("bash|zsh") ends in something else than a blank.
    line = re.compile(rf"^  {re.escape(program.name)} ([a-z-]+(?: [a-z-]+(?= |$))*)", re.M)
    return [words for words in line.findall(output_of(program, "--help")) if not words.startswith("-")]


def manual_pages(program):
    pages = {f"{program.name}.1": output_of(program, "man")}
    for words in commands_of(program):
        pages[f"{program.name}-{words.replace(' ', '-')}.1"] = output_of(program, "man", *words.split())
    return {f"share/man/man1/{name}": page.encode() for name, page in pages.items()}


def completions(program):
    name = program.name
    return {
        place: output_of(program, "completion", shell).encode()
        for shell, place in [
            ("bash", f"share/bash-completion/completions/{name}"),
            ("zsh", f"share/zsh/site-functions/_{name}"),
            ("fish", f"share/fish/vendor_completions.d/{name}.fish"),
        ]
    }


def notices(external, packages=pathlib.Path("/usr/share/doc")):
    """The licences of what others wrote, as one text."""
    parts = []
    texts = [(name, external / name / "LICENSE") for name in REPOSITORIES]
    texts += [(name, packages / name / "copyright") for name in PACKAGES]
    for name, path in texts:
        try:
            parts.append(f"==== {name}\n\n{path.read_text(errors='replace').rstrip()}\n")
        except OSError as error:
            raise Failure(f"the licence of {name} is missing: {error}") from None
    return "\n".join(parts).encode()


def contents(binaries, external):
    """All of it, from Bazel's folders."""
    files = {}
    for place, below in programs.installed(".").items():
        files[str(below)] = (binaries / place).read_bytes()
    for place, below in programs.installed(".").items():
        if below.parts[0] == "bin":
            files.update(manual_pages(binaries / place))
            files.update(completions(binaries / place))
    files[f"{DOCS}/LICENSE"] = (ROOT / "LICENSE").read_bytes()
    files[f"{DOCS}/CHANGELOG.md"] = (ROOT / "CHANGELOG.md").read_bytes()
    files[f"{DOCS}/THIRD-PARTY"] = notices(external)
    for path in sorted((ROOT / EXAMPLES).glob("*.toml")):
        files[f"{DOCS}/examples/{path.name}"] = path.read_bytes()
    return files


# --- Folders that hold it.


def names_in(prefix):
    """What the manifest below a prefix lists; nothing if there is none."""
    try:
        names = (prefix / MANIFEST).read_text().splitlines()
    except FileNotFoundError:
        return []
    for name in names:
        if name.startswith("/") or ".." in name.split("/"):
            raise Failure(f"{prefix / MANIFEST} lists {name}, which is not below it")
    return names


def remove(prefix, names):
    """These files, and the folders that are empty then; nothing outside."""
    for name in names:
        path = prefix / name
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == prefix:
                break
            try:
                folder.rmdir()
            except OSError:
                break


def place(prefix, name, data):
    """One file, whole at each moment: a program may be running."""
    path = prefix / name
    make_folder(path.parent)
    handle, new = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(new, 0o755 if name.startswith("bin/") else 0o644)
        os.replace(new, path)
    except BaseException:
        os.unlink(new)
        raise


def put(prefix, files):
    """Writes the files, and removes what an earlier one left. Until all of that
    is done the manifest has the old names too, so that whatever cuts this off
    leaves nothing that ./run uninstall does not know."""
    old = names_in(prefix)
    place(prefix, MANIFEST, manifest_of({*old, *files}))
    for name in sorted(set(files) - {MANIFEST}):
        place(prefix, name, files[name])
    remove(prefix, set(old) - set(files) - {MANIFEST})
    place(prefix, MANIFEST, manifest_of(files))


def make_folder(folder):
    """Readable by all, whatever the umask: who installs may be root."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir()
        each.chmod(0o755)


def manifest_of(names):
    return ("\n".join(sorted({*names, MANIFEST})) + "\n").encode()


# --- The commands.


def build(quiet):
    options = ["--config=stamped"]
    try:
        programs.build(ROOT, options + (["--noshow_progress", "--curses=no"] if quiet else []))
    except process.Failure as failure:
        raise Failure(failure) from None
    binaries = pathlib.Path(bazel("info", "--config=stamped", "--ui_event_filters=-info", "bazel-bin"))
    external = pathlib.Path(bazel("info", "--ui_event_filters=-info", "output_base")) / "external"
    put(OUT, contents(binaries, external))


def version():
    """"0.1.0, commit ..." of what is in out/."""
    return output_of(OUT / "bin/forelock", "--version").split(" ", 1)[1].strip()


def say_commit(text):
    if text.endswith(("-dirty", "unknown")):
        print(f"note: {text}: no policy for others should name this guest image"
              " (docs/develop.md, \"Version and commit\")")  # fmt: skip


def prefix_of(text):
    """(as its user names it, where the files go)."""
    prefix = pathlib.Path(os.environ.get("FORELOCK_CALLED_IN", ".")).absolute() / text
    prefix = pathlib.Path(os.path.normpath(prefix))
    stage = os.environ.get("DESTDIR")
    return prefix, pathlib.Path(stage).absolute() / prefix.relative_to("/") if stage else prefix


def check(prefix):
    """A PREFIX that cannot be written to, before anything is built for it."""
    folder = prefix
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        raise Failure(f"{folder} is no folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Failure(f"{folder}: not writable. ./run build, then as root: ./run install --no-build {prefix};"
                      " or take a PREFIX of your own, such as ~/.local")  # fmt: skip


def install(text, build_first, quiet):
    named, prefix = prefix_of(text)
    check(prefix)
    if named == OUT:
        raise Failure("out/ is what ./run build makes")
    if build_first:
        build(quiet)
    names = names_in(OUT)
    missing = [name for name in names if not (OUT / name).exists()]
    if not names or missing:
        raise Failure(f"out/ holds no programs{': ' + missing[0] + ' is missing' if missing else ''}; ./run build")
    put(prefix, {name: (OUT / name).read_bytes() for name in names})
    text = version()
    print(f"Forelock {text}, in {named}{f' below {prefix}' if prefix != named else ''}:")
    for name in names:
        # Of the manual pages of each command, the first says enough.
        if name.startswith(("bin/", DOCS)) or name == IMAGE:
            print(f"  {name}")
    print("  manual pages (share/man), completion for bash, zsh and fish, share/forelock/manifest")
    say_commit(text)
    if str(named / "bin") not in os.environ.get("PATH", "").split(":"):
        print(f'\nexport PATH="{named / "bin"}:$PATH"')


def say_built():
    text = version()
    print(f"Forelock {text}, in out/: programs in out/bin, the guest image is out/{IMAGE}")
    say_commit(text)
    print(f'\nexport PATH="{OUT / "bin"}:$PATH"')


def uninstall(text):
    named, prefix = prefix_of(text)
    names = names_in(prefix)
    if not names:
        raise Failure(f"{prefix / MANIFEST} is not there: nothing to remove")
    remove(prefix, names)
    print(f"removed {len(names)} files from {named}")


def main():
    parser = argparse.ArgumentParser(prog="install.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("build", "check", "install", "uninstall"):
        command = commands.add_parser(name)
        if name != "build":
            command.add_argument("prefix", metavar="PREFIX")
        if name in ("check", "install"):
            command.add_argument("--no-build", action="store_true")
    options = parser.parse_args()
    quiet = not sys.stdout.isatty()
    try:
        if options.command == "build":
            build(quiet)
            say_built()
        elif options.command == "check":
            check(prefix_of(options.prefix)[1])
        elif options.command == "install":
            install(options.prefix, not options.no_build, quiet)
        else:
            uninstall(options.prefix)
    except (Failure, OSError) as error:
        sys.exit(f"./run {options.command}: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"./run {options.command}: {error}: {error.stderr}")


if __name__ == "__main__":
    main()
