"""Requests answered over a socket pair while the same thread group computes."""
import socket
import threading

GROUP = "io"


def answer(conn):
    while data := conn.recv(64):
        conn.sendall(data)
    conn.close()


def work(scale, state):
    a, b = socket.socketpair()
    t = threading.Thread(target=answer, args=(b,))
    t.start()
    total = 0
    for i in range(scale):
        a.sendall(b"ping")
        x = 0
        for k in range(200):
            x += k ^ i
        total += len(a.recv(64)) + (x & 1)
    a.close()
    t.join()
    return total


SCALE = 1500
