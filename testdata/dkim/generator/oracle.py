"""DKIM (RFC 6376, 8301, 8463, 8616) written twice: this is the second time, for the corpus.

The standard library only, and nothing shared with the Rust code: what both agree on is likely what
the RFC says. Keys are test keys and published; nothing here is constant-time.
"""

import base64
import hashlib
import re
from pathlib import Path

KEYS = Path(__file__).resolve().parents[2] / "keys"

# ---- RFC 8032: Ed25519 ---------------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def _add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _recover_x(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def _compress(point):
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decompress(octets):
    y = int.from_bytes(octets, "little")
    x = _recover_x(y & (1 << 255) - 1, y >> 255)
    y &= (1 << 255) - 1
    return None if x is None else (x, y, 1, x * y % P)


_y = 4 * pow(5, -1, P) % P
_x = _recover_x(_y, 0)
BASE = (_x, _y, 1, _x * _y % P)


def _hash_number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def _expand(seed):
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little")
    return scalar & (1 << 254) - 8 | 1 << 254, digest[32:]


def ed25519_public(seed):
    return _compress(_multiply(_expand(seed)[0], BASE))


def ed25519_sign(seed, text):
    scalar, prefix = _expand(seed)
    public = _compress(_multiply(scalar, BASE))
    r = _hash_number(prefix, text) % L
    point = _compress(_multiply(r, BASE))
    k = _hash_number(point, public, text) % L
    return point + ((r + k * scalar) % L).to_bytes(32, "little")


def ed25519_verify(public, text, signature):
    if len(signature) != 64:
        return False
    a, r = _decompress(public), _decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    # RFC 8032 5.1.7: "the second half as an integer S, in the range 0 <= s < L"
    if a is None or r is None or s >= L:
        return False
    k = _hash_number(signature[:32], public, text) % L
    return _compress(_multiply(s, BASE)) == _compress(_add(r, _multiply(k, a)))


# ---- RFC 8017: RSASSA-PKCS1-v1_5 with SHA-256, and just enough DER -------------------------------

SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
RSA_ALGORITHM = bytes.fromhex("300d06092a864886f70d0101010500")


def der(tag, content):
    size = len(content)
    head = bytes([size]) if size < 128 else None
    if head is None:
        octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
        head = bytes([0x80 | len(octets)]) + octets
    return bytes([tag]) + head + content


def der_integer(number):
    return der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def der_read(octets, tag):
    """The content of the value of this tag at the start, and what follows it."""
    if len(octets) < 2 or octets[0] != tag:
        raise ValueError("DER: another tag")
    size, start = octets[1], 2
    if size >= 0x80:
        start = 2 + (size & 0x7F)
        size = int.from_bytes(octets[2:start], "big")
    if len(octets) < start + size:
        raise ValueError("DER: too short")
    return octets[start : start + size], octets[start + size :]


def pkcs1(modulus, exponent):
    return der(0x30, der_integer(modulus) + der_integer(exponent))


def spki(modulus, exponent):
    return der(0x30, RSA_ALGORITHM + der(3, b"\0" + pkcs1(modulus, exponent)))


def read_public(octets):
    """A SubjectPublicKeyInfo or an RSAPublicKey."""
    content, rest = der_read(octets, 0x30)
    if content[:1] == b"\x30":
        algorithm, bits = der_read(content, 0x30)
        if der(0x30, algorithm) != RSA_ALGORITHM:
            raise ValueError("another algorithm")
        content, _ = der_read(der_read(bits, 3)[0][1:], 0x30)
    modulus, content = der_read(content, 2)
    exponent, content = der_read(content, 2)
    if rest or content:
        raise ValueError("DER: more than the key")
    return int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big")


