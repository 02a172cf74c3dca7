#!/usr/bin/env python3
"""Writes the cases of whole messages: cases.toml, and a .eml for each.

Deterministic, with the signatures of ../dkim/generator and the chains of ../arc/generate.py.
"""

import base64
import hashlib
import importlib.util
import json
import pathlib
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "dkim"))

from generator import oracle  # noqa: E402
from generator.oracle import Ed25519, Rsa  # noqa: E402

spec = importlib.util.spec_from_file_location("arc_generate", HERE.parent / "arc" / "generate.py")
arc = importlib.util.module_from_spec(spec)
spec.loader.exec_module(arc)

NOW = 1700000100
ED = Ed25519("ed25519")
ESPOOFER = "espoofer {id}: the trick, not the message; commit 60e5ed0, MIT"
BODY = b"Hi, this is a test message! Best wishes.\r\n"


def key_text(key):
    return f"v=DKIM1; k={key.record_type}; p={base64.b64encode(key.public()).decode()}"


ZONE = f"""\
attack.example.              TXT "v=spf1 ip4:203.0.113.5 -all"
helo.attack.example.         TXT "v=spf1 ip4:203.0.113.5 -all"
any.attack.example.          TXT "v=spf1 ip4:203.0.113.5 -all"
a.attack.example.            TXT "v=spf1 ip4:203.0.113.5 -all"
_dmarc.attack.example.       TXT "v=DMARC1; p=none"
ed._domainkey.attack.example. TXT "{key_text(ED)}"
ed._domainkey.legitimate.example. TXT "{key_text(ED)}"
legitimate.example.          TXT "v=spf1 ip4:198.51.100.1 -all"
mail.legitimate.example.     TXT "v=spf1 ip4:198.51.100.1 -all"
_dmarc.legitimate.example.   TXT "v=DMARC1; p=reject"
ed._domainkey.list.example.  TXT "{key_text(ED)}"
5.113.0.203.in-addr.arpa.    PTR helo.attack.example.
helo.attack.example.         A 203.0.113.5
1.100.51.198.in-addr.arpa.   PTR mail.legitimate.example.
mail.legitimate.example.     A 198.51.100.1"""


def sign(fields, body, domain, selector="ed", names="from:to:subject", more="", length=None):
    canonical = oracle.canonical_body("relaxed", body)
    digest = base64.b64encode(hashlib.sha256(canonical[:length]).digest()).decode()
    field = (
        f"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d={domain}; s={selector};"
        f" t=1700000000;{more}\r\n\th={names}; bh={digest};\r\n\tb="
    ).encode("latin-1")
    listed = [name.encode() for name in names.split(":")]
    data = oracle.header_data("relaxed", listed, [field] + fields, 0)
    return field + base64.b64encode(ED.sign(data))


OUT = ["# Written by generate.py.", f"now = {NOW}", f"zone = '''\n{ZONE}\n'''"]
ATTACKER = {"ip": "203.0.113.5", "helo": "helo.attack.example", "mail_from": "<any@attack.example>"}
HONEST = {"ip": "198.51.100.1", "helo": "mail.legitimate.example", "mail_from": "<admin@legitimate.example>"}
TO = [b"To: victim@victim.example", b"Subject: Test"]


def case(name, why, rfc, fields, expect, envelope=ATTACKER, body=BODY, source=None, zone=None, **change):
    octets = b"".join(field + b"\r\n" for field in fields) + b"\r\n" + body
    (HERE / f"{name}.eml").write_bytes(octets)
    lines = ["[[case]]", f'name = "{name}"', f"why = {json.dumps(why)}", f'rfc = "{rfc}"']
    if source:
        lines.append(f'source = "{ESPOOFER.format(id=source)}"')
    if zone:
        lines.append(f"zone = '''\n{zone}\n'''")
    lines.append(f'message = "{name}.eml"')
    for key, value in {**envelope, **change}.items():
        lines.append(f"input.{key} = {json.dumps(value, ensure_ascii=False)}")
    for key, value in expect.items():
        lines.append(f"expect.{key} = {json.dumps(value)}")
    OUT.extend(["", *lines])


def dmarc(result, cause, **more):
    return {"dmarc": f"{result} {cause}", **more}


ADMIN = b"From: <admin@legitimate.example>"
FIRST = b"From: <first@attack.example>"
SECOND = "attack.example"


