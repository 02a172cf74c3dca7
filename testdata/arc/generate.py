#!/usr/bin/env python3
"""Writes the ARC cases that are ours: own.toml, and own/*.eml with the messages.

Deterministic: fixed keys (../keys), a fixed clock, and signatures that have no randomness. The
signatures are made with the Python of ../dkim/generator, which shares no line with the Rust crates.
"""

import base64
import hashlib
import json
import pathlib
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "dkim"))

from generator import oracle  # noqa: E402
from generator.oracle import Ed25519, Rsa  # noqa: E402

NOW = 1700000100
ED = Ed25519("ed25519")
RSA = Rsa("rsa-1024")
KEYS = {"ed": ED, "rsa": RSA}
FIELDS = [
    b"From: Alice <alice@example.com>",
    b"To: list@lists.example",
    b"Subject: Lunch on Friday",
    b"Date: Tue, 14 Nov 2023 22:13:20 +0000",
    b"Message-ID: <1@example.com>",
]
BODY = b"Hello,\r\n\r\nlunch on Friday?\r\n"


def b64(octets):
    return base64.b64encode(octets).decode()


class Message:
    """A message on its way; `seal` adds an ARC Set on top."""

    def __init__(self, fields=None, body=BODY):
        self.fields = list(FIELDS if fields is None else fields)
        self.body = body
        self.sets = []

    def octets(self):
        return b"".join(field + b"\r\n" for field in self.fields) + b"\r\n" + self.body

    def seal(self, domain, cv, key=ED, selector=None, instance=None, **forms):
        """One more set; a form is a template of a field, or None for no such field."""
        i = len(self.sets) + 1 if instance is None else instance
        s = selector or ("ed" if key is ED else "rsa")
        names = forms.get("h", "from:to:subject:date:message-id")
        c = forms.get("c", "relaxed/relaxed")
        body = oracle.canonical_body(c.split("/")[1], self.body)
        if "l" in forms:
            body = body[: forms["l"]]
        facts = {
            "i": i,
            "a": key.algorithm,
            "c": c,
            "d": domain,
            "s": s,
            "h": names,
            "bh": b64(hashlib.sha256(body).digest()),
            "cv": cv,
            "more": forms.get("more", ""),
        }
        aar = forms.get("aar", "ARC-Authentication-Results: i={i}; {d}; dmarc=pass header.from=example.com")
        ams = forms.get(
            "ams",
            "ARC-Message-Signature: i={i}; a={a}; c={c}; d={d}; s={s}; t=1700000000;{more}\r\n"
            "\th={h};\r\n\tbh={bh};\r\n\tb=",
        )
        seal = forms.get("seal", "ARC-Seal: i={i}; a={a}; cv={cv}; d={d}; s={s}; t=1700000000; b=")
        aar, ams, seal = (form and form.format(**facts).encode() for form in (aar, ams, seal))
        if ams:
            listed = [name.strip().encode() for name in names.split(":")]
            data = oracle.header_data(c.split("/")[0], listed, [ams] + self.fields, 0)
            ams += b64(key.sign(data)).encode()
        if seal:
            sealed = [field for fields in self.sets for field in fields] if cv != "fail" else []
            sealed += [field for field in (aar, ams) if field]
            data = b"".join(oracle.canonical_field("relaxed", field) + b"\r\n" for field in sealed)
            data += oracle.canonical_field("relaxed", oracle.without_b(seal))
            seal += b64(key.sign(data)).encode()
        self.sets.append([field for field in (aar, ams, seal) if field])
        self.fields = [field for field in (seal, ams, aar) if field] + self.fields
        return self

    def change(self, old, new):
        """What somebody on the way, or an attacker, does to the header."""
        before = b"\r\n".join(self.fields)
        assert before.count(old) >= 1, old
        self.fields = oracle.split_message(before.replace(old, new, 1) + b"\r\n\r\n")[0]
        return self


def zone(*domains, extra=""):
    lines = []
    for domain in domains:
        for name, key in KEYS.items():
            record = f"v=DKIM1; k={key.record_type}; p={b64(key.public())}"
            strings = " ".join(f'"{record[at:at + 200]}"' for at in range(0, len(record), 200))
            lines.append(f"{name}._domainkey.{domain}. TXT {strings}")
    return "\n".join(lines + ([extra] if extra else []))


