#!/usr/bin/env python3
"""Breaks the checkers on purpose, one small edit at a time, and shows that the tests notice.

    tests/checkers/mutants.py build/release [WORD]     only mutants whose file or edit has the word

Each mutant of mutants.txt is compiled in a scratch directory and linked in front of the library of
a finished build; the tree stays as it is. A mutant is caught when the tests fail, crash or do not
end; one that survives, and one that no longer fits the source, is a failure. Takes minutes, so it
is no part of a test run.
"""
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TESTS = ["zones\\, search\\, shrinker and verifier agree with trying all orders",
         "models\\, containers and their orders agree with trying all orders",
         "online: the verdict of zones\\, at the event that breaks it"]
SECONDS = 240  # the tests on a busy machine, thrice over


def read_mutants():
    """Blocks of a file's name, lines with '-' that are there, lines with '+' instead of them."""
    for block in (HERE / "mutants.txt").read_text().split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if lines:
            old = "\n".join(line[1:] for line in lines[1:] if line[0] == "-")
            new = "\n".join(line[1:] for line in lines[1:] if line[0] == "+")
            yield lines[0], old, new


class Build:
    def __init__(self, directory, scratch):
        self.directory = directory
        self.scratch = scratch
        commands = json.loads((directory / "compile_commands.json").read_text())
        self.compile_commands = {entry["file"]: entry["command"] for entry in commands}
        link = subprocess.run(["ninja", "-C", directory, "-t", "commands", "checkers_tests"],
                              capture_output=True, text=True, check=True).stdout
        self.link = link.strip().splitlines()[-1]

    def make(self, file, text):
        """The test program with that text for that file; None when it does not compile."""
        source = self.scratch / pathlib.Path(file).name
        source.write_text(text)
        words = shlex.split(self.compile_commands[str(ROOT / file)])
        words[words.index("-c") + 1] = str(source)
        words[words.index("-o") + 1] = str(self.scratch / "mutant.o")
        words += ["-w", "-O1"]
        if subprocess.run(words, cwd=self.directory, capture_output=True).returncode != 0:
            return None
        program = self.scratch / "mutant"
        link = self.link.replace("-o tests/checkers_tests", f"{self.scratch}/mutant.o -o {program}")
        subprocess.run(link, shell=True, cwd=self.directory, check=True)
        return program


def outcome(program):
    for test in TESTS:
        try:
            run = subprocess.run([program, test, "-a"], capture_output=True, text=True,
                                 timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return "caught: does not end"
        if run.returncode < 0:
            return "caught: crashes"
        if "No test cases matched" in run.stdout:
            sys.exit(f"mutants: there is no test {test!r}")
        if run.returncode != 0:
            said = [line.strip() for line in run.stdout.splitlines()]
            told = [line for line in said if "seed" in line or ">" in line]
            return "caught: " + (told[0] if told else "the tests fail")
    return "SURVIVES"


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    word = sys.argv[2] if len(sys.argv) == 3 else ""
    failures = count = 0
    with tempfile.TemporaryDirectory() as scratch:
        build = Build(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(scratch))
        for file, old, new in read_mutants():
            if word not in file + old + new:
                continue
            count += 1
            text = (ROOT / file).read_text()
            if text.count(old) != 1:
                said = f"NO MUTANT: the line is there {text.count(old)} times"
            else:
                program = build.make(file, text.replace(old, new))
                said = outcome(program) if program else "NO MUTANT: it does not compile"
            failures += not said.startswith("caught")
            print(f"{file}: {' '.join(old.split())[:70]}\n    {said}", flush=True)
    print(f"{count - failures} of {count} mutants caught")
    sys.exit(1 if failures or not count else 0)


if __name__ == "__main__":
    main()