def espoofer():
    case("espoofer-a1", "A HELO that passes never counts for DMARC, whatever MAIL FROM is.", "9989 4.4.2", [ADMIN, *TO], dmarc("fail", "no-identifier", spf="none", helo="pass"), mail_from="<any@mailfrom.notexist.legitimate.example>", source="server_a1")
    case("espoofer-a2", "A reverse-path with a parenthesis is no mailbox, and no null one either.", "5321 4.1.2", [ADMIN, *TO], dmarc("fail", "no-identifier", spf="none"), mail_from="<(any@legitimate.example>", source="server_a2")
    fields = [ADMIN, *TO]
    signed = sign(fields, BODY, "legitimate.example", "ed._domainkey.attack.example.\x00.any")
    case("espoofer-a3", "A NUL in the selector makes the signature unreadable; nothing is asked.", "6376 3.1", [ADMIN, signed, *TO], dmarc("fail", "not-aligned", dkim="neutral tag-list", spf="pass"), source="server_a3")
    for mark, name in (("'", "quote"), ("(", "parenthesis"), ('"', "double-quote")):
        signed = sign(fields, BODY, f"legitimate.example{mark}a.attack.example")
        case(f"espoofer-a4-{name}", "A d= with a character that no domain has is no domain.", "6376 3.5", [ADMIN, signed, *TO], dmarc("fail", "not-aligned", dkim="neutral bad-tag-value", spf="pass"), source="server_a4")
    case("espoofer-a5", "A domain in MAIL FROM does not end at a parenthesis.", "5321 4.1.2", [ADMIN, *TO], dmarc("fail", "no-identifier", spf="none"), mail_from="<any@legitimate.example(a.attack.example>", source="server_a5")
    case("espoofer-a6", "Two @ are no mailbox.", "5321 4.1.2", [ADMIN, *TO], dmarc("fail", "no-identifier", spf="none"), mail_from="<any@legitimate.example'@any.attack.example>", source="server_a6")
    case("espoofer-a7", "A source route is passed over, and the domain after it counts.", "5321 4.1.1.3", [ADMIN, *TO], dmarc("fail", "not-aligned", spf="pass"), mail_from="<@legitimate.example,@any.example:'any@attack.example>", source="server_a7")
    case("espoofer-a8", "Two From fields have no author domain.", "9989 5.3.1", [FIRST, ADMIN, *TO], dmarc("permerror", "no-author-domain", author="several-from-fields"), source="server_a8")
    case("espoofer-a9", "A first line that begins with a space hides a From.", "5322 2.2.3", [b" " + FIRST, ADMIN, *TO], dmarc("permerror", "no-author-domain", author="hidden-from-field"), source="server_a9")
    case("espoofer-a10", "A space before the colon is obsolete syntax, and it is a From all the same.", "5322 4.5", [FIRST, b"From : <admin@legitimate.example>", *TO], dmarc("permerror", "no-author-domain", author="several-from-fields"), source="server_a10")
    hidden = b"From\r\n : <first@attack.example>"
    case("espoofer-a11", "A From folded before its colon is one that some readers see.", "5322 2.2", [hidden, ADMIN, *TO], dmarc("permerror", "no-author-domain", author="hidden-from-field"), source="server_a11")
    case("espoofer-a12", "Sender is never asked.", "9989 5.3.1", [hidden, b"nTo: victim@victim.example", b"Sender: <admin@legitimate.example>"], dmarc("permerror", "no-author-domain", author="hidden-from-field"), source="server_a12")
    case("espoofer-a13", "Resent-From is never asked.", "9989 5.3.1", [hidden, b"Resent-From: <admin@legitimate.example>", *TO], dmarc("permerror", "no-author-domain", author="hidden-from-field"), source="server_a13")
    case("espoofer-a14", "Of two authors the one whose domain fails decides.", "9989 11.5", [b"From: <first@attack.example>, <admin@legitimate.example>", b"Sender: s@sender.legitimate.example", *TO], dmarc("fail", "not-aligned", author="several", policy="reject"), source="server_a14")
    word = base64.b64encode(b"<admin@legitimate.example>").decode()
    case("espoofer-a15", "An encoded-word without an address is no mailbox, and is never decoded.", "2047 5", [f"From: =?utf-8?B?{word}?=,<second@attack.example>".encode(), *TO], dmarc("permerror", "no-author-domain"), source="server_a15")
    case("espoofer-a16", "A route in From is passed over.", "5322 4.4", [b"From: <@attack.example,@any.example:admin@legitimate.example>", *TO], dmarc("fail", "not-aligned", author="one"), source="server_a16")
    case("espoofer-a17", "A backslash outside quotes is no text.", "5322 3.4", [b"From: <admin@legitimate.example>\\,<second@attack.example>", *TO], dmarc("permerror", "no-author-domain"), source="server_a17")
    case("espoofer-a18", "A bare address and one in brackets are two authors.", "9989 11.5", [b"From: admin@legitimate.example,<second@attack.example>", *TO], dmarc("fail", "not-aligned", author="several", policy="reject"), source="server_a18")
    case("espoofer-a19", "Two addresses without a comma are none.", "5322 3.4", [b"From: <any@attack.example>admin@legitimate.example", *TO], dmarc("permerror", "no-author-domain"), source="server_a19")


