"""Keys (RFC 6376 3.6, 6.1.2): records, sizes, questions, and forged signatures."""

import hashlib

from . import oracle
from .oracle import Ed25519
from .writer import (
    ED,
    FIELDS,
    R512,
    R1023,
    R1024,
    R2047,
    R2048,
    R2048E3,
    R8192,
    at,
    b64,
    case,
    change,
    fold,
    record,
    signed,
    zone_of,
)


def key_records():
    rsa, ed, public = signed(), signed(key=ED), b64(R1024.public())
    half = len(public) // 2
    bare = b64(oracle.pkcs1(R1024.modulus, R1024.exponent))
    k = b"v=DKIM1; k={k}; "
    good = record(R1024)
    for name, texts, why, rfc, cause in (
        ("minimal", [b"p=" + public], "p= alone is a key record.", "6376 3.6.1", "verified"),
        (
            "no-v",
            [record(R1024, b"k=rsa; ")],
            "v= is recommended, not required.",
            "6376 3.6.1",
            "verified",
        ),
        (
            "spaces",
            [b" v = DKIM1 ;\t k = rsa ; p = " + public + b" ; "],
            "White space around everything.",
            "6376 3.2",
            "verified",
        ),
        (
            "pkcs1",
            [record(R1024, k, bare)],
            "p= as the RSAPublicKey the text asks for.",
            "6376 3.6.1",
            "verified",
        ),
        (
            "p-spaces",
            [record(R1024, k, fold(public, 20, b" "))],
            "White space inside p=.",
            "6376 3.6.1",
            "verified",
        ),
        (
            "strings",
            [[good[:100], good[100:101], b"", good[101:]]],
            "The strings of a TXT record are joined without a space.",
            "6376 3.6.2.2",
            "verified",
        ),
        (
            "h-sha256",
            [record(R1024, k + b"h=sha256; ")],
            "h= allows SHA-256.",
            "6376 3.6.1",
            "verified",
        ),
        (
            "h-list",
            [record(R1024, k + b"h= sha1 : foo:sha256; ")],
            "h= is a list.",
            "6376 3.6.1",
            "verified",
        ),
        (
            "h-sha1",
            [record(R1024, k + b"h=sha1; ")],
            "h= allows SHA-1 only.",
            "6376 6.1.2",
            "key-hash-not-allowed",
        ),
        (
            "s-star",
            [record(R1024, k + b"s=*; ")],
            "s=* is every service.",
            "6376 3.6.1",
            "verified",
        ),
        (
            "s-email",
            [record(R1024, k + b"s=email; ")],
            "s=email is ours.",
            "6376 3.6.1",
            "verified",
        ),
        (
            "s-list",
            [record(R1024, k + b"s=tlsrpt : email; ")],
            "s= is a list.",
            "6376 3.6.1",
            "verified",
        ),
        (
            "s-other",
            [record(R1024, k + b"s=tlsrpt; ")],
            "A key for TLS reports, not for mail.",
            "6376 3.6.1",
            "key-not-for-email",
        ),
        (
            "t-y",
            [record(R1024, k + b"t=y; ")],
            "Testing does not change what is true of the signature.",
            "6376 3.6.1",
            "verified",
        ),
        (
            "t-list",
            [record(R1024, k + b"t=foo : y:s; ")],
            "t= is a list; unknown flags are ignored.",
            "6376 3.6.1",
            "verified",
        ),
        (
            "t-s",
            [record(R1024, k + b"t=s; ")],
            "t=s without an i=: its domain is d=.",
            "6376 3.6.1",
            "verified",
        ),
        (
            "g",
            [record(R1024, k + b"g=bob; ")],
            "g= of RFC 4871 is an unknown tag now.",
            "6376 C.2",
            "verified",
        ),
        (
            "g-empty",
            [record(R1024, k + b"g=; ")],
            "An empty g= is ignored, too.",
            "6376 C.2",
            "verified",
        ),
        (
            "n",
            [record(R1024, k + b"n=A=20note, =3D; ")],
            "Notes are for people.",
            "6376 3.6.1",
            "verified",
        ),
        (
            "unknown-tag",
            [record(R1024, k + b"foo=bar; ")],
            "Unknown tags are ignored.",
            "6376 3.6.1",
            "verified",
        ),
        (
            "revoked",
            [b"v=DKIM1; k=rsa; p="],
            "An empty p= revokes the key.",
            "6376 6.1.2",
            "key-revoked",
        ),
        (
            "revoked-space",
            [b"v=DKIM1; p= ;"],
            "An empty p= with white space.",
            "6376 6.1.2",
            "key-revoked",
        ),
        ("no-p", [b"v=DKIM1; k=rsa"], "p= is required.", "6376 3.6.1", "key-syntax"),
        (
            "v-second",
            [record(R1024, b"k=rsa; v=DKIM1; ")],
            "v= must come first.",
            "6376 3.6.1",
            "key-syntax",
        ),
        (
            "p-twice",
            [good + b"; p=" + public],
            "A duplicate tag makes the list invalid.",
            "6376 3.2",
            "key-syntax",
        ),
        (
            "garbage",
            [b"this is not a key"],
            "A TXT record that is no tag list.",
            "6376 6.1.2",
            "key-syntax",
        ),
        ("p-no-base64", [b"v=DKIM1; p=***"], "p= that is no base64.", "6376 6.1.2", "key-syntax"),
        (
            "p-cut",
            [record(R1024, k, public[:209])],
            "p= cut where no base64 can end.",
            "6376 6.1.2",
            "key-syntax",
        ),
        (
            "v-dkim2",
            [record(R1024, b"v=DKIM2; ")],
            "Another version: the record is discarded.",
            "6376 3.6.1",
            "no-key",
        ),
        (
            "v-dkim1.0",
            [record(R1024, b"v=DKIM1.0; ")],
            "DKIM1.0 is not DKIM1.",
            "6376 3.6.1",
            "no-key",
        ),
        (
            "v-lower",
            [record(R1024, b"v=dkim1; ")],
            "dkim1 is not DKIM1: the version has a case.",
            "6376 3.6.1",
            "no-key",
        ),
        (
            "v-backslash",
            [record(R1024, b"v=DKIM1\\; k=rsa\\; ")],
            "Backslashes pasted from a zone file: `DKIM1\\` is not DKIM1.",
            "6376 3.6.1",
            "no-key",
        ),
        (
            "spf",
            [b"v=spf1 -all"],
            "A wildcard record of SPF answers: no key.",
            "6376 6.1.2",
            "no-key",
        ),
        (
            "k-mismatch",
            [record(ED)],
            "An ed25519 key and an RSA signature.",
            "6376 6.1.2",
            "key-type-mismatch",
        ),
        (
            "k-unknown",
            [b"v=DKIM1; k=dsa; p=" + public],
            "A key type nobody has defined.",
            "6376 6.1.2",
            "key-type-mismatch",
        ),
        (
            "p-no-padding",
            [record(R1024, k, bare.rstrip(b"="))],
            "The padding of base64 is optional in the grammar of DKIM.",
            "6376 2.10",
            "verified",
        ),
        (
            "three-third",
            [record(R2048), record(R2047), good],
            "Two key records are tried; that the third fits does not help.",
            "6376 6.1.2",
            "signature-mismatch",
        ),
        (
            "eighth-text",
            [b"v=spf1 ip4:192.0.2.%d -all" % i for i in range(7)] + [good],
            "Eight text records of a name are looked at.",
            "6376 6.1.2",
            "verified",
        ),
        (
            "ninth-text",
            [b"v=spf1 ip4:192.0.2.%d -all" % i for i in range(8)] + [good],
            "The ninth text record of a name is not looked at.",
            "6376 6.1.2",
            "no-key",
        ),
        (
            "record-8192",
            [b"v=DKIM1; n=" + b"x" * (8192 - 12 - len(good) + 9) + good[8:]],
            "A record of 8192 octets is read.",
            "6376 3.6.2.2",
            "verified",
        ),
        (
            "record-8193",
            [b"v=DKIM1; n=" + b"x" * (8193 - 12 - len(good) + 9) + good[8:]],
            "A record of 8193 octets is not.",
            "6376 3.6.2.2",
            "key-record-too-long",
        ),
        (
            "two-first",
            [good, record(R2048)],
            "Two key records: the first fits.",
            "6376 6.1.2",
            "verified",
        ),
        (
            "two-records-second-right",
            [record(R2048), good],
            "Two key records: the second fits.",
            "6376 6.1.2",
            "verified",
        ),
        (
            "two-spf",
            [b"v=spf1 -all", good],
            "A record that is no key beside one that is.",
            "6376 6.1.2",
            "verified",
        ),
        ("two-garbage", [b"\xff\0;;", good], "Garbage beside a key.", "6376 6.1.2", "verified"),
        (
            "two-revoked",
            [b"v=DKIM1; p=", good],
            "A revoked key beside a good one.",
            "6376 6.1.2",
            "verified",
        ),
        (
            "two-type",
            [record(ED, public=b64(ED.public())), good],
            "An ed25519 key beside an RSA key: the one that fits a= is used.",
            "6376 6.1.2",
            "verified",
        ),
        (
            "der-cut",
            [record(R1024, k, public[: half - half % 4])],
            "p= cut in the middle of the DER.",
            "6376 3.6.1",
            "key-unusable",
        ),
        (
            "der-garbage",
            [record(R1024, k, b64(b"not DER at all"))],
            "p= is base64 of no key.",
            "6376 3.6.1",
            "key-unusable",
        ),
        (
            "der-longer",
            [record(R1024, k, b64(R1024.public() + b"\0\0"))],
            "Octets after the DER.",
            "8017 A.1.1",
            "key-unusable",
        ),
        (
            "ed-in-rsa",
            [record(R1024, k, b64(ED.public()))],
            "32 octets are an ed25519 key, not RSA.",
            "6376 3.6.1",
            "key-unusable",
        ),
    ):
        case(f"key-{name}", why, rfc, rsa, cause, {at(R1024): ("TXT", texts)})
    prefix = bytes.fromhex("302a300506032b6570032100")
    for name, text, why, rfc, cause in (
        (
            "spki",
            record(ED, public=b64(prefix + ED.public())),
            "p= of ed25519 is the bare key, no SPKI.",
            "8463 4",
            "key-unusable",
        ),
        ("short", record(ED, public=b64(ED.public()[:31])), "31 octets.", "8463 4", "key-unusable"),
        (
            "no-k",
            record(ED, b"v=DKIM1; "),
            "Without k= it is an RSA key.",
            "6376 3.6.1",
            "key-type-mismatch",
        ),
        (
            "rsa",
            record(R1024),
            "An RSA key and an ed25519 signature.",
            "6376 6.1.2",
            "key-type-mismatch",
        ),
        (
            "h-sha1",
            record(ED, k + b"h=sha1; "),
            "h= allows SHA-1 only.",
            "6376 6.1.2",
            "key-hash-not-allowed",
        ),
        (
            "other",
            record(ED, public=b64(Ed25519("rfc8463").public())),
            "Another key.",
            "6376 6.1.3",
            "signature-mismatch",
        ),
    ):
        case(f"key-ed-{name}", why, rfc, ed, cause, {at(ED): ("TXT", [text])})
    strict = {at(R1024): ("TXT", [record(R1024, k + b"t=s; ")])}
    case(
        "key-t-s-same",
        "t=s and i= in d= itself.",
        "6376 3.6.1",
        signed(more="i=a@example.com;"),
        "verified",
        strict,
    )
    case(
        "key-t-s-sub",
        "t=s forbids i= in a subdomain.",
        "6376 3.6.1",
        signed(more="i=a@sub.example.com;"),
        "strict-domain-mismatch",
        strict,
    )


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
        (
            "8193",
            oracle.spki(wide, 65537),
            "8193 bits: more than we spend on a signature.",
            "key-too-large",
        ),
        ("20000", oracle.spki((1 << 20000) + 1, 65537), "20001 bits.", "key-too-large"),
        ("0", oracle.spki(0, 65537), "A modulus of zero.", "key-too-small"),
        (
            "e-1",
            oracle.spki(R1024.modulus, 1),
            "The exponent 1 makes every text its own signature.",
            "key-unusable",
        ),
        (
            "e-even",
            oracle.spki(R1024.modulus, 65536),
            "An even exponent is no exponent.",
            "key-unusable",
        ),
        (
            "e-huge",
            oracle.spki(R1024.modulus, 2**32 + 1),
            "An exponent beyond 32 bits costs time.",
            "key-unusable",
        ),
        (
            "e-modulus",
            oracle.spki(R1024.modulus, R1024.modulus),
            "An exponent as large as the modulus.",
            "key-unusable",
        ),
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
        (
            "cname",
            {
                name: ("CNAME", "key.esp.example.net"),
                "key.esp.example.net": ("TXT", [record(R1024)]),
            },
            "The record stands behind an alias, at a provider.",
            "verified",
        ),
        (
            "cname-dangling",
            {name: ("CNAME", "gone.example.net")},
            "An alias to a name that is gone.",
            "no-key",
        ),
        (
            "cname-servfail",
            {name: ("CNAME", "gone.example.net"), "gone.example.net": ("SERVFAIL",)},
            "An alias to a name whose servers fail.",
            "key-unavailable",
        ),
    ):
        case(f"key-{label}", why, "6376 6.1.2", signed(), cause, zone)


