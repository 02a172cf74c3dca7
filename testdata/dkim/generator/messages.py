"""Whole messages: several signatures, malformed and internationalized ones, attacks, the RFCs' own."""

from .oracle import Ed25519, Rsa
from .writer import (
    BODY,
    ED,
    FIELDS,
    HERE,
    R1024,
    R2047,
    R2048,
    at,
    b64,
    case,
    change,
    mail,
    record,
    sign,
    signed,
    with_field,
    zone_of,
)


def several():
    ed, rsa, big = sign(key=ED), sign(), sign(key=R2048)
    bad, syntax = (
        change(rsa, b"t=1700000000", b"t=1700000009"),
        b"DKIM-Signature: v=1; a=rsa-sha256",
    )

    def stack(*fields):
        return mail([*fields, *FIELDS], BODY)

    broken = {at(R1024): ("SERVFAIL",), at(ED): ("TXT", [record(ED)])}
    for name, message, causes, why, zone in (
        (
            "rsa-ed",
            stack(rsa, ed),
            ["verified", "verified"],
            "An RSA and an ed25519 signature.",
            None,
        ),
        (
            "same-key",
            stack(rsa, sign(c="simple/simple")),
            ["verified", "verified"],
            "Two signatures with one key: one question.",
            None,
        ),
        ("twice", stack(rsa, rsa), ["verified", "verified"], "The same signature twice.", None),
        (
            "good-bad",
            stack(ed, bad),
            ["verified", "signature-mismatch"],
            "One good signature is enough.",
            None,
        ),
        (
            "bad-good",
            stack(bad, ed),
            ["signature-mismatch", "verified"],
            "Their order has no meaning.",
            None,
        ),
        (
            "syntax-good",
            stack(syntax, ed),
            ["missing-tag", "verified"],
            "A field we cannot read does not harm the one below.",
            None,
        ),
        (
            "temporary-good",
            stack(rsa, ed),
            ["key-unavailable", "verified"],
            "A key that cannot be had now, and a good signature.",
            broken,
        ),
        (
            "temporary-bad",
            stack(rsa, sign(key=ED, bh=b64(bytes(32)))),
            ["key-unavailable", "body-hash-mismatch"],
            "Temporary trouble outweighs a failure: later it may pass.",
            broken,
        ),
        (
            "fail-permerror",
            stack(sign(key=R2047), bad),
            ["no-key", "signature-mismatch"],
            "A failure tells more than a missing key.",
            None,
        ),
        (
            "domains",
            stack(sign(key=R2048, d="esp.example.net"), rsa),
            ["verified", "verified"],
            "The author's domain and its provider.",
            {**zone_of(R1024), **zone_of(R2048, domain="esp.example.net")},
        ),
        ("three", stack(rsa, ed, big), ["verified"] * 3, "Three keys.", None),
    ):
        case(f"several-{name}", why, "6376 6.1", message, causes, zone)
    covering = sign(fields=[ed, *FIELDS], h="From:Subject:DKIM-Signature", key=R2048)
    why = "h= names DKIM-Signature: the one below is signed, never the field itself."
    case("several-signed-signature", why, "6376 3.5", stack(covering, ed), ["verified", "verified"])
    changed = stack(
        covering, change(ed, b"\r\n\tbh=", b" bh=").replace(b"t=1700000000", b"t=1700000003")
    )
    why = "h= names DKIM-Signature: a change to the one below breaks both."
    case("several-signed-signature-changed", why, "6376 3.5", changed, ["signature-mismatch"] * 2)
    why = "At most 10 signatures are verified; the others are told to be beyond the limit."
    case("several-11", why, "6376 6.1", stack(*[ed] * 11), ["verified"] * 10 + ["limit"])
    case(
        "several-10",
        "10 signatures are verified.",
        "6376 6.1",
        stack(*[ed] * 10),
        ["verified"] * 10,
    )
    why = "Fields we cannot read do not use up the signatures we verify."
    case(
        "several-12-syntax",
        why,
        "6376 6.1",
        stack(*[syntax] * 12, ed),
        ["missing-tag"] * 12 + ["verified"],
    )
    why = "At the limit the signatures of the author's domain come first, wherever they stand."
    other = sign(key=ED, d="esp.example.net")
    zone = zone_of(ED) | zone_of(ED, domain="esp.example.net")
    causes = ["verified"] * 9 + ["limit", "verified"]
    case("several-author-first", why, "6376 6.1", stack(*[other] * 10, ed), causes, zone)
    why = "At most 50 signature fields are read."
    case("several-51", why, "6376 6.1", stack(*[syntax] * 50, ed), ["missing-tag"] * 50 + ["limit"])