def paper():
    """Composition Kills (USENIX Security 2020), what the tool does not have."""
    fields = [ADMIN, *TO]
    signed = [sign(fields, BODY, "legitimate.example"), *fields]
    good = dmarc("pass", "aligned", dkim="pass verified")
    case("replay", "The same message sent again by others passes: that is what DKIM says.", "6376 8.6", signed, {**good, "spf": "pass"})
    case("replay-extra-subject", "A second Subject above a signed one: the signature verifies, and is not accepted.", "6376 8.15", [b"Subject: Pay now", *signed], dmarc("fail", "not-aligned", dkim="policy unsigned-duplicate"))
    case("replay-extra-from", "A second From on a signed message leaves no author domain.", "9989 5.3.1", [b"From: <first@attack.example>", *signed], dmarc("permerror", "no-author-domain", author="several-from-fields"))
    part = sign(fields, BODY, "legitimate.example", more=f" l={len(BODY)};", length=len(BODY))
    case("replay-appended", "What l= does not cover was appended: the signature is not accepted.", "6376 8.2", [part, *fields], dmarc("fail", "not-aligned", dkim="policy unsigned-content"), body=BODY + b"Pay now.\r\n")
    case("from-space-in-domain", "U+2000 in the domain is no domain, rather than one without a policy.", "5890 2.3.1", ["From: admin@legitimate.example\u2000".encode(), *TO], dmarc("permerror", "no-author-domain", author="malformed"))
    case("from-encoded-word-only", "From with an encoded-word and nothing else has no address.", "2047 5", [f"From: =?utf-8?B?{base64.b64encode(b'<admin@legitimate.example>').decode()}?=".encode(), *TO], dmarc("permerror", "no-author-domain"))
    case("no-from", "Without From there is no author, Sender or not.", "9989 5.3.1", [b"Sender: <admin@legitimate.example>", *TO], dmarc("permerror", "no-author-domain", author="no-from-field"))


def papers():
    case("null-sender-of-others", "An empty MAIL FROM is postmaster at HELO, and not aligned here.", "7208 2.4", [ADMIN, *TO], dmarc("fail", "not-aligned", spf="pass", helo="pass"), mail_from="<>")
    case("null-sender-of-ours", "An empty MAIL FROM is postmaster at HELO, and aligned here.", "7208 2.4", [ADMIN, *TO], dmarc("pass", "aligned", spf="pass"), {**HONEST, "mail_from": "<>"})
    case("subdomain-of-reject", "A made-up subdomain falls under the policy of its organization.", "9989 4.10.1", [b"From: <admin@billing.legitimate.example>", *TO], dmarc("fail", "not-aligned", policy="reject", disposition="quarantine"))
    case("group-and-address", "A group that reads like a name, VU#517845, is no single author.", "6854 2.1", [b"From: <attacker@attack.example>:<admin@legitimate.example>;", *TO], dmarc("permerror", "no-author-domain"))
    case("bidi-in-domain", "U+202E in the domain is no domain.", "5890 2.3.1", ["From: <admin@legitimate\u202e.example>".encode(), *TO], dmarc("permerror", "no-author-domain", author="malformed"))
    case("domain-literal", "An address literal in From is no domain.", "9989 5.3.1", [b"From: <admin@[198.51.100.1]>", *TO], dmarc("permerror", "no-author-domain", author="malformed"))