class Rsa:
    algorithm, record_type = "rsa-sha256", "rsa"

    def __init__(self, name):
        lines = (KEYS / f"{name}.pem").read_text().split("\n")
        content, _ = der_read(base64.b64decode("".join(lines[1:-2])), 0x30)
        numbers = []
        while content:
            number, content = der_read(content, 2)
            numbers.append(int.from_bytes(number, "big"))
        _, self.modulus, self.exponent, self.private = numbers[:4]
        self.bits = self.modulus.bit_length()
        self.size = (self.bits + 7) // 8
        self.selector = name

    def padded(self, text):
        block = SHA256_PREFIX + hashlib.sha256(text).digest()
        return b"\0\1" + b"\xff" * (self.size - len(block) - 3) + b"\0" + block

    def sign(self, text):
        return self.raw(self.padded(text))

    def raw(self, block):
        number = pow(int.from_bytes(block, "big"), self.private, self.modulus)
        return number.to_bytes(self.size, "big")

    def public(self):
        return spki(self.modulus, self.exponent)


class Ed25519:
    algorithm, record_type, bits = "ed25519-sha256", "ed25519", 256

    def __init__(self, name):
        self.seed = base64.b64decode((KEYS / f"{name}.seed").read_text())
        self.selector = name

    def sign(self, text):
        # RFC 8463 3: the hash of the data is signed, with PureEdDSA.
        return ed25519_sign(self.seed, hashlib.sha256(text).digest())

    def public(self):
        return ed25519_public(self.seed)


# ---- RFC 6376 3.4: canonical forms ---------------------------------------------------------------


def canonical_field(form, field):
    """A header field without its last CRLF."""
    if form == "simple":
        return field
    name, value = field.split(b":", 1)
    value = re.sub(rb"\r\n([ \t])", rb"\1", value)
    value = re.sub(rb"[ \t]+", b" ", value)
    return name.rstrip(b" \t").lower() + b":" + value.strip(b" ")


