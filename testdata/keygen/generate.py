#!/usr/bin/env python3
"""Writes opendkim/*.toml: what opendkim-genkey writes for the test keys, to the byte.

Needs opendkim-genkey 2.11.0 (package opendkim-tools of Debian) and openssl. The program runs as it
is, with an `openssl` before the real one that makes no key but takes one of ../keys. The defaults
of upstream are had by undoing what Debian has changed in it.
"""

import os
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
KEYS = HERE.parent / "keys"
GENKEY = pathlib.Path("/usr/sbin/opendkim-genkey")
SOURCE = "written by opendkim-genkey 2.11.0"

OPENSSL = """#!/bin/sh
real=$(PATH=${PATH#*:} command -v openssl)
[ "$1" = genrsa ] || exec "$real" "$@"
shift
while [ $# -gt 0 ]; do [ "$1" = -out ] && out=$2; shift; done
cp "$KEY" "$out"
"""

# name, key, why, options
CASES = [
    ("defaults", 2048, "Without options: the selector default, and a comment that names localhost.", []),
    ("guide", 2048, "As the guides type it.", ["-b", "2048", "-d", "example.com", "-s", "default"]),
    ("bits-1024", 1024, "A key of 1024 bits takes one string.", ["-b", "1024", "-d", "example.com", "-s", "sel1024"]),
    ("bits-4096", 4096, "A key of 4096 bits takes three strings.", ["-b", "4096", "-d", "example.com"]),
    ("bits-8192", 8192, "A key of 8192 bits takes six strings.", ["-b", "8192", "-d", "example.com"]),
    ("bits-2688", 2688, "A key whose base64 has a multiple of 250 characters ends with an empty string.", ["-b", "2688", "-d", "example.com"]),
    ("append-domain", 2048, "-a names the record in full.", ["-a", "-d", "example.com", "-s", "x"]),
    ("append-domain-not", 2048, "--noappend-domain undoes -a.", ["-a", "--noappend-domain", "-d", "example.com"]),
    ("append-localhost", 2048, "-a without a domain names localhost.", ["-a"]),
    ("no-domain", 2048, "An empty domain leaves the comment out, but not the space before it.", ["-d", ""]),
    ("domain-case", 2048, "The case of names is kept.", ["-d", "Example.COM", "-s", "Default", "-a"]),
    ("hash-list", 2048, "-h is h=, as it stands.", ["-h", "sha1:sha256"]),
    ("hash-long", 2048, "--hash-algorithms is -h.", ["--hash-algorithms=sha256:sha1"]),
    ("note", 2048, "-n is n=, in quotation marks of its own.", ["-n", "hello world"]),
    ("note-long-option", 2048, "A note may look like an option.", ["--note", "--bits"]),
    ("restrict", 2048, "-r is s=email.", ["-r"]),
    ("restrict-not", 2048, "--no-restrict undoes --restrict.", ["--restrict", "--no-restrict"]),
    ("no-subdomains", 2048, "-S is t=s.", ["-S"]),
    ("no-subdomains-long", 2048, "--nosubdomains is t=s, too.", ["--nosubdomains"]),
    ("no-subdomains-wins", 2048, "-S wins over --subdomains.", ["-S", "--subdomains"]),
    ("subdomains", 2048, "--subdomains undoes --nosubdomains.", ["--nosubdomains", "--subdomains"]),
    ("testmode", 2048, "-t is t=y.", ["-t"]),
    ("testmode-not", 2048, "--notest, abbreviated and negated, undoes -t.", ["-t", "--notest"]),
    ("both-flags", 2048, "-t and -S together.", ["-t", "-S"]),
    ("all", 2048, "All tags at once.", ["-t", "-r", "-S", "-d", "example.com", "-a", "-n", "note", "-h", "sha256"]),
    ("bundled", 2048, "Options of one letter in one argument.", ["-atrSdexample.com"]),
    ("bundled-number", 1024, "Behind the digits of -b more letters may stand.", ["-b1024ts", "x"]),
    ("attached", 1024, "Values attached to letters.", ["-b1024", "-dexample.com", "-sx"]),
    ("abbreviated", 2048, "Long options abbreviated.", ["--sel", "x", "--dom=example.com", "--test", "--ap"]),
    ("upper-case", 2048, "Long options in upper case.", ["--SELECTOR=x", "--TESTMODE"]),
    ("letters-with-two-dashes", 2048, "A letter behind two dashes.", ["--s", "x", "--t"]),
    ("plus", 2048, "A plus sign in place of two dashes.", ["+t"]),
    ("selector-with-dots", 2048, "A selector of two labels.", ["-s", "a.b", "-d", "example.com"]),
    ("selector-date", 2048, "A date as selector.", ["-s", "20250222", "-d", "mail.example.com"]),
    ("last-wins", 2048, "Of options given twice the last counts.", ["-s", "a", "-s", "b", "-d", "a.example", "-d", "b.example"]),
    ("strays", 2048, "What is no option is passed over.", ["stray", "-s", "x", "--", "-t"]),
]
UPSTREAM = [
    ("defaults", 1024, "Upstream: no h=, and 1024 bits.", []),
    ("guide", 1024, "Upstream: a domain and a selector.", ["-d", "example.com", "-s", "up"]),
    ("hash", 1024, "Upstream: h= only if asked for.", ["-h", "sha256", "-d", "example.com"]),
    ("all", 1024, "Upstream: all tags but h=.", ["-trSa", "-d", "example.com", "-n", "note"]),
]


def genkey(script, key, options):
    """What is written: the name of the file and its text."""
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        tools = directory / "tools"
        output = directory / "output"
        tools.mkdir()
        output.mkdir()
        (tools / "openssl").write_text(OPENSSL)
        (tools / "openssl").chmod(0o755)
        (tools / "opendkim-genkey").write_text(script)
        (tools / "opendkim-genkey").chmod(0o755)
        environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "KEY": str(key)}
        run = subprocess.run(
            [tools / "opendkim-genkey", *options],
            cwd=output, env=environment, capture_output=True, check=True,
        )
        assert run.stdout == b"" and run.stderr == b"", run
        (text,) = output.glob("*.txt")
        return text.name, text.read_text()


def array(words):
    return "[" + ", ".join('"' + word + '"' for word in words) + "]"


def write(name, script, cases, more):
    text = f"# Written by ../generate.py.\nsource = \"{SOURCE}\"\nrfc = \"6376 3.6.2.1\"\n"
    for case, bits, why, options in cases:
        key = f"rsa-{bits}.pem"
        file, record = genkey(script, KEYS / key, options)
        text += (
            f"\n[[case]]\nname = \"{name}-{case}\"\nwhy = \"{why}\"\n"
            f"[case.input]\nkey = \"{key}\"\noptions = {array(more + options)}\n"
            f"[case.expect]\nfile = \"{file}\"\ntext = '''\n{record}'''\n"
        )
    (HERE / "opendkim" / f"{name}.toml").write_text(text)


def main():
    debian = GENKEY.read_text()
    upstream = debian.replace("my $bits = 2048;", "my $bits = 1024;")
    upstream = upstream.replace('my $hashalgs = "sha256";', "my $hashalgs;")
    assert upstream.count("1024;") == debian.count("1024;") + 1 and "my $hashalgs;" in upstream
    write("debian", debian, CASES, [])
    write("upstream", upstream, UPSTREAM, ["--no-hash-algorithms"])


main()