CLAIMS = [
    b"Authentication-Results: mx.victim.example; dmarc=pass header.from=legitimate.example",
    b"Authentication-Results: MX.victim.example (us) 1;\r\n\tspf=pass smtp.mailfrom=legitimate.example; dkim=pass header.d=legitimate.example",
    b"Received-SPF: pass (mx.victim.example: ok) receiver=mx.victim.example; client-ip=198.51.100.1; envelope-from=\"admin@legitimate.example\"",
]


def forged():
    fail = dmarc("fail", "not-aligned", spf="pass", dkim="none unsigned")
    case("forged-results", "What a message says of its own authentication is not listened to.", "8601 7.1", [*CLAIMS, ADMIN, *TO], {**fail, "arc": "none no-sets", "removals": 2})
    chain = arc.Message([ADMIN, *TO], BODY).seal("attack.example", "none", h="from:to:subject", aar="ARC-Authentication-Results: i={i}; mx.victim.example; dmarc=pass header.from=legitimate.example")
    case("attackers-chain", "A valid chain of the attacker passes as a chain, and changes nothing else.", "8617 9.4", chain.fields, {**fail, "arc": "pass valid", "disposition": "quarantine"})
    chain = arc.Message([ADMIN, *TO], BODY).seal("attack.example", "none", h="from:to:subject", aar="ARC-Authentication-Results: i={i}; mx.attack.example; dmarc=pass header.from=legitimate.example").seal("list.example", "pass", h="from:to:subject")
    case("attackers-chain-through-a-list", "A trusted list sealed what an attacker had sealed: not every sealer is trusted.", "8617 9.4", chain.fields, {**fail, "arc": "pass valid", "override": False, "disposition": "quarantine"}, trusted=["list.example"])
    chain = arc.Message([ADMIN, *TO], BODY).seal("list.example", "none", h="from:to:subject", aar="ARC-Authentication-Results: i={i}; mx.list.example; dmarc=pass header.from=legitimate.example")
    case("trusted-list", "A chain of trusted sealers overrides the disposition, not the result.", "8617 7.2.1", chain.fields, {**fail, "arc": "pass valid", "override": True, "disposition": "none"}, trusted=["list.example"])
    authors = arc.Message([b"From: <a@other.example>, <admin@legitimate.example>", *TO], BODY).seal("list.example", "none", h="from:to:subject", aar="ARC-Authentication-Results: i={i}; mx.list.example; dmarc=pass header.from=other.example")
    case("trusted-list-two-authors", "What a trusted sealer says of one author lets no other one pass.", "8617 7.2.1", authors.fields, {**fail, "arc": "pass valid", "author": "several", "override": False, "disposition": "quarantine"}, zone=f'{ZONE}\n_dmarc.other.example. TXT "v=DMARC1; p=reject"', trusted=["list.example"])
    says = "ARC-Authentication-Results: i={i}; mx.list.example; dmarc=pass header.from=legitimate.example"
    unsigned = arc.Message([ADMIN, *TO], BODY).seal("list.example", "none", h="to:subject", aar=says)
    case("trusted-list-without-from", "A chain that does not sign From says nothing of the author.", "8617 7.2.1", unsigned.fields, {**fail, "arc": "pass valid", "override": False, "disposition": "quarantine"}, trusted=["list.example"])
    lent = "ARC-Message-Signature: i={i}; a={a}; c={c}; d=attack.example; s={s}; t=1700000000;\r\n\th={h};\r\n\tbh={bh};\r\n\tb="
    others = arc.Message([ADMIN, *TO], BODY).seal("list.example", "none", h="from:to:subject", aar=says, ams=lent)
    case("trusted-seal-over-signature-of-others", "The newest message signature is by a domain nobody trusts.", "8617 7.2.1", others.fields, {**fail, "arc": "pass valid", "override": False, "disposition": "quarantine"}, trusted=["list.example"])
    case("trusted-list-for-nothing", "Where DMARC passes there is nothing to override.", "8617 7.2.1", chain.fields, {**dmarc("pass", "aligned", spf="pass", arc="pass valid"), "override": False, "disposition": "none"}, HONEST, trusted=["list.example"])
    case("untrusted-list", "Nobody is trusted by default.", "8617 9.4", chain.fields, {**fail, "arc": "pass valid", "override": False, "disposition": "quarantine"})


