"""tenon-import: an exported PyTorch program in a file becomes what the other tools read, or an account of what of it can be
imported. Nothing in the file is run."""
import argparse
import json
import sys
import warnings
from pathlib import Path

from tenon.errors import InvalidArgumentError, TenonError
from tenon.importer.pt2_archive import read_program

EXAMPLES = """examples:
  tenon-import model.pt2 folder
      folder/model.mlir, text in the tenon dialect, and where there are weights folder/model.safetensors
  tenon-import --coverage model.pt2
      every op that Tenon does not import, with count, module path and source line; status 1 if there is one

exit status: 0 done, 1 the work failed, 2 wrong use
"""


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="tenon-import", usage="tenon-import [options] MODEL.pt2 [FOLDER]", epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Imports what torch.export.save wrote. The file is read without running anything from it: no pickle\n"
                    "is loaded, no expression is evaluated, no module is imported.")
    parser.add_argument("model", type=Path, metavar="MODEL.pt2", help="the exported program")
    parser.add_argument("folder", type=Path, nargs="?", metavar="FOLDER", help="where the result goes; it has to exist")
    parser.add_argument("--coverage", action="store_true", help="say which ops can be imported and which cannot")
    parser.add_argument("--json", action="store_true", help="with --coverage: as a program would read it")
    options = parser.parse_args(arguments)
    if options.coverage == (options.folder is not None):
        parser.error("give a FOLDER to import to, or --coverage")
    if options.json and not options.coverage:
        parser.error("--json goes with --coverage")
    return options


def coverage_text(found):
    from tenon.importer.unsupported import lines_of
    missing = {name for name, *_ in found.unsupported}
    nodes = sum(count for _, count in found.ops)
    lines = [f"{nodes} nodes of {len(found.ops)} ops; {len(found.unsupported)} unsupported"]
    if found.refused:
        lines += ["", found.refused]
    if found.unsupported:
        lines += ["", "unsupported:", *lines_of(found.unsupported, every_place=True)]
    lines += ["", "imported:"]
    lines += [f"  {name}, {'once' if count == 1 else f'{count} times'}" for name, count in found.ops if name not in missing]
    return "\n".join(lines)


def coverage_json(found):
    return json.dumps({"ops": [{"op": name, "count": count} for name, count in found.ops], "refused": found.refused,
                       "unsupported": [{"op": name, "reason": reason, "count": count, "places": list(places)}
                                       for name, reason, count, places in found.unsupported]}, indent=1)


def main(arguments=None):
    options = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        if options.folder is not None and not options.folder.is_dir():
            raise InvalidArgumentError(f"{options.folder}: no folder; make it first")
        program = read_program(options.model)
        from tenon.importer.exported_program import coverage, import_program
        if options.coverage:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = coverage(program)
            print(coverage_json(found) if options.json else coverage_text(found))
            return 0 if found.complete else 1
        from tenon.weights import write_safetensors
        imported = import_program(program)
        (options.folder / "model.mlir").write_text(imported.text, encoding="utf-8")
        if imported.weights:
            write_safetensors(imported.weights, options.folder / "model.safetensors")
    except (TenonError, OSError) as error:
        print(json.dumps({"error": str(error)}) if options.json else error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
