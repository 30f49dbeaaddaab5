"""Ports for servers that must know theirs before they start."""

import random
import socket


def free_port():
    """
    A port of which no address is in use, from below those that the kernel gives to
    clients and to who asks for port 0: nobody gets it by chance in the meantime.
    """
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        end = int(file.read().split()[0])
    while True:
        port = random.randrange(end // 2, end)
        try:
            with socket.create_server(("", port)):
                return port
        except OSError:
            continue
