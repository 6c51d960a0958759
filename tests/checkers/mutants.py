#!/usr/bin/env python3
"""Breaks the checkers on purpose, one small edit at a time, and shows that the tests notice.

    tests/checkers/mutants.py build/release [WORD]     only those whose file or edit matches it
    tests/checkers/mutants.py build/release 3/8        the third eighth of them

The mutants of mutants.txt are compiled in a scratch directory and linked in front of the library of
a finished build; the tree stays as it is. Nearly all go into one program, where the environment
variable MUTANT tells which of them is on; an edit that cannot be put behind a condition gets a
program of its own. A mutant is caught when the tests fail, crash or do not end; one that survives,
and one that no longer fits the source, is a failure. Most are noticed among the first few thousand
histories, so the tests look at few first, and at all only then. Still it takes minutes, so it is no
part of a test run.
"""
import collections
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TESTS = ["histories that random ones seldom are",
         "sets and counters that random ones seldom are",
         "zones\\, search\\, shrinker and verifier agree with trying all orders",
         "models\\, containers and their orders agree with trying all orders",
         "online: the verdict of zones\\, at the event that breaks it"]
ROUNDS = ["3000", "1000000000"]  # histories at most
SECONDS = 600  # the tests on a busy machine, thrice over
SWITCH = 'extern "C" const int ordeal_mutant;\n'
SWITCH_DEFINED = SWITCH + """#include <cstdlib>
const int ordeal_mutant = std::getenv("MUTANT") == nullptr ? 0 : std::atoi(std::getenv("MUTANT"));
"""

Mutant = collections.namedtuple("Mutant", "number file edits")


def read_mutants():
    """Blocks of a file's name, lines with '-' that are there, lines with '+' instead of them; and
    so on, where one mistake takes several edits."""
    for block in (HERE / "mutants.txt").read_text().split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        edits = re.findall(r"((?:-.*\n)+)((?:\+.*\n)+)", "\n".join(lines[1:]) + "\n")
        if lines:
            yield lines[0], [tuple("\n".join(line[1:] for line in part.splitlines())
                                   for part in edit) for edit in edits]


