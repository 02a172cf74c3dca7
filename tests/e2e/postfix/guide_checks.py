"""The guides: their files as they are written, with mailproofd on the sockets."""

import os

from lab import REPOSITORY
from mail import message
from servers import Mailproofd, Postfix
from sign_checks import MAIN_THERE
from world import dkimpy_verifies, key

GUIDES = os.path.join(REPOSITORY, "testdata/config")


def files(lab, guide, keys=(), owner="opendkim"):
    """Puts the files of a guide where it has them, and new keys; its main.cf."""
    root = os.path.join(GUIDES, guide)
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            if not path.endswith((".private", "main.cf")):
                lab.write(path[len(root) :], lab.read(path))
    for path, domain, selector in keys:
        lab.write(path, lab.read(key(lab, domain, selector)), owner, 0o600)
    return lab.read(root, "etc/postfix/main.cf")


def as_guide_3(lab):
    """Guide 3, tables: refused as it is written, at work when its two typos are corrected."""
    keys = [("/etc/opendkim/keys/example.com/20250222.private", "mail.example.com", "20250222")]
    files(lab, "guide-3", keys)
    code, output = lab.tool("mailproofd", "check-config", lab.at("/etc/opendkim.conf"))
    lab.check(code == 1, "check-config finds errors")
    output = " ".join(output.split())
    lab.has(output, '"/refile" is no kind of data set', "InternalHosts /refile:")
    lab.has(output, '"mail/example.com" is no domain', "the KeyTable")
    code, output = lab.tool("mailproofd", "run", "--config", lab.at("/etc/opendkim.conf"))
    lab.check(code == 2, "run does not start")
    lab.has(output, '"/refile" is no kind of data set', "run")

    main = files(lab, "guide-3-corrected", keys)
    Mailproofd(lab, ["/etc/opendkim.conf"], ("127.0.0.1", 8891), user="opendkim")
    here = Postfix(lab, True, f"myhostname = mail.example.com\nmynetworks = 127.0.0.0/8\n{main}")
    Postfix(lab, False, MAIN_THERE)
    both_ways(lab, here, "mail.example.com", "20250222")


def as_guide_4(lab):
    """Guide 4, one domain, milter_protocol 2, and a Postfix without chroot."""
    keys = [("/etc/opendkim/keys/default.private", "example.com", "default")]
    main = files(lab, "guide-4", keys)
    lab.directory("/run/opendkim", "opendkim")
    code, output = lab.tool("mailproofd", "check-config", lab.at("/etc/opendkim.conf"))
    lab.check(code == 1, "check-config warns")
    output = " ".join(output.split())
    for sentence in (
        "a star does not stand for names here",
        "the network is 198.51.100.0/24",
        "a network is written with the length of its prefix",
        "the line begins with white space",
    ):
        lab.has(output, sentence, "TrustedHosts")
    Mailproofd(lab, ["/etc/opendkim.conf"], "/run/opendkim/opendkim.sock", user="opendkim")
    here = Postfix(
        lab, True, f"myhostname = example.com\nmynetworks = 127.0.0.0/8\n{main}", is_chrooted=False
    )
    Postfix(lab, False, MAIN_THERE)
    both_ways(lab, here, "example.com", "default")


def both_ways(lab, here, domain, selector):
    """Mail out, by SMTP and by sendmail(1), is signed; mail in is verified."""
    box = lab.mailbox()
    reply = here.send(
        f"hoge@{domain}", f"{box}@far.example", message(f"hoge@{domain}"), "127.0.0.1"
    )
    lab.check(reply.startswith("250"), f"mail out is accepted: {reply}")
    signed = lab.delivered(box)
    here.sendmail(
        f"hoge@{domain}", f"{box}@far.example", f"From: hoge@{domain}\n\nlocal\n".encode()
    )
    for got in (signed, lab.delivered(box)):
        lab.check(dkimpy_verifies(lab, got.sent()) == [True], "dkimpy verifies what goes out")
        lab.check(
            f"d={domain};" in got.all("DKIM-Signature")[0]
            and f"s={selector};" in got.all("DKIM-Signature")[0],
            f"d={domain} s={selector}",
        )
    for source, result in ((lab.there, "pass"), (lab.evil, "fail")):
        reply = here.send(
            "joe@sender.example", f"{box}@{domain}", message("joe@sender.example"), source
        )
        lab.check(reply.startswith("250"), f"mail in is accepted: {reply}")
        results = lab.delivered(box).results()
        lab.has(results, f"spf={result}", "mail in")
        lab.has(results, f"dmarc={result}", "mail in")
