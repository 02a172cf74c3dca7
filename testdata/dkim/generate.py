#!/usr/bin/env python3
"""Writes the generated DKIM cases: for each a .toml and an .eml beside this file.

Deterministic: fixed keys (../keys), a fixed clock, and signatures that have no randomness. Each
case states what it expects, and the oracle must agree before it is written. Run it after a change
and look at `git diff`. The cases of other projects stand beside the generated ones and are not
touched; their `source` says where they are from.
"""

import base64
import hashlib
import re
from pathlib import Path

import oracle
from oracle import Ed25519, Rsa

HERE = Path(__file__).resolve().parent
NOW = 1700000100

R512, R1023, R1024 = Rsa("rsa-512"), Rsa("rsa-1023"), Rsa("rsa-1024")
R2047, R2048, R2048E3 = Rsa("rsa-2047"), Rsa("rsa-2048"), Rsa("rsa-2048-e3")
R4096, R8192 = Rsa("rsa-4096"), Rsa("rsa-8192")
ED = Ed25519("ed25519")

FIELDS = [
    b"Received: from a.example.com by b.example.net; Tue, 14 Nov 2023 22:13:20 +0000",
    b"From: Alice <alice@example.com>",
    b"To: Bob <bob@example.net>",
    b"Subject: Lunch  on Friday",
    b"Date: Tue, 14 Nov 2023 22:13:20 +0000",
    b"Message-ID: <1@example.com>",
]
BODY = b"Hello Bob,\r\n\r\nlunch  on Friday?\r\n\r\nAlice\r\n"
TEMPLATE = (
    b"DKIM-Signature: v=1; a={a}; c={c}; d={d}; s={s};{more} t=1700000000;\r\n"
    b"\th={h};\r\n\tbh={bh};\r\n\tb={b}"
)

# ---- writing -------------------------------------------------------------------------------------


def b64(octets):
    return base64.b64encode(octets)


def fold(text, width=72, by=b"\r\n\t "):
    return by.join(text[start : start + width] for start in range(0, len(text), width))


def octets(text):
    return text if isinstance(text, bytes) else text.encode()


def record(key, tags=b"v=DKIM1; k={k}; ", public=None):
    """The key record of a key; `public` replaces what stands in p=."""
    public = b64(key.public()) if public is None else public
    return octets(tags).replace(b"{k}", key.record_type.encode()) + b"p=" + public


def at(key, domain="example.com"):
    return f"{key.selector}._domainkey.{domain}"


def zone_of(*keys, domain="example.com"):
    return {at(key, domain): ("TXT", [record(key)]) for key in keys}


def quoted(string):
    def escape(match):
        octet = match.group()[0]
        return b"\\" + bytes([octet]) if octet in b'"\\' else b"\\%03d" % octet

    return b'"' + re.sub(rb'["\\]|[^ -~]', escape, string) + b'"'


def zone_text(zone):
    lines = []
    for name, (kind, *data) in zone.items():
        if kind == "TXT":
            for text in data[0]:
                split = [text[i : i + 255] for i in range(0, len(text), 255)] or [b""]
                strings = text if isinstance(text, list) else split
                lines.append(f"{name}. TXT {b' '.join(map(quoted, strings)).decode()}")
        elif kind == "NODATA":
            lines.append(f"{name}. TXT NODATA")
        else:
            lines.append(f"{name}. {kind}" + "".join(f" {datum}." for datum in data))
    return "\n".join(lines)


