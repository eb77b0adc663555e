"""corosync.conf for a lab's nodes."""

import math
import os

CLUSTER = "cohfs"


def token_milliseconds(lab):
    """How long a silent node is waited for.

    Emulated nodes share the host's cores.  With more of them than cores, or with
    each of them checking every memory access, one may go unscheduled for seconds
    without being dead.
    """
    nodes_per_core = math.ceil(len(lab.nodes) / (os.cpu_count() or 1))
    if lab.spec.kernel == "debug":
        return max(30000, 15000 * nodes_per_core)
    return 15000 * nodes_per_core if nodes_per_core > 1 else 5000


def configuration(lab):
    """Every brace ends its line: corosync's parser insists."""
    nodelist = "".join(
        f"    node {{\n"
        f"        nodeid: {node.number}\n"
        f"        name: {node.name}\n"
        f"        ring0_addr: {node.address}\n"
        f"    }}\n" for node in lab.nodes)
    # wait_for_all would keep the last survivor of a power cut from starting alone.
    return (
        f"totem {{\n"
        f"    version: 2\n"
        f"    cluster_name: {CLUSTER}\n"
        f"    transport: udpu\n"
        f"    token: {token_milliseconds(lab)}\n"
        f"    crypto_cipher: none\n"
        f"    crypto_hash: none\n"
        f"}}\n"
        f"nodelist {{\n{nodelist}}}\n"
        f"quorum {{\n"
        f"    provider: corosync_votequorum\n"
        f"    two_node: {1 if len(lab.nodes) == 2 else 0}\n"
        f"    wait_for_all: 0\n"
        f"}}\n"
        f"logging {{\n"
        f"    to_logfile: yes\n"
        f"    logfile: /var/log/corosync/corosync.log\n"
        f"    to_syslog: no\n"
        f"    timestamp: on\n"
        f"}}\n")
