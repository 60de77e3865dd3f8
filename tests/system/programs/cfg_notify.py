"""Sends datagrams to the address of a notify socket: cfg_notify.py ADDRESS ready|garbage|descriptors."""
import array
import os
import socket
import sys

GARBAGE = (b"", b"\0" * 100, b"READY", b"READY=", b"READY=2", b"READY=11", b"ready=1", b"xREADY=1", b"READY =1", b"\xff" * 4000,
           b"A" * 60000, b"=\n=\n\n", b"EXTEND_TIMEOUT_USEC=99999999999999999999999", b"EXTEND_TIMEOUT_USEC=-1", b"MAINPID=1")


def main(address, kind):
    address = "\0" + address[1:] if address[0] == "@" else address
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.settimeout(5)
    if kind == "ready":
        sock.sendto(b"READY=1", address)
    elif kind == "garbage":
        for data in GARBAGE:
            sock.sendto(data, address)
    else:
        fd = os.open("/dev/null", os.O_RDONLY)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd] * 100))]
        for _ in range(50):
            sock.sendmsg([b"STATUS=x"], rights, 0, address)


main(*sys.argv[1:])
