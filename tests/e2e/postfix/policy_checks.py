"""SPF at RCPT TO, in the place of policyd-spf."""

import re

from mail import Smtp, message
from servers import Mailproofd, Postfix

CONFIG = "/etc/postfix-policyd-spf-python/policyd-spf.conf"
MAIN = """myhostname = mx.receiver.example
mynetworks = 127.0.0.1/32
policyd-spf_time_limit = 3600
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination, check_policy_service """
SPAWN = "policyd-spf unix - n n - 0 spawn user=policyd-spf argv="
STRICT = "HELO_reject = Fail\nMail_From_reject = Softfail\nPermError_reject = True\nTempError_Defer = True\n"

# The address, HELO, MAIL FROM.
ENVELOPES = [
    ("there", "mail.sender.example", "joe@sender.example"),
    ("evil", "client.example", "joe@sender.example"),
    ("evil", "client.example", "joe@softfail.example"),
    ("evil", "client.example", "joe@broken.example"),
    ("evil", "client.example", "joe@lame.example"),
    ("evil", "client.example", "joe@explained.example"),
    ("evil", "client.example", "joe@unknown.example"),
    ("evil", "reject.example", "joe@unknown.example"),
    ("there", "mail.sender.example", ""),
    ("evil", "mail.sender.example", ""),
]


def conversation(lab, here):
    """What becomes of mail from each envelope: the codes of the reply; result and identity that
    Received-SPF has."""
    box, told = lab.mailbox(), []
    for source, helo, mail_from in ENVELOPES:
        client = Smtp(lab, lab.here, source=getattr(lab, source), helo=helo)
        reply = client.send(mail_from, f"{box}@receiver.example", message("joe@unknown.example"))
        client.close()
        if reply.startswith("250"):
            got = lab.delivered(box)
            fields = got.all("Received-SPF") + got.all("Authentication-Results")
            lab.check(len(fields) == 1, f"one field: {fields}")
            patterns = (r"\bspf=(\w+)", r"smtp\.(\w+)="), (r"^(\w+)", r"identity=(\w+)")
            found = [re.search(it, fields[0]) for it in patterns["identity=" in fields[0]]]
            told.append(("250", *(it[1].lower() for it in found)))
        else:
            told.append((*reply.split()[:2], reply))
    return told


def as_policyd_spf(lab):
    """By spawn(8), with the files of policyd-spf: the replies and results are the same."""
    command = f"{lab.bin}/mailproofd policy --config {lab.at(CONFIG)}"
    if lab.is_plain:
        command += f" --zone .={lab.home}/dns/zone"
    here = None
    for name, text in (
        ("as it is packaged", lab.read(CONFIG)),
        ("strict", STRICT),
        ("Authentication-Results", "Header_Type = AR\n"),
        ("for tests", "TestOnly = 0\n"),
    ):
        if lab.is_plain:
            # All addresses are those of loopback there.
            text = text.replace("127.0.0.0/8", "127.0.0.1") + "skip_addresses = 127.0.0.1\n"
        lab.write(CONFIG, text)
        lab.evidence[CONFIG] = text
        told = []
        # The old daemon asks the resolv.conf of the system; in a test it tells no failures.
        is_alone = lab.is_plain or name == "for tests"
        for program in [command] if is_alone else [command, "/usr/bin/policyd-spf"]:
            setting = f"{MAIN} unix:private/policyd-spf\n", f"\n{SPAWN}{program}\n"
            if here:
                here.reload(*setting)
            else:
                here = Postfix(lab, True, *setting)
            told.append(conversation(lab, here))
        ours, theirs = told[0], told[-1]
        lab.check(ours[0][:2] == ("250", "pass"), f"{name}: {ours[0]}")
        failed = ("250", "fail") if name == "for tests" else ("550", "5.7.23")
        lab.check(ours[1][:2] == failed, f"{name}: {ours[1][-1]}")
        for envelope, our, their in zip(ENVELOPES, ours, theirs):
            lab.evidence["theirs"] = str(their)
            lab.check(our[:2] == their[:2], f"{name}: {', '.join(envelope)}: {' '.join(our[:2])}")


def as_socket(lab):
    """On a port and on a socket, with a configuration of our own."""
    lab.directory("/var/spool/postfix/mailproofd", f"{lab.account('mailproofd')}:postfix", 0o2750)
    dns = f'[dns]\nname-servers = ["{lab.name_server}"]\n' if lab.is_plain else ""
    path = "/var/spool/postfix/mailproofd/policy.sock"
    toml = f"""[[listener]]
socket = "inet:10040@127.0.0.1"
roles = ["policy"]
[[listener]]
socket = "local:{path}"
roles = ["policy"]
[spf-service]
defer-temperror = true
{dns}"""
    lab.write("/etc/mailproofd/mailproofd.toml", toml)
    Mailproofd(lab, ["/etc/mailproofd/mailproofd.toml"], path)
    here = Postfix(lab, True, f"{MAIN} inet:127.0.0.1:10040\n")
    for endpoint in ("inet:127.0.0.1:10040", "unix:mailproofd/policy.sock"):
        here.reload(f"{MAIN} {endpoint}\n")
        told = conversation(lab, here)
        lab.check(told[0][:2] == ("250", "pass"), f"{endpoint}: {told[0]}")
        lab.check(told[1][:2] == ("550", "5.7.23"), f"{endpoint}: {told[1][-1]}")
        lab.check(told[2][:2] == ("250", "softfail"), f"{endpoint}: {told[2]}")
        lab.check(told[4][0] in ("450", "451"), f"{endpoint}: {told[4][-1]}")
        lab.has(
            told[5][-1],
            (
                "203.0.113.66 may not send for explained.example"
                if not lab.is_plain
                else "may not send"
            ),
            endpoint,
        )
