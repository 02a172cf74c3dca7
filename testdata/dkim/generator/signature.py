"""The DKIM-Signature field (RFC 6376 3.5): its forms, its errors, l=, t= and x=."""

import hashlib
import re

from . import oracle
from .writer import (
    BODY,
    ED,
    FIELDS,
    NOW,
    R1024,
    R2048,
    TEMPLATE,
    b64,
    case,
    change,
    fold,
    mail,
    record,
    signed,
)


def signature_forms():
    t = TEMPLATE
    lists = [
        (
            "b-first",
            "The tags may come in any order: b= first.",
            b"DKIM-Signature: b={b}; v=1; " b"a={a}; h={h};\r\n s={s}; c={c}; bh={bh}; d={d}",
        ),
        (
            "b-middle",
            "b= in the middle, folded, with tags after it.",
            b"DKIM-Signature: v=1; " b"d={d}; s={s}; a={a}; c={c};\r\n\tb={b};\r\n\th={h}; bh={bh}",
        ),
        (
            "b-space-before",
            "White space before the value of b= is deleted with it.",
            b"DKIM-Signature: "
            b"v=1; d={d}; s={s}; a={a}; c={c};\r\n\tb \t= \r\n {b};\r\n\th={h}; bh={bh}",
        ),
        (
            "b-space-after",
            "White space after the value of b= is deleted with it.",
            b"DKIM-Signature: "
            b"v=1; d={d}; s={s}; a={a}; c={c};\r\n\tb={b} \r\n\t;\r\n\th={h}; bh={bh}",
        ),
        ("trailing-semicolon", "A semicolon may end the list.", t + b";"),
        (
            "trailing-space",
            "White space after b= at the end of the field is deleted with it.",
            t + b" \t ",
        ),
        (
            "name-lower",
            "The name of the field in lower case.",
            t.replace(b"DKIM-Signature", b"dkim-signature"),
        ),
        (
            "name-wsp",
            "White space before the colon of the signature field.",
            t.replace(b"DKIM-Signature:", b"DKIM-SIGNATURE \t:"),
        ),
        (
            "no-space",
            "No white space at all.",
            b"DKIM-Signature:v=1;a={a};c={c};d={d};s={s};h={h};bh={bh};b={b}",
        ),
        (
            "unknown-tags",
            "Unknown tags are signed and ignored.",
            t.replace(b" s=", b" foo=bar; B=x; s="),
        ),
        ("unknown-empty", "An unknown tag with an empty value.", t.replace(b" s=", b" foo=; s=")),
        (
            "b-in-z",
            "`b=` inside another tag's value is not the signature.",
            t.replace(b" s=", b" z=Subject:=20b=3Dxyz|X:b=abc; s="),
        ),
        (
            "b-named-alike",
            "Tags whose names end in b are not b=.",
            t.replace(b" s=", b" xb=abc; b_=abc; s="),
        ),
        ("q-default", "q=dns/txt is what is assumed anyway.", t.replace(b" s=", b" q=dns/txt; s=")),
        (
            "q-list",
            "The first known query method of q= is used.",
            t.replace(b" s=", b" q=carrier/pigeon : dns/txt; s="),
        ),
        (
            "v-last",
            "v= need not be the first tag of a signature.",
            t.replace(b"v=1; ", b"").replace(b"b={b}", b"b={b}; v=1"),
        ),
    ]
    for number, (name, why, template) in enumerate(lists):
        for form in ("simple", "relaxed"):
            key = (ED, R1024)[number % 2]
            message = signed(c=f"{form}/{form}", template=template, key=key)
            case(
                f"sig-{name}-{form}",
                why,
                "6376 3.7" if "b-" in name else "6376 3.5",
                message,
                "verified",
            )
    folded = b"\r\n ".join(re.split(b" ", t.replace(b"\r\n\t", b" ")))
    folded = folded.replace(b"=", b"\r\n\t=\r\n ").replace(b";", b"\r\n ;")
    why = "Folding white space around every name, equals sign and semicolon."
    case(
        "sig-fws-everywhere",
        why,
        "6376 3.2",
        signed(template=folded, key=R2048, width=9),
        "verified",
    )
    why = "bh= and h= folded inside their values."
    bh = fold(b64(hashlib.sha256(oracle.canonical_body("relaxed", BODY)).digest()), 10)
    h = "From :\r\n\tTo: Subject\r\n :Date"
    case("sig-folded-values", why, "6376 3.5", signed(h=h, bh=bh, width=20, key=R2048), "verified")
    why = "b= in one line of several hundred octets."
    case("sig-unfolded", why, "6376 3.5", signed(width=0, key=R2048), "verified")
    why = "The padding of base64 is optional in the grammar of DKIM."
    bare = b64(hashlib.sha256(oracle.canonical_body("relaxed", BODY)).digest()).rstrip(b"=")
    case("sig-bh-no-padding", why, "6376 2.10", signed(bh=bare), "verified")
    message = signed(key=ED)
    case("sig-b-no-padding", why, "6376 2.10", change(message, b"==\r\n", b"\r\n"), "verified")
    h = "From" + ":X-Absent" * 199
    case("sig-h-200", "200 names in h= are read.", "6376 3.5", signed(h=h), "verified")
    why = "201 names in h= are more than we read."
    case("sig-h-201", why, "6376 3.5", signed(h=h + ":To"), "bad-tag-value")
    for name, d, s in (
        ("d-case", "EXAMPLE.com", None),
        ("s-dots", "example.com", "a.b-c.rsa-1024"),
        ("selector-underscore", "example.com", "_a_.rsa-1024"),
        ("s-digits", "example.com", "2023.11"),
    ):
        why = {
            "d-case": "Domain names have no case.",
            "s-dots": "A selector may have several labels.",
            "selector-underscore": "Selectors with an underscore are in use; DNS takes them.",
            "s-digits": "A selector of digits.",
        }[name]
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
        (
            "v-1.0",
            "Versions are compared as text: 1.0 is not 1.",
            "6376 3.5",
            b"v=1;",
            b"v=1.0;",
            "incompatible-version",
        ),
        (
            "v-upper",
            "Tag names have a case: V= is not v=.",
            "6376 3.2",
            b"v=1;",
            b"V=1;",
            "missing-tag",
        ),
        (
            "a-sha1",
            "rsa-sha1 must not be verified any more.",
            "8301 3.1",
            b"rsa-sha256",
            b"rsa-sha1",
            "rsa-sha1",
        ),
        (
            "a-unknown",
            "An algorithm nobody has defined.",
            "6376 3.3.4",
            b"rsa-sha256",
            b"rsa-sha512",
            "unknown-algorithm",
        ),
        (
            "a-ed-sha1",
            "ed25519 is defined with SHA-256 only.",
            "8463 3",
            b"rsa-sha256",
            b"ed25519-sha1",
            "unknown-algorithm",
        ),
        (
            "q-unknown",
            "No query method we know.",
            "6376 3.5",
            b" s=",
            b" q=carrier/pigeon; s=",
            "unknown-query-method",
        ),
        (
            "d-twice",
            "A duplicate tag makes the whole list invalid.",
            "6376 3.2",
            b" s=",
            b" d=example.com; s=",
            "tag-list",
        ),
        (
            "unknown-twice",
            "Also a duplicate of an unknown tag.",
            "6376 3.2",
            b" s=",
            b" foo=1; foo=2; s=",
            "tag-list",
        ),
        (
            "empty-spec",
            "Two semicolons: an empty tag-spec is no tag-spec.",
            "6376 3.2",
            b" s=",
            b" ; s=",
            "tag-list",
        ),
        ("no-equals", "A tag without an equals sign.", "6376 3.2", b" s=", b" foo; s=", "tag-list"),
        (
            "name-digit",
            "A tag name begins with a letter.",
            "6376 3.2",
            b" s=",
            b" 1a=x; s=",
            "tag-list",
        ),
        (
            "name-space",
            "White space inside a tag name.",
            "6376 3.2",
            b" s=",
            b" fo o=x; s=",
            "tag-list",
        ),
        (
            "name-hyphen",
            "A hyphen is not allowed in a tag name.",
            "6376 3.2",
            b" s=",
            b" x-foo=x; s=",
            "tag-list",
        ),
        (
            "control",
            "A control character in a value.",
            "6376 3.2",
            b" s=",
            b" foo=a\x01b; s=",
            "tag-list",
        ),
        (
            "d-one-label",
            "d= has at least two labels.",
            "6376 3.5",
            b"d=example.com",
            b"d=localhost",
            "bad-tag-value",
        ),
        ("d-empty", "d= without a value.", "6376 3.5", b"d=example.com", b"d=", "bad-tag-value"),
        (
            "d-dot-end",
            "A domain-name has no dot at its end.",
            "6376 3.5",
            b"d=example.com",
            b"d=example.com.",
            "bad-tag-value",
        ),
        (
            "d-empty-label",
            "An empty label in d=.",
            "6376 3.5",
            b"d=example.com",
            b"d=example..com",
            "bad-tag-value",
        ),
        (
            "d-hyphen",
            "A label does not begin with a hyphen.",
            "6376 3.5",
            b"d=example.com",
            b"d=-example.com",
            "bad-tag-value",
        ),
        (
            "d-space",
            "White space inside d=.",
            "6376 3.5",
            b"d=example.com",
            b"d=example .com",
            "bad-tag-value",
        ),
        (
            "d-long-label",
            "A label of 64 octets.",
            "1035 2.3.4",
            b"d=example.com",
            b"d=" + b"x" * 64 + b".example.com",
            "bad-tag-value",
        ),
        ("s-empty", "s= without a value.", "6376 3.5", b"s=rsa-1024", b"s=", "bad-tag-value"),
        (
            "s-dot-end",
            "A selector has no dot at its end.",
            "6376 3.1",
            b"s=rsa-1024",
            b"s=rsa-1024.",
            "bad-tag-value",
        ),
        (
            "s-too-long",
            "Selector and domain together are no DNS name: longer than 253 octets.",
            "1035 2.3.4",
            b"s=rsa-1024",
            b"s=" + b".".join([b"x" * 63] * 4),
            "bad-tag-value",
        ),
        ("b-empty", "b= without a value.", "6376 3.5", b"b={b}", b"b=", "bad-tag-value"),
        ("b-no-base64", "b= that is no base64.", "6376 3.5", b"b={b}", b"b=***", "bad-tag-value"),
        (
            "b-base64-length",
            "No base64 text has this length.",
            "6376 3.5",
            b"b={b}",
            b"b=abcde",
            "bad-tag-value",
        ),
        ("bh-empty", "bh= without a value.", "6376 3.5", b"bh={bh}", b"bh=", "bad-tag-value"),
        (
            "bh-no-base64",
            "bh= that is no base64.",
            "6376 3.5",
            b"bh={bh}",
            b"bh=a%b=",
            "bad-tag-value",
        ),
        ("h-empty", "h= must not be empty.", "6376 3.5", b"h={h}", b"h=", "bad-tag-value"),
        (
            "h-empty-name",
            "An empty name in h=.",
            "6376 3.5",
            b"h={h}",
            b"h=From::To",
            "bad-tag-value",
        ),
        (
            "h-colon-end",
            "A colon at the end of h=.",
            "6376 3.5",
            b"h={h}",
            b"h=From:To:",
            "bad-tag-value",
        ),
        (
            "h-no-from",
            "From must be signed.",
            "6376 6.1.1",
            b"h={h}",
            b"h=To:Subject",
            "from-not-signed",
        ),
        (
            "i-other",
            "i= is in another domain than d=.",
            "6376 6.1.1",
            b" s=",
            b" i=a@example.org; s=",
            "domain-mismatch",
        ),
        (
            "i-suffix",
            "The end of the text is not enough: a subdomain has a dot.",
            "6376 6.1.1",
            b" s=",
            b" i=@evilexample.com; s=",
            "domain-mismatch",
        ),
        ("i-no-at", "i= without an @.", "6376 3.5", b" s=", b" i=example.com; s=", "bad-tag-value"),
        ("t-letters", "t= is a number.", "6376 3.5", b"t=1700000000", b"t=now", "bad-tag-value"),
        (
            "t-negative",
            "t= is an unsigned number.",
            "6376 3.5",
            b"t=1700000000",
            b"t=-1",
            "bad-tag-value",
        ),
        (
            "t-13-digits",
            "t= has at most 12 digits.",
            "6376 3.5",
            b"t=1700000000",
            b"t=0001700000000",
            "bad-tag-value",
        ),
        ("x-letters", "x= is a number.", "6376 3.5", b" t=", b" x=1e9; t=", "bad-tag-value"),
    ]
    for name, why, rfc, old, new, cause in changes:
        filled = b"a=rsa-sha256", b"d=example.com", b"s=rsa-1024"
        template = t
        for text in filled:
            template = template.replace(text[:2] + b"{" + text[:1] + b"}", text)
        case(f"sig-{name}", why, rfc, signed(template=change(template, old, new)), cause)
    case(
        "sig-i-parent",
        "The parent of d= is not in d=.",
        "6376 6.1.1",
        signed(d="sub.example.com", more="i=@example.com;"),
        "domain-mismatch",
    )
    case(
        "sig-empty",
        "A signature field without any tag.",
        "6376 3.2",
        mail([b"DKIM-Signature:", *FIELDS], BODY),
        "tag-list",
    )
    case(
        "sig-words",
        "A signature field that is no tag list.",
        "6376 3.2",
        mail([b"DKIM-Signature: hello, world", *FIELDS], BODY),
        "tag-list",
    )