def canonical_body(form, body):
    lines = body.split(b"\r\n")
    if form == "relaxed":
        lines = [re.sub(rb"[ \t]+", b" ", line).removesuffix(b" ") for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        return b"\r\n" if form == "simple" else b""
    return b"\r\n".join(lines) + b"\r\n"


def split_message(message):
    """The header fields, each without its last CRLF, and the body."""
    if message.startswith(b"\r\n"):
        return [], message[2:]
    head, _, body = message.partition(b"\r\n\r\n")
    head = head.removesuffix(b"\r\n")
    return (re.split(rb"\r\n(?![ \t])", head) if head else []), body


def field_name(field):
    name, colon, _ = field.partition(b":")
    name = name.rstrip(b" \t")
    return name.lower() if colon and re.fullmatch(rb"[!-9;-~]+", name) else None


def select(names, fields, own):
    """RFC 6376 5.4.2: the indices of the fields of h=, for each name the lowest not yet taken."""
    taken = []
    for name in names:
        for index in reversed(range(len(fields))):
            if index != own and index not in taken and field_name(fields[index]) == name:
                taken.append(index)
                break
    return taken


def without_b(field):
    """RFC 6376 3.7: the value of b= "(including all surrounding whitespace) deleted"."""
    name, value = field.split(b":", 1)
    specs = value.split(b";")
    specs = [re.sub(rb"^(\s*b\s*=).*$", rb"\1", spec, flags=re.S) for spec in specs]
    return name + b":" + b";".join(specs)


def header_data(form, names, fields, own):
    parts = [canonical_field(form, fields[index]) for index in select(names, fields, own)]
    return b"".join(part + b"\r\n" for part in parts) + canonical_field(
        form, without_b(fields[own])
    )


# ---- RFC 6376 6.1: verification ------------------------------------------------------------------

RESULTS = {
    "pass": "verified",
    "none": "unsigned",
    "fail": "body-hash-mismatch signature-mismatch",
    "neutral": "tag-list missing-tag bad-tag-value incompatible-version unknown-algorithm"
    " unknown-canonicalization unknown-query-method",
    "permerror": "from-not-signed domain-mismatch rsa-sha1 no-key key-syntax key-revoked"
    " key-type-mismatch key-hash-not-allowed key-not-for-email key-too-small key-unusable"
    " strict-domain-mismatch body-too-short expiration-before-timestamp",
    "policy": "expired timestamp-in-future unsigned-content key-too-large unsigned-duplicate limit"
    " key-record-too-long",
    "temperror": "key-unavailable",
}
RESULT_OF = {cause: result for result, causes in RESULTS.items() for cause in causes.split()}
BEST_FIRST = ["pass", "temperror", "fail", "policy", "neutral", "permerror", "none"]
SKEW, VERIFIED, PARSED = 300, 10, 50
SIGNED_FIELDS, KEYS_TRIED, TEXTS_READ, RECORD_OCTETS = 200, 2, 8, 8192
ONCE = (
    b"""cc content-transfer-encoding content-type date from in-reply-to message-id mime-version
references reply-to sender subject to""".split()
)


class Stop(Exception):
    """The cause why a signature does not verify."""


def tag_list(text, stop):
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        raise Stop(stop) from None
    # RFC 6376 2.8: CR and LF stand in folds only.
    if re.search(rb"[\r\n]", re.sub(rb"\r\n(?=[ \t])", b"", text)):
        raise Stop(stop)
    specs = text.split(b";")
    if len(specs) > 1 and not specs[-1].strip(b" \t\r\n"):
        specs.pop()
    tags = {}
    for spec in specs:
        name, equals, value = spec.partition(b"=")
        name, value = name.strip(b" \t\r\n"), value.strip(b" \t\r\n")
        if not equals or not re.fullmatch(rb"[A-Za-z][A-Za-z0-9_]*", name) or name in tags:
            raise Stop(stop)
        if not re.fullmatch(rb"[ \t\r\n!-:<-~\x80-\xff]*", value):
            raise Stop(stop)
        tags[name] = value
    return tags


def unfold(value):
    return re.sub(rb"[ \t\r\n]+", b"", value)


def members(value):
    """The members of a colon-separated list: FWS stands at the colons only."""
    return [member.strip(b" \t\r\n") for member in value.split(b":")]


def quoted_printable(value):
    """RFC 6376 2.11, and RFC 8616 5 for what is beyond ASCII."""
    value = unfold(value)
    if re.search(rb"=(?![0-9A-Fa-f]{2})", value):
        raise Stop("bad-tag-value")
    return re.sub(rb"=(..)", lambda match: bytes([int(match[1], 16)]), value)


def base64_value(value, stop):
    value = unfold(value)
    # RFC 6376 2.10: base64string may have fewer "=" than RFC 4648 4 wants; more are no padding.
    digits = value.rstrip(b"=")
    if not re.fullmatch(rb"[A-Za-z0-9+/]+", digits) or len(digits) % 4 == 1:
        raise Stop(stop)
    if len(value) - len(digits) > -len(digits) % 4:
        raise Stop(stop)
    value = digits
    return base64.b64decode(value + b"=" * (-len(value) % 4))


def a_labels(name):
    """The DNS name of a domain or selector, or None."""
    try:
        labels = name.decode("utf-8").split(".")
    except UnicodeDecodeError:
        return None
    out = []
    for label in labels:
        if not label.isascii():
            if re.search("[\u2000-\u206f]", label):
                return None
            label = "xn--" + label.lower().encode("punycode").decode()
        if not re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?", label) or len(label) > 63:
            return None
        out.append(label.lower())
    return ".".join(out)


def numbers(tags, name, digits):
    if name not in tags:
        return None
    if not re.fullmatch(rb"[0-9]{1,%d}" % digits, tags[name]):
        raise Stop("bad-tag-value")
    return int(tags[name])


class Signature:
    """What the syntax of one DKIM-Signature field says (RFC 6376 3.5, 6.1.1)."""

    def __init__(self, field):
        tags = tag_list(field.split(b":", 1)[1], "tag-list")
        if tags.get(b"v", b"1") != b"1":
            raise Stop("incompatible-version")
        for name in (b"v", b"a", b"b", b"bh", b"d", b"h", b"s"):
            if name not in tags:
                raise Stop("missing-tag")
        # RFC 5234 2.3: the words of a=, c=, q= and of the key record have no case.
        self.algorithm = tags[b"a"].decode().lower()
        if self.algorithm == "rsa-sha1":
            raise Stop("rsa-sha1")
        if self.algorithm not in ("rsa-sha256", "ed25519-sha256"):
            raise Stop("unknown-algorithm")
        self.signature = base64_value(tags[b"b"], "bad-tag-value")
        self.body_hash = base64_value(tags[b"bh"], "bad-tag-value")
        self.domain, self.selector = a_labels(tags[b"d"]), a_labels(tags[b"s"])
        if not self.domain or not self.selector or "." not in self.domain or "_" in self.domain:
            raise Stop("bad-tag-value")
        self.name = f"{self.selector}._domainkey.{self.domain}"
        if len(self.name) > 253:
            raise Stop("bad-tag-value")
        forms = tags.get(b"c", b"simple/simple").decode().lower().split("/")
        self.header_form, self.body_form = (forms + ["simple"])[:2]
        if len(forms) > 2 or not {self.header_form, self.body_form} <= {"simple", "relaxed"}:
            raise Stop("unknown-canonicalization")
        if b"dns/txt" not in members(tags.get(b"q", b"dns/txt").lower()):
            raise Stop("unknown-query-method")
        self.names = members(tags[b"h"].lower())
        if len(self.names) > SIGNED_FIELDS:
            raise Stop("bad-tag-value")
        if not all(re.fullmatch(rb"[!-9;-~]+", name) for name in self.names):
            raise Stop("bad-tag-value")
        self.length = numbers(tags, b"l", 76)
        self.timestamp, self.expiration = numbers(tags, b"t", 12), numbers(tags, b"x", 12)
        identity = quoted_printable(tags.get(b"i", b"@" + tags[b"d"]))
        _, at, domain = identity.rpartition(b"@")
        self.identity_domain = a_labels(domain)
        if not at or not self.identity_domain:
            raise Stop("bad-tag-value")
        if b"from" not in self.names:
            raise Stop("from-not-signed")
        if not ("." + self.identity_domain).endswith("." + self.domain):
            raise Stop("domain-mismatch")
        if None not in (self.timestamp, self.expiration) and self.expiration <= self.timestamp:
            raise Stop("expiration-before-timestamp")


class Key:
    """A key record (RFC 6376 3.6.1) that fits the signature (6.1.2)."""

    def __init__(self, record, signature):
        if len(record) > RECORD_OCTETS:
            raise Stop("key-record-too-long")
        tags = tag_list(record, "key-syntax")
        if b"v" in tags and next(iter(tags)) != b"v":
            raise Stop("key-syntax")
        if tags.get(b"v", b"DKIM1") != b"DKIM1":
            raise Stop("no-key")
        if b"p" not in tags:
            raise Stop("key-syntax")
        lists = {name: members(tags[name].lower()) for name in (b"h", b"s", b"t") if name in tags}
        if b"sha256" not in lists.get(b"h", [b"sha256"]):
            raise Stop("key-hash-not-allowed")
        if not {b"*", b"email"} & set(lists.get(b"s", [b"*"])):
            raise Stop("key-not-for-email")
        if not tags[b"p"]:
            raise Stop("key-revoked")
        kind = tags.get(b"k", b"rsa").decode().lower()
        if signature.algorithm != kind + "-sha256":
            raise Stop("key-type-mismatch")
        octets = base64_value(tags[b"p"], "key-syntax")
        flags = lists.get(b"t", [])
        self.testing = b"y" in flags
        if b"s" in flags and signature.identity_domain != signature.domain:
            raise Stop("strict-domain-mismatch")
        if kind == "ed25519":
            self.bits, self.public = 256, octets
            if len(octets) != 32:
                raise Stop("key-unusable")
            return
        try:
            self.public = read_public(octets)
        except (ValueError, IndexError):
            raise Stop("key-unusable") from None
        modulus, exponent = self.public
        self.bits = modulus.bit_length()
        if self.bits < 1024:
            raise Stop("key-too-small")
        if self.bits > 8192:
            raise Stop("key-too-large")
        if not 3 <= exponent <= 2**32 - 1 or not exponent & 1:
            raise Stop("key-unusable")

    def verifies(self, data, signature):
        digest = hashlib.sha256(data).digest()
        if isinstance(self.public, bytes):
            return ed25519_verify(self.public, digest, signature)
        modulus, exponent = self.public
        size = (self.bits + 7) // 8
        number = int.from_bytes(signature, "big")
        # RFC 8017 8.2.2 and 5.2.2: the length is that of the modulus, the number is below it.
        if len(signature) != size or number >= modulus:
            return False
        block = SHA256_PREFIX + digest
        expected = b"\0\1" + b"\xff" * (size - len(block) - 3) + b"\0" + block
        return pow(number, exponent, modulus).to_bytes(size, "big") == expected


def look_up(zone, name):
    """The TXT records of a name; zone: {name: ("TXT", [records]) or ("CNAME", name) or (trouble,)}"""
    for _ in range(8):
        kind, *data = zone.get(name, ("NXDOMAIN",))
        if kind != "CNAME":
            break
        name = data[0]
    if kind in ("SERVFAIL", "TIMEOUT"):
        raise Stop("key-unavailable")
    if kind != "TXT":
        raise Stop("no-key")
    return data[0]


def verify_field(fields, body, own, zone, now, report, allowed):
    signature = Signature(fields[own])
    report |= {
        "domain": signature.domain,
        "selector": signature.selector,
        "algorithm": signature.algorithm,
    }
    if own not in allowed:
        raise Stop("limit")
    if signature.timestamp is not None and signature.timestamp > now + SKEW:
        raise Stop("timestamp-in-future")
    if signature.expiration is not None and now > signature.expiration + SKEW:
        raise Stop("expired")
    stop, keys = None, []
    for record in look_up(zone, signature.name)[:TEXTS_READ]:
        try:
            keys.append(Key(record, signature))
        except Stop as error:
            stop = stop or error
    if not keys:
        raise stop
    body = canonical_body(signature.body_form, body)
    length = len(body) if signature.length is None else signature.length
    if length > len(body):
        raise Stop("body-too-short")
    report |= {"key_bits": keys[0].bits, "testing": keys[0].testing}
    if hashlib.sha256(body[:length]).digest() != signature.body_hash:
        raise Stop("body-hash-mismatch")
    data = header_data(signature.header_form, signature.names, fields, own)
    fitting = [key for key in keys[:KEYS_TRIED] if key.verifies(data, signature.signature)]
    if not fitting:
        raise Stop("signature-mismatch")
    report |= {"key_bits": fitting[0].bits, "testing": fitting[0].testing}
    if length < len(body):
        raise Stop("unsigned-content")
    covered = select(signature.names, fields, own)
    for name in ONCE:
        same = [index for index, field in enumerate(fields) if field_name(field) == name]
        if len(same) > 1 and 0 < len(set(same) & set(covered)) < len(same):
            raise Stop("unsigned-duplicate")


def within_limit(fields):
    """The signatures that are verified: those of the author's domain first, then from the top."""
    author = next((field for field in fields if field_name(field) == b"from"), b"")
    author = re.search(rb"@([\w.-]+)>?$", author)
    author = author[1].decode() if author else ""
    others, related = [], []
    for own in [own for own, field in enumerate(fields) if is_signature(field)][:PARSED]:
        try:
            domain = Signature(fields[own]).domain
        except Stop:
            continue
        below = ("." + author).endswith("." + domain) or ("." + domain).endswith("." + author)
        (related if author and below else others).append(own)
    return (related + others)[:VERIFIED]


def is_signature(field):
    return field_name(field) == b"dkim-signature"


def verify(message, zone, now):
    """What is expected of a message: the result, the cause, and those of each signature."""
    fields, body = split_message(message)
    signatures, allowed = [], within_limit(fields)
    for own, field in enumerate(fields):
        if not is_signature(field):
            continue
        report = {}
        try:
            if len(signatures) >= PARSED:
                raise Stop("limit")
            verify_field(fields, body, own, zone, now, report, allowed)
            cause = "verified"
        except Stop as stop:
            cause = str(stop)
        signatures.append({"result": RESULT_OF[cause], "cause": cause} | report)
    best = min(
        signatures,
        key=lambda signature: BEST_FIRST.index(signature["result"]),
        default={"result": "none", "cause": "unsigned"},
    )
    return best["result"], best["cause"], signatures