def chosen(mutants, choice):
    part = re.fullmatch(r"(\d+)/(\d+)", choice)
    if part:
        which, of = int(part[1]), int(part[2])
        return mutants[(which - 1) * len(mutants) // of:which * len(mutants) // of]
    return [one for one in mutants if re.search(choice, one.file + str(one.edits))]


def is_balanced(text):
    return all(text.count(a) == text.count(b) for a, b in ("()", "{}", "[]"))


def is_statement(text):
    declares = re.match(r"(const |auto |bool |std::\S+ \w|[A-Z]\w* \w+ = )", text)
    text = re.sub(r" *//[^\n]*$", "", text)
    return text[-1:] in (";", "}") and is_balanced(text) and not declares


def switched(number, old, new):
    """The old text with the new one behind a condition; None when that cannot be told."""
    was, now = old.strip(), new.strip()
    on = f"ordeal_mutant == {number}"
    if is_statement(was) and (now == "" or is_statement(now)):
        return f"if ({on}) {{\n{new}\n}} else {{\n{old}\n}}"
    for begin, end in (("", " &&"), ("if (", " ||"), ("if (", ") {"), ("", ") {"), ("(", ")")):
        fits = was.startswith(begin) and was.endswith(end)
        inner = was[len(begin):len(was) - len(end)]
        if not fits or not is_balanced(inner) or ";" in inner or inner.startswith("return"):
            continue
        if now.startswith(begin) and now.endswith(end):
            other = now[len(begin):len(now) - len(end)]
        elif now == "" and end == " &&":
            other = "true"
        else:
            continue
        return f"{begin}({on} ? ({other}) : ({inner})){end}"
    return None


def source_of(file):
    """The text of the file, with the headers of templates that belong to it written out."""
    own = re.compile(r'#include "(' + re.escape(file[:-len(".cc")]) + r'_\w+)\.h"\n')
    written = set()

    def write_out(include):
        header = include[1]
        if (ROOT / f"{header}.cc").exists():
            return include[0]
        if header in written:
            return ""
        written.add(header)
        text = (ROOT / f"{header}.h").read_text().replace("#pragma once\n", "")
        return own.sub(write_out, text)

    return own.sub(write_out, (ROOT / file).read_text())


class Build:
    def __init__(self, directory, scratch):
        self.directory = directory
        self.scratch = scratch
        commands = json.loads((directory / "compile_commands.json").read_text())
        self.compile_commands = {entry["file"]: entry["command"] for entry in commands}
        link = subprocess.run(["ninja", "-C", directory, "-t", "commands", "checkers_tests"],
                              capture_output=True, text=True, check=True).stdout
        self.link_command = link.strip().splitlines()[-1]

    def compile(self, file, text, name):
        """An object of that text in place of that file; None when it does not compile."""
        source = self.scratch / f"{name}.cc"
        source.write_text(text)
        words = shlex.split(self.compile_commands[str(ROOT / file)])
        words[words.index("-c") + 1] = str(source)
        words[words.index("-o") + 1] = str(self.scratch / f"{name}.o")
        done = subprocess.run(words + ["-w"], cwd=self.directory, capture_output=True, text=True)
        return self.scratch / f"{name}.o" if done.returncode == 0 else None

    def link(self, objects, name):
        program = self.scratch / name
        front = " ".join(map(str, objects))
        command = self.link_command.replace("-o tests/checkers_tests", f"{front} -o {program}")
        subprocess.run(command, shell=True, cwd=self.directory, check=True)
        return program


def changed(text, mutant, edit):
    """The text with the edits made; None when one of them does not fit."""
    for old, new in mutant.edits:
        instead = edit(old, new)
        if instead is None or text.count(old) != 1:
            return None
        text = text.replace(old, instead)
    return text


def put_together(build, mutants):
    """One program of as many of them as go into one, and the numbers of these."""
    texts, within = {}, {}
    for one in mutants:
        text = texts.get(one.file, SWITCH + source_of(one.file))
        text = changed(text, one, lambda old, new, at=one.number: switched(at, old, new))
        if text:
            texts[one.file] = text
            within.setdefault(one.file, []).append(one)
    objects = [build.compile("checkers/zones.cc", SWITCH_DEFINED, "switch")]
    for file in list(texts):
        made = build.compile(file, texts[file], pathlib.Path(file).stem)
        if made:
            objects.append(made)
        else:
            print(f"{file}: not in one program", flush=True)
            del within[file]
    return build.link(objects, "all"), {one.number for group in within.values() for one in group}


def program_of_its_own(build, mutant):
    text = changed(source_of(mutant.file), mutant, lambda old, new: new)
    made = build.compile(mutant.file, text, "mutant") if text else None
    return build.link([made], "mutant") if made else None


def outcome(program, number):
    for most in ROUNDS:
        for test in TESTS:
            environment = dict(os.environ, MOST_HISTORIES=most, MUTANT=str(number))
            said = run_one(program, test, environment)
            if said:
                return said
    return "SURVIVES"


def run_one(program, test, environment):
    """How the test noticed; empty when it did not."""
    try:
        run = subprocess.run([program, test, "-a"], capture_output=True, text=True,
                             timeout=SECONDS, env=environment)
    except subprocess.TimeoutExpired:
        return "caught: does not end"
    if run.returncode < 0:
        return "caught: crashes"
    if "No test cases matched" in run.stdout:
        sys.exit(f"mutants: there is no test {test!r}")
    if run.returncode == 0:
        return ""
    told = [line.strip() for line in run.stdout.splitlines() if "seed" in line or ">" in line]
    return "caught: " + (told[0] if told else "the tests fail")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    every = [Mutant(i + 1, *block) for i, block in enumerate(read_mutants())]
    mutants = chosen(every, sys.argv[2] if len(sys.argv) == 3 else "")
    failures = 0
    with tempfile.TemporaryDirectory() as scratch:
        build = Build(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(scratch))
        together, within = put_together(build, mutants)
        for test in TESTS:
            said = run_one(together, test, dict(os.environ, MOST_HISTORIES=ROUNDS[0], MUTANT="0"))
            if said:
                sys.exit(f"mutants: {test} fails without a mutant: {said}")
        for one in mutants:
            program = together if one.number in within else program_of_its_own(build, one)
            said = outcome(program, one.number) if program else "NO MUTANT: it does not fit"
            failures += not said.startswith("caught")
            print(f"{one.number} {one.file}: {' '.join(one.edits[0][0].split())[:70]}\n    {said}",
                  flush=True)
    print(f"{len(mutants) - failures} of {len(mutants)} mutants caught")
    sys.exit(1 if failures or not mutants else 0)


if __name__ == "__main__":
    main()