def trouble():
    fields = [ADMIN, *TO]
    signed = [sign(fields, BODY, "legitimate.example"), *fields]

    def zone(*lines):
        names = [line.split()[0] for line in lines]
        kept = [line for line in ZONE.split("\n") if line.split()[0] not in names]
        return "\n".join([*kept, *lines])

    spf = zone("legitimate.example. TIMEOUT")
    case("spf-timeout", "SPF would be aligned and has no answer: DMARC is undecided.", "9989 5.3.6", fields, dmarc("temperror", "undecided", spf="temperror", temporary=True), HONEST, zone=spf)
    case("spf-timeout-dkim-passes", "One aligned identifier is enough.", "9989 5.3.5", signed, dmarc("pass", "aligned", spf="temperror", dkim="pass verified", temporary=True), HONEST, zone=spf)
    key = zone("ed._domainkey.legitimate.example. SERVFAIL")
    case("dkim-servfail", "The key of an aligned signature has no answer: DMARC is undecided.", "9989 5.3.6", signed, dmarc("temperror", "undecided", dkim="temperror key-unavailable", temporary=True), zone=key)
    case("dkim-servfail-spf-passes", "One aligned identifier is enough.", "9989 5.3.5", signed, dmarc("pass", "aligned", spf="pass", dkim="temperror key-unavailable", temporary=True), HONEST, zone=key)
    policy = zone("_dmarc.legitimate.example. TIMEOUT")
    case("policy-timeout", "Without an answer there is no policy, and no result.", "9989 5.3.6", signed, dmarc("temperror", "dns-failure", dkim="pass verified", temporary=True), zone=policy)
    for word, qualifier in (("softfail", "~"), ("neutral", "?")):
        other = zone(f'legitimate.example. TXT "v=spf1 {qualifier}all"')
        case(f"spf-{word}", f"A {word} of SPF authenticates nothing.", "9989 4.4.2", fields, dmarc("fail", "no-identifier", spf=word), HONEST, zone=other)
    chain = arc.Message(signed, BODY).seal("list.example", "none", h="from:to:subject")
    case("arc-key-servfail", "The key of a seal has no answer: the chain fails, and may not the next time.", "8617 5.2.1", chain.fields, dmarc("pass", "aligned", arc="fail message-signature", dkim="pass verified", temporary=True), HONEST, zone=zone("ed._domainkey.list.example. SERVFAIL"))
    reverse = zone("1.100.51.198.in-addr.arpa. SERVFAIL")
    case("iprev-servfail", "A name that has no answer concerns iprev alone.", "8601 2.7.3", signed, dmarc("pass", "aligned", iprev="temperror name-unavailable", temporary=True), HONEST, zone=reverse)


def honest():
    fields = [ADMIN, *TO]
    signed = [sign(fields, BODY, "legitimate.example"), *fields]
    results = "mx.victim.example; spf=pass smtp.mailfrom=legitimate.example; dkim=pass header.d=legitimate.example header.i=@legitimate.example header.a=ed25519-sha256 header.s=ed header.b={b}; arc=none; dmarc=pass header.from=legitimate.example policy.dmarc=reject; iprev=pass policy.iprev=198.51.100.1"
    start = signed[0].rsplit(b"b=", 1)[1][:8].decode()
    start = start if start.replace("+", "").replace("/", "").isalnum() and "/" not in start else f'"{start}"'
    case("all-pass", "A message as it should be, and the field that says so.", "8601 2.2", signed, {**dmarc("pass", "aligned", spf="pass", helo="pass", dkim="pass verified", arc="none no-sets", iprev="pass match", disposition="none"), "authentication_results": results.replace("{b}", start)}, HONEST)
    case("forwarded", "Forwarded without a change: SPF is of others, the signature holds.", "9989 5.3.5", signed, dmarc("pass", "aligned", spf="pass", dkim="pass verified"))
    case("no-envelope", "Without an envelope DKIM decides alone.", "9989 5.3.5", signed, dmarc("pass", "aligned", dkim="pass verified"), {})


def main():
    for old in HERE.glob("*.eml"):
        old.unlink()
    for theme in (honest, espoofer, paper, papers, forged, trouble):
        theme()
    (HERE / "cases.toml").write_text("\n".join(OUT) + "\n")
    print(sum(line == "[[case]]" for line in OUT), "cases")


if __name__ == "__main__":
    main()