OUT = ["# Written by generate.py."]


def case(name, why, rfc, message, result, cause, zone_text=None, now=NOW, **expect):
    octets = message if isinstance(message, bytes) else message.octets()
    (HERE / "own" / f"{name}.eml").write_bytes(octets)
    text = zone("one.example", "two.example", "three.example") if zone_text is None else zone_text
    lines = [
        "[[case]]",
        f'name = "{name}"',
        f"why = {json.dumps(why, ensure_ascii=False)}",
        f'rfc = "{rfc}"',
        f"now = {now}",
        f'message = "own/{name}.eml"',
        f"zone = '''\n{text}\n'''",
        f'expect.result = "{result}"',
        f'expect.cause = "{cause}"',
    ]
    for key, item in expect.items():
        lines.append(f"expect.{key} = {json.dumps(item)}")
    OUT.extend(["", *lines])


def passing(name, why, rfc, message, zone_text=None, oldest_pass=0, **expect):
    if oldest_pass is not None:
        expect["oldest_pass"] = oldest_pass
    case(name, why, rfc, message, "pass", "valid", zone_text, **expect)


def failing(name, why, rfc, message, cause, zone_text=None, **expect):
    case(name, why, rfc, message, "fail", cause, zone_text, **expect)


def one(**forms):
    return Message().seal("one.example", "none", **forms)


def two(**forms):
    return one().seal("two.example", "pass", **forms)


def instances():
    passing("instance-first", "i= as the first tag, as the RFC writes it.", "8617 4.1", one(), sealers=["one.example"])
    passing("instance-leading-zero", "position is one or two digits.", "8617 3.9", one(instance="01"))
    aar = "ARC-Authentication-Results: (first (of all)) i (is) =\r\n {i} (;) ; {d}; none"
    passing("instance-comments", "Comments and folds may stand around the instance of results.", "8617 3.9", one(aar=aar))
    failing("instance-three-digits", "001 has a digit too many.", "8617 3.9", one(instance="001"), "seal-syntax", detail="bad-instance")
    failing("instance-51", "No instance is above 50.", "8617 4.2.1", one(instance=51), "too-many-sets")
    failing("instance-zero", "Instances begin with 1.", "8617 4.2.1", one(instance=0), "seal-syntax", detail="bad-instance")
    upper = "ARC-Seal: I={i}; a={a}; cv={cv}; d={d}; s={s}; t=1700000000; b="
    failing("instance-upper-case", "The tag is i, and not I.", "8617 3.9", one(seal=upper), "seal-syntax", detail="missing-instance")
    upper = "ARC-Authentication-Results: I={i}; {d}; none"
    failing("instance-upper-case-results", "Results begin with i, and not I: the grammar has it with case.", "8617 3.9", one(aar=upper), "authentication-results-syntax", detail="missing-instance")
    late = "ARC-Authentication-Results: {d}; i={i}; none"
    failing("instance-after-authserv-id", "Results begin with the instance; after the authserv-id it would be a method.", "8617 4.1.1", one(aar=late), "authentication-results-syntax", detail="missing-instance")


def structure():
    case("only-results", "ARC-Authentication-Results alone are a set that lacks the rest, not no set.", "8617 5.2", one(ams=None, seal=None), "fail", "missing-field", instance=1)
    failing("gap", "Sets 1 and 3 without 2.", "8617 5.2", one().seal("two.example", "pass", instance=3), "missing-set", instance=2)
    failing("first-missing", "A chain that begins with 2.", "8617 5.2", Message().seal("one.example", "pass", instance=2), "missing-set", instance=1)
    failing("second-says-none", "A later seal cannot say that there was no chain.", "8617 5.2", one().seal("two.example", "none"), "status-mismatch", instance=2)
    failing("newest-says-fail", "A seal of its own set alone that says fail verifies, and the chain fails.", "8617 5.1.2", one().seal("two.example", "fail"), "failed-before", instance=2)
    failing("fail-before-structure", "cv=fail of the newest seal is looked at before the gap under it.", "8617 5.2", one().seal("two.example", "fail", instance=4), "failed-before", instance=4)
    failing("seal-repeated", "The same seal twice, octet by octet.", "8617 5.2", repeat_seal(), "repeated-field", instance=1)
    passing("status-upper-case", "cv= is a word of the ABNF, without regard to case.", "8617 3.9", one(seal="ARC-Seal: i={i}; a={a}; cv=NONE; d={d}; s={s}; t=1700000000; b="))
    passing("fields-in-any-order", "Where the fields of a set stand does not matter.", "8617 4.2", shuffled())
    many = Message()
    for number in range(50):
        many.seal("one.example", "pass" if number else "none")
    passing("fifty-sets", "50 sets are as many as there may be; oldest-pass is not looked for so far down.", "8617 5.2", many, oldest_pass=None)
    failing("fifty-one-sets", "The 51st set is one too many.", "8617 5.2", many.seal("one.example", "pass"), "too-many-sets")


