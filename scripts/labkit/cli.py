"""The command line of scripts/lab: what each subcommand takes and does."""

import argparse
import concurrent.futures
import os
import re
import sys

from labkit import (agent, cache, cluster, fence, gate, images, kernels, node, output, progress,
                    qemu)
from labkit.errors import LabError

FAILED, INTERRUPTED = 1, 130

DESCRIPTION = """\
A cluster of virtual machines on this one: QEMU guests on one shared disk and one
wire, running Debian's corosync and dlm_controld, with cohfs, GFS2 or OCFS2 mounted
on /mnt/cohfs.  The shared disk is /dev/disk in every guest, private ones are
/dev/disk1 and up, this repository is /repo (read-only), --share is /share.
"""


def size(text):
    """Bytes from `4G`, `512M`, ..."""
    found = re.fullmatch(r"(\d+)([KMGT]?)", text.upper())
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 512M or 4G")
    return int(found[1]) << (10 * " KMGT".index(found[2] or " "))


# --- a whole lab

def up(arguments):
    share = os.path.abspath(arguments.share) if arguments.share else ""
    spec = cluster.Spec(
        name=arguments.name, count=arguments.nodes, kernel=arguments.kernel, fs=arguments.fs,
        share=share, disk_size=arguments.disk_size, disks=arguments.disks,
        memory=arguments.mem, mount_options=arguments.mount_opts, append=arguments.append,
        cpus=arguments.cpus, write_log=arguments.write_log)
    cluster.check(spec)
    prepare(spec.kernel)
    with progress.step(f"lab {spec.name}"):
        lab = cluster.new(spec)
        try:
            lab.bring_up(mount=not arguments.no_mount)
        except KeyboardInterrupt:
            lab.down()
            raise
        except LabError as error:
            raise LabError(f"{error}\nwhat runs is left for you to look at; "
                           f"`lab down --name {lab.name}` ends it") from error


def prepare_kernel(kind):
    kernels.vmlinux(kind)
    images.boot(kind).get()


def prepare(kernel):
    """Has everything a lab boots from in the cache."""
    prepare_kernel(kernel)
    images.root().get()
    qemu.accelerator()


def down(arguments):
    names = [lab.name for lab in cluster.labs()] if arguments.all else [arguments.name]
    for name in names:
        stopped = cluster.Lab.load(name).down()
        print(f"lab {name}: stopped {', '.join(stopped) or 'nothing, no node was running'}")


def status(arguments):
    labs = [cluster.Lab.load(arguments.name)] if arguments.name else cluster.labs()
    for lab in labs:
        spec = lab.spec
        print(f"lab {lab.name}: {spec.count} nodes, {spec.kernel} kernel, fs {spec.fs}, "
              f"{spec.memory} MB each, {lab.folder}")
        for each in lab.nodes:
            pid = each.pid()
            print(f"  {each.name}  {each.state():8} {f'pid {pid}' if pid else ''}".rstrip())
    if not labs:
        print("no labs")


def check_logs(arguments):
    lab = cluster.Lab.load(arguments.name)
    consoles = [each.console for each in lab.nodes]
    dirty = gate.check_files(consoles)
    print(f"lab {lab.name}: {len(consoles) - dirty} of {len(consoles)} consoles clean")
    return FAILED if dirty else 0


# --- its nodes

def chosen(arguments):
    lab = cluster.Lab.load(arguments.name)
    return node.numbers(lab.nodes, arguments.node)


def run(arguments):
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        raise LabError("run what?  lab run NODE -- COMMAND [ARGUMENT...]")
    if command is arguments.command and command[0].startswith("-"):
        # It would be taken for the command, and of the wrong lab perhaps.
        raise LabError(f"{command[0]}: options of `lab run` come before the node")
    nodes = chosen(arguments)
    if arguments.node != "all":
        stdin = sys.stdin.fileno() if arguments.stdin else None
        return run_on(nodes[0], command, output.passthrough, arguments.timeout, stdin)
    with concurrent.futures.ThreadPoolExecutor(len(nodes)) as pool:
        futures = [pool.submit(run_prefixed, each, command, arguments.timeout) for each in nodes]
        try:
            return max(future.result() for future in futures)
        except (KeyboardInterrupt, BrokenPipeError):
            # The other threads only end with their commands, and these, being
            # tied to our connections, with this process.
            os._exit(INTERRUPTED)


