#!/usr/bin/env python3
"""Writes the cases of failure diagnosis: for each a .toml and an .eml beside this file.

A message is signed with a fixed key and then damaged in one or two known ways; the case expects
these ways, by keyword, and a detail of each. Deterministic: fixed keys (../keys), a fixed clock, and
signatures that have no randomness. Signing is the Python of ../dkim/generator, which shares no line
with the Rust crates.
"""

import base64
import json
import pathlib
import quopri
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "dkim"))

from generator import oracle  # noqa: E402
from generator.writer import (  # noqa: E402
    ED,
    NOW,
    R1024,
    R2048,
    at,
    change,
    mail,
    record,
    sign,
    zone_text,
)

FIELDS = [
    b"Received: from a.example.com by b.example.net; Tue, 14 Nov 2023 22:13:20 +0000",
    b"From: Alice <alice@example.com>",
    b"To: Bob <bob@example.net>,\r\n\tCarol <carol@example.net>",
    b"Subject: Lunch on Friday",
    b"Date: Tue, 14 Nov 2023 22:13:20 +0000",
    b"Message-ID: <1@example.com>",
    b"MIME-Version: 1.0",
    b"Content-Type: text/plain; charset=utf-8",
    b"Content-Transfer-Encoding: 7bit",
]
NAMES = "From:To:Subject:Date:Message-ID:MIME-Version:Content-Type:Content-Transfer-Encoding"
BODY = (
    b"Hello Bob,\r\n\r\nshall we have lunch on Friday?\r\nThe usual place, at noon.\r\n\r\n"
    b"-- \r\nAlice\r\n"
)
FOOTER = (
    b"_______________________________________________\r\n"
    b"lunch mailing list\r\nlunch@lists.example.org\r\n"
    b"https://lists.example.org/lunch\r\n"
)
WRITTEN = set()


def case(name, why, rfc, message, changes=(), body=None, header=None, key=R1024, zone=None):
    """Writes a case; `changes` are pairs of a keyword and what its sentence contains."""
    if name in WRITTEN:
        raise SystemExit(f"two cases named {name}")
    WRITTEN.add(name)
    zone = zone or {at(key): ("TXT", [record(key)])}
    _, cause, _ = oracle.verify(message, {k: ("TXT", v[1]) for k, v in zone.items()}, NOW)
    fails = cause in ("body-hash-mismatch", "signature-mismatch", "body-too-short")
    if fails == (header is None and body is None):
        raise SystemExit(f"{name}: the oracle says {cause}")
    text = json.dumps
    lines = [f"name = {text(name)}", f"why = {text(why)}", f"rfc = {text(rfc)}", f"now = {NOW}"]
    lines += [f"zone = '''\n{zone_text(zone)}\n'''", "", "[expect]"]
    lines += [f"header = {text(header or 'intact')}", f"body = {text(body or 'intact')}"]
    for keyword, detail in changes:
        lines += ["", "[[expect.changes]]", f"keyword = {text(keyword)}"]
        lines += [f"detail = {text(detail, ensure_ascii=False)}"]
    (HERE / f"{name}.toml").write_text("\n".join(lines) + "\n", newline="\n")
    (HERE / f"{name}.eml").write_bytes(message)


def signed(fields=FIELDS, body=BODY, h=NAMES, **how):
    return mail([sign(fields=fields, body=body, h=h, **how), *fields], body)


def in_body(name, why, rfc, damage, *changes, c="relaxed/relaxed", found="explained", **how):
    """A case with a damaged body; `damage` gets and gives a body."""
    body = how.pop("body", BODY)
    fields = how.pop("fields", FIELDS)
    head = mail([sign(fields=fields, body=body, c=c, h=NAMES, **how), *fields], b"")
    case(name, why, rfc, head + damage(body), changes, body=found)


def in_header(name, why, rfc, old, new, *changes, found="explained", **how):
    """A case with octets of the header replaced."""
    case(name, why, rfc, change(signed(**how), old, new), changes, header=found, key=how.get("key", R1024))


def without(name, fields=FIELDS):
    return [field for field in fields if not field.startswith(name)]


