"""What happens to a signed message: changes on the way and fields that are there twice."""

import re

from .writer import BODY, FIELDS, R2048, b64, case, change, mail, sign, signed


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
            (
                "body-octet",
                b"Hello",
                b"Hallo",
                "One octet of the body.",
                "body-hash-mismatch",
                "6376 6.1.3",
            ),
            (
                "body-case",
                b"Hello",
                b"hello",
                "The case of a letter in the body.",
                "body-hash-mismatch",
                "6376 6.1.3",
            ),
            (
                "body-line",
                b"Alice\r\n",
                b"Ali\r\nce\r\n",
                "A line broken in two.",
                "body-hash-mismatch",
                "6376 6.1.3",
            ),
            (
                "body-space-added",
                b"Bob,\r\n",
                b"Bob, \r\n",
                "A space added at the end of a line.",
                body,
                in_body,
            ),
            ("body-space-run", b"lunch  on", b"lunch on", "Two spaces became one.", body, in_body),
            (
                "body-space-gone",
                b"lunch  on",
                b"lunchon",
                "White space is gone altogether.",
                "body-hash-mismatch",
                in_body,
            ),
            (
                "body-cut",
                b"\r\nAlice\r\n",
                b"",
                "The last line is gone.",
                "body-hash-mismatch",
                "6376 6.1.3",
            ),
            (
                "body-blank-added",
                b"Alice\r\n",
                b"Alice\r\n\r\n\r\n",
                "Empty lines added at the end.",
                "verified",
                in_body,
            ),
            (
                "body-end-gone",
                b"Alice\r\n",
                b"Alice",
                "The last line end is gone.",
                "verified",
                in_body,
            ),
            (
                "subject-octet",
                b"Lunch ",
                b"Launch ",
                "A letter of a signed field.",
                "signature-mismatch",
                "6376 6.1.3",
            ),
            (
                "subject-case",
                b"Lunch ",
                b"LUNCH ",
                "The case of a signed value.",
                "signature-mismatch",
                "6376 6.1.3",
            ),
            (
                "subject-run",
                b"Lunch  on",
                b"Lunch on",
                "Two spaces of a signed field became one.",
                either,
                section,
            ),
            (
                "subject-refolded",
                b"Lunch  on",
                b"Lunch\r\n on",
                "A signed field folded on the way.",
                either,
                section,
            ),
            (
                "subject-end-space",
                b"Friday\r\nDate",
                b"Friday \r\nDate",
                "White space at the end of a field.",
                either,
                section,
            ),
            (
                "subject-gone",
                b"Subject: Lunch  on Friday\r\n",
                b"",
                "A signed field is gone.",
                "signature-mismatch",
                "6376 6.1.3",
            ),
            (
                "name-case",
                b"\r\nSubject:",
                b"\r\nSUBJECT:",
                "The case of a signed field's name.",
                either,
                section,
            ),
            (
                "name-wsp",
                b"\r\nSubject:",
                b"\r\nSubject :",
                "White space before the colon.",
                either,
                section,
            ),
            (
                "unsigned-field",
                b"by b.example.net",
                b"by c.example.net",
                "A field that is not signed.",
                "verified",
                "6376 5.4",
            ),
            (
                "sig-octet",
                b"t=1700000000",
                b"t=1700000001",
                "A digit in the signature field itself.",
                "signature-mismatch",
                "6376 3.7",
            ),
            (
                "sig-refolded",
                b";\r\n\tbh=",
                b"; bh=",
                "The signature field refolded on the way.",
                either,
                section,
            ),
        ]
        for name, old, new, why, cause, rfc in changes:
            case(f"change-{name}-{form}", why, rfc, change(message, old, new), cause)
        case(f"change-b-{form}", "One letter of b=.", "6376 6.1.3", flipped, "signature-mismatch")
        spaced = re.sub(rb"(?<=\tb=)(.{9})", rb"\1\r\n\t  ", message)
        case(
            f"change-b-refolded-{form}",
            "b= is deleted before hashing: its folds may change.",
            "6376 3.7",
            spaced,
            "verified",
        )
        case(
            f"change-trace-{form}",
            "Fields added above by relays.",
            "6376 5.4",
            b"Received: from x by y; Tue, 14 Nov 2023 22:14:00 +0000\r\nX-Spam: no\r\n" + message,
            "verified",
        )
        body_only = [sign(c=f"{form}/{form}"), *FIELDS]
        case(
            f"change-order-{form}",
            "Fields of different names may change places.",
            "6376 5.4.2",
            mail([body_only[3], body_only[0], body_only[1], body_only[2], *body_only[4:]], BODY),
            "verified",
        )
    zero = b64(b"\0" * 32)
    case(
        "change-bh",
        "bh= of another body: the body hash is compared first.",
        "6376 6.1.3",
        signed(bh=zero),
        "body-hash-mismatch",
    )


def duplicates():
    h = "From:From:To:To:Subject:Subject:Date:Date:Content-Type:Content-Type"
    fields = [*FIELDS, b"Content-Type: text/plain"]
    for name in (b"From", b"Subject", b"To", b"Date", b"Content-Type"):
        extra = {
            b"From": b"From: Eve <eve@example.org>",
            b"Subject": b"Subject: Urgent!",
            b"To": b"To: Eve <eve@example.org>",
            b"Date": b"Date: Wed, 15 Nov 2023 00:00:00 +0000",
            b"Content-Type": b"Content-Type: text/html",
        }[name]
        text = name.decode()
        short = text.lower()
        plain = "From:To:Subject:Date:Content-Type"
        case(
            f"twice-{short}-oversigned",
            f"A second {text} above one that is signed as the only one.",
            "6376 8.15",
            extra + b"\r\n" + signed(fields, h=h),
            "signature-mismatch",
        )
        case(
            f"twice-{short}",
            f"A second {text} above the signed one: readers may show it.",
            "6376 8.15",
            extra + b"\r\n" + signed(fields, h=plain),
            "unsigned-duplicate",
        )
    case(
        "twice-subject-below",
        "A second Subject below the signed one is taken instead of it.",
        "6376 5.4.2",
        change(signed(), b"\r\n\r\nHello", b"\r\nSubject: Urgent!\r\n\r\nHello"),
        "signature-mismatch",
    )
    case(
        "twice-from-both-signed",
        "Two Froms, both signed: DKIM passes, DMARC has to see to it.",
        "6376 8.15",
        signed([b"From: Eve <eve@example.org>", *FIELDS], h="From:From:Subject"),
        "verified",
    )
    case(
        "twice-from-wsp-colon",
        "A second From with a space before its colon is a second From.",
        "6376 8.15",
        b"From : Eve <eve@example.org>\r\n" + signed(),
        "unsigned-duplicate",
    )
    case(
        "twice-subject-case",
        "A second Subject in another case is a second Subject.",
        "6376 8.15",
        b"sUbJeCt: Urgent!\r\n" + signed(),
        "unsigned-duplicate",
    )
    case(
        "twice-received",
        "Fields that may be repeated may be repeated.",
        "6376 5.4",
        b"Received: from x by y; Tue, 14 Nov 2023 22:14:00 +0000\r\n" + signed(h="From:Received"),
        "verified",
    )
    case(
        "oversigned",
        "Fields named once more than they occur, with nothing added.",
        "6376 5.4.2",
        signed(fields, h=h, key=R2048),
        "verified",
    )


def cases():
    mutations()
    duplicates()