def identities():
    for name, more, why in (
        ("same", "i=alice@example.com;", "i= in the domain of d=."),
        ("sub", "i=alice@a.b.example.com;", "i= in a subdomain of d=."),
        ("domain-only", "i=@mail.example.com;", "i= without a local-part."),
        ("case", "i=alice@Mail.EXAMPLE.com;", "The domains of i= and d= have no case."),
        (
            "quoted-printable",
            "i=al=20ice=3B@example.com;",
            "The local-part is dkim-quoted-printable.",
        ),
        ("quoted-at", 'i="a@example.org"@example.com;', "The last @ ends the local-part."),
    ):
        case(f"sig-i-{name}", why, "6376 3.5", signed(more=more), "verified")


def lengths():
    size = {form: len(oracle.canonical_body(form, BODY)) for form in ("simple", "relaxed")}
    for form in ("simple", "relaxed"):

        def at_length(length, text=None, form=form, **how):
            return signed(c=f"relaxed/{form}", more=f"l={text or length};", length=length, **how)

        n = size[form]
        case(
            f"l-exact-{form}",
            "l= is the size of the canonical body: all of it is signed.",
            "6376 3.5",
            at_length(n),
            "verified",
        )
        case(
            f"l-short-{form}",
            "Octets beyond l= are not signed: not accepted unless asked for.",
            "6376 8.2",
            at_length(n - 5),
            "unsigned-content",
        )
        case(
            f"l-zero-{form}",
            "l=0 signs nothing of the body, and is not `no limit`.",
            "6376 8.2",
            at_length(0),
            "unsigned-content",
        )
        case(
            f"l-too-big-{form}",
            "l= is larger than the canonical body.",
            "6376 3.5",
            at_length(n + 1),
            "body-too-short",
        )
        case(
            f"l-appended-{form}",
            "Text appended to a body signed with l=: the classic attack.",
            "6376 8.2",
            at_length(n) + b"Buy now!\r\n",
            "unsigned-content",
        )
        case(
            f"l-blank-appended-{form}",
            "Appended empty lines are not in the canonical body.",
            "6376 3.4.3",
            at_length(n) + b"\r\n\r\n",
            "verified",
        )
        case(
            f"l-changed-{form}",
            "A change inside the signed octets.",
            "6376 3.7",
            change(at_length(n - 5), b"Hello", b"Jello"),
            "body-hash-mismatch",
        )
    case(
        "l-zero-empty-body",
        "l=0 over an empty relaxed body: everything is signed.",
        "6376 3.4.4",
        signed(c="relaxed/relaxed", body=b"", more="l=0;", length=0),
        "verified",
    )
    case(
        "l-zero-simple-empty-body",
        "The empty simple body is CRLF: l=0 leaves it unsigned.",
        "6376 3.4.3",
        signed(c="relaxed/simple", body=b"", more="l=0;", length=0),
        "unsigned-content",
    )
    case(
        "l-leading-zeros",
        "Leading zeros count for nothing.",
        "6376 3.5",
        signed(more=f"l=000{size['relaxed']};"),
        "verified",
    )
    case(
        "l-76-digits",
        "76 digits are allowed, and larger than any body.",
        "6376 3.5",
        signed(more=f"l={'9' * 76};"),
        "body-too-short",
    )
    case(
        "l-77-digits",
        "77 digits are one too many.",
        "6376 3.5",
        signed(more=f"l={'0' * 75}10;"),
        "bad-tag-value",
    )
    case(
        "l-2-64",
        "2^64 + the right size must not wrap around.",
        "6376 3.5",
        signed(more=f"l={2**64 + size['relaxed']};"),
        "body-too-short",
    )
    case(
        "l-negative", "l= is an unsigned number.", "6376 3.5", signed(more="l=-1;"), "bad-tag-value"
    )
    case("l-empty", "l= without a value.", "6376 3.5", signed(more="l=;"), "bad-tag-value")