def body_cases():
    for c in ("simple", "relaxed"):
        in_body(
            f"footer-{c}",
            "A mailing list put its footer below the text.",
            "6376 5.3",
            lambda body: body + FOOTER,
            ("footer-added", "4 lines"),
            c=f"{c}/{c}",
        )
    in_body(
        "footer-after-blank",
        "An empty line and a footer.",
        "6376 5.3",
        lambda body: body + b"\r\n" + FOOTER,
        ("footer-added", "4 lines"),
    )
    in_body(
        "footer-no-final-line-end",
        "A signed body without final CRLF got one, and a footer.",
        "6376 3.4.4",
        lambda body: body + b"\r\n" + FOOTER,
        ("footer-added", "4 lines"),
        body=BODY[:-2],
    )
    in_body(
        "body-added",
        "Signed with an empty body; a scanner put all the text there.",
        "6376 3.4.4",
        lambda body: FOOTER,
        ("body-added", "4 lines"),
        body=b"",
    )
    in_body(
        "banner",
        "A gateway warns above the text.",
        "6376 5.3",
        lambda body: b"CAUTION: This message is from outside.\r\n\r\n" + body,
        ("banner-added", "CAUTION"),
    )
    in_body(
        "banner-and-footer",
        "A gateway warns above the text and below it.",
        "6376 5.3",
        lambda body: b"CAUTION: external\r\n" + body + FOOTER,
        ("banner-added", "CAUTION"),
        ("footer-added", "4 lines"),
    )
    in_body(
        "line-ends-lf",
        "A program wrote the body with LF alone.",
        "5322 2.3",
        lambda body: body.replace(b"\r\n", b"\n"),
        ("line-ends", "became LF"),
    )
    in_body(
        "line-ends-crlf",
        "The signer hashed LF, which became CRLF on the way.",
        "5322 2.3",
        lambda body: body.replace(b"\n", b"\r\n"),
        ("line-ends", "LF became CRLF"),
        body=BODY.replace(b"\r\n", b"\n"),
    )
    in_body(
        "line-ends-crcrlf",
        "A program made CRLF of LF where there was CRLF.",
        "5322 2.3",
        lambda body: body.replace(b"\r\n", b"\r\r\n"),
        ("line-ends", "CR CRLF"),
    )
    in_body(
        "line-ends-doubled",
        "CR and LF both became a line end.",
        "5322 2.3",
        lambda body: body.replace(b"\r\n", b"\r\n\r\n"),
        ("line-ends", "doubled"),
    )
    in_body(
        "line-ends-lf-and-footer",
        "LF alone, and a footer.",
        "5322 2.3",
        lambda body: (body + FOOTER).replace(b"\r\n", b"\n"),
        ("line-ends", "became LF"),
        ("footer-added", "4 lines"),
    )
    in_body(
        "trailing-space",
        "White space at the end of lines, under simple.",
        "6376 3.4.3",
        lambda body: body.replace(b"noon.\r\n", b"noon.  \r\n"),
        ("trailing-space-added", "end of lines"),
        c="relaxed/simple",
        body=BODY.replace(b"-- \r\n", b"--\r\n"),
    )
    in_body(
        "separator-trimmed",
        "The signature separator lost its space, under simple.",
        "3676 4.3",
        lambda body: body.replace(b"-- \r\n", b"--\r\n"),
        ("separator-trimmed", "separator"),
        c="relaxed/simple",
    )
    in_body(
        "white-space",
        "A space became two, under simple.",
        "6376 3.4.3",
        lambda body: body.replace(b"usual place", b"usual  place"),
        ("body-white-space", "white space"),
        c="relaxed/simple",
        body=BODY.replace(b"-- \r\n", b""),
    )
    in_body(
        "octet-in-body",
        "A letter of the body changed: nothing explains it.",
        "6376 6.1.3",
        lambda body: body.replace(b"noon", b"nine"),
        found="unexplained",
    )
    in_body(
        "truncated",
        "The end of the body is gone.",
        "6376 3.5",
        lambda body: body[:30],
        found="truncated",
        length=len(BODY) - 10,
        more=f"l={len(BODY) - 10};",
    )
    in_body(
        "cut-without-length",
        "The end of the body is gone, and no l= tells.",
        "6376 6.1.3",
        lambda body: body[:30],
        found="unexplained",
    )


