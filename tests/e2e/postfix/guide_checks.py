"""The guides: their files as they are written, with mailproofd on the sockets."""

import grp, os, pwd, re, shutil, signal, socket, threading, urllib.request

from lab import REPOSITORY, Program
from mail import message
from servers import MAIN, SOCKET, Mailproofd, Postfix
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


def as_guide_1(lab):
    """Guide 1, one domain: it starts as it is written, and it is told that nothing will be signed."""
    domain = "subdomain.domain.example"
    main = files(lab, "guide-1", [("/etc/dkimkeys/default.private", domain, "default")])
    for daemon in ("opendkim", "opendmarc"):
        lab.directory(f"/run/{daemon}", daemon)
        lab.directory(f"/var/spool/postfix/{daemon}", f"{daemon}:postfix", 0o2750)
    both = ["/etc/opendkim.conf", "/etc/opendmarc.conf"]
    lab.write("/etc/postfix-of-the-guide/main.cf", main)
    code, output = lab.tool(
        "mailproofd",
        "check-config",
        *map(lab.at, both),
        "--postfix",
        lab.at("/etc/postfix-of-the-guide/main.cf"),
    )
    lab.check(code == 1, "check-config warns")
    output = " ".join(output.split())
    for sentence in (
        "nothing will be signed: there is a key, but no domain that it is for (Domain is not set)",
        "ignore.hosts: no such file",
        "these are not in InternalHosts",
        "others can smuggle messages",
        "OpenDMARC with this file does not check SPF itself",
    ):
        lab.has(output, sentence, "it is told")
    sockets = [f"/var/spool/postfix/{it}/{it}.sock" for it in ("opendkim", "opendmarc")]

    def start():
        daemon = Mailproofd(lab, both, sockets[0], user=None)
        for path in sockets if lab.is_plain else []:
            # In place of "adduser postfix opendkim".
            shutil.chown(lab.at(path), group="postfix")
        return daemon

    daemon = start()
    here = Postfix(lab, True, main)
    Postfix(lab, False, MAIN_THERE)
    box = lab.mailbox()
    here.send(f"joe@{domain}", f"{box}@far.example", message(f"joe@{domain}"), "127.0.0.1")
    lab.check(not lab.delivered(box).all("DKIM-Signature"), "nothing is signed")
    mail_in(lab, here, domain)
    owner = os.stat(f"/proc/{daemon.process.pid}").st_uid
    lab.check(owner == pwd.getpwnam("opendkim").pw_uid, "the daemon runs as opendkim (UserID)")
    daemon.stop()

    config = lab.read(lab.at(both[0])).replace("#Domain\t\t\texample.com", f"Domain\t\t\t{domain}")
    with open(lab.at(both[0]), "w") as it:
        it.write(config)
    lab.write("/etc/opendmarc/ignore.hosts", lab.read(GUIDES, "guide-1/etc/ignore.hosts"))
    start()
    mail_out(lab, here, domain, "default")
    mail_in(lab, here, domain)
    octets = message("joe@sender.example").replace(b"Date: ", b"X-Date: ")
    reply = here.send("joe@sender.example", f"{box}@{domain}", octets, lab.there)
    lab.check(reply.startswith("550 5.6.0 "), f"RequiredHeaders, without Date: {reply}")


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
    mail_out(lab, here, "mail.example.com", "20250222")
    mail_in(lab, here, "mail.example.com")


def as_guide_4(lab):
    """Guide 4, one domain, milter_protocol 2, and a socket that a chrooted smtpd cannot see."""
    keys = [("/etc/opendkim/keys/default.private", "example.com", "default")]
    main = f"myhostname = example.com\nmynetworks = 127.0.0.0/8\n{files(lab, 'guide-4', keys)}"
    lab.directory("/run/opendkim", "opendkim")
    Mailproofd(lab, ["/etc/opendkim.conf"], "/run/opendkim/opendkim.sock", user="opendkim")
    here = Postfix(lab, True, main)
    Postfix(lab, False, MAIN_THERE)
    box = lab.mailbox()
    told = complaints(lab, here)
    for sentence in (
        "a star does not stand for names here",
        "the network is 198.51.100.0/24",
        "a network is written with the length of its prefix",
        "the line begins with white space",
        "is outside of /var/spool/postfix, in which smtpd runs",
        "others can smuggle messages",
    ):
        lab.has(told, lab.text(sentence), "it is told")
    here.send("hoge@example.com", f"{box}@far.example", message("hoge@example.com"), "127.0.0.1")
    lab.check(not lab.delivered(box).all("DKIM-Signature"), "in a chroot nothing is signed, indeed")
    here.stop()

    here = Postfix(lab, True, main, is_chrooted=False)
    lab.check("in which smtpd runs" not in complaints(lab, here), "without chroot all is well")
    mail_out(lab, here, "example.com", "default")
    mail_in(lab, here, "example.com")


def complaints(lab, here):
    """What check-config says about opendkim.conf beside this Postfix."""
    files = lab.at("/etc/opendkim.conf"), "--postfix", f"{here.etc}/main.cf"
    code, output = lab.tool("mailproofd", "check-config", *files)
    lab.check(code == 1, "check-config complains")
    return " ".join(output.split())


