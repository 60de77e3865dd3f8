#!/usr/bin/env python3
"""Keeps notes: POST adds one and answers with its number, GET says how many there are. It knows nothing of lastcall."""
import contextlib
import http.server
import sqlite3
import sys


def ask(sql, *values):
    """The rows, and the number of one that was added; it is committed."""
    with contextlib.closing(sqlite3.connect(sys.argv[1])) as db, db:
        cursor = db.execute(sql, values)
        return cursor.fetchall(), cursor.lastrowid


class Notes(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.answer(ask("insert into note (text) values (?)", text)[1])

    def do_GET(self):
        self.answer(ask("select count(*) from note")[0][0][0])

    def answer(self, number):
        body = f"{number}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", len(body))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


ask("pragma journal_mode = wal")
ask("create table if not exists note (id integer primary key, text)")
http.server.ThreadingHTTPServer(("", 8000), Notes).serve_forever()
