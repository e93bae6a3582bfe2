"""What kernel-diff --save wrote, as another compiler might have made it: one kernel differs, another does not compile.

usage: change-kernels.py FOLDER
"""
import json
import sys
from pathlib import Path

path = Path(sys.argv[1]) / "kernels.json"
kernels = json.loads(path.read_text())
softmax = kernels["sm_90a/softmax"]["softmax"]
softmax["facts"]["registers"] = 999
softmax["opcodes"]["MUFU"] = 0
softmax["ptx"].insert(10, "\tbar.sync 0;")
kernels["sm_90a/transpose"] = {"error": "error: no transposes today\nmore"}
path.write_text(json.dumps(kernels))