def repeat_seal():
    message = one()
    message.fields.insert(0, message.fields[0])
    return message


def shuffled():
    message = two()
    fields = message.fields
    message.fields = [fields[5], fields[1], fields[3]] + fields[6:] + [fields[0], fields[4], fields[2]]
    return message


def message_signatures():
    passing("ams-version-ignored", "v= is not defined here and is passed over.", "8617 4.1.2", one(more=" v=17;"))
    failing("ams-signs-seal", "A message signature must not sign seals.", "8617 4.1.2", two(h="from:subject:arc-seal"), "message-signature-syntax", detail="signs-seals")
    failing("ams-expired", "x= is inherited from DKIM: past it the signature does not verify.", "6376 3.5", one(more=" x=1700000100;"), "message-signature", detail="expired", instance=1, now=1700000401)
    failing("ams-unsigned-content", "l= leaves the end of the body unsigned, which is accepted no more than in DKIM.", "6376 8.2", one(more=" l=8;", l=8), "message-signature", detail="unsigned-content", instance=1)
    passing("ams-older-body-changed", "A list changes the body after instance 1; the chain holds, and oldest-pass tells.", "8617 5.2", changed_between(), oldest_pass=2)
    passing("ams-older-unreadable", "An older message signature that cannot be read ends the walk and nothing else.", "8617 5.2", one(ams="ARC-Message-Signature: i={i}; a=rot13; b=").seal("two.example", "pass"), oldest_pass=2)
    passing("ams-older-key-gone", "The key of an older message signature may be gone.", "8617 5.2", one_key_gone(), oldest_pass=2)
    failing("ams-newest-changed", "The body was changed after the last seal.", "8617 5.2", body_changed(two()), "message-signature", detail="body-hash-mismatch", instance=2)
    passing("ams-other-domain", "Message signature and seal of one set may have different domains.", "8617 4.1.3", one(ams="ARC-Message-Signature: i={i}; a={a}; c={c}; d=three.example; s={s};\r\n\th={h}; bh={bh}; b="))
    passing("ams-names-its-own-kind", "h= names ARC-Message-Signature, and there is no other: the field never signs itself twice.", "6376 5.4", one(h="from:subject:arc-message-signature"))
    passing("two-algorithms", "One set with RSA, the next with Ed25519.", "8463 3", one(key=RSA).seal("two.example", "pass"))


def body_changed(message):
    message.body += b"Unsubscribe here.\r\n"
    return message


def changed_between():
    return body_changed(one()).seal("two.example", "pass").seal("three.example", "pass")


def one_key_gone():
    return one(ams="ARC-Message-Signature: i={i}; a={a}; c={c}; d=gone.example; s={s};\r\n\th={h}; bh={bh}; b=").seal("two.example", "pass")


