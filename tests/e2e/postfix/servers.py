"""The servers: a name server, Postfix, mailproofd, and the older daemons."""

import os, shutil, signal, socket, subprocess, time

from lab import DOMAINS_HERE, DOMAINS_THERE, Program, answers, remove, run
from mail import Smtp


class Dns:
    """Knot with all names of the world; `records` are lines of a zone file."""

    def __init__(self, lab, records):
        self.lab, self.home = lab, os.path.join(lab.home, "dns")
        os.mkdir(self.home)
        self.zone = os.path.join(self.home, "zone")
        with open(self.zone, "w") as it:
            it.write("$ORIGIN .\n$TTL 60\n@ SOA ns. hostmaster. 1 3600 600 86400 1\n@ NS ns.\n")
            it.write(f"ns A {lab.name_server}\n{records}\n")
        with open(os.path.join(self.home, "conf"), "w") as it:
            # A zone without its file is answered with SERVFAIL.
            it.write(f"""server:
    rundir: "{self.home}"
    listen: {lab.name_server}@53
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: warning
database:
    storage: "{self.home}"
zone:
  - domain: .
    storage: "{self.home}"
    file: zone
  - domain: servfail.example
    storage: "{self.home}"
    file: missing
""")
        command = ["knotd", "-c", os.path.join(self.home, "conf")]
        self.program = Program(lab, "knotd", command, is_ready=self.is_ready)
        lab.cleanups.clear()

    def is_ready(self):
        """Whether the zone is there: a question for the SOA of the root has an answer."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as it:
            it.settimeout(0.2)
            try:
                it.sendto(b"\0\1\1\0\0\1\0\0\0\0\0\0\0\0\6\0\1", (self.lab.name_server, 53))
                reply = it.recv(512)
            except OSError:
                return False
            return reply[3] & 15 == 0 and reply[7] == 1

    def pause(self):
        """From now on nobody answers."""
        self.program.tell(signal.SIGSTOP)
        self.lab.cleanup(self.resume)

    def resume(self):
        self.program.tell(signal.SIGCONT)


class Postfix:
    """An instance; `main` is what is special in its main.cf. That of `here` is the one of the
    system, in /etc/postfix, with Debian's chroot; that of `there` is below a directory."""

    def __init__(self, lab, is_here, main, services="", is_chrooted=True):
        self.lab, self.name = lab, "here" if is_here else "there"
        self.address = lab.here if is_here else lab.there
        other = lab.there if is_here else lab.here
        self.root = lab.root if is_here else os.path.join(lab.home, "there")
        self.etc, self.queue = self.root + "/etc/postfix", self.root + "/var/spool/postfix"
        self.data = self.root + "/var/lib/postfix"
        self.log_path = os.path.join(lab.home, f"postfix-{self.name}.log")
        remove(self.log_path)
        self.before = f"""compatibility_level = 3.6
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
bounce_queue_lifetime = 0
inet_protocols = ipv4
smtpd_peername_lookup = {"no" if lab.is_plain else "yes"}
"""
        self.after = f"""
# What the test needs; of several lines the last counts.
queue_directory = {self.queue}
data_directory = {self.data}
maillog_file = {self.log_path}
maillog_file_prefixes = {lab.home}
mydestination = localhost
virtual_mailbox_domains = {" ".join(DOMAINS_HERE if is_here else DOMAINS_THERE)}
virtual_mailbox_base = {lab.mail}
virtual_mailbox_maps = texthash:{lab.home}/mailboxes
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
alias_maps =
alias_database =
inet_interfaces = {"127.0.0.1" if lab.is_plain else self.address}
smtp_bind_address = {self.address}
smtp_tls_security_level = none
relayhost = [{other}]:{lab.port}
"""
        self.is_chrooted = is_chrooted and is_here
        self.configure(main, services)
        lab.cleanup(self.stop)
        lab.evidence[f"log of Postfix {self.name}"] = self.log
        self.start()

    def configure(self, main, services=""):
        for directory in (self.etc, self.queue, self.data):
            os.makedirs(directory, exist_ok=True)
        shutil.chown(self.data, "postfix")
        for name in ("dynamicmaps.cf", "postfix-files", "postfix-script", "post-install"):
            if os.path.exists(f"/etc/postfix/{name}") and not os.path.exists(f"{self.etc}/{name}"):
                shutil.copy(f"/etc/postfix/{name}", self.etc)
        with open(f"{self.etc}/main.cf", "w") as it:
            it.write(self.before + self.lab.text(main) + self.after)
        lines = []
        for line in self.lab.read("/usr/share/postfix/master.cf.dist").split("\n"):
            if line.startswith("smtp      inet"):
                line = line.replace("smtp     ", f"{self.address}:{self.lab.port}", 1)
            if not self.is_chrooted and line[:1] not in "# ":
                words = line.split()
                line = " ".join("n" if number == 4 else word for number, word in enumerate(words))
            if not line.startswith("#"):
                lines.append(line)
        with open(f"{self.etc}/master.cf", "w") as it:
            it.write("\n".join(lines) + self.lab.text(services))

    def postfix(self, command):
        done = subprocess.run(
            ["postfix", "-c", self.etc, command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.lab.evidence[f"postfix {command}"] = done.stdout.decode()
        return done.returncode

    def start(self):
        if self.is_chrooted and not os.path.exists(f"{self.queue}/etc/resolv.conf"):
            script = ["/usr/lib/postfix/configure-instance.sh", "-"]
            run("env", f"MAIL_CONFIG={self.etc}", *script)
        if self.postfix("start"):
            self.lab.fail(f"Postfix {self.name} starts")
        self.lab.wait(
            f"Postfix {self.name} listens", lambda: answers((self.address, self.lab.port))
        )

    def stop(self):
        self.postfix("stop")
        end = time.monotonic() + 10
        while answers((self.address, self.lab.port)) and time.monotonic() < end:
            time.sleep(0.05)
        # What is left of the queue is nothing for the next group.
        for name in ("active", "deferred", "hold", "incoming", "maildrop"):
            remove(os.path.join(self.queue, name))

    def reload(self, main, services=""):
        self.configure(main, services)
        self.postfix("reload")

    def submission(self):
        """A service of master.cf for users who authenticate themselves, by Dovecot."""
        options = dict(
            syslog_name="postfix/submission",
            smtpd_sasl_auth_enable="yes",
            smtpd_sasl_type="dovecot",
            smtpd_sasl_path="private/auth",
            smtpd_relay_restrictions="permit_sasl_authenticated,reject",
            smtpd_recipient_restrictions="permit_sasl_authenticated,reject",
            milter_macro_daemon_name="ORIGINATING",
        )
        lines = [
            f"\n{self.address}:{SUBMISSION} inet n - {'y' if self.is_chrooted else 'n'} - - smtpd"
        ]
        return "\n  -o ".join(lines + [f"{name}={value}" for name, value in options.items()]) + "\n"

    def log(self):
        lines = self.lab.read(self.log_path).split("\n") if os.path.exists(self.log_path) else []
        return "\n".join(line for line in lines if "/qmgr[" not in line)

    def flush(self):
        subprocess.run(["postqueue", "-c", self.etc, "-f"], stderr=subprocess.DEVNULL)

    def release(self):
        """What is held is delivered."""
        command = ["postsuper", "-c", self.etc, "-H", "ALL"]
        subprocess.run(command, check=True, capture_output=True)

    def queued(self, queue):
        """The messages in a queue, by their ids."""
        return [name for _, _, names in os.walk(f"{self.queue}/{queue}") for name in names]

    def send(self, mail_from, to, octets, source, **options):
        """The reply that decides about a message from this address."""
        client = Smtp(self.lab, self.address, source=source, **options)
        try:
            return client.send(mail_from, to, octets)
        finally:
            client.close()

    def sendmail(self, mail_from, to, octets):
        command = ["sendmail", "-C", self.etc, "-f", mail_from, to]
        subprocess.run(command, input=octets.replace(b"\r\n", b"\n"), check=True)


class Mailproofd(Program):
    """`mailproofd run` with these files; `socket` is where Postfix finds it."""

    def __init__(self, lab, files, socket_, user="mailproofd", name="mailproofd"):
        self.files = [lab.at(file) for file in files]
        self.socket = lab.at(socket_) if isinstance(socket_, str) else socket_
        user = lab.account(user)
        command = [os.path.join(lab.bin, "mailproofd"), "run"]
        for file in self.files:
            command += ["--config", file]
        if lab.is_plain and not any(file.endswith(".toml") for file in files):
            # There is no resolv.conf of our own, and the older daemons have no other setting.
            command += ["--zone", f".={lab.home}/dns/zone"]
        group = "postfix" if lab.is_plain else user
        who = dict(user=user, group=group, extra_groups=[]) if user else {}
        super().__init__(lab, name, command, lambda: answers(self.socket), **who)


SUBMISSION = 5587
SOCKET = "/var/spool/postfix/mailproofd/milter.sock"
LISTENER = f'[[listener]]\nsocket = "local:{SOCKET}"\n'


def verifier(lab, settings="", before="", roles='["verify"]'):
    """mailproofd with a configuration of its own, beside the Postfix that is tested."""
    user = lab.account("mailproofd")
    lab.directory("/var/spool/postfix/mailproofd", f"{user}:postfix", 0o2750)
    if lab.is_plain:
        dns = f'[dns]\nname-servers = ["{lab.name_server}"]\n'
        settings = settings.replace("[dns]\n", dns) if "[dns]" in settings else settings + dns
    toml = f'{before}\n{LISTENER}roles = {roles}\n[log]\nto = "stderr"\n{settings}\n'
    lab.write("/etc/mailproofd/mailproofd.toml", toml)
    lab.evidence["mailproofd.toml"] = lambda: lab.read(lab.at("/etc/mailproofd/mailproofd.toml"))
    return Mailproofd(lab, ["/etc/mailproofd/mailproofd.toml"], SOCKET)


# main.cf of the Postfix that is tested, where no guide writes it.
MAIN = """myhostname = mx.receiver.example
mynetworks = 127.0.0.1/32
smtpd_milters = unix:mailproofd/milter.sock
non_smtpd_milters = $smtpd_milters
milter_default_action = tempfail
smtpd_forbid_bare_newline = normalize
"""


def opendkim(lab, name, lines, user="opendkim"):
    """Stock OpenDKIM on a port of loopback."""
    port = 8893 if name == "signer" else 8894
    path = os.path.join(lab.home, f"opendkim-{name}.conf")
    with open(path, "w") as it:
        it.write(f"""Syslog no
UserID {user}
Socket inet:{port}@127.0.0.1
Nameservers {lab.name_server}
RequireSafeKeys no
{lines}
""")
    command = ["opendkim", "-f", "-x", path]
    # It takes seconds to end by itself.
    Program(
        lab,
        f"opendkim-{name}",
        command,
        is_ready=lambda: answers(("127.0.0.1", port)),
        end=signal.SIGKILL,
    )
    return f"inet:127.0.0.1:{port}"


def dovecot(lab, postfix):
    """Dovecot beside a Postfix that runs: its users are whoever has the password "secret"; it takes
    mail by LMTP and sorts it by a Sieve script."""
    home = os.path.join(lab.home, "dovecot")
    os.makedirs(home, exist_ok=True)
    path, sieve = os.path.join(home, "dovecot.conf"), os.path.join(home, "sort.sieve")
    with open(sieve, "w") as it:
        it.write(SIEVE)
    with open(path, "w") as it:
        it.write(f"""base_dir = {home}/run
state_dir = {home}/state
log_path = /dev/stderr
protocols = lmtp
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_location = maildir:~/
postmaster_address = postmaster@receiver.example
lda_mailbox_autocreate = yes
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home={lab.mail}/%n
}}
protocol lmtp {{
  mail_plugins = sieve
}}
plugin {{
  sieve_before = {sieve}
}}
service auth {{
  unix_listener {postfix.queue}/private/auth {{
    mode = 0666
  }}
}}
service lmtp {{
  unix_listener {postfix.queue}/private/dovecot-lmtp {{
    mode = 0666
  }}
}}
""")
    os.chmod(home, 0o755)
    command = ["dovecot", "-F", "-c", path]
    sockets = [f"{postfix.queue}/private/{name}" for name in ("auth", "dovecot-lmtp")]
    return Program(lab, "dovecot", command, is_ready=lambda: all(answers(it) for it in sockets))


SIEVE = """require ["fileinto", "mailbox"];
if header :contains "Authentication-Results" "dmarc=fail" {
    fileinto :create "Junk";
}
"""


def opendmarc(lab, lines):
    """Stock OpenDMARC on a port of loopback."""
    path = os.path.join(lab.home, "opendmarc.conf")
    with open(path, "w") as it:
        it.write(f"Syslog false\nSocket inet:8895@127.0.0.1\n{lines}\n")
    command = ["opendmarc", "-f", "-c", path]
    ready = lambda: answers(("127.0.0.1", 8895))
    Program(lab, "opendmarc", command, is_ready=ready, end=signal.SIGKILL)
    return "inet:127.0.0.1:8895"


def asks_elsewhere(lab):
    """OpenDMARC has no setting for name servers: it needs a resolv.conf of our own."""
    if lab.is_plain:
        print("!!   NOT RUN: without namespaces OpenDMARC asks the name servers of the system")
    return lab.is_plain