def messages():
    top, rest = signed().split(b"Received", 1)
    rest = b"Received" + rest
    case("unsigned", "A message without a signature.", "8601 2.7.1", mail(FIELDS, BODY), "unsigned")
    case("unsigned-empty", "No octets at all.", "8601 2.7.1", b"", "unsigned")
    case(
        "unsigned-blank",
        "An empty header.",
        "8601 2.7.1",
        b"\r\nFrom: a@example.com\r\n",
        "unsigned",
    )
    case(
        "unsigned-alike",
        "Fields that are not named DKIM-Signature.",
        "6376 3.5",
        mail([b"X-" + sign(), b"DKIM-Signatures: v=1", *FIELDS], BODY),
        "unsigned",
    )
    case(
        "unsigned-in-body",
        "A signature in the body is text.",
        "6376 3.5",
        mail(FIELDS, sign() + b"\r\n\r\n" + BODY),
        "unsigned",
    )
    fields = [sign(body=b"", c="relaxed/simple"), *FIELDS]
    case(
        "message-no-blank-line",
        "No empty line after the header: there is no body.",
        "5322 3.5",
        mail(fields, b"")[:-2],
        "verified",
    )
    case(
        "message-no-line-end",
        "The header ends without a line end.",
        "5322 3.5",
        mail(fields, b"")[:-4],
        "verified",
    )
    case(
        "message-no-body",
        "The empty line, and nothing after it.",
        "6376 3.4.3",
        mail(fields, b""),
        "verified",
    )
    case(
        "message-wsp-first",
        "The first line begins with a space: it belongs to no field.",
        "6376 3.8",
        b" folded: nothing\r\n" + top + rest,
        "verified",
    )
    case(
        "message-no-colon",
        "A line without a colon in the header is no field, and no end of it.",
        "6376 3.8",
        top + b"this is no field\r\n" + rest,
        "verified",
    )
    case(
        "message-empty-name",
        "A line with nothing before its colon.",
        "6376 3.8",
        top + b": x\r\n" + rest,
        "verified",
    )
    case(
        "message-name-octet",
        "A field name with an octet that is not allowed.",
        "6376 3.8",
        top + b"X\xe9: x\r\n" + rest,
        "verified",
    )
    case(
        "message-no-from",
        "From is named in h= and the message has none: nothing to sign, nothing wrong.",
        "6376 5.4",
        signed(fields=[FIELDS[0], *FIELDS[2:]]),
        "verified",
    )
    case(
        "message-signature-last",
        "The signature stands below the fields it signs.",
        "6376 5.6",
        mail([*FIELDS, sign()], BODY),
        "verified",
    )
    case(
        "message-signature-between",
        "The signature stands between the fields it signs.",
        "6376 5.6",
        mail([*FIELDS[:3], sign(), *FIELDS[3:]], BODY),
        "verified",
    )


def internationalized():
    zone = zone_of(ED, domain="xn--bcher-kva.example")
    u, a = "b\u00fccher.example", "xn--bcher-kva.example"
    case(
        "eai-u-label",
        "A domain in U-labels: asked for in A-labels, hashed as written.",
        "8616 5",
        signed(key=ED, d=u),
        "verified",
        zone,
    )
    case("eai-a-label", "A domain in A-labels.", "8616 5", signed(key=ED, d=a), "verified", zone)
    case(
        "eai-selector",
        "A selector in U-labels.",
        "8616 5",
        signed(key=ED, s="schl\u00fcssel"),
        "verified",
        {"xn--schlssel-95a._domainkey.example.com": ("TXT", [record(ED)])},
    )
    case(
        "eai-i",
        "i= in U-labels, with a local-part in UTF-8.",
        "8616 5",
        signed(key=ED, d=u, more=f"i=j\u00f6rg@post.{u};"),
        "verified",
        zone,
    )
    case(
        "eai-i-mixed",
        "i= in U-labels and d= in A-labels are the same domain.",
        "8616 5",
        signed(key=ED, d=a, more=f"i=@{u};"),
        "verified",
        zone,
    )
    case(
        "eai-i-other",
        "i= in another internationalized domain.",
        "8616 5",
        signed(key=ED, d=u, more="i=@b\u00f6cher.example;"),
        "domain-mismatch",
        zone,
    )
    case(
        "eai-upper",
        "U-labels in upper case are the same domain.",
        "5891 5.2",
        signed(key=ED, d=u.upper()),
        "verified",
        zone,
    )
    case(
        "eai-swapped",
        "The domain rewritten to A-labels on the way: the hash is over what was written.",
        "8616 5",
        change(signed(key=ED, d=u), u.encode(), a.encode()),
        "signature-mismatch",
        zone,
    )
    case(
        "eai-bad-label",
        "U+2000 is in no domain name.",
        "5892 2",
        signed(key=ED, d="a\u2000b.example"),
        "bad-tag-value",
    )