def forged_padding():
    """RFC 8017 8.2.2: the padded block is compared as a whole, nothing is read out of it."""

    def forged(key, why, name, make):
        message = signed(key=key, sign_data=make)
        case(f"rsa-{name}", why, "8017 8.2.2", message, "signature-mismatch", zone_of(key))

    digest = lambda data: oracle.SHA256_PREFIX + hashlib.sha256(data).digest()
    for key in (R1024, R2048E3):
        size = key.size
        forged(
            key,
            "Short padding and free octets at the end: the forgery that needs no key when e=3.",
            f"padding-short-{key.selector}",
            lambda data, key=key, size=size: key.raw(
                (b"\0\1" + b"\xff" * 8 + b"\0" + digest(data)).ljust(size, b"\x55")
            ),
        )
    key = R1024
    forged(
        key,
        "One octet of the padding is not FF.",
        "padding-octet",
        lambda data: key.raw(change(key.padded(data), b"\0\1\xff", b"\0\1\xfe")),
    )
    forged(
        key,
        "Block type 2 is that of encryption.",
        "block-type",
        lambda data: key.raw(change(key.padded(data), b"\0\1\xff", b"\0\2\xff")),
    )
    forged(
        key,
        "The digest alone, without its DigestInfo.",
        "digest-bare",
        lambda data: key.raw((b"\0\1" + b"\xff" * 93 + b"\0" + hashlib.sha256(data).digest())),
    )
    forged(
        key,
        "The DigestInfo says SHA-1.",
        "digest-sha1",
        lambda data: key.raw(
            b"\0\1"
            + b"\xff" * (128 - 38)
            + b"\0"
            + bytes.fromhex("3021300906052b0e03021a05000414")
            + hashlib.sha1(data).digest()
        ),
    )
    forged(
        key,
        "The signature is one octet longer than the modulus.",
        "longer",
        lambda data: b"\0" + key.sign(data),
    )
    forged(key, "The signature is cut by one octet.", "shorter", lambda data: key.sign(data)[:-1])
    forged(key, "The signature of nothing: one.", "one", lambda data: (1).to_bytes(128, "big"))
    forged(key, "The signature of nothing: zero.", "zero", lambda data: bytes(128))
    forged(
        key, "A signature made with another key.", "other-key", lambda data: R2048.sign(data)[:128]
    )

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
    case(
        "rsa-beyond-modulus",
        "Signature plus modulus is the same number only to careless arithmetic.",
        "8017 5.2.2",
        message,
        "signature-mismatch",
    )

    def moved(data):
        signature = ED.sign(data)
        s = int.from_bytes(signature[32:], "little") + oracle.L
        return signature[:32] + s.to_bytes(32, "little")

    case(
        "ed25519-beyond-order",
        "S plus the order of the group: a second signature from a first.",
        "8032 5.1.7",
        signed(key=ED, sign_data=moved),
        "signature-mismatch",
    )
    case(
        "ed25519-not-hashed",
        "The data itself is signed, not its SHA-256.",
        "8463 3",
        signed(key=ED, sign_data=lambda data: oracle.ed25519_sign(ED.seed, data)),
        "signature-mismatch",
    )
    case(
        "ed25519-cut",
        "63 octets are no ed25519 signature.",
        "8032 5.1.7",
        signed(key=ED, sign_data=lambda data: ED.sign(data)[:63]),
        "signature-mismatch",
    )
    case(
        "ed25519-longer",
        "65 octets are no ed25519 signature.",
        "8032 5.1.7",
        signed(key=ED, sign_data=lambda data: ED.sign(data) + b"\0"),
        "signature-mismatch",
    )


def cases():
    key_records()
    key_sizes()
    key_queries()
    forged_padding()
