"""Checkpoints as the tests make them: manifest and archive, written by hand, so that they can also be wrong."""
import hashlib
import io
import json
import os
import stat
import subprocess
import tarfile
from pathlib import Path

import lc

ID = "000042-20261121T031500Z"
TYPES = {"file": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "link": tarfile.SYMTYPE}


def checkpoint(*words, stdin=b"", **options):
    """Runs the verb; bytes in and out."""
    return subprocess.run([lc.BINARY, "checkpoint", *map(os.fsencode, map(str, words))], input=stdin,
                          capture_output=True, timeout=60, **options)


def text_of(key, raw):
    """As a key and a value, in hex where JSON cannot hold it."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return {f"{key}_hex": raw.hex()}
    plain = all(ord(c) >= 0x20 and ord(c) != 0x7f for c in text)
    return {key: text} if plain else {f"{key}_hex": raw.hex()}


def entry(path, type="file", data=b"", target=b"", mode=None, mtime=1700000000, mtime_ns=0, uid=None, gid=None):
    path = os.fsencode(path)
    e = {**text_of("path", path), "type": type, "mode": mode or {"file": "0644", "dir": "0755", "link": "0777"}[type],
         "uid": os.getuid() if uid is None else uid, "gid": os.getgid() if gid is None else gid, "mtime": mtime,
         "mtime_ns": mtime_ns}
    if type == "file":
        e |= {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    if type == "link":
        e |= text_of("target", os.fsencode(target))
    return e


def entries_of(tree):
    """All that is in a directory, and the bytes of its files by path."""
    entries, data = [], {}
    for folder, folders, files in os.walk(os.fsencode(tree)):
        for name in sorted(folders + files):
            full = os.path.join(folder, name)
            path, st = os.path.relpath(full, os.fsencode(tree)), os.lstat(full)
            link = stat.S_ISLNK(st.st_mode)
            kind = "link" if link else "dir" if stat.S_ISDIR(st.st_mode) else "file"
            data[path] = Path(os.fsdecode(full)).read_bytes() if kind == "file" else b""
            entries.append(entry(path, kind, data[path], os.readlink(full) if link else b"",
                                 f"{stat.S_IMODE(st.st_mode):04o}", st.st_mtime_ns // 10**9, st.st_mtime_ns % 10**9,
                                 st.st_uid, st.st_gid))
    return entries, data


def manifest(entries, seal=None, files=None, size=None, **head):
    """The text of a manifest."""
    first = {"format": 1, "lastcall": "0.1.0", "name": "jobs", "id": ID, "time": "2026-11-21T03:15:00Z", "host": "h",
             "cause": "a test", **head}
    dump = lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    found = [e for e in entries if e["type"] == "file"]
    files = len(found) if files is None else files
    size = sum(e["size"] for e in found) if size is None else size
    text = dump(first)[:-1] + ',"entries":['
    text += ",".join("\n" + dump(e) for e in entries) + f'\n],"files":{files},"bytes":{size},\n'
    return text.encode() + f'"sha256":"{seal or hashlib.sha256(text.encode()).hexdigest()}"}}\n'.encode()


def member(path, data=b"", type=tarfile.REGTYPE, target=b"", **more):
    """One entry of an archive, in pax form, its contents padded."""
    info = tarfile.TarInfo(os.fsdecode(path))
    info.size, info.type, info.linkname, info.mode = len(data), type, os.fsdecode(target), 0o644
    for key, value in more.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape") + data + bytes(-len(data) % 512)


END = bytes(1024)


def members(entries, data):
    """What follows the manifest."""
    out = []
    for e in entries:
        path = bytes.fromhex(e["path_hex"]) if "path_hex" in e else e["path"].encode()
        target = bytes.fromhex(e["target_hex"]) if "target_hex" in e else e.get("target", "").encode()
        out.append(member(f"{ID}/data/".encode() + path, data.get(path, b""), TYPES[e["type"]], target))
    return out


def archive(entries, data, **head):
    text = manifest(entries, **head)
    return b"".join([member(f"{ID}/manifest.json", text), *members(entries, data), END])


def simple():
    """A small one that is good: entries and contents."""
    data = {b"d/f": b"hello\n" * 100, b"e": b""}
    return [entry("d", "dir"), entry("d/f", data=data[b"d/f"]), entry("d/l", "link", target="f"), entry("e")], data


def look(tree):
    """All that can be seen of a tree: by path its mode, owner, time, contents."""
    seen = {}
    for folder, folders, files in os.walk(os.fsencode(tree)):
        for name in folders + files:
            full = os.path.join(folder, name)
            st = os.lstat(full)
            body = os.readlink(full) if stat.S_ISLNK(st.st_mode) else None
            if stat.S_ISREG(st.st_mode):
                body = hashlib.sha256(Path(os.fsdecode(full)).read_bytes()).hexdigest()
            seen[os.path.relpath(full, os.fsencode(tree))] = (oct(st.st_mode), st.st_uid, st.st_gid, st.st_mtime_ns, body)
    return seen


def checkpoints(store):
    """The ids of the whole ones, the newest first."""
    return sorted((n for n in os.listdir(store) if n[0].isdigit()), reverse=True)
