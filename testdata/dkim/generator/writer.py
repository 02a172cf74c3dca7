"""Signs messages and writes cases; `generate.py` beside this directory begins here."""

import base64
import hashlib
import re
from pathlib import Path

from . import oracle
from .oracle import Ed25519, Rsa

HERE = Path(__file__).resolve().parent.parent
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