def times():
    bare = TEMPLATE.replace(b" t=1700000000;", b"")
    for name, tags, why, cause in (
        ("t-none", "", "t= is recommended, not required.", "verified"),
        ("t-skew", f"t={NOW + 299};", "A clock 299 seconds ahead is a clock.", "verified"),
        ("t-future", f"t={NOW + 3600};", "Signed an hour from now.", "timestamp-in-future"),
        (
            "t-12-digits",
            "t=999999999999;",
            "12 digits are allowed; so is being far off.",
            "timestamp-in-future",
        ),
        ("t-zero", "t=0;", "1970 is in the past.", "verified"),
        ("x-future", f"x={NOW + 1000};", "Not yet expired; x= does not need t=.", "verified"),
        ("x-now", f"x={NOW};", "Expired is past x=, not at it.", "verified"),
        ("x-past", f"t={NOW - 9000}; x={NOW - 3600};", "Expired an hour ago.", "expired"),
        ("x-12-digits", f"t={NOW}; x=999999999999;", "Expires in the year 33658.", "verified"),
        (
            "x-before-t",
            f"t={NOW}; x={NOW - 1};",
            "x= must be greater than t=.",
            "expiration-before-timestamp",
        ),
        (
            "x-at-t",
            f"t={NOW}; x={NOW};",
            "x= must be greater than t=, not equal.",
            "expiration-before-timestamp",
        ),
    ):
        case(f"time-{name}", why, "6376 3.5", signed(template=bare, more=tags), cause)


def cases():
    signature_forms()
    signature_trouble()
    identities()
    lengths()
    times()