def attacks():
    zone = zone_of(R1024, domain="attack.com") | {
        "selector._domainkey.attack.com": ("TXT", [record(R1024)]),
        "selector._domainkey.legitimate.com": ("TXT", [record(R1024)]),
    }
    source = (
        "espoofer, github.com/chenjj/espoofer 60e5ed0 (MIT): server_{}; message and key our own"
    )
    fields = with_field(b"From", b"From: <admin@legitimate.com>")
    case(
        "attack-nul-selector",
        "A NUL in s= cuts the name in C: the attacker's key answers for d=.",
        "6376 3.2",
        signed(fields, d="legitimate.com", s="selector._domainkey.attack.com.\0.any"),
        "tag-list",
        zone,
        source=source.format("a3"),
    )
    for name, octet in (("quote", "'"), ("parenthesis", "("), ("double-quote", '"')):
        d = f"legitimate.com{octet}a.attack.com"
        case(
            f"attack-{name}-domain",
            "d= that a careless reader of Authentication-Results cuts short.",
            "6376 3.5",
            signed(fields, d=d, s="selector"),
            "bad-tag-value",
            zone,
            source=source.format("a4"),
        )
    case(
        "attack-newline-domain",
        "d= with a fold inside: no name, and no new line in anyone's log.",
        "6376 3.5",
        signed(fields, d="legitimate.com\r\n .attack.com", s="selector"),
        "bad-tag-value",
        zone,
    )
    case(
        "attack-slash-selector",
        "s= with a slash is no selector.",
        "6376 3.1",
        signed(fields, d="attack.com", s="a/../selector"),
        "bad-tag-value",
        zone,
    )
    case(
        "attack-domainkey-domain",
        "Another domain's key through a selector that names it is only a name.",
        "6376 3.6.2.1",
        signed(fields, d="legitimate.com", s="selector._domainkey.attack.com"),
        "no-key",
        zone,
    )


def rfc_examples():
    """The messages stand beside already: they are octets of the RFCs, not made here."""

    def stored(name):
        return (HERE / f"{name}.eml").read_bytes()

    zone = {"brisbane._domainkey.example.com": ("TXT", [record(Rsa("rfc6376"), b"v=DKIM1; ")])}
    two = {
        "brisbane._domainkey.football.example.com": ("TXT", [record(Ed25519("rfc8463"))]),
        "test._domainkey.football.example.com": ("TXT", [record(Rsa("rfc8463-rsa"))]),
    }
    for name, rfc, zone, expect, why in (
        (
            "rfc6376-a2",
            "6376 A.2",
            zone,
            "verified",
            "The RFC's example as it was signed: folds of six spaces, one space after `game.`.",
        ),
        (
            "rfc6376-a2-printed",
            "6376 A.2",
            zone,
            "body-hash-mismatch",
            "The RFC's example as it is printed: spaces were changed, and simple form tells.",
        ),
        (
            "rfc6376-a3-printed",
            "6376 A.3",
            zone,
            "body-hash-mismatch",
            "The verified example as it is printed: refolded.",
        ),
        ("rfc8463-a3", "8463 A.3", two, ["verified", "verified"], "One message, ed25519 and RSA."),
    ):
        source = f"RFC {rfc} (IETF Trust, example)"
        case(name, why, rfc, stored(name), expect, zone, source=source)


def cases():
    several()
    messages()
    internationalized()
    attacks()
    rfc_examples()