def run_prefixed(each, command, timeout):
    sink = output.Prefixed(each.name)
    try:
        return run_on(each, command, sink, timeout, None)
    finally:
        sink.flush()


def run_on(each, command, sink, timeout, stdin):
    """The exit status of a command in a guest, or what stands for its having none."""
    try:
        result = each.run(command, sink, stdin, timeout)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return agent.UNREACHABLE
    if result == agent.TIMED_OUT:
        print(f"lab: {each.name}: ended after {timeout:g} s: {' '.join(command)}", file=sys.stderr)
    return result


def kill(arguments):
    for each in chosen(arguments):
        if not each.power_off():
            raise LabError(f"{each.name} is off already")


def start(arguments):
    lab = cluster.Lab.load(arguments.name)
    lab.start(node.numbers(lab.nodes, arguments.node), mount=not arguments.no_mount)


def pause(arguments):
    for each in chosen(arguments):
        each.control("stop")


def resume(arguments):
    for each in chosen(arguments):
        each.control("cont")


def cut(arguments):
    for each in chosen(arguments):
        each.set_wire(False)


def heal(arguments):
    for each in chosen(arguments):
        each.set_wire(True)


def serve_fence(arguments):
    fence.serve(cluster.Lab.load(arguments.name), arguments.by)


def fenced(arguments):
    for record in fence.records(cluster.Lab.load(arguments.name)):
        print(f"{record['time']:.3f} node{record['node']} by node{record['by']}"
              f"{'' if record['ran'] else ', was off'}")


def token(arguments):
    for each in chosen(arguments):
        status = run_on(each, ["/lab/node.sh", "token", str(arguments.ms)], output.passthrough,
                        30, None)
        if status:
            return FAILED
    return 0


def sysrq(arguments):
    if not re.fullmatch(r"[a-z0-9]", arguments.key):
        raise LabError(f"{arguments.key!r} is not a sysrq key: one of a-z, 0-9")
    for each in chosen(arguments):
        each.sysrq(arguments.key)


def log(arguments):
    for each in chosen(arguments):
        if not each.console.exists():
            raise LabError(f"{each.name} has no console yet")
        if arguments.path:
            print(each.console)
            continue
        sys.stdout.buffer.write(each.console.read_bytes().replace(b"\r", b""))
        sys.stdout.flush()


# --- the cache

def kdir(arguments):
    if arguments.kernel == "source":
        path = kernels.source().get() / "linux"
    else:
        path = kernels.kdir(arguments.kernel)
    if not path.exists():
        raise LabError(f"{path} is not there: run scripts/setup-host as root")
    print(path)


def fill_cache(arguments):
    actions = {
        "stock": lambda: prepare_kernel("stock"),
        "debug": lambda: prepare_kernel("debug"),
        "root": lambda: images.root().get(),
    }
    for name, action in actions.items():
        if arguments.item in (name, "all"):
            action()
    if arguments.item == "clean":
        clean_cache()


def clean_cache():
    """Removes what no current input leads to, unless a lab may be running from it."""
    busy = [lab.name for lab in cluster.labs() if lab.running()]
    if busy:
        raise LabError(f"labs are running ({', '.join(busy)}): `lab down --all` first")
    wanted = [kernels.source(), kernels.stock(), kernels.debug(), images.root(), images.misbehave(),
              *(images.boot(kind) for kind in kernels.KINDS)]
    for name in cache.sweep(wanted):
        print(f"removed {name}")


# --- the parser

