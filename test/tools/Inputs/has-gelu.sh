#!/bin/sh
# For tenon-reduce: 1 says that the file is still interesting.
if grep -q tenon.gelu "$1"; then exit 1; fi
exit 0