def header_cases():
    for c in ("simple", "relaxed"):
        for name, new in (
            ("list", b"Subject: [lunch] Lunch on"),
            ("spam", b"Subject: ***SPAM*** Lunch on"),
            ("re", b"Subject: Re: Lunch on"),
            ("external", b"Subject: EXTERNAL: Lunch on"),
        ):
            tag = new[len(b"Subject: ") : -len(b" Lunch on")].decode()
            in_header(
                f"subject-{name}-{c}",
                "A tag before the subject.",
                "6376 5.3",
                b"Subject: Lunch on",
                new,
                ("subject-tag-added", f'"{tag}"'),
                c=f"{c}/{c}",
            )
    in_header(
        "subject-inner",
        "A list put its tag behind Re:.",
        "6376 5.3",
        b"Subject: Re: Lunch",
        b"Subject: Re: [lunch] Lunch",
        ("subject-tag-added", '"[lunch]"'),
        fields=[f.replace(b"Subject: ", b"Subject: Re: ") for f in FIELDS],
    )
    in_header(
        "subject-ed25519",
        "A tag before the subject, under an Ed25519 signature.",
        "8463 3",
        b"Subject: Lunch on",
        b"Subject: [lunch] Lunch on",
        ("subject-tag-added", '"[lunch]"'),
        key=ED,
    )
    in_header(
        "field-added",
        "An oversigned field was added.",
        "6376 8.15",
        b"\r\nSubject:",
        b"\r\nReply-To: list@lists.example.org\r\nSubject:",
        ("field-added", "Reply-To: list@lists.example.org"),
        h=NAMES + ":Reply-To",
    )
    in_header(
        "field-removed",
        "MIME-Version is gone.",
        "6376 5.4",
        b"MIME-Version: 1.0\r\n",
        b"",
        ("field-removed", "MIME-Version: 1.0"),
    )
    in_header(
        "encoding-removed",
        "Content-Transfer-Encoding is gone.",
        "6376 5.4",
        b"Content-Transfer-Encoding: 7bit\r\n",
        b"",
        ("field-removed", "7bit"),
    )
    in_header(
        "refolded-unfolded",
        "A fold was taken out of a field, under simple.",
        "6376 3.4.1",
        b"<bob@example.net>,\r\n\tCarol",
        b"<bob@example.net>, Carol",
        ("refolded", "To"),
        c="simple/simple",
    )
    in_header(
        "refolded-space",
        "A fold with a tab has a space now, under simple.",
        "6376 3.4.1",
        b"<bob@example.net>,\r\n\tCarol",
        b"<bob@example.net>,\r\n Carol",
        ("refolded", "To"),
        c="simple/simple",
    )
    in_header(
        "white-space-in-field",
        "Two spaces after the colon, under simple.",
        "6376 3.4.1",
        b"Subject: Lunch",
        b"Subject:  Lunch",
        ("field-white-space", "Subject"),
        c="simple/simple",
    )
    in_header(
        "name-case",
        "Message-ID became Message-Id, under simple.",
        "6376 3.4.1",
        b"\r\nMessage-ID:",
        b"\r\nMessage-Id:",
        ("name-case", "Message-ID"),
        c="simple/simple",
    )
    in_header(
        "octet-in-subject",
        "A letter of the subject changed: nothing explains it.",
        "6376 6.1.3",
        b"Lunch on",
        b"Launch on",
        found="unexplained",
    )
    in_header(
        "copied-field",
        "The subject changed, and z= has the one that was signed.",
        "6376 3.5",
        b"Subject: Lunch on Friday",
        b"Subject: Dinner",
        ("value-changed", "Lunch on Friday"),
        more="z=Subject:=20Lunch=20on=20Friday|To:=20x@example.net;",
    )
    in_header(
        "tag-and-reply-to",
        "A list tagged the subject and added an oversigned Reply-To.",
        "6376 5.3",
        b"Subject: Lunch on",
        b"Reply-To: list@lists.example.org\r\nSubject: [lunch] Lunch on",
        ("subject-tag-added", '"[lunch]"'),
        ("field-added", "Reply-To"),
        h=NAMES + ":Reply-To",
    )


def both_cases():
    message = change(signed(), b"Subject: Lunch", b"Subject: [lunch] Lunch") + FOOTER
    case(
        "list-tag-and-footer",
        "What a mailing list does: a tag before the subject and a footer below the text.",
        "6376 5.3",
        message,
        (("subject-tag-added", '"[lunch]"'), ("footer-added", "4 lines")),
        header="explained",
        body="explained",
    )
    case(
        "intact",
        "Nothing was changed: no diagnosis.",
        "6376 6.1.3",
        signed(key=R2048),
        key=R2048,
    )
    case(
        "other-key",
        "Another key is published than the one that signed.",
        "6376 3.6.2",
        signed(),
        header="unexplained",
        zone={at(R1024): ("TXT", [record(R2048)])},
    )


if __name__ == "__main__":
    body_cases()
    header_cases()
    both_cases()
    print(f"{len(WRITTEN)} cases")