def toml_text(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def expect_lines(expected):
    result, cause, signatures = expected
    lines = ["[expect]", f'result = "{result}"', f'cause = "{cause}"']
    for signature in signatures:
        lines += ["", "[[expect.signatures]]"]
        for key, value in signature.items():
            text = toml_text(value) if isinstance(value, str) else str(value).lower()
            lines.append(f"{key} = {text}")
    return lines


def visible(signature):
    """What a case states of a signature: its data once the syntax is right, the key once used."""
    keys = ["result", "cause"]
    if signature["result"] in ("pass", "fail", "policy", "temperror"):
        keys += ["domain", "selector", "algorithm"]
    if signature["result"] in ("pass", "fail"):
        keys += ["key_bits"] + ["testing"] * signature["testing"]
    return {key: signature[key] for key in keys if key in signature}


WRITTEN = {}


class Asked(dict):
    """A zone that remembers the names it was asked for."""

    def __init__(self, zone):
        super().__init__(zone)
        self.names = set()

    def get(self, name, default):
        self.names.add(name)
        return super().get(name, default)


def joined(kind, *data):
    if kind != "TXT":
        return kind, *data
    return "TXT", [b"".join(text) if isinstance(text, list) else text for text in data[0]]


def case(name, why, rfc, message, expect, zone=None, now=NOW, source=None):
    """Writes a case. `expect` is the cause of the message, or the causes of its signatures."""
    keep = zone is not None
    zone = zone if keep else DEFAULT_ZONE
    asked = Asked({key: joined(*value) for key, value in zone.items()})
    causes = [expect] if isinstance(expect, str) else expect
    result, cause, signatures = oracle.verify(message, asked, now)
    got = [signature["cause"] for signature in signatures] or [cause]
    if got != causes:
        raise SystemExit(f"{name}: expected {causes}, the oracle says {got}")
    if name in WRITTEN:
        raise SystemExit(f"two cases named {name}")
    WRITTEN[name] = (message, asked, now, result)
    used = {key: value for key, value in zone.items() if keep or key in asked.names}
    lines = [f"name = {toml_text(name)}", f"why = {toml_text(why)}", f"rfc = {toml_text(rfc)}"]
    lines += [f"source = {toml_text(source)}"] if source else []
    lines += [f"now = {now}"]
    lines += [f"zone = '''\n{zone_text(used)}\n'''"] if used else []
    lines += [""] + expect_lines((result, cause, [visible(each) for each in signatures]))
    (HERE / f"{name}.toml").write_text("\n".join(lines) + "\n", newline="\n")
    (HERE / f"{name}.eml").write_bytes(message)


# ---- signing -------------------------------------------------------------------------------------


def sign(
    key=R1024,
    fields=FIELDS,
    body=BODY,
    c="relaxed/relaxed",
    d="example.com",
    s=None,
    h="From:To:Subject:Date:Message-ID",
    more="",
    template=TEMPLATE,
    length=None,
    a=None,
    bh=None,
    width=72,
    sign_data=None,
):
    """The DKIM-Signature field over these fields and this body."""
    forms = c.split("/")
    header_form, body_form = forms if len(forms) == 2 else (forms[0], "simple")
    if bh is None:
        form = body_form if body_form in ("simple", "relaxed") else "simple"
        bh = b64(hashlib.sha256(oracle.canonical_body(form, body)[:length]).digest())
    values = {"a": a or key.algorithm, "c": c, "d": d, "s": s or key.selector, "h": h}
    field = template
    for tag, value in ({"more": " " * bool(more) + more} | values | {"bh": bh}).items():
        field = field.replace(b"{%s}" % tag.encode(), octets(value))
    names = [name.strip().lower() for name in re.sub(rb"\s", b"", octets(h)).split(b":")]
    form = header_form if header_form in ("simple", "relaxed") else "simple"
    all_fields = [field.replace(b"{b}", b""), *fields]
    data = oracle.header_data(form, names, all_fields, 0)
    value = (sign_data or key.sign)(data)
    return field.replace(b"{b}", fold(b64(value), width) if width else b64(value))


def mail(fields=FIELDS, body=BODY, head=b""):
    return b"".join(field + b"\r\n" for field in fields) + b"\r\n" + body


def signed(fields=FIELDS, body=BODY, **how):
    """A message with one signature on top."""
    return mail([sign(fields=fields, body=body, **how), *fields], body)


def change(message, old, new):
    if message.count(old) != 1:
        raise SystemExit(f"{old!r} stands {message.count(old)} times")
    return message.replace(old, new)


def with_field(old, new, fields=FIELDS):
    """The fields with the one that begins with `old` changed."""
    return [new if field.startswith(old) else field for field in fields]


DEFAULT_ZONE = zone_of(R1024, R2048, ED)

# ---- the cases: canonical forms (RFC 6376 3.4) ---------------------------------------------------

BODIES = {
    "empty": (b"", "An empty body is CRLF in simple form and nothing in relaxed form."),
    "crlf-only": (b"\r\n", "A body of one empty line has the canonical form of an empty one."),
    "blank-lines": (b"\r\n\r\n\r\n", "Only empty lines: all of them are trailing."),
    "no-final-crlf": (b"one\r\ntwo", "The last line end is added when it is missing."),
    "trailing-blank": (b"one\r\n\r\n\r\n", "Empty lines at the end are not signed."),
    "leading-blank": (b"\r\n\r\none\r\n", "Empty lines at the start are signed."),
    "wsp-lines": (b"one\r\n \t\r\ntwo \t \r\n", "White space at line ends and a line of it."),
    "wsp-last": (b"one\r\n \r\n\t\r\n", "Last lines of white space are empty only when relaxed."),
    "wsp-unended": (b"one\r\n  ", "A last line of white space without a line end."),
    "tabs": (b"a\tb\t\tc \t d\r\n\t lead\r\n", "Tabs are white space, also at a line's start."),
    "latin1": (b"caf\xe9 \xa0 \x85\r\n", "Octets above 127 are neither decoded nor white space."),
    "nul": (b"one\0two\0\r\n", "A NUL octet is an octet like others."),
    "bare-lf": (b"one \ntwo\n\r\n\n", "A lone LF is no line end: the space before it stays."),
    "bare-cr": (b"one \rtwo\r \r\n", "A lone CR is no line end: the space before it stays."),
    "cr-at-end": (b"one\r\ntwo\r", "A CR at the end is no line end: CRLF is added after it."),
    "crcrlf": (b"one\r\r\n\r\r\n", "CR CRLF is a CR and a line end: no empty line."),
    "dots": (b".\r\n..\r\n.x\r\n", "Dots stand as they were before SMTP doubled them."),
    "long-line": (b"x y " * 2000 + b"\r\n", "A line far beyond 998 octets is one line."),
    "many-blank": (b"one\r\n" + b"\r\n" * 3000 + b"two\r\n", "Many empty lines inside a body stay."),
    "vertical-tab": (b"a \x0b\x0c b\r\n", "VT and FF are no white space (RFC 5234: SP and HTAB)."),
}


def canonical_forms():
    pairs = ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"]
    fields = with_field(b"Subject", b"SUBJECT:  Lunch \t on\r\n\tFriday  ")
    for key in (R1024, R2048, R4096, ED):
        name = "ed25519" if key is ED else f"rsa{key.bits}"
        for pair in pairs:
            message = signed(fields, b"Hi  Bob \r\n\r\n\r\n", key=key, c=pair)
            why = f"{pair} with {name}: a fold, runs of white space, an upper-case name."
            zone = zone_of(key)
            case(f"canon-{pair.replace('/', '-')}-{name}", why, "6376 3.4", message, "verified", zone)
    keys = [R1024, ED, R2048]
    for number, (name, (body, why)) in enumerate(BODIES.items()):
        for form in ("simple", "relaxed"):
            message = signed(body=body, c=f"relaxed/{form}", key=keys[number % 3])
            section = "6376 3.4.3" if form == "simple" else "6376 3.4.4"
            case(f"body-{name}-{form}", why, section, message, "verified")
    case(
        "canon-default",
        "Without c= both forms are simple.",
        "6376 3.5",
        signed(c="simple/simple", template=TEMPLATE.replace(b" c={c};", b"")),
        "verified",
    )
    case(
        "canon-header-only",
        "c=relaxed names the header form; the body form is simple.",
        "6376 3.5",
        signed(c="relaxed", body=b"two  spaces \r\n"),
        "verified",
    )
    case(
        "canon-unknown",
        "A form nobody has defined: the signature is ignored.",
        "6376 3.5",
        signed(c="relaxed/nofws"),
        "unknown-canonicalization",
    )


HEADERS = {
    "empty-value": (b"Subject:", "A field without a value is relaxed to name and colon."),
    "space-value": (b"Subject: \t ", "A value of white space only is empty when relaxed."),
    "no-space": (b"Subject:Lunch", "No space after the colon."),
    "colon-value": (b"Subject: Re: Lunch: now", "Only the first colon ends the name."),
    "tab-fold": (b"Subject: a\r\n\tb\r\n \t c", "A fold and its white space become one space."),
    "fold-first": (b"Subject:\r\n  Lunch", "A fold directly after the colon."),
    "fold-empty": (b"Subject: a\r\n \r\n\tb", "A folded line of white space only (obs-FWS)."),
    "latin1": (b"Subject: caf\xe9  \xa0x", "Octets above 127 in a header are signed as they are."),
    "utf8": ("Subject: Mittagessen für  Jörg".encode(), "UTF-8 in a header is signed as it is."),
    "bare-lf": (b"Subject: a \n b", "A lone LF inside a value neither folds nor ends the field."),
    "bare-cr": (b"Subject: a \r b", "A lone CR inside a value neither folds nor ends the field."),
    "nul": (b"Subject: a\0 b", "A NUL octet in a value is an octet like others."),
    "long": (b"Subject: " + b"x" * 12000, "A line far beyond 998 octets."),
    "name-case": (b"sUBJECT: Lunch", "Names match in any case; relaxed makes them lower case."),
    "wsp-colon": (b"Subject \t: Lunch", "White space before the colon does not belong to the name."),
}


def headers():
    for name, (field, why) in HEADERS.items():
        for form, section in (("simple", "6376 3.4.1"), ("relaxed", "6376 3.4.2")):
            message = signed(with_field(b"Subject", field), c=f"{form}/simple", key=ED)
            case(f"header-{name}-{form}", why, section, message, "verified")
    message = signed(with_field(b"From", b"From : Alice <alice@example.com>"))
    why = "A From with a space before its colon is the From that is signed."
    case("header-from-wsp-colon", why, "6376 5.4", message, "verified")
    why = "h= may name fields that are not there: they contribute nothing."
    message = signed(h="From:Subject:X-Absent:Cc:Date:X-Absent", key=R2048)
    case("header-absent", why, "6376 5.4", message, "verified")
    message = mail([message.split(b"\r\nReceived")[0], b"Cc: Eve <eve@example.org>", *FIELDS], BODY)
    why = "A field named in h= while absent was signed as absent: adding it breaks the signature."
    case("header-absent-added", why, "6376 5.4.2", message, "signature-mismatch")
    why = "h= in another order than the message and in another case."
    message = signed(h="dATE:message-id:SUBJECT:to:from")
    case("header-order", why, "6376 5.4.2", message, "verified")
    tags = [b"X-Tag: three", b"X-Tag: two", b"X-Tag: one"]
    fields = FIELDS[:3] + tags + FIELDS[3:]
    why = "Of three fields of a name, h= naming it twice signs the lower two, the lowest first."
    message = signed(fields, h="From:X-Tag:Subject:X-Tag")
    case("header-bottom-up", why, "6376 5.4.2", message, "verified")
    why = "The upper one of three is not signed: it may change."
    case("header-bottom-up-top-changed", why, "6376 5.4.2", change(message, b"three", b"3"), "verified")
    for word in (b"two", b"one"):
        name = f"header-bottom-up-{word.decode()}-changed"
        why = f"The field `{word.decode()}` of three is signed: it may not change."
        case(name, why, "6376 5.4.2", change(message, word, b"0"), "signature-mismatch")
    why = "The lower two have changed places: the order is signed."
    swapped = b"X-Tag: one\r\nX-Tag: two"
    message = change(message, b"X-Tag: two\r\nX-Tag: one", swapped)
    case("header-bottom-up-swapped", why, "6376 5.4.2", message, "signature-mismatch")


# ---- the signature field (RFC 6376 3.5) ----------------------------------------------------------


def signature_forms():
    t = TEMPLATE
    lists = [
        ("b-first", "The tags may come in any order: b= first.", b"DKIM-Signature: b={b}; v=1; "
         b"a={a}; h={h};\r\n s={s}; c={c}; bh={bh}; d={d}"),
        ("b-middle", "b= in the middle, folded, with tags after it.", b"DKIM-Signature: v=1; "
         b"d={d}; s={s}; a={a}; c={c};\r\n\tb={b};\r\n\th={h}; bh={bh}"),
        ("b-space-before", "White space before the value of b= is deleted with it.", b"DKIM-Signature: "
         b"v=1; d={d}; s={s}; a={a}; c={c};\r\n\tb \t= \r\n {b};\r\n\th={h}; bh={bh}"),
        ("b-space-after", "White space after the value of b= is deleted with it.", b"DKIM-Signature: "
         b"v=1; d={d}; s={s}; a={a}; c={c};\r\n\tb={b} \r\n\t;\r\n\th={h}; bh={bh}"),
        ("trailing-semicolon", "A semicolon may end the list.", t + b";"),
        ("trailing-space", "White space after b= at the end of the field is deleted with it.",
         t + b" \t "),
        ("name-lower", "The name of the field in lower case.", t.replace(b"DKIM-Signature", b"dkim-signature")),
        ("name-wsp", "White space before the colon of the signature field.",
         t.replace(b"DKIM-Signature:", b"DKIM-SIGNATURE \t:")),
        ("no-space", "No white space at all.", b"DKIM-Signature:v=1;a={a};c={c};d={d};s={s};h={h};bh={bh};b={b}"),
        ("unknown-tags", "Unknown tags are signed and ignored.", t.replace(b" s=", b" foo=bar; B=x; s=")),
        ("unknown-empty", "An unknown tag with an empty value.", t.replace(b" s=", b" foo=; s=")),
        ("b-in-z", "`b=` inside another tag's value is not the signature.",
         t.replace(b" s=", b" z=Subject:=20b=3Dxyz|X:b=abc; s=")),
        ("b-named-alike", "Tags whose names end in b are not b=.", t.replace(b" s=", b" xb=abc; b_=abc; s=")),
        ("q-default", "q=dns/txt is what is assumed anyway.", t.replace(b" s=", b" q=dns/txt; s=")),
        ("q-list", "The first known query method of q= is used.",
         t.replace(b" s=", b" q=carrier/pigeon : dns/txt; s=")),
        ("v-last", "v= need not be the first tag of a signature.",
         t.replace(b"v=1; ", b"").replace(b"b={b}", b"b={b}; v=1")),
    ]
    for number, (name, why, template) in enumerate(lists):
        for form in ("simple", "relaxed"):
            key = (ED, R1024)[number % 2]
            message = signed(c=f"{form}/{form}", template=template, key=key)
            case(f"sig-{name}-{form}", why, "6376 3.7" if "b-" in name else "6376 3.5", message, "verified")
    folded = b"\r\n ".join(re.split(b" ", t.replace(b"\r\n\t", b" ")))
    folded = folded.replace(b"=", b"\r\n\t=\r\n ").replace(b";", b"\r\n ;")
    why = "Folding white space around every name, equals sign and semicolon."
    case("sig-fws-everywhere", why, "6376 3.2", signed(template=folded, key=R2048, width=9), "verified")
    why = "bh= and h= folded inside their values."
    bh = fold(b64(hashlib.sha256(oracle.canonical_body("relaxed", BODY)).digest()), 10)
    h = "From :\r\n\tTo: Subject\r\n :Date"
    case("sig-folded-values", why, "6376 3.5", signed(h=h, bh=bh, width=20, key=R2048), "verified")
    why = "b= in one line of several hundred octets."
    case("sig-unfolded", why, "6376 3.5", signed(width=0, key=R2048), "verified")
    for name, d, s in (("d-case", "EXAMPLE.com", None), ("s-dots", "example.com", "a.b-c.rsa-1024"),
                       ("s-underscore", "example.com", "_a_.rsa-1024"),
                       ("s-digits", "example.com", "2023.11")):
        why = {"d-case": "Domain names have no case.", "s-dots": "A selector may have several labels.",
               "s-underscore": "Selectors with an underscore are in use; DNS takes them.",
               "s-digits": "A selector of digits."}[name]
        zone = {f"{s or 'rsa-1024'}._domainkey.example.com": ("TXT", [record(R1024)])}
        case(f"sig-{name}", why, "6376 3.1", signed(d=d, s=s), "verified", zone)


def signature_trouble():
    t = TEMPLATE
    remove = [(tag, t.replace(b" %s={%s};" % (tag, tag), b"")) for tag in (b"a", b"d", b"s")]
    remove += [(b"v", t.replace(b" v=1;", b"")), (b"h", t.replace(b"\th={h};\r\n", b""))]
    remove += [(b"bh", t.replace(b"\tbh={bh};\r\n", b"")), (b"b", t.replace(b";\r\n\tb={b}", b""))]
    for tag, template in remove:
        why = f"{tag.decode()}= is required."
        name = f"sig-no-{tag.decode()}"
        case(name, why, "6376 6.1.1", signed(template=template), "missing-tag")
    changes = [
        ("v-2", "A version we do not know.", "6376 3.5", b"v=1;", b"v=2;", "incompatible-version"),
        ("v-1.0", "Versions are compared as text: 1.0 is not 1.", "6376 3.5", b"v=1;", b"v=1.0;",
         "incompatible-version"),
        ("v-upper", "Tag names have a case: V= is not v=.", "6376 3.2", b"v=1;", b"V=1;", "missing-tag"),
        ("a-sha1", "rsa-sha1 must not be verified any more.", "8301 3.1", b"rsa-sha256", b"rsa-sha1",
         "rsa-sha1"),
        ("a-unknown", "An algorithm nobody has defined.", "6376 3.3.4", b"rsa-sha256", b"rsa-sha512",
         "unknown-algorithm"),
        ("a-ed-sha1", "ed25519 is defined with SHA-256 only.", "8463 3", b"rsa-sha256", b"ed25519-sha1",
         "unknown-algorithm"),
        ("q-unknown", "No query method we know.", "6376 3.5", b" s=", b" q=carrier/pigeon; s=",
         "unknown-query-method"),
        ("d-twice", "A duplicate tag makes the whole list invalid.", "6376 3.2", b" s=", b" d=example.com; s=",
         "tag-list"),
        ("unknown-twice", "Also a duplicate of an unknown tag.", "6376 3.2", b" s=", b" foo=1; foo=2; s=",
         "tag-list"),
        ("empty-spec", "Two semicolons: an empty tag-spec is no tag-spec.", "6376 3.2", b" s=", b" ; s=",
         "tag-list"),
        ("no-equals", "A tag without an equals sign.", "6376 3.2", b" s=", b" foo; s=", "tag-list"),
        ("name-digit", "A tag name begins with a letter.", "6376 3.2", b" s=", b" 1a=x; s=", "tag-list"),
        ("name-space", "White space inside a tag name.", "6376 3.2", b" s=", b" fo o=x; s=", "tag-list"),
        ("name-hyphen", "A hyphen is not allowed in a tag name.", "6376 3.2", b" s=", b" x-foo=x; s=",
         "tag-list"),
        ("control", "A control character in a value.", "6376 3.2", b" s=", b" foo=a\x01b; s=", "tag-list"),
        ("d-one-label", "d= has at least two labels.", "6376 3.5", b"d=example.com", b"d=localhost",
         "bad-tag-value"),
        ("d-empty", "d= without a value.", "6376 3.5", b"d=example.com", b"d=", "bad-tag-value"),
        ("d-dot-end", "A domain-name has no dot at its end.", "6376 3.5", b"d=example.com",
         b"d=example.com.", "bad-tag-value"),
        ("d-empty-label", "An empty label in d=.", "6376 3.5", b"d=example.com", b"d=example..com",
         "bad-tag-value"),
        ("d-hyphen", "A label does not begin with a hyphen.", "6376 3.5", b"d=example.com",
         b"d=-example.com", "bad-tag-value"),
        ("d-space", "White space inside d=.", "6376 3.5", b"d=example.com", b"d=example .com",
         "bad-tag-value"),
        ("d-long-label", "A label of 64 octets.", "1035 2.3.4", b"d=example.com",
         b"d=" + b"x" * 64 + b".example.com", "bad-tag-value"),
        ("s-empty", "s= without a value.", "6376 3.5", b"s=rsa-1024", b"s=", "bad-tag-value"),
        ("s-dot-end", "A selector has no dot at its end.", "6376 3.1", b"s=rsa-1024", b"s=rsa-1024.",
         "bad-tag-value"),
        ("s-too-long", "Selector and domain together are no DNS name: longer than 253 octets.",
         "1035 2.3.4", b"s=rsa-1024", b"s=" + b".".join([b"x" * 63] * 4), "bad-tag-value"),
        ("b-empty", "b= without a value.", "6376 3.5", b"b={b}", b"b=", "bad-tag-value"),
        ("b-no-base64", "b= that is no base64.", "6376 3.5", b"b={b}", b"b=***", "bad-tag-value"),
        ("b-base64-length", "No base64 text has this length.", "6376 3.5", b"b={b}", b"b=abcde",
         "bad-tag-value"),
        ("bh-empty", "bh= without a value.", "6376 3.5", b"bh={bh}", b"bh=", "bad-tag-value"),
        ("bh-no-base64", "bh= that is no base64.", "6376 3.5", b"bh={bh}", b"bh=a%b=", "bad-tag-value"),
        ("h-empty", "h= must not be empty.", "6376 3.5", b"h={h}", b"h=", "bad-tag-value"),
        ("h-empty-name", "An empty name in h=.", "6376 3.5", b"h={h}", b"h=From::To", "bad-tag-value"),
        ("h-colon-end", "A colon at the end of h=.", "6376 3.5", b"h={h}", b"h=From:To:", "bad-tag-value"),
        ("h-no-from", "From must be signed.", "6376 6.1.1", b"h={h}", b"h=To:Subject", "from-not-signed"),
        ("i-other", "i= is in another domain than d=.", "6376 6.1.1", b" s=", b" i=a@example.org; s=",
         "domain-mismatch"),
        ("i-suffix", "The end of the text is not enough: a subdomain has a dot.", "6376 6.1.1", b" s=",
         b" i=@evilexample.com; s=", "domain-mismatch"),
        ("i-no-at", "i= without an @.", "6376 3.5", b" s=", b" i=example.com; s=", "bad-tag-value"),
        ("t-letters", "t= is a number.", "6376 3.5", b"t=1700000000", b"t=now", "bad-tag-value"),
        ("t-negative", "t= is an unsigned number.", "6376 3.5", b"t=1700000000", b"t=-1", "bad-tag-value"),
        ("t-13-digits", "t= has at most 12 digits.", "6376 3.5", b"t=1700000000", b"t=0001700000000",
         "bad-tag-value"),
        ("x-letters", "x= is a number.", "6376 3.5", b" t=", b" x=1e9; t=", "bad-tag-value"),
    ]
    for name, why, rfc, old, new, cause in changes:
        filled = b"a=rsa-sha256", b"d=example.com", b"s=rsa-1024"
        template = t
        for text in filled:
            template = template.replace(text[:2] + b"{" + text[:1] + b"}", text)
        case(f"sig-{name}", why, rfc, signed(template=change(template, old, new)), cause)
    case("sig-i-parent", "The parent of d= is not in d=.", "6376 6.1.1",
         signed(d="sub.example.com", more="i=@example.com;"), "domain-mismatch")
    case("sig-empty", "A signature field without any tag.", "6376 3.2",
         mail([b"DKIM-Signature:", *FIELDS], BODY), "tag-list")
    case("sig-words", "A signature field that is no tag list.", "6376 3.2",
         mail([b"DKIM-Signature: hello, world", *FIELDS], BODY), "tag-list")


def identities():
    for name, more, why in (
        ("same", "i=alice@example.com;", "i= in the domain of d=."),
        ("sub", "i=alice@a.b.example.com;", "i= in a subdomain of d=."),
        ("domain-only", "i=@mail.example.com;", "i= without a local-part."),
        ("case", "i=alice@Mail.EXAMPLE.com;", "The domains of i= and d= have no case."),
        ("quoted-printable", "i=al=20ice=3B@example.com;", "The local-part is dkim-quoted-printable."),
        ("quoted-at", 'i="a@example.org"@example.com;', "The last @ ends the local-part."),
    ):
        case(f"sig-i-{name}", why, "6376 3.5", signed(more=more), "verified")


# ---- l=, t=, x= ----------------------------------------------------------------------------------


def lengths():
    size = {form: len(oracle.canonical_body(form, BODY)) for form in ("simple", "relaxed")}
    for form in ("simple", "relaxed"):
        def at_length(length, text=None, form=form, **how):
            return signed(c=f"relaxed/{form}", more=f"l={text or length};", length=length, **how)

        n = size[form]
        case(f"l-exact-{form}", "l= is the size of the canonical body: all of it is signed.",
             "6376 3.5", at_length(n), "verified")
        case(f"l-short-{form}", "Octets beyond l= are not signed: not accepted unless asked for.",
             "6376 8.2", at_length(n - 5), "unsigned-content")
        case(f"l-zero-{form}", "l=0 signs nothing of the body, and is not `no limit`.", "6376 8.2",
             at_length(0), "unsigned-content")
        case(f"l-too-big-{form}", "l= is larger than the canonical body.", "6376 3.5",
             at_length(n + 1), "body-too-short")
        case(f"l-appended-{form}", "Text appended to a body signed with l=: the classic attack.",
             "6376 8.2", at_length(n) + b"Buy now!\r\n", "unsigned-content")
        case(f"l-blank-appended-{form}", "Appended empty lines are not in the canonical body.",
             "6376 3.4.3", at_length(n) + b"\r\n\r\n", "verified")
        case(f"l-changed-{form}", "A change inside the signed octets.", "6376 3.7",
             change(at_length(n - 5), b"Hello", b"Jello"), "body-hash-mismatch")
    case("l-zero-empty-body", "l=0 over an empty relaxed body: everything is signed.", "6376 3.4.4",
         signed(c="relaxed/relaxed", body=b"", more="l=0;", length=0), "verified")
    case("l-zero-simple-empty-body", "The empty simple body is CRLF: l=0 leaves it unsigned.",
         "6376 3.4.3", signed(c="relaxed/simple", body=b"", more="l=0;", length=0), "unsigned-content")
    case("l-leading-zeros", "Leading zeros count for nothing.", "6376 3.5",
         signed(more=f"l=000{size['relaxed']};"), "verified")
    case("l-76-digits", "76 digits are allowed, and larger than any body.", "6376 3.5",
         signed(more=f"l={'9' * 76};"), "body-too-short")
    case("l-77-digits", "77 digits are one too many.", "6376 3.5",
         signed(more=f"l={'0' * 75}10;"), "bad-tag-value")
    case("l-2-64", "2^64 + the right size must not wrap around.", "6376 3.5",
         signed(more=f"l={2**64 + size['relaxed']};"), "body-too-short")
    case("l-negative", "l= is an unsigned number.", "6376 3.5", signed(more="l=-1;"), "bad-tag-value")
    case("l-empty", "l= without a value.", "6376 3.5", signed(more="l=;"), "bad-tag-value")


def times():
    bare = TEMPLATE.replace(b" t=1700000000;", b"")
    for name, tags, why, cause in (
        ("t-none", "", "t= is recommended, not required.", "verified"),
        ("t-skew", f"t={NOW + 299};", "A clock 299 seconds ahead is a clock.", "verified"),
        ("t-future", f"t={NOW + 3600};", "Signed an hour from now.", "timestamp-in-future"),
        ("t-12-digits", "t=999999999999;", "12 digits are allowed; so is being far off.",
         "timestamp-in-future"),
        ("t-zero", "t=0;", "1970 is in the past.", "verified"),
        ("x-future", f"x={NOW + 1000};", "Not yet expired; x= does not need t=.", "verified"),
        ("x-now", f"x={NOW};", "Expired is past x=, not at it.", "verified"),
        ("x-past", f"t={NOW - 9000}; x={NOW - 3600};", "Expired an hour ago.", "expired"),
        ("x-12-digits", f"t={NOW}; x=999999999999;", "Expires in the year 33658.", "verified"),
        ("x-before-t", f"t={NOW}; x={NOW - 1};", "x= must be greater than t=.",
         "expiration-before-timestamp"),
        ("x-at-t", f"t={NOW}; x={NOW};", "x= must be greater than t=, not equal.",
         "expiration-before-timestamp"),
    ):
        case(f"time-{name}", why, "6376 3.5", signed(template=bare, more=tags), cause)


# ---- keys (RFC 6376 3.6, 6.1.2) ------------------------------------------------------------------


def key_records():
    rsa, ed, public = signed(), signed(key=ED), b64(R1024.public())
    half = len(public) // 2
    bare = b64(oracle.pkcs1(R1024.modulus, R1024.exponent))
    k = b"v=DKIM1; k={k}; "
    good = record(R1024)
    for name, texts, why, rfc, cause in (
        ("minimal", [b"p=" + public], "p= alone is a key record.", "6376 3.6.1", "verified"),
        ("no-v", [record(R1024, b"k=rsa; ")], "v= is recommended, not required.", "6376 3.6.1", "verified"),
        ("spaces", [b" v = DKIM1 ;\t k = rsa ; p = " + public + b" ; "], "White space around everything.",
         "6376 3.2", "verified"),
        ("pkcs1", [record(R1024, k, bare)], "p= as the RSAPublicKey the text asks for.", "6376 3.6.1",
         "verified"),
        ("p-spaces", [record(R1024, k, fold(public, 20, b" "))], "White space inside p=.", "6376 3.6.1",
         "verified"),
        ("strings", [[good[:100], good[100:101], b"", good[101:]]],
         "The strings of a TXT record are joined without a space.", "6376 3.6.2.2", "verified"),
        ("h-sha256", [record(R1024, k + b"h=sha256; ")], "h= allows SHA-256.", "6376 3.6.1", "verified"),
        ("h-list", [record(R1024, k + b"h= sha1 : foo:sha256; ")], "h= is a list.", "6376 3.6.1", "verified"),
        ("h-sha1", [record(R1024, k + b"h=sha1; ")], "h= allows SHA-1 only.", "6376 6.1.2",
         "key-hash-not-allowed"),
        ("s-star", [record(R1024, k + b"s=*; ")], "s=* is every service.", "6376 3.6.1", "verified"),
        ("s-email", [record(R1024, k + b"s=email; ")], "s=email is ours.", "6376 3.6.1", "verified"),
        ("s-list", [record(R1024, k + b"s=tlsrpt : email; ")], "s= is a list.", "6376 3.6.1", "verified"),
        ("s-other", [record(R1024, k + b"s=tlsrpt; ")], "A key for TLS reports, not for mail.", "6376 3.6.1",
         "key-not-for-email"),
        ("t-y", [record(R1024, k + b"t=y; ")], "Testing does not change what is true of the signature.",
         "6376 3.6.1", "verified"),
        ("t-list", [record(R1024, k + b"t=foo : y:s; ")], "t= is a list; unknown flags are ignored.",
         "6376 3.6.1", "verified"),
        ("t-s", [record(R1024, k + b"t=s; ")], "t=s without an i=: its domain is d=.", "6376 3.6.1", "verified"),
        ("g", [record(R1024, k + b"g=bob; ")], "g= of RFC 4871 is an unknown tag now.", "6376 C.2", "verified"),
        ("g-empty", [record(R1024, k + b"g=; ")], "An empty g= is ignored, too.", "6376 C.2", "verified"),
        ("n", [record(R1024, k + b"n=A=20note, =3D; ")], "Notes are for people.", "6376 3.6.1", "verified"),
        ("unknown-tag", [record(R1024, k + b"foo=bar; ")], "Unknown tags are ignored.", "6376 3.6.1",
         "verified"),
        ("revoked", [b"v=DKIM1; k=rsa; p="], "An empty p= revokes the key.", "6376 6.1.2", "key-revoked"),
        ("revoked-space", [b"v=DKIM1; p= ;"], "An empty p= with white space.", "6376 6.1.2", "key-revoked"),
        ("no-p", [b"v=DKIM1; k=rsa"], "p= is required.", "6376 3.6.1", "key-syntax"),
        ("v-second", [record(R1024, b"k=rsa; v=DKIM1; ")], "v= must come first.", "6376 3.6.1", "key-syntax"),
        ("p-twice", [good + b"; p=" + public], "A duplicate tag makes the list invalid.", "6376 3.2",
         "key-syntax"),
        ("garbage", [b"this is not a key"], "A TXT record that is no tag list.", "6376 6.1.2", "key-syntax"),
        ("p-no-base64", [b"v=DKIM1; p=***"], "p= that is no base64.", "6376 6.1.2", "key-syntax"),
        ("p-cut", [record(R1024, k, public[:209])], "p= cut where no base64 can end.", "6376 6.1.2",
         "key-syntax"),
        ("v-dkim2", [record(R1024, b"v=DKIM2; ")], "Another version: the record is discarded.", "6376 3.6.1",
         "no-key"),
        ("v-dkim1.0", [record(R1024, b"v=DKIM1.0; ")], "DKIM1.0 is not DKIM1.", "6376 3.6.1", "no-key"),
        ("v-lower", [record(R1024, b"v=dkim1; ")], "dkim1 is not DKIM1: the version has a case.", "6376 3.6.1",
         "no-key"),
        ("v-backslash", [record(R1024, b"v=DKIM1\\; k=rsa\\; ")],
         "Backslashes pasted from a zone file: `DKIM1\\` is not DKIM1.", "6376 3.6.1", "no-key"),
        ("spf", [b"v=spf1 -all"], "A wildcard record of SPF answers: no key.", "6376 6.1.2", "no-key"),
        ("k-mismatch", [record(ED)], "An ed25519 key and an RSA signature.", "6376 6.1.2",
         "key-type-mismatch"),
        ("k-unknown", [b"v=DKIM1; k=dsa; p=" + public], "A key type nobody has defined.", "6376 6.1.2",
         "key-type-mismatch"),
        ("two-first", [good, record(R2048)], "Two key records: the first fits.", "6376 6.1.2", "verified"),
        ("two-second", [record(R2048), good], "Two key records: the second fits.", "6376 6.1.2", "verified"),
        ("two-spf", [b"v=spf1 -all", good], "A record that is no key beside one that is.", "6376 6.1.2",
         "verified"),
        ("two-garbage", [b"\xff\0;;", good], "Garbage beside a key.", "6376 6.1.2", "verified"),
        ("two-revoked", [b"v=DKIM1; p=", good], "A revoked key beside a good one.", "6376 6.1.2", "verified"),
        ("two-type", [record(ED, public=b64(ED.public())), good],
         "An ed25519 key beside an RSA key: the one that fits a= is used.", "6376 6.1.2", "verified"),
        ("der-cut", [record(R1024, k, public[:half - half % 4])], "p= cut in the middle of the DER.",
         "6376 3.6.1", "key-unusable"),
        ("der-garbage", [record(R1024, k, b64(b"not DER at all"))], "p= is base64 of no key.", "6376 3.6.1",
         "key-unusable"),
        ("der-longer", [record(R1024, k, b64(R1024.public() + b"\0\0"))], "Octets after the DER.",
         "8017 A.1.1", "key-unusable"),
        ("ed-in-rsa", [record(R1024, k, b64(ED.public()))], "32 octets are an ed25519 key, not RSA.",
         "6376 3.6.1", "key-unusable"),
    ):
        case(f"key-{name}", why, rfc, rsa, cause, {at(R1024): ("TXT", texts)})
    prefix = bytes.fromhex("302a300506032b6570032100")
    for name, text, why, rfc, cause in (
        ("spki", record(ED, public=b64(prefix + ED.public())), "p= of ed25519 is the bare key, no SPKI.",
         "8463 4", "key-unusable"),
        ("short", record(ED, public=b64(ED.public()[:31])), "31 octets.", "8463 4", "key-unusable"),
        ("no-k", record(ED, b"v=DKIM1; "), "Without k= it is an RSA key.", "6376 3.6.1", "key-type-mismatch"),
        ("rsa", record(R1024), "An RSA key and an ed25519 signature.", "6376 6.1.2", "key-type-mismatch"),
        ("h-sha1", record(ED, k + b"h=sha1; "), "h= allows SHA-1 only.", "6376 6.1.2", "key-hash-not-allowed"),
        ("other", record(ED, public=b64(Ed25519("rfc8463").public())), "Another key.", "6376 6.1.3",
         "signature-mismatch"),
    ):
        case(f"key-ed-{name}", why, rfc, ed, cause, {at(ED): ("TXT", [text])})
    strict = {at(R1024): ("TXT", [record(R1024, k + b"t=s; ")])}
    case("key-t-s-same", "t=s and i= in d= itself.", "6376 3.6.1", signed(more="i=a@example.com;"),
         "verified", strict)
    case("key-t-s-sub", "t=s forbids i= in a subdomain.", "6376 3.6.1",
         signed(more="i=a@sub.example.com;"), "strict-domain-mismatch", strict)


def key_sizes():
    for name, key, why, cause in (
        ("512", R512, "512 bits were broken for a few dollars.", "key-too-small"),
        ("1023", R1023, "1023 bits: one below the least.", "key-too-small"),
        ("2047", R2047, "2047 bits: a modulus that does not fill its octets.", "verified"),
        ("8192", R8192, "8192 bits are verified.", "verified"),
        ("e-3", R2048E3, "The exponent 3 is small but sound.", "verified"),
    ):
        case(f"key-rsa-{name}", why, "8301 3.2", signed(key=key), cause, zone_of(key))
    wide = (1 << 8192) | R8192.modulus
    shaped = [
        ("8193", oracle.spki(wide, 65537), "8193 bits: more than we spend on a signature.", "key-too-large"),
        ("20000", oracle.spki((1 << 20000) + 1, 65537), "20001 bits.", "key-too-large"),
        ("0", oracle.spki(0, 65537), "A modulus of zero.", "key-too-small"),
        ("e-1", oracle.spki(R1024.modulus, 1), "The exponent 1 makes every text its own signature.",
         "key-unusable"),
        ("e-even", oracle.spki(R1024.modulus, 65536), "An even exponent is no exponent.", "key-unusable"),
        ("e-huge", oracle.spki(R1024.modulus, 2**32 + 1), "An exponent beyond 32 bits costs time.",
         "key-unusable"),
        ("e-modulus", oracle.spki(R1024.modulus, R1024.modulus), "An exponent as large as the modulus.",
         "key-unusable"),
    ]
    for name, octets, why, cause in shaped:
        zone = {at(R1024): ("TXT", [record(R1024, public=b64(octets))])}
        rfc = "8301 3.2" if "too" in cause else "6376 8.13"
        case(f"key-rsa-{name}", why, rfc, signed(), cause, zone)


def key_queries():
    name = at(R1024)
    for label, zone, why, cause in (
        ("nxdomain", {}, "The name does not exist.", "no-key"),
        ("nodata", {name: ("NODATA",)}, "The name exists, a TXT record does not.", "no-key"),
        ("servfail", {name: ("SERVFAIL",)}, "The servers fail: nobody knows.", "key-unavailable"),
        ("timeout", {name: ("TIMEOUT",)}, "Nobody answers: nobody knows.", "key-unavailable"),
        ("cname", {name: ("CNAME", "key.esp.example.net"), "key.esp.example.net": ("TXT", [record(R1024)])},
         "The record stands behind an alias, at a provider.", "verified"),
        ("cname-dangling", {name: ("CNAME", "gone.example.net")}, "An alias to a name that is gone.", "no-key"),
        ("cname-servfail", {name: ("CNAME", "gone.example.net"), "gone.example.net": ("SERVFAIL",)},
         "An alias to a name whose servers fail.", "key-unavailable"),
    ):
        case(f"key-{label}", why, "6376 6.1.2", signed(), cause, zone)


# ---- changes to a signed message -----------------------------------------------------------------


def mutations():
    for form in ("simple", "relaxed"):
        message = signed(c=f"{form}/{form}", key=R2048)
        flipped = re.sub(rb"(?<=\tb=)(.)", lambda m: b"A" if m[0] != b"A" else b"B", message)
        either = ("signature-mismatch", "verified")[form == "relaxed"]
        body = ("body-hash-mismatch", "verified")[form == "relaxed"]
        relaxed = form == "relaxed"
        section = "6376 3.4.2" if relaxed else "6376 3.4.1"
        in_body = "6376 3.4.4" if relaxed else "6376 3.4.3"
        changes = [
            ("body-octet", b"Hello", b"Hallo", "One octet of the body.", "body-hash-mismatch", "6376 6.1.3"),
            ("body-case", b"Hello", b"hello", "The case of a letter in the body.", "body-hash-mismatch",
             "6376 6.1.3"),
            ("body-line", b"Alice\r\n", b"Ali\r\nce\r\n", "A line broken in two.", "body-hash-mismatch",
             "6376 6.1.3"),
            ("body-space-added", b"Bob,\r\n", b"Bob, \r\n", "A space added at the end of a line.", body, in_body),
            ("body-space-run", b"lunch  on", b"lunch on", "Two spaces became one.", body, in_body),
            ("body-space-gone", b"lunch  on", b"lunchon", "White space is gone altogether.",
             "body-hash-mismatch", in_body),
            ("body-cut", b"\r\nAlice\r\n", b"", "The last line is gone.", "body-hash-mismatch", "6376 6.1.3"),
            ("body-blank-added", b"Alice\r\n", b"Alice\r\n\r\n\r\n", "Empty lines added at the end.", "verified",
             in_body),
            ("body-end-gone", b"Alice\r\n", b"Alice", "The last line end is gone.", "verified", in_body),
            ("subject-octet", b"Lunch ", b"Launch ", "A letter of a signed field.", "signature-mismatch",
             "6376 6.1.3"),
            ("subject-case", b"Lunch ", b"LUNCH ", "The case of a signed value.", "signature-mismatch",
             "6376 6.1.3"),
            ("subject-run", b"Lunch  on", b"Lunch on", "Two spaces of a signed field became one.", either, section),
            ("subject-refolded", b"Lunch  on", b"Lunch\r\n on", "A signed field folded on the way.", either, section),
            ("subject-end-space", b"Friday\r\nDate", b"Friday \r\nDate", "White space at the end of a field.", either,
             section),
            ("subject-gone", b"Subject: Lunch  on Friday\r\n", b"", "A signed field is gone.", "signature-mismatch",
             "6376 6.1.3"),
            ("name-case", b"\r\nSubject:", b"\r\nSUBJECT:", "The case of a signed field's name.", either, section),
            ("name-wsp", b"\r\nSubject:", b"\r\nSubject :", "White space before the colon.", either, section),
            ("unsigned-field", b"by b.example.net", b"by c.example.net", "A field that is not signed.", "verified",
             "6376 5.4"),
            ("sig-octet", b"t=1700000000", b"t=1700000001", "A digit in the signature field itself.",
             "signature-mismatch", "6376 3.7"),
            ("sig-refolded", b";\r\n\tbh=", b"; bh=", "The signature field refolded on the way.", either, section),
        ]
        for name, old, new, why, cause, rfc in changes:
            case(f"change-{name}-{form}", why, rfc, change(message, old, new), cause)
        case(f"change-b-{form}", "One letter of b=.", "6376 6.1.3", flipped, "signature-mismatch")
        spaced = re.sub(rb"(?<=\tb=)(.{9})", rb"\1\r\n\t  ", message)
        case(f"change-b-refolded-{form}", "b= is deleted before hashing: its folds may change.", "6376 3.7",
             spaced, "verified")
        case(f"change-trace-{form}", "Fields added above by relays.", "6376 5.4",
             b"Received: from x by y; Tue, 14 Nov 2023 22:14:00 +0000\r\nX-Spam: no\r\n" + message, "verified")
        body_only = [sign(c=f"{form}/{form}"), *FIELDS]
        case(f"change-order-{form}", "Fields of different names may change places.", "6376 5.4.2",
             mail([body_only[3], body_only[0], body_only[1], body_only[2], *body_only[4:]], BODY), "verified")
    zero = b64(b"\0" * 32)
    case("change-bh", "bh= of another body: the body hash is compared first.", "6376 6.1.3", signed(bh=zero),
         "body-hash-mismatch")


def forged_padding():
    """RFC 8017 8.2.2: the padded block is compared as a whole, nothing is read out of it."""
    def forged(key, why, name, make):
        message = signed(key=key, sign_data=make)
        case(f"rsa-{name}", why, "8017 8.2.2", message, "signature-mismatch", zone_of(key))

    digest = lambda data: oracle.SHA256_PREFIX + hashlib.sha256(data).digest()
    for key in (R1024, R2048E3):
        size = key.size
        forged(key, "Short padding and free octets at the end: the forgery that needs no key when e=3.",
               f"padding-short-{key.selector}",
               lambda data, key=key, size=size: key.raw(
                   (b"\0\1" + b"\xff" * 8 + b"\0" + digest(data)).ljust(size, b"\x55")))
    key = R1024
    forged(key, "One octet of the padding is not FF.", "padding-octet",
           lambda data: key.raw(change(key.padded(data), b"\0\1\xff", b"\0\1\xfe")))
    forged(key, "Block type 2 is that of encryption.", "block-type",
           lambda data: key.raw(change(key.padded(data), b"\0\1\xff", b"\0\2\xff")))
    forged(key, "The digest alone, without its DigestInfo.", "digest-bare",
           lambda data: key.raw((b"\0\1" + b"\xff" * 93 + b"\0" + hashlib.sha256(data).digest())))
    forged(key, "The DigestInfo says SHA-1.", "digest-sha1",
           lambda data: key.raw(b"\0\1" + b"\xff" * (128 - 38) + b"\0"
                                + bytes.fromhex("3021300906052b0e03021a05000414")
                                + hashlib.sha1(data).digest()))
    forged(key, "The signature is one octet longer than the modulus.", "longer",
           lambda data: b"\0" + key.sign(data))
    forged(key, "The signature is cut by one octet.", "shorter", lambda data: key.sign(data)[:-1])
    forged(key, "The signature of nothing: one.", "one", lambda data: (1).to_bytes(128, "big"))
    forged(key, "The signature of nothing: zero.", "zero", lambda data: bytes(128))
    forged(key, "A signature made with another key.", "other-key", lambda data: R2048.sign(data)[:128])

    def beyond(data):
        number = int.from_bytes(key.sign(data), "big") + key.modulus
        return number.to_bytes(128, "big")

    fields = list(FIELDS)
    for attempt in range(50):
        fields[5] = b"Message-ID: <%d@example.com>" % attempt
        try:
            message = signed(fields, sign_data=beyond)
            break
        except OverflowError:
            continue
    case("rsa-beyond-modulus", "Signature plus modulus is the same number only to careless arithmetic.",
         "8017 5.2.2", message, "signature-mismatch")

    def moved(data):
        signature = ED.sign(data)
        s = int.from_bytes(signature[32:], "little") + oracle.L
        return signature[:32] + s.to_bytes(32, "little")

    case("ed25519-beyond-order", "S plus the order of the group: a second signature from a first.",
         "8032 5.1.7", signed(key=ED, sign_data=moved), "signature-mismatch")
    case("ed25519-not-hashed", "The data itself is signed, not its SHA-256.", "8463 3",
         signed(key=ED, sign_data=lambda data: oracle.ed25519_sign(ED.seed, data)), "signature-mismatch")
    case("ed25519-cut", "63 octets are no ed25519 signature.", "8032 5.1.7",
         signed(key=ED, sign_data=lambda data: ED.sign(data)[:63]), "signature-mismatch")
    case("ed25519-longer", "65 octets are no ed25519 signature.", "8032 5.1.7",
         signed(key=ED, sign_data=lambda data: ED.sign(data) + b"\0"), "signature-mismatch")


def duplicates():
    h = "From:From:To:To:Subject:Subject:Date:Date:Content-Type:Content-Type"
    fields = [*FIELDS, b"Content-Type: text/plain"]
    for name in (b"From", b"Subject", b"To", b"Date", b"Content-Type"):
        extra = {b"From": b"From: Eve <eve@example.org>", b"Subject": b"Subject: Urgent!",
                 b"To": b"To: Eve <eve@example.org>", b"Date": b"Date: Wed, 15 Nov 2023 00:00:00 +0000",
                 b"Content-Type": b"Content-Type: text/html"}[name]
        text = name.decode()
        short = text.lower()
        plain = "From:To:Subject:Date:Content-Type"
        case(f"twice-{short}-oversigned", f"A second {text} above one that is signed as the only one.",
             "6376 8.15", extra + b"\r\n" + signed(fields, h=h), "signature-mismatch")
        case(f"twice-{short}", f"A second {text} above the signed one: readers may show it.",
             "6376 8.15", extra + b"\r\n" + signed(fields, h=plain), "unsigned-duplicate")
    case("twice-subject-below", "A second Subject below the signed one is taken instead of it.", "6376 5.4.2",
         change(signed(), b"\r\n\r\nHello", b"\r\nSubject: Urgent!\r\n\r\nHello"), "signature-mismatch")
    case("twice-from-both-signed", "Two Froms, both signed: DKIM passes, DMARC has to see to it.", "6376 8.15",
         signed([b"From: Eve <eve@example.org>", *FIELDS], h="From:From:Subject"), "verified")
    case("twice-from-wsp-colon", "A second From with a space before its colon is a second From.", "6376 8.15",
         b"From : Eve <eve@example.org>\r\n" + signed(), "unsigned-duplicate")
    case("twice-subject-case", "A second Subject in another case is a second Subject.", "6376 8.15",
         b"sUbJeCt: Urgent!\r\n" + signed(), "unsigned-duplicate")
    case("twice-received", "Fields that may be repeated may be repeated.", "6376 5.4",
         b"Received: from x by y; Tue, 14 Nov 2023 22:14:00 +0000\r\n" + signed(h="From:Received"), "verified")
    case("oversigned", "Fields named once more than they occur, with nothing added.", "6376 5.4.2",
         signed(fields, h=h, key=R2048), "verified")


# ---- several signatures --------------------------------------------------------------------------


def several():
    ed, rsa, big = sign(key=ED), sign(), sign(key=R2048)
    bad, syntax = change(rsa, b"t=1700000000", b"t=1700000009"), b"DKIM-Signature: v=1; a=rsa-sha256"

    def stack(*fields):
        return mail([*fields, *FIELDS], BODY)

    broken = {at(R1024): ("SERVFAIL",), at(ED): ("TXT", [record(ED)])}
    for name, message, causes, why, zone in (
        ("rsa-ed", stack(rsa, ed), ["verified", "verified"], "An RSA and an ed25519 signature.", None),
        ("same-key", stack(rsa, sign(c="simple/simple")), ["verified", "verified"],
         "Two signatures with one key: one question.", None),
        ("twice", stack(rsa, rsa), ["verified", "verified"], "The same signature twice.", None),
        ("good-bad", stack(ed, bad), ["verified", "signature-mismatch"], "One good signature is enough.", None),
        ("bad-good", stack(bad, ed), ["signature-mismatch", "verified"], "Their order has no meaning.", None),
        ("syntax-good", stack(syntax, ed), ["missing-tag", "verified"],
         "A field we cannot read does not harm the one below.", None),
        ("temporary-good", stack(rsa, ed), ["key-unavailable", "verified"],
         "A key that cannot be had now, and a good signature.", broken),
        ("temporary-bad", stack(rsa, sign(key=ED, bh=b64(bytes(32)))), ["key-unavailable", "body-hash-mismatch"],
         "Temporary trouble outweighs a failure: later it may pass.", broken),
        ("fail-permerror", stack(sign(key=R2047), bad), ["no-key", "signature-mismatch"],
         "A failure tells more than a missing key.", None),
        ("domains", stack(sign(key=R2048, d="esp.example.net"), rsa), ["verified", "verified"],
         "The author's domain and its provider.",
         {**zone_of(R1024), **zone_of(R2048, domain="esp.example.net")}),
        ("three", stack(rsa, ed, big), ["verified"] * 3, "Three keys.", None),
    ):
        case(f"several-{name}", why, "6376 6.1", message, causes, zone)
    covering = sign(fields=[ed, *FIELDS], h="From:Subject:DKIM-Signature", key=R2048)
    why = "h= names DKIM-Signature: the one below is signed, never the field itself."
    case("several-signed-signature", why, "6376 3.5", stack(covering, ed), ["verified", "verified"])
    changed = stack(covering, change(ed, b"\r\n\tbh=", b" bh=").replace(b"t=1700000000", b"t=1700000003"))
    why = "h= names DKIM-Signature: a change to the one below breaks both."
    case("several-signed-signature-changed", why, "6376 3.5", changed, ["signature-mismatch"] * 2)
    why = "At most 10 signatures are verified; the others are told to be beyond the limit."
    case("several-11", why, "6376 6.1", stack(*[ed] * 11), ["verified"] * 10 + ["limit"])
    case("several-10", "10 signatures are verified.", "6376 6.1", stack(*[ed] * 10), ["verified"] * 10)
    why = "Fields we cannot read do not use up the signatures we verify."
    case("several-12-syntax", why, "6376 6.1", stack(*[syntax] * 12, ed), ["missing-tag"] * 12 + ["verified"])
    why = "At most 50 signature fields are read."
    case("several-51", why, "6376 6.1", stack(*[syntax] * 50, ed), ["missing-tag"] * 50 + ["limit"])


# ---- messages ------------------------------------------------------------------------------------


def messages():
    top, rest = signed().split(b"Received", 1)
    rest = b"Received" + rest
    case("unsigned", "A message without a signature.", "8601 2.7.1", mail(FIELDS, BODY), "unsigned")
    case("unsigned-empty", "No octets at all.", "8601 2.7.1", b"", "unsigned")
    case("unsigned-blank", "An empty header.", "8601 2.7.1", b"\r\nFrom: a@example.com\r\n", "unsigned")
    case("unsigned-alike", "Fields that are not named DKIM-Signature.", "6376 3.5",
         mail([b"X-" + sign(), b"DKIM-Signatures: v=1", *FIELDS], BODY), "unsigned")
    case("unsigned-in-body", "A signature in the body is text.", "6376 3.5", mail(FIELDS, sign() + b"\r\n\r\n" + BODY),
         "unsigned")
    fields = [sign(body=b"", c="relaxed/simple"), *FIELDS]
    case("message-no-blank-line", "No empty line after the header: there is no body.", "5322 3.5",
         mail(fields, b"")[:-2], "verified")
    case("message-no-line-end", "The header ends without a line end.", "5322 3.5", mail(fields, b"")[:-4], "verified")
    case("message-no-body", "The empty line, and nothing after it.", "6376 3.4.3", mail(fields, b""), "verified")
    case("message-wsp-first", "The first line begins with a space: it belongs to no field.", "6376 3.8",
         b" folded: nothing\r\n" + top + rest, "verified")
    case("message-no-colon", "A line without a colon in the header is no field, and no end of it.", "6376 3.8",
         top + b"this is no field\r\n" + rest, "verified")
    case("message-empty-name", "A line with nothing before its colon.", "6376 3.8", top + b": x\r\n" + rest,
         "verified")
    case("message-name-octet", "A field name with an octet that is not allowed.", "6376 3.8",
         top + b"X\xe9: x\r\n" + rest, "verified")
    case("message-no-from", "From is named in h= and the message has none: nothing to sign, nothing wrong.",
         "6376 5.4", signed(fields=[FIELDS[0], *FIELDS[2:]]), "verified")
    case("message-signature-last", "The signature stands below the fields it signs.", "6376 5.6",
         mail([*FIELDS, sign()], BODY), "verified")
    case("message-signature-between", "The signature stands between the fields it signs.", "6376 5.6",
         mail([*FIELDS[:3], sign(), *FIELDS[3:]], BODY), "verified")


def internationalized():
    zone = zone_of(ED, domain="xn--bcher-kva.example")
    u, a = "b\u00fccher.example", "xn--bcher-kva.example"
    case("eai-u-label", "A domain in U-labels: asked for in A-labels, hashed as written.", "8616 5",
         signed(key=ED, d=u), "verified", zone)
    case("eai-a-label", "A domain in A-labels.", "8616 5", signed(key=ED, d=a), "verified", zone)
    case("eai-selector", "A selector in U-labels.", "8616 5", signed(key=ED, s="schl\u00fcssel"), "verified",
         {"xn--schlssel-95a._domainkey.example.com": ("TXT", [record(ED)])})
    case("eai-i", "i= in U-labels, with a local-part in UTF-8.", "8616 5",
         signed(key=ED, d=u, more=f"i=j\u00f6rg@post.{u};"), "verified", zone)
    case("eai-i-mixed", "i= in U-labels and d= in A-labels are the same domain.", "8616 5",
         signed(key=ED, d=a, more=f"i=@{u};"), "verified", zone)
    case("eai-i-other", "i= in another internationalized domain.", "8616 5",
         signed(key=ED, d=u, more="i=@b\u00f6cher.example;"), "domain-mismatch", zone)
    case("eai-upper", "U-labels in upper case are the same domain.", "5891 5.2", signed(key=ED, d=u.upper()),
         "verified", zone)
    case("eai-swapped", "The domain rewritten to A-labels on the way: the hash is over what was written.",
         "8616 5", change(signed(key=ED, d=u), u.encode(), a.encode()), "signature-mismatch", zone)
    case("eai-bad-label", "U+2000 is in no domain name.", "5892 2", signed(key=ED, d="a\u2000b.example"),
         "bad-tag-value")


def attacks():
    zone = zone_of(R1024, domain="attack.com") | {
        "selector._domainkey.attack.com": ("TXT", [record(R1024)]),
        "selector._domainkey.legitimate.com": ("TXT", [record(R1024)]),
    }
    source = "espoofer, github.com/chenjj/espoofer 60e5ed0 (MIT): server_{}; message and key our own"
    fields = with_field(b"From", b"From: <admin@legitimate.com>")
    case("attack-nul-selector", "A NUL in s= cuts the name in C: the attacker's key answers for d=.", "6376 3.2",
         signed(fields, d="legitimate.com", s="selector._domainkey.attack.com.\0.any"), "tag-list", zone,
         source=source.format("a3"))
    for name, octet in (("quote", "'"), ("parenthesis", "("), ("double-quote", '"')):
        d = f"legitimate.com{octet}a.attack.com"
        case(f"attack-{name}-domain", "d= that a careless reader of Authentication-Results cuts short.",
             "6376 3.5", signed(fields, d=d, s="selector"), "bad-tag-value", zone, source=source.format("a4"))
    case("attack-newline-domain", "d= with a fold inside: no name, and no new line in anyone's log.", "6376 3.5",
         signed(fields, d="legitimate.com\r\n .attack.com", s="selector"), "bad-tag-value", zone)
    case("attack-slash-selector", "s= with a slash is no selector.", "6376 3.1",
         signed(fields, d="attack.com", s="a/../selector"), "bad-tag-value", zone)
    case("attack-domainkey-domain", "Another domain's key through a selector that names it is only a name.",
         "6376 3.6.2.1", signed(fields, d="legitimate.com", s="selector._domainkey.attack.com"), "no-key", zone)


# ---- the RFCs' own examples ----------------------------------------------------------------------


def rfc_examples(directory):
    """The messages stand beside already: they are octets of the RFCs, not made here."""
    def stored(name):
        return (directory / f"{name}.eml").read_bytes()

    zone = {"brisbane._domainkey.example.com": ("TXT", [record(Rsa("rfc6376"), b"v=DKIM1; ")])}
    two = {
        "brisbane._domainkey.football.example.com": ("TXT", [record(Ed25519("rfc8463"))]),
        "test._domainkey.football.example.com": ("TXT", [record(Rsa("rfc8463-rsa"))]),
    }
    for name, rfc, zone, expect, why in (
        ("rfc6376-a2", "6376 A.2", zone, "verified",
         "The RFC's example as it was signed: folds of six spaces, one space after `game.`."),
        ("rfc6376-a2-printed", "6376 A.2", zone, "body-hash-mismatch",
         "The RFC's example as it is printed: spaces were changed, and simple form tells."),
        ("rfc6376-a3-printed", "6376 A.3", zone, "body-hash-mismatch",
         "The verified example as it is printed: refolded."),
        ("rfc8463-a3", "8463 A.3", two, ["verified", "verified"], "One message, ed25519 and RSA."),
    ):
        source = f"RFC {rfc} (IETF Trust, example)"
        case(name, why, rfc, stored(name), expect, zone, source=source)


def main():
    canonical_forms()
    headers()
    signature_forms()
    signature_trouble()
    identities()
    lengths()
    times()
    key_records()
    key_sizes()
    key_queries()
    mutations()
    forged_padding()
    duplicates()
    several()
    messages()
    internationalized()
    attacks()
    rfc_examples(HERE)
    print(f"{len(WRITTEN)} cases")


if __name__ == "__main__":
    main()
