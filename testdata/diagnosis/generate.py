#!/usr/bin/env python3
"""Writes the cases of failure diagnosis: for each a .toml and an .eml beside this file.

A message is signed with a fixed key and then damaged in one or two known ways; the case expects
these ways, by keyword, and a detail of each. Deterministic: fixed keys (../keys), a fixed clock, and
signatures that have no randomness. Signing is the Python of ../dkim/generator, which shares no line
with the Rust crates.
"""

import base64
import hashlib
import json
import pathlib
import quopri
import sys
import textwrap

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "dkim"))

from generator import oracle  # noqa: E402
from generator.writer import (  # noqa: E402
    ED,
    NOW,
    R1024,
    R2047,
    R2048,
    R2048E3,
    R4096,
    TEMPLATE,
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
    for name, why, old, new, detail in (
        ("space-line-end", "The space at the end of one line was trimmed", b"noon. \r\n", b"noon.\r\n", "line 4"),
        ("space-double", "Two spaces became one", b"usual  place", b"usual place", "line 4"),
        ("space-tab", "A tab became a space", b"usual\tplace", b"usual place", "line 4"),
    ):
        in_body(
            f"{name}-removed",
            f"{why}, under simple.",
            "6376 3.4.3",
            lambda body, old=old, new=new: body.replace(old, new),
            ("space-removed", detail),
            c="relaxed/simple",
            body=BODY.replace(new, old),
        )
    flowed = BODY.replace(b"Friday?\r\n", b"Friday? \r\n").replace(b"-- \r\nAlice", b"See\r\nyou!")
    flowed = flowed.replace(b"See\r\n", b"See \r\n")
    in_body(
        "spaces-flowed-removed",
        "The spaces that make paragraphs of format=flowed were trimmed, under simple.",
        "3676 4.1",
        lambda body: body.replace(b" \r\n", b"\r\n"),
        ("space-removed", "end of lines"),
        c="relaxed/simple",
        body=flowed,
    )
    in_body(
        "spaces-sentences-removed",
        "The second space after each sentence was taken out, under simple.",
        "6376 3.4.3",
        lambda body: body.replace(b".  ", b". "),
        ("space-removed", "sentence"),
        c="relaxed/simple",
        body=BODY.replace(b"noon.", b"noon.  Bring a friend.  Or two."),
    )
    in_body(
        "empty-line-removed",
        "One of two empty lines was taken out, which relaxed counts too.",
        "6376 3.4.4",
        lambda body: body.replace(b"Bob,\r\n\r\n\r\n", b"Bob,\r\n\r\n"),
        ("empty-line-removed", "before line"),
        body=BODY.replace(b"Bob,\r\n\r\n", b"Bob,\r\n\r\n\r\n"),
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
    dotted = BODY.replace(b"The usual", b".forward\r\nThe usual")
    in_body(
        "dots-added",
        "A dot was put before a dot, and stayed.",
        "5321 4.5.2",
        lambda body: body.replace(b"\n.f", b"\n..f"),
        ("dots-added", "dot"),
        body=dotted,
    )
    in_body(
        "dots-removed",
        "Of two dots one was taken off.",
        "5321 4.5.2",
        lambda body: body.replace(b"\n..f", b"\n.f"),
        ("dots-removed", "dot"),
        body=dotted.replace(b"\n.f", b"\n..f"),
    )
    from_line = BODY.replace(b"The usual", b"From noon on, the usual")
    in_body(
        "from-quoted",
        "An mbox file put > before From.",
        "4155 2",
        lambda body: body.replace(b"\nFrom ", b"\n>From "),
        ("from-quoted", "was put before"),
        body=from_line,
    )
    in_body(
        "from-unquoted",
        "A reader of mbox files took > off >From.",
        "4155 2",
        lambda body: body.replace(b"\n>From ", b"\nFrom "),
        ("from-unquoted", "was taken off"),
        body=from_line.replace(b"\nFrom ", b"\n>From "),
    )
    long_line = BODY + b"x" * 2500 + b"\r\n"
    for name, broken in (("plain", b"\r\n"), ("space", b"\r\n "), ("sendmail", b"!\r\n ")):
        width = 998 - len(broken) + 2
        in_body(
            f"long-lines-{name}",
            "A line longer than 998 octets was broken.",
            "5322 2.1.1",
            lambda body, width=width, broken=broken: body.replace(
                b"x" * 2500,
                broken.join([b"x" * width, b"x" * width, b"x" * (2500 - 2 * width)]),
            ),
            ("long-lines-broken", "broken"),
            body=long_line,
        )
    paragraph = b" ".join([b"lunch", b"at", b"noon,", b"every", b"Friday"] * 12)
    in_body(
        "lines-wrapped",
        "A gateway wrapped a paragraph at 72.",
        "5322 2.1.1",
        lambda body: body.replace(
            paragraph, "\r\n".join(textwrap.wrap(paragraph.decode(), 72)).encode()
        ),
        ("long-lines-broken", "lines of more than 70 octets"),
        body=BODY + paragraph + b"\r\n",
    )
    tabbed = BODY + b"noon\tlunch\r\n\tin the park\r\n"
    for spaces in (8, 4, 1):
        in_body(
            f"tabs-expanded-{spaces}",
            "Tabs became spaces.",
            "6376 3.4.3",
            lambda body, spaces=spaces: body.replace(b"\t", b" " * spaces),
            ("tabs-expanded", "tabs became"),
            body=tabbed.replace(b" ", b"-") if spaces == 1 else tabbed,
            c="relaxed/simple",
        )
    in_body(
        "spaces-to-tabs",
        "Eight spaces became a tab.",
        "6376 3.4.3",
        lambda body: body.replace(b" " * 8, b"\t"),
        ("spaces-to-tabs", "spaces became tabs"),
        body=BODY + b"        indented\r\n",
        c="relaxed/simple",
    )
    umlauts = "Grüße aus Köln,\r\nund bis Freitag!\r\n".encode()
    for encoding, encode in (
        ("quoted-printable", quopri.encodestring),
        ("base64", lambda text: base64.encodebytes(text).replace(b"\n", b"\r\n")),
    ):
        fields = without(b"Content-Transfer") + [b"Content-Transfer-Encoding: 8bit"]
        now = [*without(b"Content-Transfer"), b"Content-Transfer-Encoding: " + encoding.encode()]
        head = sign(fields=fields, body=umlauts, h=NAMES)
        for with_footer in (False, True):
            text = encode(umlauts + FOOTER * with_footer)
            case(
                f"reencoded-{encoding}" + "-footer" * with_footer,
                "A relay without 8BITMIME re-encoded the text, and the field that says so."
                + " A list added its footer." * with_footer,
                "6376 5.3",
                mail([head, *now], text),
                (
                    ("value-changed", 'signed was "8bit"'),
                    ("reencoded", f"signed as 8bit and re-encoded as {encoding}"),
                    *[("footer-added", "4 lines")] * with_footer,
                ),
                header="explained",
                body="explained",
            )
    encoded = [*without(b"Content-Transfer"), b"Content-Transfer-Encoding: base64"]
    in_body(
        "base64-footer",
        "A list decoded the text, added its footer, and encoded it again.",
        "6376 5.3",
        lambda body: base64.encodebytes(umlauts + FOOTER).replace(b"\n", b"\r\n"),
        ("footer-added", "4 lines"),
        body=base64.encodebytes(umlauts).replace(b"\n", b"\r\n"),
        fields=encoded,
    )
    in_body(
        "charset",
        "A gateway made UTF-8 of ISO 8859-1.",
        "2045 6",
        lambda body: body.decode("latin-1").encode(),
        ("charset", "signed in iso-8859-1"),
        body=umlauts.decode().encode("latin-1"),
    )
    in_body(
        "final-line-end-unsigned",
        "The signer hashed the body without its last CRLF.",
        "6376 3.4.4",
        lambda body: body,
        ("final-line-end-unsigned", "final line end"),
        bh=base64.b64encode(hashlib.sha256(BODY.replace(b"-- ", b"--")[:-2]).digest()),
    )
    in_body(
        "relaxed-but-simple",
        "The signer states relaxed and hashed the simple form.",
        "6376 3.4",
        lambda body: body,
        ("body-canonicalization", "simple"),
        bh=base64.b64encode(hashlib.sha256(BODY).digest()),
    )
    multipart()
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
        "line-ends-lf-and-length",
        "LF alone makes the body shorter than l= says; it is not cut off.",
        "6376 3.5",
        lambda body: body.replace(b"\r\n", b"\n"),
        ("line-ends", "became LF"),
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


def multipart():
    """Changes in and around MIME parts."""
    content = [b"Content-Type: multipart/alternative; boundary=b1"]
    fields = without(b"Content-Type") + content
    text = (
        b"--b1\r\nContent-Type: text/plain\r\n\r\nHello Bob\r\n"
        b"--b1\r\nContent-Type: text/html\r\n\r\n<p>Hello Bob</p>\r\n--b1--\r\n"
    )
    extra = b"--b1\r\nContent-Type: text/plain\r\n\r\n" + FOOTER + b"\r\n"
    in_body(
        "part-added",
        "A list added a part with its footer.",
        "6376 5.3",
        lambda body: body.replace(b"--b1--", extra + b"--b1--"),
        ("part-added", "Content-Type: text/plain"),
        body=text,
        fields=fields,
    )
    in_body(
        "part-banner",
        "A gateway warns in the first part.",
        "6376 5.3",
        lambda body: body.replace(b"\r\nHello Bob", b"\r\nCAUTION: external\r\nHello Bob"),
        ("banner-added", "CAUTION"),
        body=text,
        fields=fields,
    )
    in_body(
        "part-footer",
        "A list put its footer in the first part.",
        "6376 5.3",
        lambda body: body.replace(b"Hello Bob\r\n", b"Hello Bob\r\n" + FOOTER, 1),
        ("part-footer-added", "4 lines"),
        body=text,
        fields=fields,
    )
    in_body(
        "parts-banner",
        "A gateway warns in both parts.",
        "6376 5.3",
        lambda body: body.replace(b"\r\nHello Bob", b"\r\nCAUTION: external\r\nHello Bob").replace(
            b"\r\n<p>Hello", b"\r\n<p>CAUTION: external</p>\r\n<p>Hello"
        ),
        ("banner-added", "CAUTION"),
        ("banner-added", "<p>CAUTION"),
        body=text,
        fields=fields,
    )
    html = b"<html><body bgcolor=white><p>Hello Bob</p></body></html>\r\n"
    html_fields = [*fields[:-1], b"Content-Type: text/html"]
    in_body(
        "html-banner",
        "A gateway warns within a line of HTML.",
        "6376 5.3",
        lambda body: body.replace(b"white>", b"white><div>CAUTION: <b>external</b></div>"),
        ("banner-added", "<div>CAUTION"),
        body=html,
        fields=html_fields,
    )
    in_body(
        "html-footer",
        "A gateway adds a disclaimer within a line of HTML.",
        "6376 5.3",
        lambda body: body.replace(b"</body>", b"<br><p>Confidential.</p></body>"),
        ("footer-added", "Confidential"),
        body=html,
        fields=html_fields,
    )
    in_body(
        "parts-banner-in-line",
        "A gateway warns in both parts, in the HTML within a line.",
        "6376 5.3",
        lambda body: body.replace(b"\r\nHello Bob", b"\r\nCAUTION: external\r\n\r\nHello Bob").replace(
            b"<body>", b"<body><p>CAUTION: external</p>"
        ),
        ("banner-added", "CAUTION"),
        ("banner-added", "<p>CAUTION"),
        body=text.replace(b"<p>Hello", b"<html><body><p>Hello"),
        fields=fields,
    )
    in_body(
        "parts-reencoded",
        "A relay re-encoded a part.",
        "6376 5.3",
        lambda body: body.replace(b": 8bit", b": quoted-printable").replace(
            "Grüße".encode(), b"Gr=C3=BC=C3=9Fe"
        ),
        ("reencoded", "signed as 8bit and re-encoded as quoted-printable"),
        body=text.replace(
            b"text/plain\r\n", b"text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
        ).replace(b"Hello Bob\r\n", "Grüße, Bob\r\n".encode(), 1),
        fields=fields,
    )
    kept = b"".join(f + b"\r\n" for f in FIELDS if f.startswith(b"Content-"))
    wrapped = b"--l\r\n" + kept + b"\r\n" + BODY + b"\r\n--l\r\n\r\n" + FOOTER + b"--l--\r\n"
    head = sign(fields=FIELDS, body=BODY, h=NAMES)
    for name, also in (("wrapped", []), ("wrapped-and-tag", [b"Subject: [lunch] Lunch on Friday"])):
        now = [f for f in FIELDS if not f.startswith(b"Content-")]
        now = [f for f in now if not (also and f.startswith(b"Subject"))] + also
        now += [b"Content-Type: multipart/mixed; boundary=l", b"Content-Transfer-Encoding: 8bit"]
        case(
            name,
            "A list made the message a part of its own." + " And tagged the subject." * bool(also),
            "6376 5.3",
            mail([head, *now], wrapped),
            (
                *[("subject-tag-added", "[lunch]")] * bool(also),
                ("value-changed", "text/plain; charset=utf-8"),
                ("value-changed", 'signed was "7bit"'),
                ("wrapped", "part 1"),
            ),
            header="explained",
            body="explained",
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
    for key in (R2047, R2048E3, R4096):
        in_header(
            f"subject-{key.selector}",
            "A tag before the subject, under a key of another size or exponent.",
            "8017 9.2",
            b"Subject: Lunch on",
            b"Subject: [lunch] Lunch on",
            ("subject-tag-added", '"[lunch]"'),
            key=key,
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


    via = b"From: Alice via lunch <lunch@lists.example.org>"
    for name, more in (
        ("reply-to", b"Reply-To: Alice <alice@example.com>"),
        ("reply-to-bare", b"Reply-To: alice@example.com"),
        ("kept", b"X-Original-From: Alice <alice@example.com>"),
    ):
        in_header(
            f"author-{name}",
            "A list replaced the author by itself, for DMARC.",
            "7960 4.1.3",
            b"\r\nFrom: Alice <alice@example.com>",
            b"\r\n" + via + b"\r\n" + more,
            ("value-changed", 'signed was "Alice <alice@example.com>"'),
        )
    in_header(
        "author-quoted",
        "A program put quotes around a name.",
        "6376 3.4.2",
        b"From: Alice <",
        b'From: "Alice" <',
        ("value-changed", 'signed was "Alice <alice@example.com>"'),
    )
    in_header(
        "charset-upper",
        "A gateway wrote the character set in upper case.",
        "6376 3.4.2",
        b"charset=utf-8",
        b'charset="UTF-8"',
        ("value-changed", "text/plain; charset=utf-8"),
    )
    in_header(
        "charset-added",
        "A gateway added a parameter.",
        "6376 3.4.2",
        b"charset=utf-8",
        b"charset=utf-8; format=flowed",
        ("value-changed", "text/plain; charset=utf-8"),
    )
    in_header(
        "mime-added",
        "A gateway added the fields of MIME, all oversigned.",
        "6376 8.15",
        b"Message-ID: <1@example.com>",
        b"Message-ID: <1@example.com>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: 7bit",
        ("field-added", "MIME-Version: 1.0"),
        ("field-added", "Content-Type: text/plain"),
        ("field-added", "Content-Transfer-Encoding: 7bit"),
        fields=FIELDS[:6],
    )
    in_header(
        "subject-encoded",
        "A relay without SMTPUTF8 made an encoded word of the subject.",
        "6532 3.2",
        "Subject: Käse am Freitag".encode(),
        b"Subject: =?utf-8?Q?K=C3=A4se_am_Freitag?=",
        ("value-changed", 'signed was "Käse am Freitag" (the same text'),
        fields=[*without(b"Subject"), "Subject: Käse am Freitag".encode()],
    )
    in_header(
        "subject-decoded",
        "A program decoded the subject.",
        "2047 2",
        b"Subject: =?UTF-8?B?S8OkcyBhbSBGcmVpdGFn?=",
        "Subject: Käs am Freitag".encode(),
        ("value-changed", "=?UTF-8?B?"),
        fields=[*without(b"Subject"), b"Subject: =?UTF-8?B?S8OkcyBhbSBGcmVpdGFn?="],
    )
    in_header(
        "subject-tag-in-word",
        "A list put its tag before the subject and encoded both.",
        "2047 2",
        b"Subject: Lunch on Friday",
        b"Subject: =?utf-8?q?=5Blunch=5D_Lunch_on_Friday?=",
        ("subject-tag-added", '"[lunch]"'),
        ("value-changed", 'signed was "Lunch on Friday" (the same text'),
    )
    in_header(
        "subject-tag-and-word",
        "A list put its tag before a subject with an encoded word, which it wrote in another way.",
        "2047 2",
        b"Subject: =?UTF-8?B?S8OkcyBhbSBGcmVpdGFn?=",
        b"Subject: [lunch] =?utf-8?q?K=C3=A4s_am_Freitag?=",
        ("subject-tag-added", '"[lunch]"'),
        ("value-changed", "=?UTF-8?B?"),
        fields=[*without(b"Subject"), b"Subject: =?UTF-8?B?S8OkcyBhbSBGcmVpdGFn?="],
    )
    in_header(
        "addresses-reordered",
        "A gateway put the recipients in another order; a comma in quotes divides nothing.",
        "5322 3.4",
        b'To: "Bee, Bob" <bob@example.net>, carol@example.net, Dan <dan@example.net>',
        b'To: carol@example.net,\r\n Dan <dan@example.net>, "Bee, Bob" <bob@example.net>',
        ("value-changed", "the same addresses"),
        fields=[
            *without(b"To"),
            b'To: "Bee, Bob" <bob@example.net>, carol@example.net, Dan <dan@example.net>',
        ],
    )
    in_header(
        "names-added",
        "A server put the names of its address book beside the addresses.",
        "5322 3.4",
        b"To: bob@example.net, carol@example.net",
        b'To: Bob Bee <bob@example.net>,\r\n "Sea, Carol" <carol@example.net>',
        ("value-changed", "the same addresses"),
        fields=[*without(b"To"), b"To: bob@example.net, carol@example.net"],
    )
    in_header(
        "name-added",
        "A server put the name of its address book beside the address.",
        "5322 3.4",
        b"To: <bob@example.net>",
        b'To: "Bee, Bob" <bob@example.net>',
        ("value-changed", 'signed was "<bob@example.net>" (the same addresses'),
        fields=[*without(b"To"), b"To: <bob@example.net>"],
    )
    in_header(
        "date-in-utc",
        "A gateway wrote the date anew, in UTC, where it was the evening before.",
        "5322 3.3",
        b"Date: Tue, 31 Oct 2023 19:13:20 -0500",
        b"Date: Wed, 1 Nov 2023 00:13:20 +0000",
        ("value-changed", 'signed was "Tue, 31 Oct 2023 19:13:20 -0500" (the same time'),
        fields=[*without(b"Date"), b"Date: Tue, 31 Oct 2023 19:13:20 -0500"],
    )
    in_header(
        "date-gmt",
        "A gateway wrote the zone of the date and a day of one digit in its own way.",
        "5322 3.3",
        b"Date: Wed, 01 Nov 2023 00:13:20 GMT",
        b"Date: Wed, 1 Nov 2023 00:13:20 +0000",
        ("value-changed", "(the same time"),
        fields=[*without(b"Date"), b"Date: Wed, 01 Nov 2023 00:13:20 GMT"],
    )
    in_header(
        "date-other-time",
        "The date is another one: no other form of it was signed.",
        "5322 3.3",
        b"Date: Tue, 14 Nov 2023 22:13:20",
        b"Date: Tue, 14 Nov 2023 22:13:21",
        found="unexplained",
    )
    in_header(
        "reordered",
        "Two signed fields changed places.",
        "6376 5.4.2",
        b"X-A: 1\r\nX-A: 2",
        b"X-A: 2\r\nX-A: 1",
        ("fields-reordered", "X-A"),
        fields=[*FIELDS, b"X-A: 1", b"X-A: 2"],
        h=NAMES + ":X-A:X-A",
    )
    in_header(
        "neighbours-swapped",
        "Of four signed fields the upper two changed places.",
        "6376 5.4.2",
        b"X-A: 1\r\nX-A: 2",
        b"X-A: 2\r\nX-A: 1",
        ("fields-reordered", "X-A"),
        fields=[*FIELDS, b"X-A: 1", b"X-A: 2", b"X-A: 3", b"X-A: 4"],
        h=NAMES + ":X-A:X-A:X-A:X-A",
    )
    in_header(
        "space-before-colon",
        "A space before a colon, under simple.",
        "6376 3.4.1",
        b"\r\nSubject: ",
        b"\r\nSubject : ",
        ("field-white-space", "Subject"),
        c="simple/simple",
    )
    in_header(
        "own-field-refolded",
        "The signature itself was folded anew, under simple.",
        "6376 3.4.1",
        b"t=1700000000;\r\n\th=",
        b"t=1700000000;\r\n h=",
        ("refolded", "DKIM-Signature"),
        c="simple/simple",
    )
    in_header(
        "all-refolded",
        "Tabs after folds became spaces in all fields, under simple.",
        "6376 3.4.1",
        b"<bob@example.net>,\r\n\tCarol <carol@example.net>\r\nReferences: <a@b>\r\n\t<c@d>",
        b"<bob@example.net>,\r\n Carol <carol@example.net>\r\nReferences: <a@b>\r\n <c@d>",
        ("refolded", "the signed fields"),
        fields=[*FIELDS[:3], b"References: <a@b>\r\n\t<c@d>", *FIELDS[3:]],
        h=NAMES + ":References",
        c="simple/simple",
    )


    in_header(
        "relaxed-but-simple-header",
        "The signer states relaxed and hashed the simple form.",
        "6376 3.4",
        b"X-Unsigned: 1",
        b"X-Unsigned: 2",
        ("header-canonicalization", "simple"),
        fields=[*FIELDS, b"X-Unsigned: 1"],
        c="simple/relaxed",
        template=TEMPLATE.replace(b"{c}", b"relaxed/relaxed"),
    )
    in_header(
        "copied-fields",
        "Three fields changed, and z= has them all.",
        "6376 3.5",
        b"Subject: Lunch on Friday\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\nMessage-ID: <1@",
        b"Subject: Dinner\r\nDate: today\r\nMessage-ID: <2@",
        ("value-changed", 'signed was "Lunch on Friday"'),
        ("value-changed", 'signed was "Tue, 14 Nov 2023 22:13:20 +0000"'),
        ("value-changed", 'signed was "<1@example.com>"'),
        more="z=Subject:Lunch=20on=20Friday|Date:Tue,=2014=20Nov=202023=2022:13:20=20+0000|"
        "Message-ID:<1@example.com>;",
    )
    in_header(
        "copied-field-injects",
        "The copy in z= would end its field and begin another: it is no value.",
        "6376 3.5",
        b"Subject: Lunch on Friday",
        b"Subject: Dinner",
        found="unexplained",
        more="z=Subject:Dinner=0D=0ASubject:Lunch=20on=20Friday;",
    )
    in_header(
        "two-octets-in-two-fields",
        "A letter of two fields changed each: nothing explains it.",
        "6376 6.1.3",
        b"Friday\r\nDate: Tue, 14",
        b"Monday\r\nDate: Mon, 13",
        found="unexplained",
    )


def both_cases():
    now = signed(h=NAMES + ":Reply-To")
    now = change(now, b"Subject: Lunch", b"Subject: [lunch] Lunch")
    now = change(
        now,
        b"\r\nFrom: Alice <alice@example.com>",
        b"\r\nFrom: Alice via lunch <lunch@lists.example.org>"
        b"\r\nReply-To: Alice <alice@example.com>",
    )
    case(
        "list-for-dmarc",
        "What a list does for DMARC: its own address in From, the author in an added Reply-To; and "
        "its tag and footer.",
        "7960 4.1.3",
        now + FOOTER,
        (
            ("subject-tag-added", '"[lunch]"'),
            ("value-changed", "Alice <alice@example.com>"),
            ("field-added", "Reply-To"),
            ("footer-added", "4 lines"),
        ),
        header="explained",
        body="explained",
    )
    of_list = (
        b"\r\nSender: lunch-bounces@lists.example.org"
        b"\r\nList-Id: <lunch.lists.example.org>"
        b"\r\nList-Unsubscribe: <https://lists.example.org/lunch>"
    )
    names = NAMES + ":Reply-To:Sender:List-Id:List-Unsubscribe"
    tagged = change(signed(h=names), b"Subject: Lunch", b"Subject: [lunch] Lunch")
    from_alice = b"\r\nFrom: Alice <alice@example.com>"
    many = [("field-added", name) for name in ("Sender", "List-Id", "List-Unsubscribe")]
    case(
        "list-fields",
        "A list added fields that were signed as absent, all at once, and its tag and footer.",
        "6376 5.4",
        change(tagged, from_alice, from_alice + of_list) + FOOTER,
        (("subject-tag-added", '"[lunch]"'), *many, ("footer-added", "4 lines")),
        header="explained",
        body="explained",
    )
    moved = b"\r\nFrom: Alice via lunch <lunch@lists.example.org>" + of_list
    case(
        "list-fields-for-dmarc",
        "The same from a list that writes its own address in From, the author in Reply-To.",
        "7960 4.1.3",
        change(tagged, from_alice, moved + b"\r\nReply-To: Alice <alice@example.com>") + FOOTER,
        (
            ("subject-tag-added", '"[lunch]"'),
            *many,
            ("value-changed", "Alice <alice@example.com>"),
            ("field-added", "Reply-To"),
            ("footer-added", "4 lines"),
        ),
        header="explained",
        body="explained",
    )
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
        header="other-key",
        zone={at(R1024): ("TXT", [record(R2048)])},
    )


if __name__ == "__main__":
    body_cases()
    header_cases()
    both_cases()
    print(f"{len(WRITTEN)} cases")
