"""A program that a check asks, and that answers badly: cfg_server.py KIND, on 127.0.0.1:8081."""
import socket
import sys
import time

ANSWERS = {
    "closes": b"",
    "garbage": bytes(range(256)) * 100,
    "endless header": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100000,
    "long body": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5000000,
    "half a line": b"HTTP/1.1 2",
    "a code that is none": b"HTTP/1.1 20x OK\r\n\r\n",
    "a code that is too long": b"HTTP/1.1 2000 OK\r\n\r\n",
    "no reason": b"HTTP/1.0 200\r\n\r\n",
    "other protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "drip": None,
    "silent": None,
}


def main(kind):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 8081))
    listener.listen(50)
    silent = []
    while True:
        client, _ = listener.accept()
        client.settimeout(0.3)
        try:
            if kind == "silent":
                silent = silent[-5:] + [client]
                continue
            if kind == "drip":
                for byte in b"HTTP/1.1 200 OK\r\n\r\n":
                    client.sendall(bytes([byte]))
                    time.sleep(0.05)
            else:
                client.sendall(ANSWERS[kind])
        except OSError:
            pass
        client.close()


main(sys.argv[1])
