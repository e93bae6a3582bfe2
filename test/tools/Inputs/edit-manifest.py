"""Copies an artefact with one text of its manifest replaced, checksums and all.

usage: edit-manifest.py FROM.tnx TO.tnx OLD NEW
"""
import sys
import zipfile

source, target, old, new = sys.argv[1:]
with zipfile.ZipFile(source) as read, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as write:
    for entry in read.namelist():
        data = read.read(entry)
        if entry == "manifest.json":
            assert old.encode() in data, data
            data = data.replace(old.encode(), new.encode())
        write.writestr(entry, data)
