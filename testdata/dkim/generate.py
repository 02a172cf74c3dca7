#!/usr/bin/env python3
"""Writes the generated DKIM cases: for each a .toml and an .eml beside this file.

Deterministic: fixed keys (../keys), a fixed clock, and signatures that have no randomness. Each
case states what it expects, and the oracle must agree before it is written. Run it after a change
and look at `git diff`. The cases of other projects stand beside the generated ones and are not
touched; their `source` says where they are from.
"""

import sys

sys.dont_write_bytecode = True

from generator import canonical, changes, keys, messages, readings, signature, writer  # noqa: E402


def main():
    for theme in (canonical, signature, keys, changes, messages, readings):
        theme.cases()
    print(f"{len(writer.WRITTEN)} cases")


if __name__ == "__main__":
    main()