def as_packaged(lab):
    """The packaged mailproofd.toml: a user of its own, metrics, and a socket of systemd."""
    domain, private = "receiver.example", "/etc/mailproofd/keys/2026.private"
    account = lab.account("mailproofd")
    lab.write(private, lab.read(key(lab, domain, "seal")), account, 0o600)
    lab.directory("/var/spool/postfix/mailproofd", f"{account}:postfix", 0o750)
    toml = lab.read(REPOSITORY, "packaging/mailproofd.toml")
    for line, other in (
        ('#user = "mailproofd"', f'user = "{account}"'),
        ('#owner = "mailproofd:postfix"', f'owner = "{account}:postfix"'),
        ("#[metrics]\n#listen", "[metrics]\nlisten"),
        ("#name-servers = []", f'name-servers = ["{lab.name_server}"]'),
        (
            "#[[sign.key]]\n",
            f'[[sign.key]]\ndomains = ["{domain}"]\nselector = "seal"\nfile = "{private}"\n',
        ),
    ):
        lab.check(line in toml, f"the sample has {line.splitlines()[0]}")
        toml = toml.replace(line, other)
    config = "/etc/mailproofd/mailproofd.toml"
    lab.write(config, toml)
    daemon = Mailproofd(lab, [config], SOCKET, user=None)
    lab.wait("it starts", lambda: "started" in daemon.log())
    socket_ = os.stat(lab.at(SOCKET))
    wanted = pwd.getpwnam(account).pw_uid, grp.getgrnam("postfix").gr_gid, 0o660
    found = socket_.st_uid, socket_.st_gid, socket_.st_mode & 0o777
    lab.check(found == wanted, f"the socket is {account}:postfix 0660")
    status = lab.read(f"/proc/{daemon.process.pid}/status")
    numbers = {line.split(":")[0]: line.split()[1:] for line in status.splitlines() if ":" in line}
    lab.check(set(numbers["Uid"]) == {str(wanted[0])}, f"the daemon is {account}")
    lab.check(int(numbers["CapEff"][0], 16) == 0, "and has no capability")
    here = Postfix(lab, True, f"{MAIN}myorigin = {domain}\n")
    Postfix(lab, False, MAIN_THERE)
    mail_out(lab, here, domain, "seal")
    mail_in(lab, here, domain)
    daemon.tell(signal.SIGHUP)
    lab.wait("it reloads as that user", lambda: "configuration reloaded" in daemon.log())
    mail_out(lab, here, domain, "seal")

    def answer(path):
        with urllib.request.urlopen(f"http://127.0.0.1:9125{path}", timeout=10) as it:
            return it.read().decode()

    lab.check(answer("/health") == "ok\n", "/health")
    metrics = lab.evidence["/metrics"] = answer("/metrics")
    lab.check(re.search(r"^mailproofd_\w+\{?.*\}? [1-9]", metrics, re.M), "/metrics counts")
    daemon.stop()

    systemd(lab, config, here)


def systemd(lab, config, here):
    path = lab.at(SOCKET)
    with open(lab.at(config)) as it:
        toml = it.read().replace(f'socket = "local:{path}"', 'socket = "systemd:milter"')
    toml = re.sub(r"^owner = .*$", "", toml, flags=re.M)
    lab.write(config, toml)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        os.chmod(path, 0o666)
        listener.listen()
        script = (
            'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=milter exec "$@" 3<&%d' % listener.fileno()
        )
        command = [
            "sh",
            "-c",
            script,
            "sh",
            f"{lab.bin}/mailproofd",
            "run",
            "--config",
            lab.at(config),
        ]
        first = Program(lab, "socket", command, pass_fds=[listener.fileno()])
        lab.wait("it starts", lambda: "started" in first.log())
        mail_in(lab, here, "receiver.example")
        lab.check(first.stop() == 0, "it is stopped")
        box, replies = lab.mailbox(), []
        octets = message("joe@sender.example")
        to = f"{box}@receiver.example"
        waiting = threading.Thread(
            target=lambda: replies.append(here.send("joe@sender.example", to, octets, lab.there))
        )
        waiting.start()
        first.start()
        waiting.join()
        lab.check(replies[0].startswith("250"), f"who came meanwhile has waited: {replies[0]}")
        lab.has(lab.delivered(box).results(), "dmarc=pass", "and is served")


def mail_out(lab, here, domain, selector):
    """Mail out, by SMTP and by sendmail(1), is signed."""
    box, author = lab.mailbox(), f"hoge@{domain}"
    reply = here.send(author, f"{box}@far.example", message(author), "127.0.0.1")
    lab.check(reply.startswith("250"), f"mail out is accepted: {reply}")
    signed = lab.delivered(box)
    here.sendmail(author, f"{box}@far.example", f"From: {author}\n\nlocal\n".encode())
    for got in (signed, lab.delivered(box)):
        lab.check(dkimpy_verifies(lab, got.sent()) == [True], "dkimpy verifies what goes out")
        signature = got.all("DKIM-Signature")[0]
        is_right = f"d={domain};" in signature and f"s={selector};" in signature
        lab.check(is_right, f"d={domain} s={selector}")
        # What the guides have the reader look for in "show original" of a mail provider.
        options = ["--zone", f".={lab.home}/dns/zone", "--sending-ip", lab.here, "--helo", domain]
        code, _ = lab.tool(
            "check-headers", *options, "--require", "spf,dkim,dmarc", stdin=got.sent()
        )
        lab.check(code == 0, "check-headers: SPF, DKIM and DMARC pass")


def mail_in(lab, here, domain):
    """Mail in is verified."""
    box = lab.mailbox()
    for source, result in ((lab.there, "pass"), (lab.evil, "fail")):
        author = "joe@sender.example"
        reply = here.send(author, f"{box}@{domain}", message(author), source)
        lab.check(reply.startswith("250"), f"mail in is accepted: {reply}")
        results = lab.delivered(box).results()
        lab.has(results, f"spf={result}", "mail in")
        lab.has(results, f"dmarc={result}", "mail in")