def parser():
    top = argparse.ArgumentParser(prog="lab", description=DESCRIPTION,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def add(name, action, text, *, lab=True, one=False):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(action=action)
        if lab:
            command.add_argument("--name", default="lab", help="which lab (default: lab)")
        if one:
            command.add_argument("node", metavar="NODE", help="its number, or all")
        return command

    add_up(add)
    command = add("run", run, "run a command in one or all guests; status and output pass through",
                  one=True)
    command.add_argument("--timeout", type=float, metavar="S", help="end it after S seconds (124)")
    command.add_argument("-i", "--stdin", action="store_true", help="pass on standard input")
    command.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    add("kill", kill, "cut a node's power", one=True)
    command = add("start", start, "boot a node again, into the cluster and mounted", one=True)
    command.add_argument("--no-mount", action="store_true", help="join the cluster only")
    add("pause", pause, "stop a guest's processor", one=True)
    add("resume", resume, "let it go on", one=True)
    add("cut", cut, "take a node off the cluster's wire", one=True)
    add("heal", heal, "put it back", one=True)
    add("token", token, "how long corosync waits for a silent node, until its next start", one=True
        ).add_argument("ms", type=int, metavar="MS", help="milliseconds; 0: as configured")
    add("fence", serve_fence, "answer a node's request to fence another one (QEMU runs this)"
        ).add_argument("--by", type=int, required=True, metavar="NODE")
    add("fenced", fenced, "list which nodes were fenced, when and by whom")
    add("sysrq", sysrq, "type a sysrq key on a node's console", one=True).add_argument(
        "key", metavar="KEY")
    add("log", log, "print a node's console since its first boot", one=True).add_argument(
        "--path", action="store_true", help="print where it is instead")
    add("gate", check_logs, "fail if any guest's kernel complained on its console")
    add("status", status, "list labs and their nodes", lab=False).add_argument(
        "--name", help="this lab only")
    add("down", down, "stop a lab's guests; consoles stay until the next up").add_argument(
        "--all", action="store_true", help="all labs")
    add("kdir", kdir, "print what to build modules against, or where the kernel's source is",
        lab=False).add_argument("kernel", choices=(*kernels.KINDS, "source"))
    add("cache", fill_cache, "build what labs boot from, or remove what none would", lab=False
        ).add_argument("item", choices=("stock", "debug", "root", "all", "clean"))
    return top


def add_up(add):
    command = add("up", up, "boot a cluster, format its disk, mount it everywhere")
    command.add_argument("-n", "--nodes", type=int, default=2, metavar="N", help="default: 2")
    command.add_argument("--kernel", choices=kernels.KINDS, default="stock")
    command.add_argument("--fs", choices=cluster.FILESYSTEMS, default="cohfs",
                         help="none: the cluster runs, the disk is there, nothing is on it")
    command.add_argument("--share", metavar="DIR", help="folder of this host to show as /share")
    command.add_argument("--disk-size", type=size, default=size("4G"), metavar="S",
                         help="of the shared and of private disks, sparse (default: 4G)")
    command.add_argument("--disks", type=int, default=0, metavar="K",
                         help="private disks per node (default: 0)")
    command.add_argument("--mem", type=int, default=0, metavar="MB", help="memory per node")
    command.add_argument("--cpus", type=int, choices=range(1, 65), default=1, metavar="N",
                         help="virtual processors per node (default: 1)")
    command.add_argument("--write-log", action="store_true",
                         help="record what each node writes to the shared disk, in the "
                              "format of dm-log-writes: writes.N.log in the lab's folder")
    command.add_argument("--mount-opts", default="", metavar="O", help="added to the mount's -o")
    command.add_argument("--no-mount", action="store_true", help="format, but do not mount")
    command.add_argument("--append", default="", metavar="WORDS",
                         help="added to the guests' kernel command line")


def main():
    arguments = parser().parse_args()
    try:
        return arguments.action(arguments) or 0
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        # Whoever read us has seen enough; nothing more may be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
