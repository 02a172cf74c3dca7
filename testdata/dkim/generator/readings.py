"""Where the RFC can be read in two ways, or others read it otherwise than we do.

Apart from the one doubtful thing, every message here verifies; so the key is always in the zone.
"""

from . import writer
from .writer import (
    BODY,
    ED,
    FIELDS,
    R1024,
    R2048,
    TEMPLATE,
    at,
    b64,
    mail,
    record,
    sign,
    signed,
    zone_of,
)


def case(name, why, rfc, message, expect, zone=None):
    writer.case(name, why, rfc, message, expect, zone_of(R1024) if zone is None else zone)


def own_signature():
    case(
        "sig-h-own",
        "h= names DKIM-Signature, and there is no other: the field never signs itself twice.",
        "6376 5.4",
        signed(h="From:To:Subject:DKIM-Signature"),
        "verified",
    )
    upper = sign(key=ED)
    lower = sign(fields=[upper, *FIELDS], h="From:To:DKIM-Signature", key=R2048)
    case(
        "several-signed-signature-above",
        "h= names DKIM-Signature, and the field's own is the lowest: the one above is signed.",
        "6376 5.4",
        mail([upper, lower, *FIELDS], BODY),
        ["verified", "verified"],
        zone_of(R2048, ED),
    )


def without_case():
    """RFC 5234 2.3: the literals of the grammar have no case."""
    words = [
        ("sig-a-upper", TEMPLATE.replace(b"a={a}", b"a=RSA-SHA256"), "a="),
        ("canon-upper", TEMPLATE.replace(b"c={c}", b"c=Relaxed/RELAXED"), "c="),
        ("sig-q-upper", TEMPLATE.replace(b"{more}", b" q=DNS/TXT;"), "q="),
    ]
    for name, template, tag in words:
        why = f"The words of {tag} are literals of the grammar, which have no case."
        case(name, why, "6376 3.5", signed(template=template), "verified")
    for name, tags, cause in (
        ("k", b"v=DKIM1; k=RSA; ", "verified"),
        ("h", b"v=DKIM1; h=SHA1:SHA256; ", "verified"),
        ("s", b"v=DKIM1; s=EMail; ", "verified"),
        ("t", b"v=DKIM1; t=S; ", "strict-domain-mismatch"),
    ):
        why = f"The words of {name}= are literals of the grammar, which have no case."
        zone = {at(R1024): ("TXT", [record(R1024, tags)])}
        message = signed(more="i=alice@sub.example.com;")
        case(f"key-{name}-upper", why, "6376 3.6.1", message, cause, zone)


def signature_values():
    h = "From:To:Sub\r\n\t ject"
    why = "White space inside a name of h=: it may stand beside the colons only."
    case("sig-h-space-in-name", why, "6376 3.5", signed(h=h), "bad-tag-value")
    why = "A name beyond ASCII in h=: RFC 6532 leaves the names of fields as they were."
    case("sig-h-utf8", why, "6532 3.1", signed(h="From:To:Übung"), "bad-tag-value")
    underscore = "my_company.example.com"
    case(
        "sig-d-underscore",
        "An underscore in d=, which no domain-name of the grammar has.",
        "6376 3.5",
        signed(d=underscore),
        "bad-tag-value",
        zone_of(R1024, domain=underscore),
    )
    for name, more, cause, why in (
        (
            "bad-quoted-printable",
            "i=al=ice@example.com;",
            "bad-tag-value",
            "An equals sign in i= without two hexadecimal digits after it.",
        ),
        (
            "quoted-printable-domain",
            "i=alice@ex=61mple.com;",
            "verified",
            "The whole value of i= is dkim-quoted-printable, the domain too.",
        ),
        (
            "empty-label",
            "i=alice@.example.com;",
            "bad-tag-value",
            "An empty label in the domain of i=, which ends like d=.",
        ),
    ):
        case(f"sig-i-{name}", why, "6376 3.5", signed(more=more), cause)
    case(
        "sig-latin1",
        "An unknown tag with an octet that is no UTF-8: the list is none.",
        "8616 5",
        signed(template=TEMPLATE.replace(b"{more}", b" note=caf\xe9;")),
        "tag-list",
    )
    case(
        "canon-three",
        "c= names one algorithm or two, not three.",
        "6376 3.5",
        signed(template=TEMPLATE.replace(b"c={c}", b"c=relaxed/relaxed/relaxed")),
        "unknown-canonicalization",
    )
    case(
        "twice-subject-unsigned",
        "Two Subjects, of which the signature says nothing: it says no less for them being two.",
        "6376 8.15",
        b"Subject: Urgent!\r\n" + signed(h="From:To:Date"),
        "verified",
    )


def key_values():
    public = b64(R1024.public())
    for name, text, cause, why in (
        (
            "p-excess-padding",
            record(R1024, public=public + b"="),
            "key-syntax",
            "An equals sign after groups of four that are full.",
        ),
        (
            "line-end",
            record(R1024) + b"\n",
            "key-syntax",
            "A line feed at the end, which was pasted with the record.",
        ),
        (
            "latin1",
            record(R1024, b"v=DKIM1; n=caf\xe9; "),
            "key-syntax",
            "A note with an octet that is no UTF-8.",
        ),
        (
            "h-empty",
            record(R1024, b"v=DKIM1; h=; "),
            "key-hash-not-allowed",
            "h= that names nothing: an empty value is not an omitted tag.",
        ),
        (
            "s-empty",
            record(R1024, b"v=DKIM1; s=; "),
            "key-not-for-email",
            "s= that names nothing: an empty value is not an omitted tag.",
        ),
        (
            "h-space-in-name",
            record(R1024, b"v=DKIM1; h=sha 256; "),
            "key-hash-not-allowed",
            "White space inside a name of h=: it may stand beside the colons only.",
        ),
    ):
        zone = {at(R1024): ("TXT", [text])}
        case(f"key-{name}", why, "6376 3.2", signed(), cause, zone)


def cases():
    own_signature()
    without_case()
    signature_values()
    key_values()