def seals():
    failing("aar-changed", "Results that were changed after the seal: this is what seals are for.", "8617 5.1.1", two().change(b"i=1; one.example; dmarc=pass", b"i=1; one.example; dmarc=fail"), "seal", detail="signature-mismatch", instance=2)
    failing("set-replaced", "Set 1 replaced by one of the attacker, validly sealed.", "8617 5.1.1", replaced(), "seal", detail="signature-mismatch", instance=2)
    failing("set-removed", "The newest set cut off, and the next one down renumbered.", "8617 5.2", two().change(b"i=2", b"i=3"), "missing-field", instance=2)
    passing("seal-with-bh", "bh= has no meaning in a seal and is passed over like every tag that is not known.", "8617 4.1.3", one(seal="ARC-Seal: i={i}; a={a}; bh=AAAA; cv={cv}; d={d}; s={s}; t=1700000000; b="))
    passing("seal-with-x", "x= is no tag of a seal, and expires nothing.", "8617 4.1.3", one(seal="ARC-Seal: i={i}; a={a}; cv={cv}; d={d}; s={s}; t=1700000000; x=1700000001; b="), now=NOW + 1000)
    passing("seal-refolded", "Seals are relaxed: a relay may fold the fields anew.", "8617 4.1.3", two().change(b"ARC-Seal: i=2; a=ed25519-sha256; cv=pass;", b"ARC-SEAL:\ti=2;\r\n a=ed25519-sha256;\r\n\tcv=pass;"))
    failing("seal-rsa-sha1", "SHA-1 is no algorithm any more.", "8301 3.1", one(seal="ARC-Seal: i={i}; a=rsa-sha1; cv={cv}; d={d}; s={s}; b="), "seal-syntax", detail="rsa-sha1")
    failing("seal-single-label", "d= has two labels at least.", "6376 3.5", one(seal="ARC-Seal: i={i}; a={a}; cv={cv}; d=example; s={s}; b="), "seal-syntax", detail="bad-tag-value")


def replaced():
    message = two()
    other = Message().seal("three.example", "none")
    message.fields = message.fields[:3] + other.fields[:3] + message.fields[6:]
    return message


def dns():
    trouble = zone("one.example", extra="ed._domainkey.two.example. SERVFAIL")
    failing("signature-key-servfail", "SERVFAIL for the key of the newest message signature: fail by the RFC, and marked temporary.", "8617 5.2.1", two(), "message-signature", trouble, detail="key-unavailable", instance=2, temporary=True)
    trouble = zone("two.example", extra="ed._domainkey.one.example. TIMEOUT")
    failing("seal-key-timeout", "No answer for the key of an old seal: fail by the RFC, and marked temporary.", "8617 5.2.1", two(), "seal", trouble, detail="key-unavailable", instance=1, temporary=True)
    failing("seal-key-gone", "A key that is gone fails the chain, for good.", "8617 5.2.1", two(), "seal", zone("two.example"), detail="no-key", instance=1)
    failing("seal-key-revoked", "An empty p= revokes the key.", "6376 6.1.2", two(), "seal", zone("two.example", extra='ed._domainkey.one.example. TXT "v=DKIM1; k=ed25519; p="'), detail="key-revoked", instance=1)
    twenty, names = Message(), [f"d{number}.example" for number in range(21)]
    for number, name in enumerate(names[:20]):
        twenty.seal(name, "pass" if number else "none")
    passing("twenty-keys", "20 names of keys are asked for.", "8617 9.2", twenty, zone(*names), oldest_pass=None)
    failing("twenty-one-keys", "One name more, and nothing is asked at all: an attacker chooses the names.", "8617 9.2", twenty.seal(names[20], "pass"), "limit", zone(*names))


def main():
    (HERE / "own").mkdir(exist_ok=True)
    for old in (HERE / "own").glob("*.eml"):
        old.unlink()
    for theme in (instances, structure, message_signatures, seals, dns):
        theme()
    rfc = HERE / "rfc8617-b.eml"
    if rfc.exists():
        failing("rfc8617-b", "The example of the RFC: three sets in order; its keys were never published, so the newest message signature cannot verify.", "8617 B", rfc.read_bytes(), "message-signature", "", detail="no-key", instance=3, sealers=["lists.example.org", "gmail.example", "clochette.example.org"])
        (HERE / "own" / "rfc8617-b.eml").unlink()
        OUT[:] = [line.replace('"own/rfc8617-b.eml"', '"rfc8617-b.eml"') for line in OUT]
    (HERE / "own.toml").write_text("\n".join(OUT) + "\n")
    print(sum(line == "[[case]]" for line in OUT), "cases")


if __name__ == "__main__":
    main()
