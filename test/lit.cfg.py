"""lit: FileCheck tests over the tools. Site values (paths) come from build/test/lit.site.cfg.py."""
import os

import lit.formats

config.name = "Tenon"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["unit", "python", "Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = config.tenon_test_build

config.environment["PATH"] = os.pathsep.join([config.tenon_bin, config.llvm_bin, os.environ.get("PATH", "")])
config.environment["TENON_CACHE_DIR"] = ""  # every cubin is made anew
config.environment["VIRTUAL_ENV"] = os.path.join(config.tenon_src, ".venv")  # has a ptxas where the machine has none
config.substitutions.append(("%tenon_src", config.tenon_src))
config.substitutions.append(("%tenon_build", config.tenon_build))
config.substitutions.append(("%python", config.tenon_python))
config.substitutions.append(("%cxx", config.cxx))
config.substitutions.append(("%cc", config.cc))
