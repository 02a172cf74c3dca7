"""Canonical forms (RFC 6376 3.4): bodies, header fields, and their selection (5.4.2)."""

from .writer import (
    BODY,
    ED,
    FIELDS,
    R1024,
    R2048,
    R4096,
    TEMPLATE,
    case,
    change,
    mail,
    signed,
    with_field,
    zone_of,
)

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
    "many-blank": (
        b"one\r\n" + b"\r\n" * 3000 + b"two\r\n",
        "Many empty lines inside a body stay.",
    ),
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
            case(
                f"canon-{pair.replace('/', '-')}-{name}", why, "6376 3.4", message, "verified", zone
            )
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
    "wsp-colon": (
        b"Subject \t: Lunch",
        "White space before the colon does not belong to the name.",
    ),
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
    case(
        "header-bottom-up-top-changed",
        why,
        "6376 5.4.2",
        change(message, b"three", b"3"),
        "verified",
    )
    for word in (b"two", b"one"):
        name = f"header-bottom-up-{word.decode()}-changed"
        why = f"The field `{word.decode()}` of three is signed: it may not change."
        case(name, why, "6376 5.4.2", change(message, word, b"0"), "signature-mismatch")
    why = "The lower two have changed places: the order is signed."
    swapped = b"X-Tag: one\r\nX-Tag: two"
    message = change(message, b"X-Tag: two\r\nX-Tag: one", swapped)
    case("header-bottom-up-swapped", why, "6376 5.4.2", message, "signature-mismatch")


def cases():
    canonical_forms()
    headers()
